"""Second copies across a roll-over, in a real Elasticsearch."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from storage.elastic import doubles as elastic_doubles
from storage.elastic.client import Client
from storage.elastic.cluster import Cluster
from storage.elastic.doubles import Doubles
from storage.metrics import Metrics
from tests.storage.elastic.test_real import ask

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def stream() -> str:
    return f"logs-docker-doubles{uuid4().hex[:12]}"


@pytest.fixture
async def client(elasticsearch: str, stream: str) -> AsyncIterator[Client]:
    made = Client(elasticsearch)
    await Cluster(made, stream).install()
    yield made
    await made.close()
    with contextlib.suppress(httpx.HTTPStatusError):  # no test has written anything
        for name in indices(elasticsearch, stream)[:-1]:
            ask(elasticsearch, "DELETE", f"/{name}")


def put(url: str, stream: str, *ids: str) -> None:
    for name in ids:
        document = {"@timestamp": "2026-11-24T06:00:00Z", "message": name}
        ask(url, "PUT", f"/{stream}/_create/{name}?refresh=true", document)


def indices(url: str, stream: str) -> list[str]:
    found: list[str] = ask(url, "GET", f"/_resolve/index/{stream}")["data_streams"][0]["backing_indices"]
    return found


def stored(url: str, stream: str) -> list[tuple[str, str]]:
    hits: list[dict[str, Any]] = ask(url, "POST", f"/{stream}/_search?size=100")["hits"]["hits"]
    return sorted((hit["_id"], hit["_index"]) for hit in hits)


async def test_the_later_copy_goes_and_nothing_else(
    client: Client, elasticsearch: str, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(elastic_doubles, "LOOK_AFTER_SECONDS", (0.0, 0.2))
    metrics = Metrics()
    doubles = Doubles(client, stream, metrics)
    assert not doubles.due
    put(elasticsearch, stream, "a", "b", "c")
    first = indices(elasticsearch, stream)[0]
    doubles.note(["a", "b", "x"], first)
    await doubles.look(indices(elasticsearch, stream))  # nobody has rolled over: `create` sees to it
    assert not doubles.due
    ask(elasticsearch, "POST", f"/{stream}/_rollover")
    put(elasticsearch, stream, "b", "x", "c")
    both = indices(elasticsearch, stream)
    await asyncio.sleep(0.2)
    assert doubles.due
    await doubles.look(both)
    assert stored(elasticsearch, stream) == [
        ("a", both[0]), ("b", both[0]), ("c", both[0]), ("c", both[1]), ("x", both[1]),
    ]  # fmt: skip
    assert metrics.doubles_removed._value.get() == 1
    assert not doubles.due, "it has looked twice"
    doubles.note(["c"], None)
    await doubles.look(both)
    assert ("c", both[1]) not in stored(elasticsearch, stream)


async def test_it_remembers_only_so_many(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(elastic_doubles, "MAX_IDS", 10)
    doubles = Doubles(client, "logs-docker-none", Metrics())
    doubles.note([f"a{n}" for n in range(6)], "i")
    doubles.note([f"a{n}" for n in range(4)], "i")  # the same body, less is left of it
    assert [len(each.ids) for each in doubles._suspects.values()] == [6]
    doubles.note([f"b{n}" for n in range(6)], "i")
    assert [each.ids[0] for each in doubles._suspects.values()] == ["b0"]
    assert "6 lines that went twice are not looked after" in caplog.text
