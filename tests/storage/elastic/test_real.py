"""The store on a real Elasticsearch: what only the real one can get wrong.

What all stores must answer alike is in the contract suite; here are the answers that depend on how
Elasticsearch cuts words, refuses documents, rolls over and reckons.
"""

import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parsers.event import Container, Event, Printed, make_origin
from storage.elastic import search as elastic_search
from storage.elastic.docs import LAST_TIME
from storage.elastic.store import ElasticStore
from storage.grammar import parse
from storage.metrics import Metrics
from storage.query import ContainerRef, Cursor, Query, matching, sort_key
from storage.store import Checkpoint, Rejection, StoreUnavailable
from tests.real import elastic
from tests.storage.contract import FRESH_SECONDS
from tests.storage.elastic_events import JOURNAL, TIME, deep, event

pytestmark = pytest.mark.elasticsearch

Open = Callable[..., Awaitable[ElasticStore]]
OTHER = "ff" * 8  # another journal


@pytest.fixture
def stream() -> str:
    return f"logs-docker-test_{time.time_ns():x}"


@pytest.fixture
async def opened(elasticsearch: str, stream: str, tmp_path: Path) -> AsyncIterator[Open]:
    stores: list[ElasticStore] = []

    async def open_store(journal: str = JOURNAL) -> ElasticStore:
        folder = tmp_path / journal
        folder.mkdir(exist_ok=True)
        store = ElasticStore(
            elasticsearch, folder, journal, Metrics(),
            on_rejected=fail, stream=stream, fresh_seconds=FRESH_SECONDS, ca_certs=elastic.given_ca(),
        )  # fmt: skip
        await store.start()
        stores.append(store)
        return store

    yield open_store
    for store in stores:
        await store.close()


def fail(rejections: Sequence[Rejection]) -> None:
    raise AssertionError(rejections)


def ask(url: str, method: str, path: str, body: Any = None) -> Any:
    return elastic.ask(elastic.superuser(url), method, path, body, elastic.given_ca())


async def put(store: ElasticStore, events: Sequence[Event]) -> None:
    await store.append(events, Checkpoint(next=events[-1].position + 1, offset=events[-1].offset + 1))


async def everything(store: ElasticStore, query: Query) -> list[Event]:
    """All pages of a query."""
    found: list[Event] = []
    while True:
        page = await store.search(query)
        assert page.truncated_by is None
        found += page.events
        if page.next is None:
            return found
        query = msgspec.structs.replace(query, cursor=page.next)


def json_event(number: int, value: Any) -> Event:
    message = json.dumps(value, ensure_ascii=number % 2 == 0)
    return event(number, message=message, fields=value, json_line=True)


WORDS = (
    "Error", "timeout", "conn_refused", "foo-bar", "한글로그", "日本語", "x" * 9000, "1.50", "İstanbul",
    "\u212aelvin", "a\u202fb", "GET /api/v1?id=7", "\x1b[31mred", "ÄÖ", "naïve", "1\ufe0f\u20e32", "e\u0301t",
    "ab\u200dcd", "don't", "192.168.0.1", "key=value",
)  # fmt: skip
ASKED = (
    "error", "rror", "TIMEOUT", "conn_re", "refused foo", '"foo-bar 한글"', "글로", "日本", "xxx", "kelvin",
    "istan", "stanbul", "elvin", "get", "/a[pn]i/", "-error", "error OR 日", "error -timeout", '"a\u202fb"',
    '" error "', '"error timeout"', '" foo-bar "', "ä", "1.50", "[31m", "12", "t", "cd", "don't", "n't",
    "168.0", "y=v", "id=7 error",
)  # fmt: skip


async def test_a_word_and_any_part_of_it_are_found_as_grep_does(opened: Open) -> None:
    dice = random.Random(7)
    events = [event(n, message=" ".join(dice.choices(WORDS, k=dice.randrange(6)))) for n in range(400)]
    store = await opened()
    await put(store, events)
    for q in ASKED:
        query = Query(text=parse(q), limit=90, order="asc")
        assert await everything(store, query) == matching(query, events), q


LONG_WORD, LONG_KEY = "abcdefghij" * 120, "k" * 2000
LONG_TAG = make_origin(Container(None, "long"), "h", labels={LONG_KEY: "1"}, tag=LONG_WORD[:1020])
ASKED_LONG = (
    f"{LONG_WORD}", f"{LONG_WORD}z", f'" {LONG_WORD} "', f'"{LONG_WORD} "', f'" {LONG_WORD}"',
    f'"y{LONG_WORD} "', f"s:{LONG_WORD[:1000]}", f"s:{LONG_WORD[:1000]}*", f"{LONG_KEY}:*",
)  # fmt: skip


async def test_questions_as_long_as_the_line(opened: Open) -> None:
    """Elasticsearch has limits of its own for words in a question, which nobody may meet."""
    texts = (f"x {LONG_WORD} y", f"y{LONG_WORD} y", f"{LONG_WORD[:-1]}", f"x {LONG_WORD}y")
    fields: dict[str, Any] = {"s": LONG_WORD[:1000], LONG_KEY: 1}
    events = [event(n, message=text, fields=fields, origin=LONG_TAG) for n, text in enumerate(texts)]
    store = await opened()
    await put(store, [*events, event(len(events))])
    for q in ASKED_LONG:
        query = Query(text=parse(q), order="asc")
        assert await everything(store, query) == matching(query, events), q[:9]
    labels = [Query(labels=((LONG_KEY, value),)) for value in (None, "1")]
    for query in (*labels, Query(tag=f"{LONG_WORD[:1019]}*")):
        assert len(await everything(store, query)) == len(events)
    assert await store.find_containers(LONG_WORD[:1020]) == []


FIELDS: tuple[dict[str, Any], ...] = (
    {"status": 502, "a": {"b": "X"}, "a.b": "dot", "unit": "\u212ag"},
    {"status": 502.0, "a": {"b": ["y", {"c": True}]}, "took": 1.50, "s": ""},
    {"status": "5.02e2", "took": 1e3, "s": "İx", "big": 10**18},
    {"status": None, "n\0ul": 1, "s": "ok"},
    {"s": "v" * 5000, "deep": deep(30)},
    {"long" * 9000: 1, "s": "Ok then"},
    {},
)
ASKED_FIELDS = (
    "status:502", "status:5*", "status:502.0", "status:>=502", "status:<1000", "a.b:x", "a.b:dot", "a.b:y",
    "a.b.c:true", "took:1.5", "took:1000*", "unit:kg", "unit:k*", "s:ok", "s:ok*", "s:i*", "s:vvv*",
    "s:o* -s:ok", "deep.inner.inner:1", "a.b:x OR s:ok",
)  # fmt: skip


async def test_fields_are_compared_as_everywhere(opened: Open) -> None:
    events = [event(n, fields=fields) for n, fields in enumerate(FIELDS)]
    events += [json_event(len(events) + n, fields) for n, fields in enumerate(FIELDS)]
    store = await opened()
    await put(store, events)
    for q in ASKED_FIELDS:
        query = Query(text=parse(q), order="asc")
        assert await everything(store, query) == matching(query, events), q


ODD = make_origin(
    Container(None, "a name"),
    "",
    labels={"nul\0": "1", "": "empty", "long": "v" * 40_000, "a=b": "c", ".": "dot", "k" * 33_000: "1"},
    tag="t" * 3000,
)
PLAIN = make_origin(
    Container("cd" * 32, "db"), "h", labels={"a": "1", "a.b": "2", "a.": "3", "": "x"}, tag="t"
)


@pytest.mark.parametrize(
    "query",
    [
        Query(labels=(("nul\0", "1"),)),
        Query(labels=(("", None),)),
        Query(labels=(("", "x"),)),
        Query(labels=(("long", "v" * 40_000),)),
        Query(labels=(("long", None),)),
        Query(labels=(("a=b", "c"),)),
        Query(labels=((".", "dot"),)),
        Query(labels=(("k" * 33_000, None),)),
        Query(labels=(("a.", "3"), ("a.b", None))),
        Query(labels=(("a", "2"),)),
        Query(tag="t*"),
        Query(tag="tt*"),
        Query(tag="t" * 3000),
        Query(containers=(ContainerRef(name="a name"), ContainerRef(id="cd" * 32))),
        Query(hosts=("",)),
    ],
)
async def test_surprising_origins_are_found_and_break_no_neighbour(opened: Open, query: Query) -> None:
    events = [event(n, origin=(ODD, PLAIN)[n % 2]) for n in range(4)]
    store = await opened()
    await put(store, events)
    query = msgspec.structs.replace(query, order="asc")
    assert await everything(store, query) == matching(query, events)
    assert await everything(store, Query(order="asc")) == events


async def test_all_that_an_event_holds_comes_back(opened: Open) -> None:
    events = [
        event(
            0,
            message="a\0b\x1b\u2028\U0001f600",
            stream="stderr",
            level="error",
            flags=("joined", "truncated"),
        ),
        event(1, fields={"n": 10**40, "m": -1.5e300, "none": None}, printed=(Printed(b"\xff\0", None, -3),)),
        event(2, message="", origin=make_origin(Container(), "h")),
        json_event(3, {"a": 1, "b": [deep(25)]}),
        event(4, message='{"a":1,\n"a":2}', fields={"a": 2}, json_line=True),
        event(5, message="x" * 300_000),
    ]
    store = await opened()
    await put(store, events)
    assert await everything(store, Query(order="asc", limit=2)) == events
    assert [await store.get(each.id) for each in events] == events


async def test_times_outside_of_date_nanos_are_in_their_place(opened: Open) -> None:
    times = (-(1 << 62), -1, 0, 1, TIME, LAST_TIME - 1, LAST_TIME)
    events = [event(n, timestamp=at) for n, at in enumerate(times)]
    events += [event(n + len(times), timestamp=at) for n, at in enumerate(times)]
    expected = sorted(events, key=sort_key)
    store = await opened()
    await put(store, events)
    assert await everything(store, Query(order="asc", limit=1)) == expected
    assert await everything(store, Query(order="desc", limit=3)) == expected[::-1]
    for since in times:
        query = Query(order="asc", since=since)
        assert await everything(store, query) == matching(query, expected)
        query = Query(order="asc", until=since)
        assert await everything(store, query) == matching(query, expected)
    summary = (await store.containers(Query()))[0]
    assert (summary.first_seen, summary.last_seen, summary.lines) == (times[0], times[-1], len(events))


async def test_first_and_last_seen_are_exact_to_the_nanosecond(opened: Open) -> None:
    store = await opened()
    await put(store, [event(0, timestamp=TIME + 1), event(1, timestamp=TIME + 2), event(2, timestamp=TIME)])
    service = (await store.services(Query()))[0]
    assert (service.first_seen, service.last_seen) == (TIME, TIME + 2)


async def test_more_origins_than_one_request_counts(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.elastic.lists.ORIGINS_AT_ONCE", 7)
    names = [f"c{n:03}" for n in range(30)]
    store = await opened()
    await put(store, [event(n, origin=make_origin(Container(None, names[n % 30]), "h")) for n in range(60)])
    found = await store.containers(Query())
    assert sorted((each.container.name, each.lines) for each in found) == [(name, 2) for name in names]


async def test_references_find_containers_the_one_seen_last_first(opened: Open) -> None:
    store = await opened()
    lives = [Container(f"{n}{'ab' * 31}{n}", "web") for n in range(3)]
    origins = [
        make_origin(each, "h") for each in (*lives, Container(None, "1ab"), Container("1abc" * 16, "db"))
    ]
    await put(store, [event(n, origin=origins[n % 5], timestamp=TIME - n) for n in range(10)])
    assert await store.find_containers("web") == lives
    assert await store.find_containers(lives[2].id or "") == [lives[2]]
    assert {each.name for each in await store.find_containers("1ab")} == {"web", "1ab", "db"}
    assert await store.find_containers("1abc") == [origins[4].container]
    assert await store.find_containers("abab") == []
    assert await store.find_containers("x" * 2000) == []


async def test_pages_do_not_move_while_lines_arrive_even_of_another_journal(opened: Open) -> None:
    store, neighbour = await opened(), await opened(OTHER)
    await put(neighbour, [event(n + 1000, journal=OTHER) for n in range(5)])
    await neighbour.flush()
    await put(store, [event(n) for n in range(10)])
    page = await store.search(Query(limit=4))
    await put(store, [event(n, timestamp=TIME - 1 + n % 2) for n in range(10, 20)])
    rest = await everything(store, Query(limit=4, cursor=page.next))
    assert [each.offset for each in page.events + rest] == [1004, 1003, 1002, 1001, 1000, *range(9, -1, -1)]


async def test_arrival_goes_on_where_it_was(opened: Open) -> None:
    store = await opened()
    await put(store, [event(n, timestamp=TIME - n) for n in range(10)])
    found = await everything(store, Query(order="arrival", after_offset=3, limit=2))
    assert [each.offset for each in found] == list(range(4, 10))


async def test_a_scan_without_a_word_stops_says_so_and_goes_on(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_search, "SCAN_HITS", 30)
    monkeypatch.setattr(elastic_search, "SCAN_WINDOW", 20)
    store = await opened()
    await put(store, [event(n, message="日" if n == 5 else "月") for n in range(300)])
    query, pages, found = Query(text=parse("日"), limit=3), 0, list[Event]()
    while True:
        page = await store.search(query)
        pages, found = pages + 1, found + page.events
        if page.next is None:
            break
        assert page.truncated_by == "scan_limit"
        assert page.notes
        query = msgspec.structs.replace(query, cursor=page.next)
    assert [each.offset for each in found] == [5]
    assert pages > 2


async def test_a_roll_over_and_a_replay_double_nothing(opened: Open, elasticsearch: str, stream: str) -> None:
    events = [event(n) for n in range(50)]
    first = await opened()
    await put(first, events[:40])
    await first.flush()
    await first.close()
    assert ask(elasticsearch, "POST", f"/{stream}/_rollover")["rolled_over"]
    second = await opened()
    await put(second, events)
    assert await everything(second, Query(order="asc", limit=7)) == events
    assert [await second.get(events[n].id) for n in (0, 45)] == [events[0], events[45]]


async def test_documents_of_somebody_else_do_not_show(opened: Open, elasticsearch: str, stream: str) -> None:
    store = await opened()
    await put(store, [event(n) for n in range(3)])
    await store.flush()
    foreign = {"@timestamp": "2026-11-24T06:00:00Z", "message": "line of another shipper"}
    ask(elasticsearch, "POST", f"/{stream}/_doc?refresh=true", foreign)
    for order in ("asc", "desc", "arrival"):
        assert len(await everything(store, Query(order=order, limit=1))) == 3
    assert [each.lines for each in await store.containers(Query())] == [3]


async def test_a_cursor_that_names_no_event(opened: Open) -> None:
    store = await opened()
    await put(store, [event(n) for n in range(5)])
    place = Cursor(TIME + 2, 1 << 62, "\U0010ffff", 0, 10, "desc")
    assert [each.offset for each in await everything(store, Query(cursor=place))] == [2, 1, 0]
    place = Cursor(TIME + 2, -1, "", 0, 10, "asc")
    assert [each.offset for each in await everything(store, Query(order="asc", cursor=place))] == [2, 3, 4]


async def test_nothing_written_yet_is_no_error(opened: Open) -> None:
    store = await opened()
    assert (await store.search(Query())).events == []
    assert await store.get(event().id) is None
    assert await store.containers(Query()) == []
    assert await store.label_values("a", Query()) == []
    assert await store.find_containers("a") == []


async def test_a_person_finds_it_by_the_common_names(opened: Open, elasticsearch: str, stream: str) -> None:
    store = await opened()
    await put(
        store, [event(0, level="error", stream="stderr", fields={"status": 502, "path": "/x"}), event(1)]
    )
    await store.flush()
    ask(elasticsearch, "POST", f"/{stream}/_refresh")
    for field, value in {
        "container.id": "ab" * 32, "container.name": "shop-web-1",
        "container.image.name": "nginx", "container.image.tag": "1.27", "container.runtime": "docker",
        "service.node.name": "1", "host.hostname": "node-a", "event.dataset": "docker", "event.kind": "event",
        "data_stream.type": "logs", "data_stream.namespace": stream.rpartition("-")[2],
        "ecs.version": "8.11.0",
        "service.name": "web", "host.name": "node-a", "docker.tag_fields.Name": "shop-web-1",
    }.items():  # fmt: skip
        assert count(elasticsearch, stream, {"term": {field: value}}) == 2, field
    for field, value in {
        "log.level": "error",
        "log.iostream": "stderr",
        "docker.fields.status": "502",
    }.items():
        assert count(elasticsearch, stream, {"term": {field: value}}) == 1, field
    assert count(elasticsearch, stream, {"term": {"container.labels.app.kubernetes.io/name": "shop"}}) == 2
    assert count(elasticsearch, stream, {"match_phrase": {"message": "LINE 1"}}) == 1
    assert count(elasticsearch, stream, {"range": {"event.created": {"gte": "2026-11-24T06:00:00Z"}}}) == 2


def count(url: str, stream: str, query: dict[str, Any]) -> int:
    return int(ask(url, "POST", f"/{stream}/_count", {"query": query})["count"])


async def test_a_question_does_not_wait_for_what_is_on_its_way_but_says_so(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened()
    await put(store, [event(n) for n in range(3)])
    await store.search(Query())
    monkeypatch.setattr(store, "_fresh_seconds", 0.05)
    async with store._sending.still():
        await put(store, [event(n) for n in range(3, 8)])
        page = await store.search(Query(order="asc"))
        assert [each.offset for each in page.events] == [0, 1, 2]
        assert page.complete_to == 2
        assert "5 lines are on their way" in page.notes[0]
        with pytest.raises(StoreUnavailable, match="behind"):
            await store.search(Query(order="arrival", after_offset=-1))
        with pytest.raises(StoreUnavailable, match="behind"):
            await store.get(event(7).id)
        assert await store.get(event(1).id) == event(1)
    await store.flush()
    page = await store.search(Query(order="asc", limit=20))
    assert (len(page.events), page.complete_to, page.notes) == (8, None, ())
