"""The store against a fake server with faults; tests/storage/elastic/test_real.py asks a real one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from storage.elastic import bulk as elastic_bulk
from storage.elastic import queue as elastic_queue
from storage.elastic import sending as elastic_sending
from storage.elastic.commit import Commit, read_commit, write_commit
from storage.elastic.sending import COMMIT_FILE
from storage.elastic.store import ElasticStore
from storage.elastic.template import STREAM
from storage.metrics import Metrics
from storage.query import Query
from storage.store import Checkpoint, Rejection, StoreUnavailable
from tests.storage.elastic_events import JOURNAL, event
from tests.storage.fake_elasticsearch import (
    FakeElasticsearch,
    Reply,
    another_answer,
    busy,
    lost_answer,
    lost_request,
    refused,
    rubbish,
    too_few,
)

Open = Callable[..., Awaitable[ElasticStore]]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic_bulk, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(elastic_bulk, "LAST_PAUSE", 0.02)
    monkeypatch.setattr(elastic_sending, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(elastic_sending, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(elastic_sending, "COMMIT_SECONDS", 0.02)


@pytest.fixture
async def server() -> AsyncIterator[FakeElasticsearch]:
    async with FakeElasticsearch() as fake:
        yield fake


@pytest.fixture
async def opened(server: FakeElasticsearch, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens stores over one folder; they are closed after the test."""
    stores: list[ElasticStore] = []

    async def open_store(rejected: list[Rejection] | None = None, **options: Any) -> ElasticStore:
        take = rejected.extend if rejected is not None else fail
        store = ElasticStore(server.url, tmp_path, JOURNAL, Metrics(), on_rejected=take, **options)
        await store.start()
        stores.append(store)
        return store

    yield open_store
    for store in stores:
        await store.close()


def fail(rejections: Sequence[Rejection]) -> None:
    raise AssertionError(rejections)


def events(first: int, count: int) -> list[Any]:
    return [event(number) for number in range(first, first + count)]


async def put(store: ElasticStore, first: int, count: int) -> None:
    await store.append(events(first, count), Checkpoint(next=first + count, offset=first + count))


def ids(count: int) -> list[str]:
    return sorted(made.id for made in events(0, count))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - it looks from outside
            await asyncio.sleep(0.005)


async def test_what_is_appended_arrives_and_becomes_safe(
    server: FakeElasticsearch, opened: Open, tmp_path: Path
) -> None:
    store = await opened()
    assert store.safe() is None
    await put(store, 0, 10)
    await store.flush()
    assert sorted(server.ids) == ids(10)
    assert store.safe() == Checkpoint(next=10, offset=10)
    assert read_commit(tmp_path / COMMIT_FILE) == Commit(
        Checkpoint(next=10, offset=10), JOURNAL, STREAM, "backing-000001"
    )


async def test_safe_moves_without_a_flush_and_only_with_the_file(opened: Open, tmp_path: Path) -> None:
    store = await opened()
    await put(store, 0, 3)
    await until(lambda: store.safe() is not None)
    commit = read_commit(tmp_path / COMMIT_FILE)
    assert commit is not None
    assert commit.checkpoint == store.safe()


async def test_an_empty_append_moves_the_checkpoint(opened: Open) -> None:
    store = await opened()
    await store.append([], Checkpoint(next=5))
    await store.flush()
    assert store.safe() == Checkpoint(next=5)


@pytest.mark.parametrize(
    "faults",
    [
        [refused(503)],
        [refused(429), refused(500)],
        [lost_request],
        [lost_answer],
        [lost_answer, lost_request, lost_answer],
        [busy(0, 3)],
        [busy(1), lost_answer],
        [refused(413)],
        [refused(400)],
        [rubbish],
        [another_answer, rubbish, another_answer],
        [too_few],
        [refused(401)],
    ],
)
async def test_a_fault_loses_and_doubles_nothing(
    server: FakeElasticsearch, opened: Open, faults: list[Any]
) -> None:
    store = await opened()
    await put(store, 0, 1)
    await store.flush()
    server.faults.extend(faults)
    await put(store, 1, 4)
    await until(lambda: store.safe() == Checkpoint(next=5, offset=5))
    assert sorted(server.ids) == ids(5)
    assert not server.faults


async def test_a_roll_over_behind_a_lost_answer_doubles_nothing(
    server: FakeElasticsearch, opened: Open
) -> None:
    store = await opened()
    await put(store, 0, 2)
    await store.flush()

    def lost_then_rolled(fake: FakeElasticsearch, body: bytes) -> None:
        fake.store(body)
        fake.roll_over()

    server.faults.append(lost_then_rolled)
    await put(store, 2, 3)
    await until(lambda: store.safe() == Checkpoint(next=5, offset=5))
    assert sorted(server.ids) == ids(5)
    assert server.looked_up == 3


async def test_a_replay_in_the_same_index_is_left_to_create(server: FakeElasticsearch, opened: Open) -> None:
    first = await opened()
    await put(first, 0, 5)
    await first.flush()
    await first.close()
    second = await opened()
    assert second.safe() == Checkpoint(next=5, offset=5)
    await put(second, 0, 8)
    await second.flush()
    assert sorted(server.ids) == ids(8)
    assert server.looked_up == 0


async def test_a_replay_into_another_index_is_looked_up(server: FakeElasticsearch, opened: Open) -> None:
    first = await opened()
    await put(first, 0, 5)
    await first.flush()
    await first.close()
    server.roll_over()
    second = await opened()
    await put(second, 0, 5)
    await second.flush()
    await put(second, 5, 3)
    await second.flush()
    assert sorted(server.ids) == ids(8)
    assert server.looked_up == 5  # what came after the highest offset that is known cannot be there


async def test_a_replay_without_a_commit_is_looked_up(
    server: FakeElasticsearch, opened: Open, tmp_path: Path
) -> None:
    first = await opened()
    await put(first, 0, 5)
    await first.flush()
    await first.close()
    (tmp_path / COMMIT_FILE).unlink()
    server.roll_over()
    second = await opened()
    assert second.safe() is None
    await put(second, 0, 5)
    await second.flush()
    assert sorted(server.ids) == ids(5)


@pytest.mark.parametrize("other", [{"journal": "x"}, {"stream": "logs-docker-other"}])
async def test_a_commit_about_something_else_is_not_used(
    opened: Open, tmp_path: Path, other: dict[str, str]
) -> None:
    said = {"journal": JOURNAL, "stream": STREAM} | other
    write_commit(tmp_path / COMMIT_FILE, Commit(Checkpoint(next=9), **said))
    store = await opened()
    assert store.safe() is None


async def test_bodies_done_out_of_order_do_not_move_the_checkpoint(
    server: FakeElasticsearch, opened: Open
) -> None:
    store = await opened()
    store._sending.delivery.pace.body_bytes = 1  # every event is a body of its own
    await until(lambda: store._sending._ready)
    stuck = refused(503)

    def first_one_stuck(fake: FakeElasticsearch, body: bytes) -> Reply | None:
        return stuck(fake, body) if b"line 0" in body else fake.store(body)

    server.faults.extend([first_one_stuck] * 999)
    await put(store, 0, 2)
    await put(store, 2, 2)
    await until(lambda: len(server.ids) == 3)
    await asyncio.sleep(0.1)
    assert store.safe() is None
    server.faults.clear()
    await until(lambda: store.safe() == Checkpoint(next=4, offset=4))
    assert sorted(server.ids) == ids(4)


async def test_append_waits_when_enough_waits(
    server: FakeElasticsearch, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_queue, "WAITING_BYTES", 100)
    monkeypatch.setattr(elastic_sending, "SENDERS", 1)
    store = await opened()
    await until(lambda: store._sending._ready)
    await server.stop()
    await put(store, 0, 1)
    await until(lambda: store.lag().problem is not None)
    await put(store, 1, 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(put(store, 2, 1), 0.2)
    await server.listen(int(server.url.rpartition(":")[2]))
    await put(store, 2, 1)
    await store.flush()
    assert sorted(server.ids) == ids(3)


async def test_a_start_without_elasticsearch_waits_for_it(server: FakeElasticsearch, opened: Open) -> None:
    port = int(server.url.rpartition(":")[2])
    await server.stop()
    store = await opened()
    await put(store, 0, 3)
    await until(lambda: store.lag().problem is not None)
    for ask in (store.search(Query()), store.get(event(0).id), store.containers(Query()), store.flush()):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await ask
    assert "does not answer" in (store.lag().problem or "")
    await server.listen(port)
    await until(lambda: store.safe() == Checkpoint(next=3, offset=3))
    assert sorted(server.ids) == ids(3)
    assert store.lag().problem is None


async def test_a_refused_document_is_degraded_then_rejected(server: FakeElasticsearch, opened: Open) -> None:
    rejected: list[Rejection] = []
    store = await opened(rejected)
    server.refuse = lambda document: b'"fields":{"a":1}' in document or b"line 3" in document
    odd = event(1, fields={"a": 1})
    await store.append([event(0), odd, event(2), event(3)], Checkpoint(next=4, offset=4))
    await store.flush()
    assert sorted(server.ids) == ids(3)
    assert [(each.event, each.reason) for each in rejected] == [(event(3), "refused")]
    assert store.safe() == Checkpoint(next=4, offset=4)


async def test_a_quarantine_that_fails_gives_no_event_up(server: FakeElasticsearch, tmp_path: Path) -> None:
    tries: list[int] = []

    def broken_once(rejections: Sequence[Rejection]) -> None:
        tries.append(len(rejections))
        if len(tries) == 1:
            raise OSError("disk full")

    server.refuse = lambda document: b"line 1" in document
    store = ElasticStore(server.url, tmp_path, JOURNAL, Metrics(), on_rejected=broken_once)
    await store.start()
    await put(store, 0, 3)
    await until(lambda: store.safe() == Checkpoint(next=3, offset=3))
    assert tries == [1, 1]
    await store.close()


async def test_the_commit_names_the_index_of_the_oldest_body_on_its_way(
    server: FakeElasticsearch, opened: Open, tmp_path: Path
) -> None:
    """A later one would hide that the older body may be in the index before."""
    store = await opened()
    await put(store, 0, 1)
    await store.flush()
    server.faults.extend([refused(503)] * 1000)
    await put(store, 1, 1)
    await until(lambda: len(server.faults) < 1000)
    server.roll_over()
    await store._sending.cluster.look()
    store._sending._queue.checkpoint = Checkpoint(next=99)
    await store._sending._commit()
    commit = read_commit(tmp_path / COMMIT_FILE)
    assert commit is not None
    assert commit.index == "backing-000001"
    server.faults.clear()


async def test_a_disk_that_takes_no_commit_is_told_and_tried_again(opened: Open, tmp_path: Path) -> None:
    store = await opened()
    (tmp_path / f"{COMMIT_FILE}.new").mkdir()
    await put(store, 0, 1)
    with pytest.raises(StoreUnavailable, match="cannot write"):
        await store.flush()
    assert store.safe() is None
    (tmp_path / f"{COMMIT_FILE}.new").rmdir()
    await until(lambda: store.safe() == Checkpoint(next=1, offset=1))


async def test_one_event_larger_than_a_body_still_goes(server: FakeElasticsearch, opened: Open) -> None:
    store = await opened()
    await store.append([event(0, message="x" * (9 << 20)), event(1)], Checkpoint(next=2))
    await store.flush()
    assert sorted(server.ids) == ids(2)


async def test_ids_that_are_none_are_not_asked_for(opened: Open) -> None:
    store = await opened()
    assert await store.get("what") is None


async def test_a_limit_on_bodies_is_found_and_kept_to(server: FakeElasticsearch, opened: Open) -> None:
    """Such as a proxy's: 8 MB of lines through one that takes 300 KB."""
    seen: list[int] = []

    def limited(fake: FakeElasticsearch, body: bytes) -> Reply:
        seen.append(len(body))
        return fake.store(body) if len(body) < 300_000 else refused(413)(fake, body)  # type: ignore[return-value]

    server.faults.extend([limited] * 10_000)
    store = await opened()
    lines = [event(number, message="x" * 20_000) for number in range(400)]
    await store.append(lines, Checkpoint(next=400, offset=400))
    await until(lambda: store.safe() == Checkpoint(next=400, offset=400))
    assert sorted(server.ids) == sorted(line.id for line in lines)
    too_large = [size for size in seen if size >= 300_000]
    assert 0 < len(too_large) < 40
    assert store._sending.delivery.body_bytes < 300_000


async def test_compressed_bodies_arrive(server: FakeElasticsearch, opened: Open) -> None:
    store = await opened(compress="on")
    await store.append([event(n, message="x" * 1000) for n in range(100)], Checkpoint(next=100, offset=100))
    await store.flush()
    assert sorted(server.ids) == ids(100)
    assert server.packed == 1


async def test_what_was_refused_is_put_back_once(server: FakeElasticsearch, opened: Open) -> None:
    rejected: list[Rejection] = []
    store = await opened(rejected)
    server.refuse = lambda document: b"line 1" in document
    await put(store, 0, 3)
    await store.flush()
    assert [each.event.id for each in await store.put_back(events(1, 1))] == [event(1).id]
    server.refuse = lambda _: False
    server.roll_over()
    assert await store.put_back(events(0, 3)) == []
    assert await store.put_back(events(1, 1)) == []
    assert sorted(server.ids) == ids(3)
    assert len(rejected) == 1


async def test_no_change_at_the_same_moment_takes_a_question_its_end(opened: Open) -> None:
    """A question waits for what is on its way a while and no longer, whatever moves just when it gives up."""
    store = await opened(fresh_seconds=0.0)
    for number in range(20):
        await store.append(events(number, 1), Checkpoint(number + 1))
        page = await store.search(Query())
        assert page.notes and "behind" in page.notes[0]
