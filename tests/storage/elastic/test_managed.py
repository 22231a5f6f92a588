from collections.abc import AsyncIterator
from typing import Any

import pytest

from storage.elastic.client import Client
from storage.elastic.managed import MAX_INDEX_BYTES, MIN_INDEX_BYTES, Manager, conditions, manager, time_value
from storage.store import StoreUnavailable
from tests.storage.fake_cluster import FakeCluster
from tests.storage.fake_elasticsearch import Reply, error

STREAM = "logs-docker-default"
DAY = 86_400.0


@pytest.fixture
async def server() -> AsyncIterator[FakeCluster]:
    async with FakeCluster() as fake:
        fake.stream = {"name": STREAM}
        yield fake


@pytest.fixture
async def client(server: FakeCluster) -> AsyncIterator[Client]:
    made = Client(server.url)
    yield made
    await made.close()


def lifecycle(retention: str | None, enabled: bool = True) -> dict[str, Any]:
    return {"enabled": enabled, "data_retention": retention}


async def test_a_server_without_the_api(server: FakeCluster, client: Client) -> None:
    server.stream = None
    found = await manager(client, STREAM, DAY, "7d")
    assert (found.who, found.set_by_us, server.asked) == ("logdock", "7d", [])


async def test_a_stream_without_a_lifecycle_gets_one(server: FakeCluster, client: Client) -> None:
    assert await manager(client, STREAM, None, None) == Manager("logdock")
    assert server.asked == []
    found = await manager(client, STREAM, DAY, None)
    assert (found.who, found.set_by_us) == ("cluster", "86400s")
    assert (await manager(client, STREAM, DAY, found.set_by_us)) == found
    assert server.asked == [f"PUT /_data_stream/{STREAM}/_lifecycle"]


async def test_what_logdock_has_set_follows_its_setting(server: FakeCluster, client: Client) -> None:
    assert server.stream is not None
    server.stream["lifecycle"] = lifecycle("7d")
    found = await manager(client, STREAM, DAY, "604800s")
    assert (found.who, found.set_by_us) == ("cluster", "86400s")
    assert server.stream["lifecycle"]["data_retention"] == "86400s"
    found = await manager(client, STREAM, None, "86400s")
    assert (found.who, found.set_by_us) == ("logdock", None)
    assert "lifecycle" not in server.stream


@pytest.mark.parametrize("before", [None, "3d"])
async def test_the_same_retention_is_nobodys_fault(
    server: FakeCluster, client: Client, before: str | None
) -> None:
    assert server.stream is not None
    server.stream["lifecycle"] = lifecycle("24h")
    found = await manager(client, STREAM, DAY, before)
    assert (found.who, found.set_by_us, server.asked) == ("cluster", None, [])


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (lifecycle("7d"), "data_retention 7d"),
        (lifecycle(None), "data_retention None"),
        (lifecycle("1d", enabled=False), "turned off"),
        (lifecycle("some day"), "some day"),
    ],
)
async def test_an_operators_lifecycle(
    server: FakeCluster, client: Client, there: dict[str, Any], why: str
) -> None:
    assert server.stream is not None
    server.stream["lifecycle"] = there
    for before in (None, "3d"):
        found = await manager(client, STREAM, DAY, before)
        assert (found.who, found.set_by_us, server.asked) == ("operator", None, [])
        assert why in found.why


async def test_a_policy_that_the_lifecycle_outranks(server: FakeCluster, client: Client) -> None:
    server.stream = {"ilm_policy": "logs", "next_generation_managed_by": "Data stream lifecycle"}
    server.stream["lifecycle"] = lifecycle("1d")
    assert (await manager(client, STREAM, DAY, None)).who == "cluster"


@pytest.mark.parametrize("status", [400, 405])
async def test_a_refused_lifecycle_leaves_it_to_logdock(
    server: FakeCluster, client: Client, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    answer = FakeCluster._lifecycle

    def refuses(method: str, action: str, body: bytes) -> Reply:
        return (status, error("refused")) if method == "PUT" else answer(server, method, action, body)

    monkeypatch.setattr(server, "_lifecycle", refuses)
    assert (await manager(client, STREAM, DAY, None)).who == "logdock"


async def test_no_permission_is_no_answer(
    server: FakeCluster, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_lifecycle", lambda *_: (403, error("security_exception")))
    with pytest.raises(StoreUnavailable):
        await manager(client, STREAM, DAY, None)
    monkeypatch.setattr(server, "_lifecycle", lambda *_: (404, error("index_not_found_exception")))
    assert (await manager(client, STREAM, DAY, None)).who == "logdock"


@pytest.mark.parametrize(
    ("retention", "size", "age", "most"),
    [
        (30 * DAY, 20 * 10**9, "86400s", 10**9),
        (365 * DAY, None, "1051200s", MAX_INDEX_BYTES),
        (3600.0, 1, "3600s", MIN_INDEX_BYTES),
        (None, 10**15, None, MAX_INDEX_BYTES),
    ],
)
def test_when_an_index_is_full(retention: float | None, size: int | None, age: str | None, most: int) -> None:
    wanted: dict[str, Any] = {"min_docs": 1, "max_primary_shard_size": f"{most}b"}
    assert conditions(retention, size, "cluster") == wanted
    assert conditions(retention, size, "logdock") == wanted | ({"max_age": age} if age else {})


def test_times_as_elasticsearch_reads_them() -> None:
    assert (time_value(0.2), time_value(1.6), time_value(DAY)) == ("1s", "2s", "86400s")
