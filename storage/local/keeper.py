"""The keeper of the embedded store: moves events from memory to sealed files, and files out in the end.

All of it runs on the event loop except the work on the disk, which one writer thread does under one lock.
"""

import asyncio
import logging
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from storage.local import upkeep as local_upkeep
from storage.local.catalogue import FileEntry, Sealed
from storage.local.disk import Contents, Disk
from storage.local.hot import Batch, Hot
from storage.local.origins import Origins
from storage.local.removal import Removal, settle
from storage.local.shelf import Shelf
from storage.pruned import PrunedLog
from storage.store import Checkpoint, StoreUnavailable
from storage.times import SECOND

logger = logging.getLogger("logdock.storage")
T = TypeVar("T")

SEAL_ROWS = 250_000  # about 60 MB of batches, sealed in 0.3 s
SEAL_BYTES = 96 * 2**20  # of batches: long lines are sealed earlier, so that the hot set stays in its memory
UPKEEP_SECONDS = 1.0  # how late a sealing by age may be
RETRY_SECONDS = 5.0  # after the disk refused: it stays full for longer than a moment

_DISK_ERRORS = (OSError, sqlite3.Error, pa.ArrowException)


class Limits(msgspec.Struct, frozen=True):
    """When to seal and what to keep. Ages in seconds, sizes in bytes; None keeps for ever."""

    seal_rows: int = SEAL_ROWS
    seal_seconds: float = 600
    retention_seconds: float | None = None
    retention_bytes: int | None = None


class Sealing(msgspec.Struct, frozen=True, eq=False):
    """Batches on their way to a file. They are searched until the file is."""

    batches: list[Batch]
    checkpoint: Checkpoint
    appends: int


class Keeper:
    """Owns what is stored: the hot set, the batches being sealed and the shelf of files."""

    def __init__(
        self,
        disk: Disk,
        hot: Hot,
        origins: Origins,
        limits: Limits,
        clock: Callable[[], int],
        hand_over: Callable[[], None] = lambda: None,
        pruned: PrunedLog | None = None,
    ) -> None:
        self.pruned = pruned or PrunedLog()
        self.disk, self._origins, self._limits, self._clock = disk, origins, limits, clock
        self._hand_over = hand_over  # of what the hot set refused: before anything is sealed
        self._seal_age = limits.seal_seconds * SECOND
        self.hot = hot
        self.shelf = Shelf(disk.delete)
        self.safe: Checkpoint | None = None
        self._sealing: Sealing | None = None
        self._checkpoint = Checkpoint()
        self._unsafe_since: int | None = None  # nanoseconds
        self._appends = self._sealed_appends = 0
        self._unmergeable: frozenset[str] = frozenset()
        self.lock = asyncio.Lock()  # one change of the disk at a time
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._writer = ThreadPoolExecutor(1, "local-writer")

    async def open(self) -> Contents:
        """Open the disk and begin the upkeep. Raises CatalogueError, OSError."""
        contents = await in_thread(self._writer, self.disk.open)
        await in_thread(self._writer, settle, self.disk, self.pruned, contents.unrecorded)
        self.shelf.load(contents)
        self.safe = contents.checkpoint
        self._checkpoint = contents.checkpoint or Checkpoint()
        self._tasks["upkeep"] = asyncio.create_task(self._upkeep())
        return contents

    async def close(self) -> None:
        """End the upkeep; a sealing in progress is finished, nothing else is."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await asyncio.to_thread(self._writer.shutdown)
        self.disk.close()

    # What is here

    @contextmanager
    def files(self) -> Iterator[list[FileEntry]]:
        """All sealed files, kept on disk meanwhile."""
        files = self.shelf.hold()
        try:
            yield files
        finally:
            self.shelf.release(files)

    def batches(self) -> list[Batch]:
        """All that is in no file yet."""
        return self.sealing() + self.hot.snapshot()

    def sealing(self) -> list[Batch]:
        """What is on its way to a file."""
        return self._sealing.batches if self._sealing is not None else []

    # Sealing

    def appended(self, checkpoint: Checkpoint) -> None:
        """Something was added to the hot set, after which the pipeline stands at `checkpoint`."""
        self._checkpoint = checkpoint
        self._appends += 1
        if self._unsafe_since is None:
            self._unsafe_since = self._clock()
        if self._full() and self._sealing is None:
            self._begin()
            self._tasks["sealing"] = asyncio.create_task(self._seal_quietly())

    def added(self) -> None:
        """Something was added that the pipeline has not just read: it stands where it stood."""
        self.appended(self._checkpoint)

    async def make_room(self) -> None:
        """Wait while the hot set is full and the one before it in no file yet. Raises StoreUnavailable."""
        if not self._full():
            return
        if not self._idle():
            await asyncio.wait([self._tasks["sealing"]])
        await self._seal_begun()

    def _full(self) -> bool:
        return self.hot.rows >= self._limits.seal_rows or self.hot.bytes >= SEAL_BYTES

    def _idle(self) -> bool:
        return "sealing" not in self._tasks or self._tasks["sealing"].done()

    async def flush(self) -> None:
        """Seal all that was appended before this call. Raises StoreUnavailable; then nothing is lost."""
        target = self._appends
        async with self.lock:
            while self._sealed_appends < target:
                if self._sealing is None:
                    self._begin()
                await self._finish()

    async def _seal_quietly(self) -> None:
        try:
            await self._seal_begun()
        except StoreUnavailable as error:
            logger.error("%s; will try again", error)

    async def _seal_begun(self) -> None:
        async with self.lock:
            await self._finish()

    async def _finish(self) -> None:
        """Seal what is on its way, if anything is. Only under the lock."""
        if self._sealing is not None:
            self._hand_over()
            await self.write(self._seal_on_disk, self._sealing)

    def _begin(self) -> None:
        self._sealing = Sealing(self.hot.take(), self._checkpoint, self._appends)
        self._unsafe_since = None

    def _seal_on_disk(self, sealing: Sealing) -> Callable[[], None]:
        sealed = None
        if sealing.batches:
            sealed = self.disk.seal(sealing.batches, self._origins.known, sealing.checkpoint)
        elif sealing.checkpoint != self.safe:
            self.disk.save(sealing.checkpoint)
        return lambda: self._sealed(sealing, sealed)

    def _sealed(self, sealing: Sealing, sealed: Sealed | None) -> None:
        if sealed is not None:
            self.shelf.add(sealed)
        self.safe, self._sealed_appends, self._sealing = sealing.checkpoint, sealing.appends, None

    async def write(self, work: Callable[..., Callable[[], None]], *args: Any) -> None:
        """Do `work` in the writer thread, then what it returns here: also when the waiter is cancelled.

        Disk and memory must not part ways, so there is no giving up in between. Only under the lock.
        """

        async def both() -> None:
            try:
                done = await in_thread(self._writer, work, *args)
            except _DISK_ERRORS as error:
                # its frames hold a copy of all the batches, and a full disk refuses again and again
                traceback.clear_frames(error.__traceback__)
                raise StoreUnavailable(f"the local store cannot write: {error}") from error
            done()

        running = asyncio.create_task(both())
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise
        finally:
            del running  # or an error and its task would hold each other, and with them the batches

    # Upkeep

    async def _upkeep(self) -> None:
        while True:
            await asyncio.sleep(UPKEEP_SECONDS)
            try:
                await self.maintain()
            except StoreUnavailable as error:
                logger.error("%s; will try again", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def maintain(self) -> None:
        """Seal what is old enough, delete what retention lets go, merge small files."""
        if self._idle():
            await self._seal_begun()
        if self._unsafe_since is not None and self._clock() - self._unsafe_since >= self._seal_age:
            await self.flush()
        async with self.lock:
            old = local_upkeep.expired(
                self.shelf.files.values(), self._clock(), self._limits.retention_seconds
            )
            await self._prune(old, "retention")
            big = local_upkeep.surplus(self.shelf.files.values(), self._limits.retention_bytes)
            await self._prune(big, "retention-size")
            await self._merge()

    def removal(self, reason: str, selection: str = "") -> Removal:
        """A removal that begins now."""
        return Removal(self.disk, self._origins.known, self.pruned, self._clock(), reason, selection)

    async def _prune(self, entries: list[FileEntry], reason: str) -> None:
        removal = self.removal(reason)

        def work() -> Callable[[], None]:
            totals = removal.files(entries)
            removal.keep("done")
            return lambda: self.shelf.removed(entries, None, totals)

        if entries:
            await self.write(work)
            lines = sum(entry.rows for entry in entries)
            logger.info("%s removed %d files with %d lines", reason, len(entries), lines)

    async def _merge(self) -> None:
        run = local_upkeep.mergeable(self.shelf.files.values(), self._limits.seal_rows, self._unmergeable)

        def work() -> Callable[[], None]:
            sealed = self.disk.merge(run, self._origins.known)
            return lambda: self.shelf.swap(run, sealed)

        if not run:
            return
        try:
            await self.write(work)
        except StoreUnavailable:
            self._unmergeable |= {entry.name for entry in run}  # left as they are until the next start
            raise


async def in_thread(executor: Executor, work: Callable[..., T], *args: Any) -> T:
    """Run `work(*args)` in the executor."""
    return await asyncio.get_running_loop().run_in_executor(executor, work, *args)
