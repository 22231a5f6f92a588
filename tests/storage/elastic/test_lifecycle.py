import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from parsers.event import Event
from storage.elastic.backing import names
from storage.elastic.client import Client
from storage.elastic.cluster import Cluster
from storage.elastic.docs import Writer
from storage.elastic.lifecycle import FILE, Lifecycle, Limits, at_most
from storage.elastic.store import ElasticStore
from storage.elastic.template import VERSION, template
from storage.metrics import Metrics
from storage.pruned import PrunedLog
from storage.query import Query
from storage.store import Checkpoint, StoreUnavailable
from storage.times import SECOND
from tests.real import elastic
from tests.storage.contract import FRESH_SECONDS
from tests.storage.elastic_events import JOURNAL, TIME, event
from tests.storage.factories import everything
from tests.storage.fake_cluster import DOCUMENT_BYTES, FakeCluster

STREAM = "logs-docker-default"
DAY = 86_400 * SECOND
MONTH = Limits(30 * 86_400.0, None)
NOW = TIME + 40 * DAY


@pytest.fixture
async def server() -> AsyncIterator[FakeCluster]:
    async with FakeCluster() as fake:
        yield fake


class House:
    """Makes lifecycles over one server and one data folder."""

    def __init__(self, server: FakeCluster, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.client = Client(server.url)
        self.cluster = Cluster(self.client, STREAM)
        self.metrics = Metrics()
        self.log = PrunedLog(None, self.metrics)
        self.pauses = 0

    def lifecycle(self, limits: Limits = MONTH) -> Lifecycle:
        made = Lifecycle(
            self.client, STREAM, self.cluster, limits, self.pause, self.log.add, self.folder
        )  # fmt: skip
        made._load()
        return made

    @asynccontextmanager
    async def pause(self) -> AsyncIterator[None]:
        self.pauses += 1
        yield

    @property
    def records(self) -> list[tuple[str, str, int, int | None]]:
        return sorted((r.id, r.reason, r.lines, r.bytes) for r in self.log.records() if r.state == "done")

    def counted(self, reason: str) -> float:
        name = "logdock_pruned_lines_total"
        return self.metrics.registry.get_sample_value(name, {"reason": reason}) or 0.0


@pytest.fixture
async def house(server: FakeCluster, tmp_path: Path) -> AsyncIterator[House]:
    made = House(server, tmp_path)
    yield made
    await made.client.close()


def fill(server: FakeCluster, *observed: int) -> None:
    """Some lines into the write index."""
    first = sum(map(len, server.indices.values()))
    events = [event(first + n, timestamp=at - 5, observed=at) for n, at in enumerate(observed)]
    server.store(b"".join(map(Writer().line, events)))


def indices(server: FakeCluster, *each: tuple[int, ...]) -> None:
    """One backing index for each, with lines observed at these times."""
    server.template = template()
    for times in each:
        server.roll_over()
        if times:
            fill(server, *times)


async def test_old_indices_go_the_others_and_the_write_index_stay(server: FakeCluster, house: House) -> None:
    indices(server, (TIME, TIME + DAY), (TIME, TIME + 39 * DAY), (TIME,))
    await house.lifecycle().step(NOW)
    assert list(server.indices) == ["backing-000002", "backing-000003"]
    assert house.records == [("backing-000001", "retention", 2, 2 * DOCUMENT_BYTES)]
    (record,) = house.log.records()
    assert (record.first, record.last, record.at) == (TIME - 5, TIME + DAY - 5, NOW)
    assert house.counted("retention") == 2


async def test_a_sender_with_a_wrong_clock_loses_nothing(server: FakeCluster, house: House) -> None:
    indices(server, (), ())
    name = next(iter(server.indices))
    old = event(0, timestamp=1, observed=NOW - DAY)
    server.indices[name][old.id] = Writer().line(old).splitlines()[1]
    await house.lifecycle().step(NOW)
    assert len(server.indices) == 2
    await house.lifecycle().step(NOW + 30 * DAY)
    assert len(server.indices) == 1


async def test_the_oldest_go_until_the_rest_fits(server: FakeCluster, house: House) -> None:
    indices(server, (TIME,) * 3, (TIME,) * 2, (TIME,), (TIME,) * 2)
    await house.lifecycle(Limits(None, 4 * DOCUMENT_BYTES)).step(NOW)
    assert list(server.indices) == ["backing-000003", "backing-000004"]
    assert house.records == [
        ("backing-000001", "retention-size", 3, 3 * DOCUMENT_BYTES),
        ("backing-000002", "retention-size", 2, 2 * DOCUMENT_BYTES),
    ]
    await house.lifecycle(Limits(None, 1)).step(NOW)
    assert list(server.indices) == ["backing-000004"]


async def test_without_limits_everything_stays(server: FakeCluster, house: House) -> None:
    indices(server, (TIME,), (TIME,))
    server.old = True
    await house.lifecycle(Limits()).step(NOW)
    assert (len(server.indices), house.pauses, house.records) == (2, 0, [])


async def test_an_idle_write_index_rolls_over_and_then_goes(server: FakeCluster, house: House) -> None:
    indices(server, (TIME,))
    server.old = True
    await house.lifecycle().step(NOW)
    assert list(server.indices) == ["backing-000002"]
    assert (house.pauses, house.cluster.index) == (1, "backing-000002")
    assert server.conditions == {"min_docs": 1, "max_primary_shard_size": f"{50 << 30}b", "max_age": "86400s"}
    server.old = True
    await house.lifecycle().step(NOW + 100 * DAY)  # nothing in it
    assert list(server.indices) == ["backing-000002"]


async def test_a_late_line_keeps_its_index(server: FakeCluster, house: House) -> None:
    indices(server, (TIME,), ())
    life = house.lifecycle()
    await life.step(TIME + DAY)
    late = event(7, observed=NOW - DAY)
    server.indices["backing-000001"][late.id] = Writer().line(late).splitlines()[1]
    await life.step(NOW)
    assert len(server.indices) == 2
    assert house.log.records() == []


async def test_an_index_without_lines_counts_from_when_it_was_seen(server: FakeCluster, house: House) -> None:
    indices(server, (), (TIME,))
    await house.lifecycle().step(NOW)
    assert len(server.indices) == 2
    await house.lifecycle().step(NOW + 31 * DAY)
    assert list(server.indices) == ["backing-000002"]


async def test_closed_indices_are_the_operators(server: FakeCluster, house: House) -> None:
    indices(server, (TIME,), (TIME,), ())
    server.closed.add("backing-000001")
    life = house.lifecycle(Limits(86_400.0, 1))
    await life.step(NOW)
    await life.step(NOW)
    assert list(server.indices) == ["backing-000001", "backing-000003"]
    assert [name for name, *_ in house.records] == ["backing-000002"]


async def test_a_deletion_without_an_answer_is_on_record_once(server: FakeCluster, house: House) -> None:
    indices(server, (TIME,), (TIME,))
    server.lost_deletes = 2
    life = house.lifecycle(Limits(None, DOCUMENT_BYTES))
    with pytest.raises(StoreUnavailable):
        await life.step(NOW)
    assert [record.state for record in house.log.records()] == ["running"]
    await life.step(NOW + 1)
    assert house.records == [("backing-000001", "retention-size", 1, DOCUMENT_BYTES)]
    assert house.counted("retention-size") == 1


@pytest.mark.parametrize(("at", "reason"), [(TIME + 2 * DAY, "deleted-elsewhere"), (NOW, "retention")])
async def test_what_somebody_else_deleted_is_on_record(
    server: FakeCluster, house: House, at: int, reason: str
) -> None:
    indices(server, (TIME, TIME), (TIME,))
    await house.lifecycle().step(TIME + DAY)
    del server.indices["backing-000001"]
    await house.lifecycle().step(at)  # after a restart: the file knows what there was
    assert house.records == [("backing-000001", reason, 2, 2 * DOCUMENT_BYTES)]
    await house.lifecycle().step(at)
    assert len(house.records) == 1


async def test_the_clusters_lifecycle_is_used_where_there_is_one(
    server: FakeCluster, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    indices(server, (TIME,), (TIME,))
    server.stream, server.old = {"name": STREAM}, True
    life = house.lifecycle()
    await life.step(NOW)
    await life.step(NOW)
    assert server.stream["lifecycle"] == {"enabled": True, "data_retention": "2592000s"}
    assert server.asked == [f"PUT /_data_stream/{STREAM}/_lifecycle"]
    assert len(server.indices) == 2
    assert "seen to by the cluster" in caplog.text
    del server.indices["backing-000001"]  # by the cluster
    await life.step(NOW)
    assert house.records == [("backing-000001", "retention", 1, DOCUMENT_BYTES)]


async def test_the_size_is_ours_even_then(server: FakeCluster, house: House) -> None:
    indices(server, (TIME,) * 3, (TIME,))
    server.stream = {"name": STREAM}
    await house.lifecycle(Limits(30 * 86_400.0, 2 * DOCUMENT_BYTES)).step(TIME + DAY)
    assert list(server.indices) == ["backing-000002"]
    assert house.records[0][1] == "retention-size"


@pytest.mark.parametrize(
    "there",
    [
        {"lifecycle": {"enabled": True, "data_retention": "7d"}},
        {"lifecycle": {"enabled": True}},
        {"lifecycle": {"enabled": False, "data_retention": "30d"}},
        {"ilm_policy": "logs", "next_generation_managed_by": "Index Lifecycle Management"},
        {"ilm_policy": "logs"},
    ],
)
async def test_what_an_operator_has_set_is_left_alone(
    server: FakeCluster, house: House, there: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    indices(server, (TIME,), (TIME,))
    server.stream, server.old = {"name": STREAM, **there}, True
    await house.lifecycle(Limits(86_400.0, 1)).step(NOW)
    assert (len(server.indices), server.asked, house.log.records()) == (2, [], [])
    assert "ours is not applied" in caplog.text


async def test_a_template_that_is_missing_is_put_again(server: FakeCluster, house: House) -> None:
    indices(server, (TIME,))
    life = house.lifecycle()
    await life.step(TIME)
    assert (server.templates_put, house.pauses) == (0, 0)
    server.template = None
    await life.step(TIME)
    assert server.templates_put == 1
    assert house.pauses == 1


async def test_an_index_of_an_older_template_is_brought_up_to_date(server: FakeCluster, house: House) -> None:
    server.template = template(VERSION - 1)
    server.roll_over()
    server.refuse_mapping = True
    life = house.lifecycle()
    await life.step(TIME)
    await life.step(TIME)
    assert (list(server.indices), house.pauses) == (["backing-000001", "backing-000002"], 1)


async def test_nothing_there_yet(server: FakeCluster, house: House) -> None:
    await house.lifecycle().step(NOW)
    assert (server.templates_put, server.indices) == (1, {})


@pytest.mark.parametrize("text", [b"{", b'{"stream":"logs-docker-other","set_by_us":"1d"}'])
async def test_what_is_remembered_of_something_else_is_not_used(house: House, text: bytes) -> None:
    (house.folder / FILE).write_bytes(text)
    assert house.lifecycle()._memory.set_by_us is None


async def test_a_pause_that_does_not_come_postpones() -> None:
    @asynccontextmanager
    async def never() -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    with pytest.raises(TimeoutError):
        async with at_most(0.01, never()):
            raise AssertionError


@pytest.mark.elasticsearch
async def test_rolling_over_again_and_again_doubles_and_loses_nothing(
    elasticsearch: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a real server, while lines are written: each step rolls over, and at the end all but one go."""
    monkeypatch.setattr("storage.elastic.lifecycle.conditions", lambda *_: {"min_docs": 1, "max_age": "0s"})
    stream = f"logs-docker-test_{time.time_ns():x}"
    store = ElasticStore(
        elasticsearch, tmp_path, JOURNAL, Metrics(), on_rejected=fail, stream=stream,
        fresh_seconds=FRESH_SECONDS, retention_seconds=86_400.0, ca_certs=elastic.given_ca(),
    )  # fmt: skip
    await store.start()
    events: list[Event] = []
    enough = asyncio.Event()

    async def write() -> None:
        while not enough.is_set():
            more = [event(n) for n in range(len(events), len(events) + 50)]
            events.extend(more)
            await store.append(more, Checkpoint(len(events), len(events), len(events)))
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(write())
    async with asyncio.timeout(60):
        while len(await names(store._client, stream)) < 5:
            await store._lifecycle.step(TIME)
    enough.set()
    await writing
    await store.flush()
    assert await everything(store, Query(order="asc", limit=1000)) == events
    await store._lifecycle.step(TIME + 2 * DAY)
    assert len(await names(store._client, stream)) == 1
    assert sum(record.lines for record in store.pruned()) == len(events)
    assert {record.reason for record in store.pruned()} == {"retention"}
    assert (await store.search(Query())).events == []
    await store.close()


def fail(rejections: object) -> None:
    raise AssertionError(rejections)
