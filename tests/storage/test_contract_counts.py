"""What every store does alike, part 5: counting over time and by value."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from parsers.event import Event
from storage.by import By, parse_by
from storage.counts import OTHERS, TOP_VALUES, Bucket, Facets, Histogram, ValueCount
from storage.grammar import parse
from storage.grid import MINUTE
from storage.memory import MemoryStore
from storage.query import ContainerRef, Query
from storage.times import MAX_TIME, MIN_TIME
from tests.storage.contract import Subject
from tests.storage.factories import FULL_ID, ORIGIN, SECOND, TIME, after, event, origin

HOUR = 60 * MINUTE
DAY = TIME // (24 * HOUR) * 24 * HOUR  # midnight


def at(seconds: float, number: int, **changes: Any) -> Event:
    """Event number `number`, so many seconds after midnight."""
    return event(number, timestamp=DAY + int(seconds * SECOND), **changes)


async def test_nothing_is_counted_in_an_empty_store(subject: Subject) -> None:
    found = await subject.store.histogram(Query(), By("level"), 60)
    assert (found.buckets, found.exact) == ((), True)
    assert await subject.store.facets(Query(), By("level"), 20) == Facets()
    asked = Query(since=DAY, until=DAY + 3 * SECOND - 1)
    found = await subject.store.histogram(asked, None, 3)
    assert found == Histogram(SECOND, tuple(Bucket(DAY + n * SECOND, 0) for n in range(3)))


async def test_lines_over_time_with_empty_buckets_between(subject: Subject) -> None:
    await subject.add([at(60, 0, level="error"), at(119.999999999, 1), at(240, 2, level="info")])
    await subject.add([at(241, 3, level="info"), at(180, 4)])
    found = await subject.store.histogram(Query(), By("level"), 5)
    assert found.exact and found.notes == () and found.interval == MINUTE
    assert [(b.start - DAY) // MINUTE for b in found.buckets] == [1, 2, 3, 4]
    assert [b.count for b in found.buckets] == [2, 0, 1, 2]
    assert [dict(b.by) for b in found.buckets] == [{"error": 1, "": 1}, {}, {"": 1}, {"info": 2}]


async def test_without_by_there_are_only_totals(subject: Subject) -> None:
    await subject.add([at(0, 0, level="error"), at(3, 1)])
    found = await subject.store.histogram(Query(), None, 60)
    assert found == Histogram(SECOND, tuple(Bucket(DAY + n * SECOND, c) for n, c in enumerate([1, 0, 0, 1])))


# Buckets


GRIDS: list[tuple[list[float], int, int, int]] = [  # seconds of lines, buckets asked for, interval, buckets
    ([0], 60, 1, 1),
    ([0, 59], 60, 1, 60),
    ([0.5, 60.4], 60, 2, 31),
    ([0, 60 * 30], 60, 60, 31),
    ([59, 61], 1, 120, 1),
    ([0, 3600 * 23], 24, 3600, 24),
    ([0, 3600 * 24], 24, 7200, 13),
    ([0, 86400 * 400], 10, 86400 * 90, 5),
    ([86399, 86401], 1, 86400 * 7, 1),
]


@pytest.mark.parametrize("seconds, buckets, interval, count", GRIDS)
async def test_grids(subject: Subject, seconds: list[float], buckets: int, interval: int, count: int) -> None:
    await subject.add([at(second, number) for number, second in enumerate(seconds)])
    found = await subject.store.histogram(Query(), None, buckets)
    assert (found.interval // SECOND, found.exact) == (interval, True)
    assert abs(len(found.buckets) - count) <= 1 and len(found.buckets) <= buckets  # 90 days may cut anywhere
    assert [b.start % (interval * SECOND) for b in found.buckets] == [0] * len(found.buckets)
    assert found.lines == len(seconds)
    assert found.buckets[0].count and found.buckets[-1].count


async def test_the_time_asked_for_is_covered_and_nothing_else_counted(subject: Subject) -> None:
    await subject.add([at(second, second) for second in range(0, 600, 7)])
    for since, until in [(60, 299), (61.5, 61.5), (300, 1200), (-90, 30), (59.999999999, 180.000000001)]:
        query = Query(since=DAY + int(since * SECOND), until=DAY + int(until * SECOND))
        found = await subject.store.histogram(query, By("level"), 10)
        first, last = found.buckets[0].start, found.buckets[-1].start + found.interval
        assert first <= DAY + int(since * SECOND) < first + found.interval
        assert last - found.interval <= DAY + int(until * SECOND) < last
        assert found.lines == sum(since <= second <= until for second in range(0, 600, 7))


async def test_one_end_may_be_open(subject: Subject) -> None:
    await subject.add([at(100, 0), at(200, 1), at(300, 2)])
    found = await subject.store.histogram(Query(since=DAY + 150 * SECOND), None, 60)
    assert (found.buckets[0].start, found.buckets[-1].start) == (DAY + 150 * SECOND, DAY + 300 * SECOND)
    found = await subject.store.histogram(Query(until=DAY + 210 * SECOND), None, 60)
    assert (found.buckets[0].start, found.buckets[-1].start) == (DAY + 100 * SECOND, DAY + 210 * SECOND)
    assert (await subject.store.histogram(Query(since=DAY + 301 * SECOND), None, 60)).buckets == ()


TIMES = [MIN_TIME + 2, -HOUR, -1, 0, 1, 59 * SECOND, DAY, DAY + 1, MAX_TIME - 2]


async def test_times_that_no_clock_has(subject: Subject) -> None:
    await subject.add([event(n, timestamp=time, level="info") for n, time in enumerate(TIMES)])
    judge = await judged([event(n, timestamp=time, level="info") for n, time in enumerate(TIMES)])
    for query in (Query(), Query(since=0), Query(until=0), Query(since=-1, until=1), Query(since=MIN_TIME)):
        for buckets in (1, 2, 1000):
            found = await subject.store.histogram(query, By("level"), buckets)
            assert found == await judge.histogram(query, By("level"), buckets), (query, buckets)
        assert await subject.store.facets(query, By("level"), 5) == await judge.facets(query, By("level"), 5)


# Values

API = origin("api-1", "fe" * 32, service="api", host="node-b", labels={"team": "b", "env": ""}, tag="d.api")
LIFE2 = origin("shop-web-1", "77" * 32, labels={"team": "a", "l" * 300: "long"}, tag="d.web")
NAMELESS = origin(None, "5" * 64, service=None, image=None)
LONG = origin("n" * 1500, None, service="s" * 2000, labels={"team": "t" * 1100}, tag="t" * 1030)
NOBODY = origin(None, None, service=None, image=None)
FIELDS: list[dict[str, Any] | None] = [
    {"status": 502, "user": {"name": "Ada"}},
    {"status": "502", "took": 1.5, "tags": ["a", "b", "a"]},
    {"status": 200.0, "took": 1e16, "ok": True, "user.name": "Bob"},
    {"status": "", "took": -0.0, "big": 2**70, "user": {"name": {"deep": 1}}},
    {"status": None, "took": "1.50", "tags": []},
    {"status": {"code": 1}, "text": "\U0001f680" * 600, "tags": [["a"], "c"]},
    {"text": "x" * 1500, "nul": "a\0b", "took": 1.25},
    {"text": "x" * 1400, "kelvin": "\u212a", OTHERS: OTHERS, "a..b": 1},
    {},
    None,
]
LINES = [
    at(
        n * 7.3,
        n,
        level=(None, "info", "error")[n % 3],
        stream=("stdout", "stderr", None)[n % 5 % 3],
        origin=(ORIGIN, API, LIFE2, NAMELESS, LONG, NOBODY)[n % 6],
        fields=FIELDS[n % len(FIELDS)],
    )
    for n in range(90)
]
WRITTEN = ['{"took":1.50,"n":1e2}', '{ "took": 1.5, "n":100 }', '{"took":15e-1,"n":100}']
LINES += [
    at(700 + n, 100 + n, message=text, fields=json.loads(text), json_line=True)
    for n, text in enumerate(WRITTEN)
]
NAMES = (
    "level", "stream", "service", "container", "host", "tag", "label.team", "label.env", "label.no",
    "label.com.docker.compose.service", "label." + "l" * 200, "status", "user.name", "field.took", "took",
    "tags", "text", "big", "ok", "nul", "kelvin", "n", "field." + OTHERS, "a..b", "no", "user", "*",
)  # fmt: skip
QUERIES = [
    Query(),
    Query(levels=("error", "info")),
    Query(streams=("stderr",), since=DAY + 61 * SECOND),
    Query(containers=(ContainerRef(name="shop-web-1"),), until=DAY + 400 * SECOND + 1),
    Query(containers=(ContainerRef(id=FULL_ID),)),
    Query(services=("api", "s" * 2000)),
    Query(labels=(("team", None),), since=DAY + 60 * SECOND, until=DAY + 420 * SECOND - 1),
    Query(labels=(("team", "b"),)),
    Query(tag="d.*"),
    Query(tag="t*", hosts=("node-a",)),
    Query(text=parse("line")),
    Query(text=parse("-1 -status:502")),
    Query(text=parse("/e [1-4]/ OR took:>1.4")),
    Query(services=("none",)),
]


async def judged(lines: Sequence[Event]) -> MemoryStore:
    """The reference with these lines."""
    store = MemoryStore()
    await store.append(lines, after(lines))
    return store


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
async def test_values_are_counted_as_the_reference_does(subject: Subject, query: Query) -> None:
    await subject.add(LINES[:50])
    await subject.add(LINES[50:])
    judge, wrong = await judged(LINES), {}
    for name in NAMES:
        by = parse_by("by", name)
        for buckets in (3, 60):
            found = await subject.store.histogram(query, by, buckets)
            if found != (expected := await judge.histogram(query, by, buckets)):
                wrong[name, buckets] = (found, expected)
        values = await subject.store.facets(query, by, 3)
        if values != (expected := await judge.facets(query, by, 3)):
            wrong[name, "facets"] = (values, expected)
    assert wrong == {}


async def test_a_line_counts_for_each_of_its_values_once(subject: Subject) -> None:
    lists = [["a", "b", "a"], ["b"], [], None]
    await subject.add([at(0, n, fields={"tags": tags}) for n, tags in enumerate(lists)])
    found = await subject.store.facets(Query(), By("field", "tags"), 20)
    assert found == Facets((ValueCount("", 2), ValueCount("b", 2), ValueCount("a", 1)))
    counted = await subject.store.histogram(Query(), By("field", "tags"), 20)
    assert counted.buckets == (Bucket(DAY, 4, {"": 2, "b": 2, "a": 1}),)


@pytest.mark.parametrize("q", ["status:inf", "status:in*", "-status:inf", "-status:i*", "x -status:INF"])
async def test_names_of_fields_are_told_apart_by_case(subject: Subject, q: str) -> None:
    """Elasticsearch takes a value asked for in any case for one of a field whose name is another case."""
    fields = [
        {"status": "inf"}, {"Status": "inf"}, {"status": "x", "Status": "inf"},
        {"STATUS": "INF", "status": "InF"},
        {"status": "Info"}, {"status": ["a", "INF"]}, {"status": {"status": "inf"}}, None,
    ]  # fmt: skip
    lines = [at(n, n, message="x", fields=one) for n, one in enumerate(fields)]
    await subject.add(lines)
    query, judge = Query(text=parse(q)), await judged(lines)
    for by in (By("field", "status"), By("level")):
        assert await subject.store.facets(query, by, 9) == await judge.facets(query, by, 9)
        assert await subject.store.histogram(query, by, 9) == await judge.histogram(query, by, 9)


async def test_the_rest_of_many_values_is_counted_together_and_said(subject: Subject) -> None:
    many = TOP_VALUES + 5
    lines = [at(n % 3, n, fields={"key": f"v{n % many:03}"}) for n in range(many + TOP_VALUES)]
    lines += [at(0, len(lines) + n) for n in range(2)] + [at(0, 999, fields={"key": OTHERS})]
    await subject.add(lines)
    found = await subject.store.histogram(Query(), By("field", "key"), 1)
    assert found.exact
    assert found.buckets[0].by == {f"v{n:03}": 2 for n in range(TOP_VALUES)} | {"": 2, OTHERS: 6}
    assert found.notes == (
        f"6 more values are counted together as {OTHERS}: those of most lines are told apart",
    )
    facets = await subject.store.facets(Query(), By("field", "key"), TOP_VALUES)
    assert facets.notes == ("7 more values with fewer lines, 8 in all, not listed here",)
    assert [value.count for value in facets.values] == [2] * TOP_VALUES


async def test_what_was_pruned_is_said(subject: Subject) -> None:
    from storage.prune import Selection

    await subject.add([at(0, 0), at(1, 1, origin=API)])
    await subject.store.flush()
    await subject.store.prune(Selection(until=MAX_TIME, services=("api",)), False)
    found = await subject.store.histogram(Query(), By("service"), 60)
    assert [b.by for b in found.buckets] == [{"web": 1}]
    assert len(found.notes) == 1 and "pruned" in found.notes[0]
    assert (await subject.store.facets(Query(services=("web",)), By("service"), 1)).notes == ()
