"""Pruning a data stream beyond the contract: several backing indices, lost replies, refusals, other hands.

On a real server; only the faults are made.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from parsers.event import Event
from storage.elastic import deleting as elastic_deleting
from storage.elastic import prune as elastic_prune
from storage.elastic.client import Refused
from storage.elastic.store import ElasticStore
from storage.metrics import Metrics
from storage.prune import Selection
from storage.query import Query
from storage.store import Checkpoint, StoreUnavailable
from tests.storage.factories import JOURNAL, SECOND, TIME, after, event, everything, origin

pytestmark = pytest.mark.elasticsearch

ORIGINS = [origin(f"{name}-1", f"{n:064x}", service=name, labels={}) for n, name in enumerate(("web", "db"))]
WEB = Selection(services=("web",), text="service=web")


class Stream:
    """One data stream of its own, and the server behind it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.name, self.url, self._folder = f"logs-docker-test{uuid4().hex[:12]}", url, folder
        self.http = httpx.AsyncClient(base_url=url, trust_env=False)
        self.store = self.open()

    def open(self, journal: str = JOURNAL, folder: Path | None = None) -> ElasticStore:
        return ElasticStore(
            self.url, folder or self._folder, journal, Metrics(), stream=self.name,
            on_rejected=lambda _: None, fresh_seconds=30.0,
        )  # fmt: skip

    async def add(self, events: Sequence[Event]) -> list[Event]:
        await self.store.append(events, after(events))
        await self.store.flush()
        return list(events)

    async def roll_over(self) -> None:
        (await self.http.post(f"/{self.name}/_rollover")).raise_for_status()

    async def indices(self) -> list[str]:
        found = (await self.http.get(f"/_resolve/index/{self.name}")).json()["data_streams"]
        return list(found[0]["backing_indices"])

    async def events(self) -> list[Event]:
        return await everything(self.store, Query(order="asc"))


@pytest.fixture
async def stream(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stream]:
    monkeypatch.setattr(elastic_deleting, "FIRST_PAUSE", 0.01)
    made = Stream(request.getfixturevalue("elasticsearch"), tmp_path)
    await made.store.start()
    yield made
    await made.store.close()
    await made.http.delete(f"/_data_stream/{made.name}")
    await made.http.aclose()


def mixed(first: int, count: int) -> list[Event]:
    return [event(n, origin=ORIGINS[n % 2]) for n in range(first, first + count)]


def only(events: Sequence[Event], service: str) -> list[Event]:
    return [e for e in events if e.origin.service == service]


async def test_an_older_index_without_anything_else_goes_as_a_whole(stream: Stream) -> None:
    web = await stream.add(only(mixed(0, 40), "web"))
    await stream.roll_over()
    both = await stream.add(mixed(40, 20))
    await stream.roll_over()
    newest = await stream.add(only(mixed(60, 20), "web"))
    indices = await stream.indices()
    assert len(indices) == 3
    result = await stream.store.prune(WEB, dry_run=False)
    assert result.lines == len(web) + 10 + len(newest)
    assert await stream.indices() == indices[1:], "the write index stays though it is empty"
    assert await stream.events() == only(both, "db")
    later = await stream.add(mixed(80, 4))
    assert await stream.events() == only(both, "db") + later


async def test_an_index_that_may_not_be_deleted_goes_line_by_line(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stream.add(only(mixed(0, 40), "web"))
    await stream.roll_over()
    await stream.add(only(mixed(40, 20), "db"))
    ask = stream.store._client.ask

    async def allowed(method: str, path: str, body: Any = None) -> bytes:
        if method == "DELETE" and path != "/_pit":
            raise StoreUnavailable("Elasticsearch does not let us in (403)")
        return await ask(method, path, body)

    monkeypatch.setattr(stream.store._client, "ask", allowed)
    assert (await stream.store.prune(WEB, dry_run=False)).lines == 20
    assert (len(await stream.indices()), len(await stream.events())) == (2, 10)


async def test_many_pages_and_no_open_point_in_time_is_left(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_deleting, "IDS_AT_ONCE", 7)
    made = await stream.add(mixed(0, 60))
    opened: list[str] = []
    ask = stream.store._client.ask

    async def counted(method: str, path: str, body: Any = None) -> bytes:
        opened.append(f"{method} {path.partition('?')[0].rpartition('/')[2]}")
        return await ask(method, path, body)

    monkeypatch.setattr(stream.store._client, "ask", counted)
    assert (await stream.store.prune(WEB, dry_run=False)).lines == 30
    assert opened.count("POST _pit") == opened.count("DELETE _pit") == 1
    assert await stream.events() == only(made, "db")


async def test_a_reply_that_is_lost_is_not_a_line_that_is_lost(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_deleting, "IDS_AT_ONCE", 7)
    await stream.add(mixed(0, 60))
    bulk, calls = stream.store._client.bulk, iter(range(99))

    async def lossy(path: str, body: bytes) -> bytes:
        reply = await bulk(path, body)
        if next(calls) % 2 == 0:
            raise StoreUnavailable("no answer")
        return reply

    monkeypatch.setattr(stream.store._client, "bulk", lossy)
    assert (await stream.store.prune(WEB, dry_run=False)).lines == 30
    assert [record.lines for record in stream.store.pruned()] == [30]


async def test_a_busy_server_gets_its_time_and_counts_stay_exact(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stream.add(mixed(0, 60))
    bulk, calls = stream.store._client.bulk, iter(range(99))

    async def busy(path: str, body: bytes) -> bytes:
        """The first half is deleted, the rest is told to come later."""
        if next(calls) == 3:
            return await bulk(path, body)
        lines = body.splitlines(keepends=True)
        half = max(1, len(lines) // 2)
        reply = orjson.loads(await bulk(path, b"".join(lines[:half])))
        later = {"delete": {"status": 429, "error": {"type": "rejected", "reason": "busy"}}}
        return orjson.dumps({"errors": True, "items": reply["items"] + [later] * (len(lines) - half)})

    monkeypatch.setattr(stream.store._client, "bulk", busy)
    assert (await stream.store.prune(WEB, dry_run=False)).lines == 30
    assert len(await stream.events()) == 30


async def test_a_failure_half_way_says_how_many_are_gone_and_is_recorded(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_deleting, "IDS_AT_ONCE", 7)
    made = await stream.add(mixed(0, 60))
    bulk, calls = stream.store._client.bulk, iter(range(99))

    async def gone(path: str, body: bytes) -> bytes:
        if next(calls) >= 2:
            raise StoreUnavailable("does not answer")
        return await bulk(path, body)

    monkeypatch.setattr(stream.store._client, "bulk", gone)
    monkeypatch.setattr(elastic_deleting, "ATTEMPTS", 3)
    with pytest.raises(StoreUnavailable, match="does not answer; 14 lines are gone already"):
        await stream.store.prune(WEB, dry_run=False)
    (record,) = stream.store.pruned()
    assert (record.lines, record.state) == (14, "partial")
    monkeypatch.undo()
    assert len(await stream.events()) == 46
    assert (await stream.store.prune(WEB, dry_run=False)).lines == 16
    assert await stream.events() == only(made, "db")


async def test_what_others_delete_meanwhile_is_not_counted(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await stream.add(mixed(0, 60))
    bulk, (index,) = stream.store._client.bulk, await stream.indices()

    async def late(path: str, body: bytes) -> bytes:
        for e in only(made, "web")[:3]:
            (await stream.http.delete(f"/{index}/_doc/{e.id}")).raise_for_status()
        return await bulk(path, body)

    monkeypatch.setattr(stream.store._client, "bulk", late)
    assert (await stream.store.prune(WEB, dry_run=False)).lines == 27


async def test_an_index_that_retention_takes_meanwhile_is_no_failure(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stream.add(mixed(0, 20))
    await stream.roll_over()
    await stream.add(mixed(20, 20))
    oldest = (await stream.indices())[0]
    page, ask = elastic_prune.Pruning._whole, stream.store._client.ask

    async def retained(self: Any, index: str, counts: Any) -> bool:
        if index == oldest:
            await ask("DELETE", f"/{index}")
        return await page(self, index, counts)

    monkeypatch.setattr(elastic_prune.Pruning, "_whole", retained)
    assert (await stream.store.prune(WEB, dry_run=False)).lines == 10


async def test_nothing_is_removed_that_cannot_be_recorded(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await stream.add(mixed(0, 20))

    def refuse(*_: Any) -> Any:
        raise OSError("no space left")

    monkeypatch.setattr(stream.store._pruned, "add", refuse)
    with pytest.raises(StoreUnavailable, match="nothing was removed"):
        await stream.store.prune(WEB, dry_run=False)
    assert await stream.events() == made


async def test_a_prune_that_was_killed_is_told(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    await stream.add(mixed(0, 20))

    class Killed(BaseException):
        pass

    async def killed(*_: Any) -> Any:
        raise Killed

    monkeypatch.setattr(elastic_deleting, "delete", killed)
    with pytest.raises(Killed):
        await stream.store.prune(WEB, dry_run=False)
    again = stream.open()
    (record,) = again.pruned()
    assert (record.state, record.lines) == ("unknown", 10)
    await again.start()
    (note,) = (await again.search(Query(services=("web",)))).notes
    assert note.startswith("up to 10 lines of web") and "was interrupted" in note
    await again.close()


async def test_lines_that_no_commit_is_past_are_left(stream: Stream) -> None:
    """A replay would bring them back: so they stay until they are committed."""
    made = await stream.add(mixed(0, 20))
    reach = elastic_prune.Reach(stream.name, JOURNAL, 9)
    store = stream.store
    result = await elastic_prune.prune(store._client, reach, WEB, False, store._pruned)
    assert result.lines == 5
    assert await stream.events() == only(made[:10], "db") + made[10:]


async def test_lines_of_another_server_in_the_same_stream_go_too(stream: Stream, tmp_path: Path) -> None:
    await stream.add(mixed(0, 10))
    other = stream.open("j2", tmp_path / "other")
    (tmp_path / "other").mkdir()
    await other.start()
    theirs = [event(n, journal="j2", origin=ORIGINS[n % 2], offset=n + 10**6) for n in range(10)]
    await other.append(theirs, Checkpoint(10, 10, 10**6 + 10))
    await other.flush()
    await other.close()
    assert (await stream.store.prune(WEB, dry_run=False)).lines == 10
    assert len(await stream.events()) == 10


async def test_documents_of_others_stay(stream: Stream) -> None:
    await stream.add(mixed(0, 10))
    foreign = {"@timestamp": "2026-11-24T00:00:00Z", "message": "x", "service": {"name": "web"}}
    created = await stream.http.post(f"/{stream.name}/_doc?op_type=create", json=foreign)
    created.raise_for_status()
    assert (await stream.store.prune(Selection(until=TIME + 10**6 * SECOND), dry_run=False)).lines == 10
    await stream.http.post(f"/{stream.name}/_refresh")
    count = (await stream.http.post(f"/{stream.name}/_count")).json()["count"]
    assert count == 1


async def test_an_elasticsearch_that_is_away(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    await stream.add(mixed(0, 10))

    async def refused(*_: Any) -> bytes:
        raise Refused(400, "no such thing")

    monkeypatch.setattr(stream.store._client, "ask", refused)
    with pytest.raises(StoreUnavailable):
        await stream.store.prune(WEB, dry_run=True)
