"""Backing indices on a real Elasticsearch: their times, their end, and the way up from template version 1."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parsers.event import Event, Printed
from storage.elastic.asking import Asker
from storage.elastic.backing import Backing, Span, backing, contents, delete, names, span
from storage.elastic.client import Client
from storage.elastic.cluster import Cluster
from storage.elastic.docs import LAST_TIME, Writer
from storage.elastic.lifecycle import Lifecycle, Limits
from storage.elastic.template import VERSION, template
from storage.prune import Part
from storage.pruned import PrunedLog
from storage.query import Query
from storage.times import SECOND
from tests.storage.elastic_events import BARE, JOURNAL, ORIGIN, TIME, event

pytestmark = pytest.mark.elasticsearch


class House:
    """One data stream with a template of its own."""

    def __init__(self, url: str, name: str) -> None:
        self.stream = f"logs-{name}-default"
        self.client = Client(url)
        self.cluster = Cluster(self.client, self.stream)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(await self.client.ask(method, path, body))

    async def put(self, events: Sequence[Event]) -> None:
        await self.bulk(b"".join(map(Writer(self.stream).line, events)))

    async def bulk(self, body: bytes) -> None:
        reply = await self.client.bulk(f"/{self.stream}/_bulk?refresh=true", body)
        assert json.loads(reply)["errors"] is False, reply

    async def roll_over(self) -> None:
        await self.cluster.roll_over({})


@pytest.fixture
async def house(elasticsearch: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    name = f"dockertest_{time.time_ns():x}"
    monkeypatch.setattr("storage.elastic.template.PATTERN", f"logs-{name}-*")
    monkeypatch.setattr("storage.elastic.cluster.TEMPLATE", name)
    made = House(elasticsearch, name)
    yield made
    await made.client.close()


async def test_what_is_in_an_index_and_its_end(house: House) -> None:
    await house.cluster.install()
    assert await names(house.client, house.stream) == []
    assert await backing(house.client, house.stream) == []
    late = [event(n, origin=(ORIGIN, BARE)[n % 2], timestamp=TIME + n, observed=TIME + n) for n in range(5)]
    await house.put([*late, event(9, timestamp=-7, observed=TIME)])
    await house.roll_over()
    await house.put([event(10)])
    first, second = await backing(house.client, house.stream)
    assert [first.name, second.name] == await names(house.client, house.stream)
    assert (first.lines, second.lines, first.is_open) == (6, 1, True)
    assert first.bytes > second.bytes > 0
    times = await span(house.client, first.name)
    assert times == Span(0, TIME + 4, TIME + 4)
    gone = await contents(house.client, first, times)
    assert (gone.lines, gone.bytes, gone.first, gone.last) == (6, first.bytes, -7, TIME + 4)
    assert gone.parts[0] == Part(4, -7, TIME + 4, "shop-web-1", "ab" * 32, "web")
    assert await delete(house.client, first.name)
    assert not await delete(house.client, first.name)
    assert [each.name for each in await backing(house.client, house.stream)] == [second.name]


async def test_a_closed_index_says_so(house: House) -> None:
    await house.cluster.install()
    await house.put([event(0)])
    await house.roll_over()
    name = (await names(house.client, house.stream))[0]
    await house.client.ask("POST", f"/{name}/_close")
    first, second = await backing(house.client, house.stream)
    assert (first.name, first.is_open, second.is_open) == (name, False, True)


async def test_an_index_without_lines_of_ours(house: House) -> None:
    await house.cluster.install()
    await house.bulk(b'{"create":{}}\n{"@timestamp":"2026-11-24T06:00:00.5Z","message":"of another"}\n')
    (index,) = await backing(house.client, house.stream)
    times = await span(house.client, index.name)
    half = 1_795_500_000 * SECOND + SECOND // 2
    assert times == Span(half, half, None)
    gone = await contents(house.client, index, times)
    assert (gone.lines, gone.first, gone.last, gone.parts) == (1, half, half, ())


async def test_roll_over_by_age_and_retention(house: House, tmp_path: Path) -> None:
    @asynccontextmanager
    async def pause() -> AsyncIterator[None]:
        yield

    log = PrunedLog()
    limits = Limits(3600.0, None)
    life = Lifecycle(house.client, house.stream, house.cluster, limits, pause, log.add, tmp_path)
    await life.step(TIME)
    await house.put([event(n, observed=TIME) for n in range(3)])
    await life.step(TIME + 3600 * SECOND)
    assert len(await names(house.client, house.stream)) == 1
    assert not await house.cluster.due({"min_docs": 1, "max_age": "1h"})
    assert await house.cluster.due({"min_docs": 1, "max_age": "0s"})
    assert not await house.cluster.due({"min_docs": 4, "max_age": "0s"})
    assert await house.cluster.roll_over({"min_docs": 1, "max_age": "0s"})
    assert not await house.cluster.roll_over({"min_docs": 1, "max_age": "0s"})  # another server came first
    old, new = await names(house.client, house.stream)
    assert house.cluster.index == new
    await life.step(TIME + 3600 * SECOND)
    assert await names(house.client, house.stream) == [old, new]
    await life.step(TIME + 3600 * SECOND + 1)
    assert await names(house.client, house.stream) == [new]
    (record,) = log.records()
    assert (record.id, record.reason, record.lines, record.state) == (old, "retention", 3, "done")
    assert (record.first, record.last) == (TIME, TIME + 2)


# The mapping and a document as template version 1 had them.
OLD_KEYWORD = {"type": "keyword", "ignore_above": 1024}
OLD_PROPERTIES = {
    "@timestamp": {"type": "date_nanos"},
    "message": {"type": "text", "analyzer": "line", "norms": False},
    "event": {
        "properties": {
            "created": {"type": "date_nanos", "index": False},
            "sequence": {"type": "long", "index": False},
        }
    },
    "container": {
        "properties": {
            "id": OLD_KEYWORD,
            "name": OLD_KEYWORD,
            "image": {"properties": {"name": OLD_KEYWORD}},
            "labels": {"type": "flattened", "ignore_above": 1024, "depth_limit": 20},
        }
    },
    "logdock": {
        "properties": {
            "journal": OLD_KEYWORD,
            "offset": {"type": "long"},
            "origin": OLD_KEYWORD,
            "timestamp": {"type": "long"},
            "marks": OLD_KEYWORD,
        }
    },
}
OLD_DOCUMENT = {
    "@timestamp": "2026-11-24T06:00:00.123456789Z",
    "message": "red",
    "event": {"created": "2026-11-24T06:00:00.128456789Z", "sequence": 0},
    "container": {
        "id": "ab" * 32,
        "name": "shop-web-1",
        "image": {"name": "nginx:1.27"},
        "labels": dict(ORIGIN.labels),
    },
    "service": {"name": "web"},
    "host": {"name": "node-a"},
    "logdock": {
        "origin": "7f3b",
        "journal": JOURNAL,
        "service_source": "label:com.docker.compose.service",
        "tag_template": "docker.{{.Name}}.{{.ID}}",
        "offset": 0,
        "printed": [["G1szMW1yZWQ=", "stdout", TIME]],
    },
    "docker": {"tag": "docker.web.abababababab", "tag_fields": {"Name": "shop-web-1"}},
}
OLD_EVENT = event(0, message="red", printed=(Printed(b"\x1b[31mred", "stdout", TIME),))


async def old_stream(house: House) -> str:
    """A stream of version 1 with one document; returns its backing index."""
    body = template(1, "standard")
    body["template"]["mappings"] = {"dynamic": False, "properties": OLD_PROPERTIES}
    body["template"]["settings"] = {
        name: value
        for name, value in body["template"]["settings"].items()
        if "sort" not in name and name != "index.mapping.ignore_malformed"
    }
    await house.ask("PUT", f"/_index_template/{house.stream.split('-')[1]}", body)
    await house.bulk(
        json.dumps({"create": {"_id": OLD_EVENT.id}}).encode()
        + b"\n"
        + json.dumps(OLD_DOCUMENT).encode()
        + b"\n"
    )
    (name,) = await names(house.client, house.stream)
    return name


async def test_a_stream_of_version_1_is_brought_up_to_date_and_read(house: House) -> None:
    name = await old_stream(house)
    assert await house.cluster.behind()
    await house.cluster.install()
    assert await names(house.client, house.stream) == [name]
    assert not await house.cluster.behind()
    new = event(1, stream="stderr", level="error", printed=(Printed(b"line\r 1", "stderr", TIME),))
    await house.put([new])
    await house.roll_over()
    newest = event(2, flags=("joined",), fields={"status": 502})
    await house.put([newest])
    asker = Asker(house.client, house.stream, JOURNAL)
    assert (await asker.search(Query(order="asc"), 10)).events == [OLD_EVENT, new, newest]
    for field in ("container.image.tag", "service.node.name", "event.dataset"):
        found = await house.ask("POST", f"/{house.stream}/_count", {"query": {"exists": {"field": field}}})
        assert found["count"] == 2, field
    settings = await house.ask("GET", f"/{house.stream}/_settings?flat_settings=true")
    modes = [each["settings"].get("index.mode") for _, each in sorted(settings.items())]
    assert modes == [None, "logsdb"]


async def test_a_mapping_that_cannot_change_begins_a_new_index(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OLD_PROPERTIES["container"]["properties"], "image", OLD_KEYWORD)  # type: ignore[index]
    monkeypatch.setitem(OLD_DOCUMENT, "container", {"id": "ab" * 32, "image": "nginx"})
    name = await old_stream(house)
    await house.cluster.install()
    assert (await names(house.client, house.stream))[0] == name
    assert len(await names(house.client, house.stream)) == 2
    assert not await house.cluster.behind()


async def test_the_template_makes_what_it_says(house: House) -> None:
    await house.cluster.install()
    odd = event(1, printed=(Printed("ü".encode() * 200_000, "stdout", TIME),), message="ü" * 200_000)
    await house.put([event(0), odd])
    (index,) = await names(house.client, house.stream)
    settings = (await house.ask("GET", f"/{index}/_settings?flat_settings=true"))[index]["settings"]
    assert settings["index.mode"] == "logsdb"
    assert settings["index.mapping.source.mode"] == "stored"
    assert settings["index.sort.field"] == ["container.id", "@timestamp"]
    mappings = (await house.ask("GET", f"/{index}/_mapping"))[index]["mappings"]
    assert mappings["_meta"] == {"logdock": VERSION}
    asker = Asker(house.client, house.stream, JOURNAL)
    assert (await asker.search(Query(order="asc"), 10)).events == [event(0), odd]


async def test_times_of_years_that_only_text_can_say(house: House) -> None:
    await house.cluster.install()
    await house.put([event(0, timestamp=LAST_TIME), event(1, timestamp=1 << 62)])
    (index,) = await backing(house.client, house.stream)
    times = await span(house.client, index.name)
    assert (times.first, times.last) == (1 << 62, LAST_TIME)
    assert msgspec.structs.asdict(index)["lines"] == 2
    assert isinstance(index, Backing)
