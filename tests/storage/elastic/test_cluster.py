import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import pytest

from parsers.event import Event
from storage.elastic.client import Client, Refused
from storage.elastic.cluster import Cluster
from storage.elastic.docs import Writer
from storage.elastic.template import VERSION, template
from tests.storage.elastic_events import JOURNAL, event
from tests.storage.fake_elasticsearch import FakeElasticsearch

EVENTS = [event(n) for n in range(5)]


@pytest.fixture
async def server() -> AsyncIterator[FakeElasticsearch]:
    async with FakeElasticsearch() as fake:
        yield fake


@pytest.fixture
async def cluster(server: FakeElasticsearch) -> AsyncIterator[Cluster]:
    client = Client(server.url)
    yield Cluster(client, "logs-docker-default")
    await client.close()


def store(server: FakeElasticsearch, events: Sequence[Event]) -> None:
    server.store(b"".join(map(Writer().line, events)))


async def test_the_template_is_put_once(server: FakeElasticsearch, cluster: Cluster) -> None:
    await cluster.install()
    await cluster.install()
    assert (server.template, server.templates_put) == (template(), 1)


@pytest.mark.parametrize("there", [template(VERSION + 1), {"index_patterns": ["logs-docker-*"]}])
async def test_a_newer_or_foreign_template_stays(
    server: FakeElasticsearch, cluster: Cluster, there: dict[str, Any]
) -> None:
    server.template = there
    await cluster.install()
    assert server.templates_put == 0


async def test_an_older_template_is_replaced_and_the_mapping_brought_up_to_date(
    server: FakeElasticsearch, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.template = template(VERSION - 1)
    store(server, EVENTS)
    assert await cluster.behind()
    await cluster.install()
    assert (server.template, server.templates_put, len(server.indices)) == (template(), 1, 1)
    assert server.mappings["backing-000001"]["_meta"] == {"logdock": VERSION}
    assert not await cluster.behind()
    assert f"put version {VERSION} of index template logs-docker, index.mode logsdb; there was" in caplog.text
    assert f"brought the mapping of backing-000001 from version {VERSION - 1} to {VERSION}" in caplog.text


async def test_what_a_mapping_does_not_take_begins_a_new_index(
    server: FakeElasticsearch, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.template, server.refuse_mapping = template(VERSION - 1), True
    store(server, EVENTS)
    await cluster.install()
    await cluster.install()
    assert (list(server.indices), cluster.index) == (["backing-000001", "backing-000002"], "backing-000002")
    assert "rolled over from backing-000001 to backing-000002" in caplog.text
    assert not await cluster.behind()


async def test_a_stronger_template_of_somebody_else_is_no_reason_to_roll_over_for_ever(
    server: FakeElasticsearch, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    server.template, server.refuse_mapping = template(VERSION), True
    store(server, EVENTS)
    server.mappings = {name: {"properties": {}} for name in ("backing-000001", "backing-000002")}
    server.roll_over = partial(_rolled_over_to_nothing_of_ours, server)  # type: ignore[method-assign]
    for _ in range(3):
        if await cluster.behind():
            await cluster.install()
    assert len(server.indices) == 2
    assert "another index template shapes" in caplog.text


def _rolled_over_to_nothing_of_ours(server: FakeElasticsearch) -> None:
    server.indices[f"backing-{len(server.indices) + 1:06}"] = {}


async def test_a_server_without_logsdb_gets_a_standard_index(
    server: FakeElasticsearch, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.no_logsdb = True
    await cluster.install()
    assert server.template == template(mode="standard")
    assert "takes no index template with index.mode logsdb" in caplog.text


async def test_a_template_that_is_refused_in_every_mode_is_an_error(
    server: FakeElasticsearch, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.no_logsdb = True
    monkeypatch.setattr("storage.elastic.cluster.MODES", ("logsdb",))
    with pytest.raises(Refused, match="No enum constant"):
        await cluster.install()


async def test_an_older_template_without_data_starts_nothing(
    server: FakeElasticsearch, cluster: Cluster
) -> None:
    server.template = template(VERSION - 1)
    await cluster.install()
    assert server.indices == {}


async def test_the_write_index(server: FakeElasticsearch, cluster: Cluster) -> None:
    assert (await cluster.look(), cluster.index) == (None, None)
    store(server, EVENTS)
    assert await cluster.look() == "backing-000001"
    server.roll_over()
    assert cluster.index == "backing-000001"
    await cluster.look_if_stale()  # known and fresh: not asked again
    assert cluster.index == "backing-000001"
    assert await cluster.look() == "backing-000002"


async def test_the_highest_offset(server: FakeElasticsearch, cluster: Cluster) -> None:
    assert await cluster.highest_offset(JOURNAL) == -1
    store(server, EVENTS)
    assert await cluster.highest_offset(JOURNAL) == 4


async def test_ids_are_looked_up_only_when_create_would_not_know(
    server: FakeElasticsearch, cluster: Cluster
) -> None:
    assert await cluster.absent(EVENTS, None) == EVENTS  # no stream yet
    store(server, EVENTS[:2])
    assert await cluster.absent(EVENTS, "backing-000001") == EVENTS
    assert server.looked_up == 0
    assert await cluster.absent(EVENTS, None) == EVENTS[2:]
    server.roll_over()
    assert await cluster.absent(EVENTS, "backing-000001") == EVENTS[2:]
    assert server.looked_up == 10
