"""The way of events into one data stream, and how far it has come: queue, senders, commit file, refreshes.

Events are rendered as they are appended; some senders take whatever waits, so bodies grow with the load and
nothing waits for a timer. Elasticsearch makes every body durable before it answers; a small file says up
to which checkpoint that is, and a replay after a crash sends again what came later, under the same ids.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from parsers.event import Event
from storage.elastic.asking import asked
from storage.elastic.bulk import SENDERS, Delivery
from storage.elastic.client import Client, Refused
from storage.elastic.cluster import Cluster
from storage.elastic.commit import Commit, read_commit, write_commit
from storage.elastic.docs import Writer
from storage.elastic.doubles import Doubles
from storage.elastic.horizon import Horizon
from storage.elastic.post import compression
from storage.elastic.queue import CHUNK_BYTES, Chunk, Queue
from storage.metrics import Metrics
from storage.store import Checkpoint, Lag, OnRejected, Rejection, StoreUnavailable

log = logging.getLogger("logdock.storage")

COMMIT_FILE = "elastic-commit.json"
COMMIT_SECONDS = 0.2  # between two syncs of the commit file: a crash replays at most so much more
PATIENCE_SECONDS = 2.0  # without an answer, after which a question fails at once: it is away, not busy
DOUBLES_SECONDS = 0.5  # how late a second copy may be noticed
LOOK_SECONDS = 0.5  # how late a waiting question notices that Elasticsearch has gone


class Sending:
    """Takes events and sees to it that every one of them is stored or rejected, whatever that takes."""

    def __init__(
        self,
        client: Client,
        stream: str,
        folder: Path,
        journal: str,
        metrics: Metrics,
        on_rejected: OnRejected,
        compress: str = "auto",
    ) -> None:
        self.cluster = Cluster(client, stream)
        self.horizon = Horizon()
        self.ceiling = -1  # the highest offset so far
        self.safe: Checkpoint | None = None
        self._doubles = Doubles(client, stream, metrics)
        packing = compression(compress, client.where)
        self.delivery = Delivery(self._send, self._absent, on_rejected, metrics, Writer(stream), packing)
        self._client, self._journal, self._stream = client, journal, stream
        self._queue = Queue()
        self._file = folder / COMMIT_FILE
        self._suspect = -1  # events up to this offset may be in an older backing index
        self._ready = self._held = False
        self._changed = asyncio.Event()
        self._refreshing, self._committing = asyncio.Lock(), asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    # Life

    async def start(self) -> None:
        """Read the commit file and begin. Raises ValueError when the file is damaged."""
        commit = await asyncio.to_thread(read_commit, self._file)
        if commit is not None and (commit.journal, commit.stream) != (self._journal, self._stream):
            log.warning("%s is about another journal or data stream: not used", self._file)
            commit = None
        self.safe = self._queue.checkpoint = commit.checkpoint if commit else None
        self.ceiling = commit.checkpoint.offset - 1 if commit else -1
        work = [
            self._prepare(commit.index if commit else None),
            self._commit_often(),
            self._look_for_doubles(),
        ]
        self._tasks = [asyncio.create_task(job) for job in (*work, *(self._work() for _ in range(SENDERS)))]

    async def close(self) -> None:
        """End all tasks. What is on its way may arrive or not; the journal still has it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.delivery.close()

    async def _prepare(self, committed_index: str | None) -> None:
        """Template, write index, and what of a replay may be known already."""
        while not self._ready:
            try:
                await self.cluster.install()
                index = await self.cluster.look()
                highest = await self.cluster.highest_offset(self._journal)
            except Exception as error:  # whatever answers there: without this nothing would ever be sent
                self.delivery.health.bad(str(error) or type(error).__name__)
                self._notify()
                await asyncio.sleep(LOOK_SECONDS)
                continue
            if index is None or index != committed_index:
                self._suspect = highest
            self.ceiling = max(self.ceiling, highest)
            self.horizon.begin(self.safe.offset - 1 if self.safe else -1)
            self._ready = True
            self.delivery.health.good()
            self._notify()

    # Taking events

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """See Store.append. Waits while two bodies wait already."""
        place = 0
        while place < len(events):
            while self._queue.full:
                await self._change()
            size = min(CHUNK_BYTES, self.delivery.body_bytes)
            body, end = await self.delivery.render(events, place, size)
            if body:
                some = events if end - place == len(events) else events[place:end]
                self._queue.put(Chunk(some, body))
                self.horizon.put(self._queue.appended, some)
            place = end
            self._notify()
        if events:
            self.ceiling = max(self.ceiling, events[-1].offset)
        self._queue.move(checkpoint)
        self._notify()

    def lag(self) -> Lag:
        """See Store.lag."""
        health, oldest = self.delivery.health, self._queue.oldest
        problem = None if health.available else health.last_error
        if oldest is None or not oldest.events:
            return Lag(problem=problem)
        seconds = max(0.0, (time.time_ns() - oldest.events[0].observed) / 1e9)
        return Lag(self._queue.lines, seconds, problem)

    async def flush(self) -> None:
        """See Store.flush."""
        await self._until_sent()
        await self._commit()

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """Nothing is on its way inside: everything sent has its verdict, and nothing more is sent.

        For what must not cross a body, such as a roll-over.
        """
        self._held = True
        try:
            while self._queue.in_flight:
                await self._change()
            yield
        finally:
            self._held = False
            self._notify()

    async def _work(self) -> None:
        """One sender: takes what waits, for ever."""
        while True:
            chunks = (
                self._queue.take(self.delivery.body_bytes, self.cluster.index)
                if self._ready and not self._held
                else []
            )
            if not chunks:
                await self._change()
                continue
            self._notify()
            await self._deliver(chunks)
            for chunk in chunks:
                chunk.lighten()

    async def _deliver(self, chunks: list[Chunk]) -> None:
        """Returns when the sender may go on: all is done, or a few bad documents are seen to elsewhere."""
        events = [event for chunk in chunks for event in chunk.events]
        body = b"".join([chunk.body for chunk in chunks])
        suspect = events[0].offset <= self._suspect
        index = None if suspect else chunks[0].index

        def done() -> None:
            self._queue.finish(chunks)
            self._notify()

        await self.delivery.deliver(events, body, index, suspect, done)

    async def put_back(self, events: Sequence[Event]) -> Sequence[Rejection]:
        """See Store.put_back."""
        await self._until(lambda: self._ready)
        refused = await self.delivery.put_back(events)
        await asked(self.cluster.refresh())  # questions refresh only for what was appended
        self.ceiling = max([self.ceiling, *(event.offset for event in events)])
        return refused

    async def _absent(self, events: Sequence[Event], index: str | None) -> Sequence[Event]:
        self._doubles.note([event.id for event in events], index)
        return await self.cluster.absent(events, index)

    async def _look_for_doubles(self) -> None:
        while True:
            await asyncio.sleep(DOUBLES_SECONDS)
            if self._ready and self._doubles.due:
                with suppress(StoreUnavailable, Refused, msgspec.DecodeError):  # it stays due
                    await self.cluster.look()
                    await self._doubles.look(self.cluster.indices)

    async def _send(self, body: bytes, packed: bool) -> bytes:
        return await self._client.bulk(self.cluster.bulk_path, body, packed)

    async def _commit_often(self) -> None:
        told: str | None = None
        while True:
            try:
                if self._queue.checkpoint == self.safe:
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
                await self.cluster.look_if_stale()
            checkpoint, oldest = self._queue.checkpoint, self._queue.oldest
            if checkpoint is None or checkpoint == self.safe:
                return
            index = oldest.index if oldest is not None and oldest.taken else self.cluster.index
            commit = Commit(checkpoint, self._journal, self._stream, index)
            try:
                await asyncio.to_thread(write_commit, self._file, commit)
            except OSError as error:
                raise StoreUnavailable(f"cannot write {self._file}: {error}") from error
            self.safe = checkpoint

    # What searches see

    async def refresh(self) -> None:
        """Make visible what was appended; questions at once share one. Raises StoreUnavailable."""
        mark = self._queue.appended
        await self._until_sent()
        async with self._refreshing:
            if self.horizon.chunks >= mark:
                return
            finished = self._queue.finished
            await asked(self.cluster.refresh())
            self.horizon.refreshed(finished)

    async def _until_sent(self) -> None:
        mark = self._queue.appended
        await self._until(lambda: self._ready and self._queue.finished >= mark)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            if self.delivery.health.bad_for > PATIENCE_SECONDS:
                raise StoreUnavailable(self.delivery.health.last_error or "Elasticsearch takes no events")
            await self._change(LOOK_SECONDS)

    async def _change(self, seconds: float | None = None) -> None:
        """Until something moved, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
