"""Roll-over and retention of the data stream, where the cluster does not see to it by itself.

A line's age counts from `event.created`, when logdock read it, never from what its sender says. Only whole
backing indices are deleted, and never the write index: it rolls over first. Every deletion is on record
before it happens; those of the cluster and of other servers are as soon as they are noticed.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from storage.durable import write_durably
from storage.elastic.backing import Backing, Span, backing, contents, delete, span
from storage.elastic.client import Client, Refused
from storage.elastic.cluster import Cluster
from storage.elastic.managed import Manager, conditions, manager
from storage.prune import Pruned, PruneResult, State
from storage.pruned import pruned
from storage.retention import too_old
from storage.store import StoreUnavailable
from storage.times import SECOND

log = logging.getLogger("logdock.storage")

FILE = "elastic-lifecycle.json"
STEP_SECONDS = 60.0  # retention is told in hours and days; a step asks four small questions
STILL_SECONDS = 15.0  # senders wait so long at most for a roll-over; a body that takes longer postpones it

Pause = Callable[[], AbstractAsyncContextManager[None]]
"""A context inside which nothing is on its way and nothing is sent."""


class Limits(msgspec.Struct, frozen=True):
    """How long lines are kept, in seconds since they were observed, and how many bytes of primary shards."""

    retention_seconds: float | None = None
    retention_bytes: int | None = None


class Known(msgspec.Struct, frozen=True):
    """A backing index that takes no more lines, as it was last seen. Times in nanoseconds."""

    lines: int
    bytes: int
    first: int
    last: int
    observed: int  # its newest line; of one without lines, when that was seen first


class Remembered(msgspec.Struct):
    """What outlives the process."""

    stream: str
    set_by_us: str | None = None  # the retention that logdock told the cluster
    indices: dict[str, Known] = {}


class Lifecycle:
    """Looks after one data stream. `record` takes what was removed and may block (PrunedLog.add).

    `clock` says the time that ages are counted by, in nanoseconds.
    """

    def __init__(
        self,
        client: Client,
        stream: str,
        cluster: Cluster,
        limits: Limits,
        pause: Pause,
        record: Callable[[Pruned], None],
        folder: Path,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._client, self._stream, self._cluster = client, stream, cluster
        self._limits, self._pause, self._record = limits, pause, record
        self._file, self._clock = folder / FILE, clock
        self._memory = Remembered(stream)
        self._manager = Manager("logdock")
        self._told: str | None = None
        self._going: dict[str, tuple[str, PruneResult]] = {}  # deleted, or not: no answer came
        self._saved = b""

    async def run(self) -> None:
        """A step now and then, for ever. Nothing that goes wrong ends it; it is said once."""
        await asyncio.to_thread(self._load)
        said: str | None = None
        while True:
            await asyncio.sleep(STEP_SECONDS)  # first, too: a start has better things to do
            try:
                await self.step(self._clock())
                said = None
            except TimeoutError:
                log.info("a roll-over waits: not everything that was sent has its answer yet")
            except (StoreUnavailable, Refused, msgspec.DecodeError, OSError) as error:
                if str(error) != said:
                    log.warning("retention waits: %s", error)
                said = str(error)
            except Exception:
                log.exception("retention failed, will be tried again")

    async def step(self, now: int) -> None:
        """Do what is due at `now`, nanoseconds. Raises StoreUnavailable, Refused, OSError, TimeoutError."""
        if await self._cluster.behind():
            async with at_most(STILL_SECONDS, self._pause()):
                await self._cluster.install()
        await self._cluster.refresh()  # sizes, and the conditions of a roll-over, count only what is visible
        indices = await backing(self._client, self._stream)
        try:
            await self._notice(indices, now)
            if indices:
                await self._look_after(indices, now)
        finally:
            await asyncio.to_thread(self._save)

    async def _look_after(self, indices: list[Backing], now: int) -> None:
        limits, memory = self._limits, self._memory
        self._manager = await manager(self._client, self._stream, limits.retention_seconds, memory.set_by_us)
        memory.set_by_us = self._manager.set_by_us
        self._tell()
        if self._manager.who == "operator":
            return
        when = conditions(limits.retention_seconds, limits.retention_bytes, self._manager.who)
        if await self._cluster.due(when):
            async with at_most(STILL_SECONDS, self._pause()):
                rolled = await self._cluster.roll_over(when)
            if rolled:
                log.info("%s goes on in %s", self._stream, self._cluster.index)
                indices = await backing(self._client, self._stream)
                await self._notice(indices, now)
        for index, reason in self._leaving(indices, now):
            await self._remove(index, reason, now)

    def _tell(self) -> None:
        who = {"logdock": "logdock itself", "cluster": "the cluster", "operator": "its operator"}
        text = f"{who[self._manager.who]}" + (f": {self._manager.why}" if self._manager.why else "")
        if text == self._told:
            return
        self._told = text
        if self._manager.who == "operator" and self._limits != Limits():
            log.warning("the retention of %s is left to %s; ours is not applied", self._stream, text)
            return
        log.info("the retention of %s is seen to by %s", self._stream, text)

    # What is there

    async def _notice(self, indices: list[Backing], now: int) -> None:
        """Remember what takes no more lines, and put on record what has gone without us."""
        known, closed = self._memory.indices, indices[:-1]
        for name in known.keys() - {index.name for index in indices}:
            gone = known[name]
            result = PruneResult(gone.lines, gone.bytes, gone.first, gone.last)
            reason, result = self._going.pop(name, (self._why_gone(gone, now), result))
            await self._note(name, now, reason, result, "done")
            del known[name]
        for index in closed:
            if not index.is_open:
                continue
            old = known.get(index.name)
            if old is None:
                known[index.name] = _known(index, await span(self._client, index.name), now)
            elif (old.lines, old.bytes) != (index.lines, index.bytes):  # merged, or lines were pruned
                known[index.name] = msgspec.structs.replace(old, lines=index.lines, bytes=index.bytes)

    def _too_old(self, known: Known, now: int) -> bool:
        return too_old(known.observed, now, self._limits.retention_seconds)

    def _why_gone(self, gone: Known, now: int) -> str:
        return (
            "retention" if self._too_old(gone, now) or self._manager.who != "logdock" else "deleted-elsewhere"
        )

    def _leaving(self, indices: list[Backing], now: int) -> list[tuple[Backing, str]]:
        """Which indices go, the oldest first, and why. The write index, the last one, stays."""
        most, by_age = self._limits.retention_bytes, self._manager.who == "logdock"
        left = sum(index.bytes for index in indices)
        leaving: list[tuple[Backing, str]] = []
        closed = [index for index in indices[:-1] if index.is_open]
        for index in closed:
            if by_age and self._too_old(self._memory.indices[index.name], now):
                leaving.append((index, "retention"))
                left -= index.bytes
        for index in closed:
            if most is not None and left > most and (index, "retention") not in leaving:
                leaving.append((index, "retention-size"))
                left -= index.bytes
        return leaving

    # What goes

    async def _remove(self, index: Backing, reason: str, now: int) -> None:
        times = await span(self._client, index.name)
        known = self._memory.indices[index.name] = _known(index, times, now, self._memory.indices[index.name])
        if reason == "retention" and not self._too_old(known, now):
            return  # a late line came in after all
        result = await contents(self._client, index, times)
        self._going[index.name] = reason, result
        await self._note(index.name, now, reason, result, "running")
        await delete(self._client, index.name)
        await self._note(index.name, now, reason, result, "done")
        del self._memory.indices[index.name], self._going[index.name]

    async def _note(self, name: str, now: int, reason: str, result: PruneResult, state: State) -> None:
        await asyncio.to_thread(self._record, pruned(name, now, reason, result, state=state))
        if state == "done":
            log.info(
                "%s: the index %s is gone with %d lines (%d bytes) from %s to %s",
                reason, name, result.lines, result.bytes or 0, _moment(result.first), _moment(result.last),
            )  # fmt: skip

    def _load(self) -> None:
        try:
            memory = msgspec.json.decode(self._file.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return
        except (msgspec.DecodeError, OSError) as error:
            log.warning("%s cannot be read, so it is begun anew: %s", self._file, error)
            return
        if memory.stream == self._stream:
            self._memory = memory

    def _save(self) -> None:
        data = msgspec.json.encode(self._memory)
        if data != self._saved:
            write_durably(self._file, data)
            self._saved = data


@asynccontextmanager
async def at_most(seconds: float, pause: AbstractAsyncContextManager[None]) -> AsyncIterator[None]:
    """`pause`, unless it takes longer than `seconds` to begin. Raises TimeoutError then."""
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(seconds):
            await stack.enter_async_context(pause)
        yield


def _known(index: Backing, times: Span, now: int, old: Known | None = None) -> Known:
    unseen = old.observed if old is not None else now
    observed = unseen if times.observed is None else times.observed
    return Known(index.lines, index.bytes, times.first or 0, times.last or 0, observed)


def _moment(nanoseconds: int | None) -> str:
    return "?" if nanoseconds is None else datetime.fromtimestamp(nanoseconds // SECOND, UTC).isoformat()
