"""Documents made to be refused, among good ones, on a real Elasticsearch: none vanishes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from parsers.clock import MAX_TIMESTAMP, MIN_TIMESTAMP
from parsers.event import Container, Event, make_origin
from parsers.lines import level_and_fields
from storage.elastic.store import ElasticStore
from storage.elastic.template import template
from storage.metrics import Metrics
from storage.quarantine import Quarantine
from storage.quarantine_work import Chosen, Worker
from storage.query import Query
from storage.store import Checkpoint
from tests.storage.elastic_events import JOURNAL, deep, event
from tests.storage.factories import everything

pytestmark = pytest.mark.elasticsearch

FRESH_SECONDS = 30.0
LONG = "n" * 40_000


def labels(**more: str) -> Any:
    return make_origin(Container("ab" * 32, "odd"), "node-a", labels=more)


def line(text: str) -> dict[str, Any]:
    """What is known of a printed line, as the pipeline finds it."""
    level, fields, json_line = level_and_fields(text)
    return {"message": text, "level": level, "fields": fields, "json_line": json_line}


ODD: dict[str, dict[str, Any]] = {
    "keyword of 40 KB": {"origin": make_origin(Container("c", LONG), LONG, service=LONG)},
    "label of 40 KB": {"origin": labels(big="v" * 40_000)},
    "label key of 33 KB": {"origin": labels(**{"k" * 33_000: "v"})},
    "10,000 labels": {"origin": labels(**{f"label.{n}": "v" * 20 for n in range(10_000)})},
    "label that is leaf and prefix": {"origin": labels(**{"a": "1", "a.b": "2", "a.b.c": "3"})},
    "odd label keys": {"origin": labels(**{"": "1", " ": "2", ".": "3", "a..b": "4", "a\0b": "5", "*": "6"})},
    "tag of 40 KB": {"origin": make_origin(Container(), "h", tag=LONG, tag_fields={"Name": LONG})},
    "field that is leaf and prefix": line('{"a":1,"a.b":2,"a.b.c":{"d":3}}'),
    "empty keys": line('{"":1," ":2,"a":{"":3},".":4,"..":5}'),
    "key of 33 KB": line('{"%s":1}' % ("k" * 33_000)),
    "value of 40 KB": line('{"a":"%s"}' % ("v" * 40_000)),
    "one key twice": line('{"a":1,"a":2,"b":{"c":1,"c":2}}'),
    "deep objects": {"fields": deep(200)},
    "deep JSON line": line('{"a":' * 60 + "1" + "}" * 60),
    "deep arrays": line('{"a":' + "[" * 200 + "]" * 200 + "}"),
    "numbers beyond floats": line('{"a":1e400,"b":-1e400,"c":1e-400,"d":123456789012345678901234567890}'),
    "NaN": line('{"a":NaN,"b":Infinity}'),
    "NUL in keys and values": line('{"a\\u0000b":"c\\u0000d","\\u0000":1}'),
    "NUL in the line": {"message": "a\0b\0"},
    "lone surrogates": {"message": "\ud800 \udfff", "fields": {"\ud800": "\udc00"}},
    "lone surrogate in a JSON line": line('{"a":"\\ud800"}'),
    "line of 5 MB": {"message": "x" * 5_000_000},
    "line of 5 MB with words": {"message": "word " * 1_000_000},
    "JSON line of 5 MB": line('{"a":"%s"}' % ("v " * 2_500_000)),
    "50,000 fields": line(json.dumps({f"f{n}": n for n in range(50_000)})),
    "the last time there is": {"timestamp": MAX_TIMESTAMP},
    "the first time there is": {"timestamp": MIN_TIMESTAMP},
    "a date of year 9999": line('{"@timestamp":"9999-12-31T00:00:00Z","_id":"x","_index":"y","_source":{}}'),
    "our own names": line('{"logdock":{"origin":1},"event":"x","docker":{"fields":3},"message":{"a":1}}'),
    "level of 40 KB": {"level": "l" * 40_000},
    "flag of 40 KB": {"flags": ("f" * 40_000,)},
    "bytes in fields": {"fields": {"a": b"\xff\xfe"}},
}  # fmt: skip
NEVER: dict[str, dict[str, Any]] = {  # what no sender can bring about
    "an object as a level": {"level": {"a": 1}},
    "a time beyond 64 bits": {"timestamp": 1 << 63},
}


@pytest.fixture
def stream() -> str:
    return f"logs-docker-bad{uuid4().hex[:12]}"


@pytest.fixture
def quarantine(tmp_path: Path) -> Quarantine:
    return Quarantine(tmp_path / "quarantine", Metrics())


@pytest.fixture
async def server(elasticsearch: str, stream: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=elasticsearch, trust_env=False, timeout=30) as client:
        yield client
        await client.delete(f"/_data_stream/{stream}")
        await client.delete(f"/_index_template/{stream}")


@pytest.fixture
async def store(
    server: httpx.AsyncClient, stream: str, tmp_path: Path, quarantine: Quarantine
) -> AsyncIterator[ElasticStore]:
    made = ElasticStore(
        str(server.base_url).rstrip("/"), tmp_path, JOURNAL, quarantine.metrics,
        on_rejected=quarantine.take, stream=stream, fresh_seconds=FRESH_SECONDS,
    )  # fmt: skip
    yield made
    await made.close()


def among_good_ones(odd: list[dict[str, Any]]) -> tuple[list[Event], list[Event]]:
    """(all in order, the odd ones): two good ones around each."""
    made, bad = [], []
    for number, changes in enumerate(odd):
        bad.append(event(3 * number + 1, **changes))
        made += [event(3 * number), bad[-1], event(3 * number + 2)]
    return made, bad


async def put(store: ElasticStore, events: list[Event]) -> None:
    await store.append(events, Checkpoint(len(events), len(events), len(events)))
    await store.flush()


def kept(quarantine: Quarantine) -> dict[str, Event]:
    return {entry.event.id: entry.event for entry in quarantine.entries(lambda _: True, 0, 1 << 20)}


async def test_each_is_stored_or_in_quarantine_and_every_good_one_is_stored(
    store: ElasticStore, quarantine: Quarantine
) -> None:
    await store.start()
    events, bad = among_good_ones([*ODD.values(), *NEVER.values()])
    await put(store, events)
    stored = await everything(store, Query(order="arrival", limit=100))
    refused = kept(quarantine)
    assert {each.id for each in bad[-len(NEVER) :]} == set(refused)
    assert [each.id for each in stored] == [each.id for each in events if each.id not in refused]
    for name, each in zip(ODD, bad, strict=False):
        found = next(one for one in stored if one.id == each.id)
        assert (found.sequence, found.timestamp, found.origin) == (
            each.sequence,
            each.timestamp,
            each.origin,
        ), name
        if "surrogate" not in name and "bytes" not in name:
            assert (found.message, found.fields, found.flags) == (each.message, each.fields, each.flags), name


async def test_good_neighbours_are_there_before_a_bad_one_is_tried_again(
    store: ElasticStore, quarantine: Quarantine, server: httpx.AsyncClient, stream: str
) -> None:
    """One body with bad documents, and one behind it: all good ones are stored after one attempt each."""
    await store.start()
    gate, sent = asyncio.Event(), list[int]()
    post = store._sending.delivery._post

    async def first_attempts_only(body: bytes, events: list[Event]) -> Any:
        if any(each.id in tried for each in events):
            await gate.wait()
        tried.update(each.id for each in events)
        sent.append(len(events))
        return await post(body, events)

    tried: set[str] = set()
    store._sending.delivery._post = first_attempts_only  # type: ignore[assignment]
    bad = [event(3 * n + 1, fields=deep(200)) for n in range(5)]
    good = [event(3 * n) for n in range(5)]
    events = [each for pair in zip(good, bad, strict=True) for each in pair]
    await store.append(events, Checkpoint(10, 10, 10))
    later = [event(100 + n) for n in range(3)]
    await until(lambda: not store._sending._queue.waiting_bytes)
    await store.append(later, Checkpoint(20, 20, 20))
    async with asyncio.timeout(20):
        while await count(server, stream) < len(good) + len(later):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await count(server, stream) == 8
    assert sent == [10, 3]
    assert store.safe() != Checkpoint(20, 20, 20)
    gate.set()
    await store.flush()
    assert store.safe() == Checkpoint(20, 20, 20)
    assert await count(server, stream) == 13
    assert len(quarantine) == 0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - it looks from outside
            await asyncio.sleep(0.01)


async def count(server: httpx.AsyncClient, stream: str) -> int:
    await server.post(f"/{stream}/_refresh?ignore_unavailable=true")
    answer = (await server.post(f"/{stream}/_count?ignore_unavailable=true")).json()
    return int(answer.get("count", 0))


# Mappings that an operator has changed


CONFLICTS: dict[str, dict[str, Any]] = {
    "a number for the line": {"message": {"type": "long"}},
    "an object for the host's name": {"host": {"properties": {"name": {"type": "object"}}}},
    "a date for the level": {"log": {"properties": {"level": {"type": "date"}}}},
    "a number for the labels": {"container": {"properties": {"labels": {"type": "long"}}}},
    "a number for the fields": {"docker": {"properties": {"fields": {"type": "long"}}}},
    "an object for our own": {"logdock": {"properties": {"origin": {"type": "object"}}}},
}
TAKEN_DEGRADED = {"a number for the labels", "a number for the fields"}


async def wrong_template(server: httpx.AsyncClient, stream: str, properties: dict[str, Any]) -> None:
    """Over ours, so that the stream's first index has it."""
    body = template()
    body |= {"index_patterns": [stream], "priority": 1000, "_meta": {}}
    inner = body["template"]
    inner["settings"] = inner["settings"] | {"index.mapping.ignore_malformed": False}
    inner["mappings"] = inner["mappings"] | {
        "properties": merged(inner["mappings"]["properties"], properties)
    }
    (await server.put(f"/_index_template/{stream}", json=body)).raise_for_status()


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = old | new
    for name in old.keys() & new.keys():
        if "properties" in old[name] and "properties" in new[name]:
            both[name] = {"properties": merged(old[name]["properties"], new[name]["properties"])}
    return both


@pytest.mark.parametrize("name", CONFLICTS)
async def test_a_changed_mapping_sends_lines_to_quarantine_and_a_retry_brings_them_back(
    store: ElasticStore, quarantine: Quarantine, server: httpx.AsyncClient, stream: str, name: str
) -> None:
    await wrong_template(server, stream, CONFLICTS[name])
    await store.start()
    events = [event(n, level="error", fields={"a": "x"}) for n in range(20)]
    await put(store, events)
    stored = await everything(store, Query(order="asc", limit=100))
    assert len(stored) + len(quarantine) == len(events)
    assert len(stored) == (len(events) if name in TAKEN_DEGRADED else 0)
    assert all(each.reason == "refused" for each in quarantine.entries(lambda _: True, 0, 100))
    worker = Worker(quarantine)
    again = await worker.retry(store, Chosen())
    assert again.refused == len(events) - len(stored)
    await server.delete(f"/_index_template/{stream}")
    (await server.post(f"/{stream}/_rollover")).raise_for_status()
    done = await worker.retry(store, Chosen())
    assert (done.refused, len(quarantine)) == (0, 0)
    assert await everything(store, Query(order="asc", limit=100)) == events


async def test_a_template_of_which_no_index_can_be_made_is_waited_for_and_refuses_nothing(
    store: ElasticStore, quarantine: Quarantine, server: httpx.AsyncClient, stream: str
) -> None:
    """Elasticsearch then answers 400 for every document."""
    body = {
        "index_patterns": [stream], "priority": 1000, "data_stream": {},
        "template": {"settings": {"index.sort.field": "nowhere"}},
    }  # fmt: skip
    (await server.put(f"/_index_template/{stream}", json=body)).raise_for_status()
    await store.start()
    events = [event(n) for n in range(20)]
    await store.append(events, Checkpoint(20, 20, 20))
    await until(lambda: store.lag().problem is not None)
    await asyncio.sleep(2)
    assert "nowhere" in str(store.lag().problem)
    assert len(quarantine) == 0
    await server.delete(f"/_index_template/{stream}")
    await until(lambda: store.safe() == Checkpoint(20, 20, 20))
    assert await everything(store, Query(order="asc")) == events


async def test_a_read_only_index_is_waited_for_and_refuses_nothing(
    store: ElasticStore, quarantine: Quarantine, server: httpx.AsyncClient, stream: str
) -> None:
    await store.start()
    await put(store, [event(0)])
    index = (await server.get(f"/_resolve/index/{stream}")).json()["data_streams"][0]["backing_indices"][0]
    for setting in ("index.blocks.write", "index.blocks.read_only_allow_delete"):
        (await server.put(f"/{index}/_settings", json={setting: True})).raise_for_status()
        before = len(await everything(store, Query()))
        await store.append([event(before)], Checkpoint(before + 1, before + 1, before + 1))
        await until(lambda: store.lag().problem is not None)
        assert "blocked by" in str(store.lag().problem)
        (await server.put(f"/{index}/_settings", json={setting: None})).raise_for_status()
        await until(lambda: store.lag().problem is None)
    await store.flush()
    assert await everything(store, Query(order="asc")) == [event(n) for n in range(3)]
    assert len(quarantine) == 0


async def test_a_closed_index_is_waited_for_and_refuses_nothing(
    store: ElasticStore, quarantine: Quarantine, server: httpx.AsyncClient, stream: str
) -> None:
    await store.start()
    await put(store, [event(0)])
    index = (await server.get(f"/_resolve/index/{stream}")).json()["data_streams"][0]["backing_indices"][0]
    (await server.post(f"/{index}/_close")).raise_for_status()
    await store.append([event(1)], Checkpoint(2, 2, 2))
    await until(lambda: store.lag().problem is not None)
    assert "closed" in str(store.lag().problem)
    (await server.post(f"/{index}/_open")).raise_for_status()
    await until(lambda: store.safe() == Checkpoint(2, 2, 2))
    assert len(quarantine) == 0
    assert await everything(store, Query(order="asc")) == [event(0), event(1)]
