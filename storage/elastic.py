"""The Elasticsearch store: a data stream that a person's Kibana or Grafana can read as it is.

Events are rendered as they are appended; two senders take whatever waits, so bodies grow with the load and
nothing waits for a timer. Elasticsearch makes every body durable before it answers; a small file says up
to which checkpoint that is, and a replay after a crash sends again what came later, under the same ids.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from parsers.event import Container, Event, parse_id
from storage import elastic_lists, lists
from storage.commit import Commit, read_commit, write_commit
from storage.elastic_bulk import Delivery
from storage.elastic_client import Client, Refused
from storage.elastic_cluster import Cluster
from storage.elastic_hits import Reader
from storage.elastic_queue import CHUNK_BYTES, Chunk, Queue
from storage.elastic_search import Pager, hits
from storage.elastic_template import STREAM
from storage.metrics import Metrics
from storage.query import Page, Query
from storage.store import Checkpoint, ContainerSummary, NameSummary, OnRejected, StoreUnavailable

log = logging.getLogger("logdock.storage")
T = TypeVar("T")

COMMIT_FILE = "elastic-commit.json"
COMMIT_SECONDS = 0.2  # between two syncs of the commit file: a crash replays at most so much more
SENDERS = 3  # bodies on their way: Elasticsearch indexes on several cores while it receives the next one
PATIENCE_SECONDS = 2.0  # a question waits for events on their way while Elasticsearch is only busy, no longer
LOOK_SECONDS = 0.5  # how late a waiting question notices that Elasticsearch has gone


class ElasticStore:
    """The Store over one data stream. `url` is as for elastic_client.hosts; `folder` holds the commit file.

    `start` returns at once and raises ValueError for a damaged commit file; while Elasticsearch is away,
    events wait, `append` holds back, and questions raise StoreUnavailable.
    """

    name = "elasticsearch"

    def __init__(
        self,
        url: str,
        folder: Path,
        journal: str,
        metrics: Metrics,
        *,
        on_rejected: OnRejected,
        ca_certs: str | None = None,
        api_key: str | None = None,
        stream: str = STREAM,
    ) -> None:
        self._journal, self._stream = journal, stream
        self._client = Client(url, ca_certs, api_key)
        self._cluster = Cluster(self._client, stream)
        self._delivery = Delivery(self._send, self._cluster.absent, on_rejected, metrics)
        self._queue, self._reader = Queue(), Reader()
        self._file = folder / COMMIT_FILE
        self._safe: Checkpoint | None = None
        self._ceiling = -1  # the highest offset so far
        self._suspect = -1  # events up to this offset may be in an older backing index
        self._refreshed = 0  # chunks that searches see
        self._ready = False
        self._changed = asyncio.Event()
        self._refreshing, self._committing = asyncio.Lock(), asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def available(self) -> bool:
        """Whether Elasticsearch takes events just now."""
        return self._delivery.health.available

    @property
    def last_error(self) -> str | None:
        """Why it last did not."""
        return self._delivery.health.last_error

    # Life

    async def start(self) -> Checkpoint | None:
        """See Store.start."""
        commit = await asyncio.to_thread(read_commit, self._file)
        if commit is not None and (commit.journal, commit.stream) != (self._journal, self._stream):
            log.warning("%s is about another journal or data stream: not used", self._file)
            commit = None
        self._safe = self._queue.checkpoint = commit.checkpoint if commit else None
        self._ceiling = commit.checkpoint.offset - 1 if commit else -1
        work = [self._prepare(commit.index if commit else None), self._commit_often()]
        self._tasks = [asyncio.create_task(job) for job in (*work, *(self._work() for _ in range(SENDERS)))]
        return self._safe

    async def close(self) -> None:
        """See Store.close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    async def _prepare(self, committed_index: str | None) -> None:
        """Template, write index, and what of a replay may be known already."""
        while not self._ready:
            try:
                await self._cluster.install()
                index = await self._cluster.look()
                highest = await self._cluster.highest_offset(self._journal)
            except Exception as error:  # whatever answers there: without this nothing would ever be sent
                self._delivery.health.bad(str(error) or type(error).__name__)
                self._notify()
                await asyncio.sleep(LOOK_SECONDS)
                continue
            if index is None or index != committed_index:
                self._suspect = highest
            self._ceiling = max(self._ceiling, highest)
            self._ready = True
            self._delivery.health.good()
            self._notify()

    # Taking events

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """See Store.append. Waits while two bodies wait already."""
        place = 0
        while place < len(events):
            while self._queue.full:
                await self._change()
            body, end = self._delivery.render(events, place, CHUNK_BYTES)
            if body:
                self._queue.put(Chunk(events if end - place == len(events) else events[place:end], body))
            place = end
            self._notify()
        if events:
            self._ceiling = max(self._ceiling, events[-1].offset)
        self._queue.move(checkpoint)
        self._notify()

    def safe(self) -> Checkpoint | None:
        """See Store.safe: what the commit file says."""
        return self._safe

    async def flush(self) -> None:
        """See Store.flush."""
        await self._until_sent()
        await self._commit()

    async def _work(self) -> None:
        """One sender: takes what waits, for ever."""
        while True:
            chunks = self._queue.take(self._delivery.body_bytes, self._cluster.index) if self._ready else []
            if not chunks:
                await self._change()
                continue
            self._notify()
            await self._deliver(chunks)
            self._queue.finish(chunks)
            self._notify()

    async def _deliver(self, chunks: list[Chunk]) -> None:
        events = [event for chunk in chunks for event in chunk.events]
        body = b"".join([chunk.body for chunk in chunks])
        suspect = events[0].offset <= self._suspect
        index = None if suspect else chunks[0].index
        while True:
            try:
                return await self._delivery.deliver(events, body, index, uncertain=suspect)
            except Exception as error:  # ours or the quarantine's: no event may be given up for it
                log.exception("could not deliver %d events, will try again", len(events))
                self._delivery.health.bad(f"{type(error).__name__}: {error}")
                suspect = True
                await asyncio.sleep(LOOK_SECONDS)

    async def _send(self, body: bytes) -> bytes:
        return await self._client.bulk(self._cluster.bulk_path, body)

    async def _commit_often(self) -> None:
        told: str | None = None
        while True:
            try:
                if self._queue.checkpoint == self._safe:
                    await self._change()
                    continue
                await self._commit()
                told = None
            except StoreUnavailable as error:
                if str(error) != told:
                    log.warning("%s; the journal is kept until it can be", error)
                told = str(error)
            await asyncio.sleep(COMMIT_SECONDS)

    async def _commit(self) -> None:
        """Write how far everything is done."""
        async with self._committing:
            with suppress(StoreUnavailable, Refused, msgspec.DecodeError):  # what is known already is safe
                await self._cluster.look_if_stale()
            checkpoint, oldest = self._queue.checkpoint, self._queue.oldest
            if checkpoint is None or checkpoint == self._safe:
                return
            index = oldest.index if oldest is not None and oldest.taken else self._cluster.index
            commit = Commit(checkpoint, self._journal, self._stream, index)
            try:
                await asyncio.to_thread(write_commit, self._file, commit)
            except OSError as error:
                raise StoreUnavailable(f"cannot write {self._file}: {error}") from error
            self._safe = checkpoint

    # Answering

    async def search(self, query: Query) -> Page:
        """See Store.search."""
        ceiling = self._ceiling
        await self._fresh()
        return await _asked(
            Pager(query, self._journal, ceiling).page(self._client, self._stream, self._reader)
        )

    async def get(self, event_id: str) -> Event | None:
        """See Store.get."""
        if parse_id(event_id) is None:
            return None
        await self._fresh()
        body = {"size": 1, "query": {"ids": {"values": [event_id]}}}
        found = await _asked(hits(self._client, self._stream, body))
        return self._reader.event(found[0]) if found else None

    async def _seen(self, query: Query) -> lists.Seen:
        await self._fresh()
        return await _asked(elastic_lists.seen(self._client, self._stream, self._reader, query))

    async def find_containers(self, ref: str) -> list[Container]:
        """See Store.find_containers."""
        await self._fresh()
        answer = elastic_lists.referred(self._client, self._stream, self._reader, ref)
        return lists.find_containers(await _asked(answer), ref)

    async def containers(self, query: Query) -> list[ContainerSummary]:
        """See Store.containers."""
        return lists.containers(await self._seen(query))

    async def services(self, query: Query) -> list[NameSummary]:
        """See Store.services."""
        return lists.services(await self._seen(query))

    async def labels(self, query: Query) -> list[NameSummary]:
        """See Store.labels."""
        return lists.labels(await self._seen(query))

    async def label_values(self, key: str, query: Query) -> list[NameSummary]:
        """See Store.label_values."""
        return lists.label_values(await self._seen(query), key)

    async def _fresh(self) -> None:
        """Until a search sees everything whose append has returned. Questions at once share a refresh."""
        mark = self._queue.appended
        await self._until_sent()
        async with self._refreshing:
            if self._refreshed >= mark:
                return
            finished = self._queue.finished
            await _asked(self._cluster.refresh())
            self._refreshed = finished

    async def _until_sent(self) -> None:
        mark = self._queue.appended
        await self._until(lambda: self._ready and self._queue.finished >= mark)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            if self._delivery.health.bad_for > PATIENCE_SECONDS:
                raise StoreUnavailable(self.last_error or "Elasticsearch takes no events")
            await self._change(LOOK_SECONDS)

    async def _change(self, seconds: float | None = None) -> None:
        """Until something moved, or the time is over."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def _asked(answer: Awaitable[T]) -> T:
    """An answer, or StoreUnavailable when Elasticsearch refuses what we asked or says what we do not know."""
    try:
        return await answer
    except Refused as error:
        raise StoreUnavailable(f"Elasticsearch refuses this question: {error}") from error
    except msgspec.DecodeError as error:
        raise StoreUnavailable(f"an answer that is none of Elasticsearch's: {error}") from error
