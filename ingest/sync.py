"""When written bytes become durable: every 200 ms, or before anybody is told of them."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from queue import Empty, SimpleQueue

import msgspec

from ingest.writing import Done
from storage.metrics import Metrics

log = logging.getLogger("logdock.ingest.journal")

SYNC_SECONDS = 0.2  # what a power cut can take with --sync interval

# A disk that usually syncs quicker than this is synced by the loop itself: handing over to a thread and back
# costs as much, and twice the CPU. Everybody else waits meanwhile, so a slower one never is.
INLINE_SECONDS = 0.0005
# Half of the senders would wait for the sync of the other half: while more come, a few turns of the loop
# (10 us each) are cheaper than one more sync.
GATHER_TURNS = 4
USUAL_SHARE = 0.1  # of a new measurement in what is usual; a slower one than usual counts at once, and whole

EXIT_SYNC_FAILED = 74  # EX_IOERR of sysexits.h


class Work(msgspec.Struct, gc=False):
    """One turn of the sync's thread: files to sync and close, the file to sync, who then may be told.

    Everything before `position` was written when it began.
    """

    retired: list[tuple[int, Done]]
    active: int
    waiting: list[Done]
    position: int


class Syncer:
    """Runs fdatasync for one journal: `always` before telling anybody, else on an interval.

    In a thread of its own, fed by a queue, which answers by one callback: an executor, a future and a task to
    wake would be a third of an acknowledgement's time. A quick disk needs no thread (INLINE_SECONDS). The
    interval is the thread's own, since a loop that is busy would be late with what a power cut may take.

    All before the position `safe` is as safe as promised; when it moves, `moved` is called in the loop.
    """

    def __init__(
        self, fd: int, metrics: Metrics, *, always: bool, safe: int = 0, moved: Done = lambda: None
    ) -> None:
        self.safe = self._written = safe
        self._moved = moved
        self._dirty = False
        self._fd = fd
        self._retired: list[tuple[int, Done]] = []  # rolled segments whose last bytes are not synced yet
        self._metrics = metrics
        self._always = always
        self._waiting: list[Done] = []
        self._loop = asyncio.get_running_loop()
        self._usual = 2 * INLINE_SECONDS  # seconds of a sync; falls to what the disk needs
        self._planned = False
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="journal-sync", daemon=True)
        self._thread.start()

    def wrote(self, position: int, done: Sequence[Done]) -> None:
        """All before `position` is written: call each of `done`, and move `safe`, when it is safe too."""
        self._written = position
        self._dirty = True
        if self._always:
            self._plan()  # also for what nobody waits for: it must not be read before
        else:
            self._reach(position)
        self.when_safe(done)

    def when_safe(self, done: Sequence[Done]) -> None:
        """Call each of `done` when all that is written so far is as safe as promised."""
        if not self._always:
            _call(done)
        elif done:
            self._waiting += done
            self._plan()

    def switch(self, fd: int, synced: Done) -> None:
        """The journal rolled: sync the old file a last time, close it, call `synced` in the sync's thread."""
        self._retired.append((self._fd, synced))
        self._fd = fd
        self._dirty = True
        self._plan()

    async def close(self) -> None:
        """Sync once more and stop. A sync in progress is waited for: its thread uses the files."""
        while self._busy or self._waiting:
            self._plan()
            self._idle.clear()
            await self._idle.wait()
        self._dirty = True
        self._begin()
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)

    # -- the loop's side -------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Begin when a turn of the loop brings nobody else who would share the sync."""
        if not self._planned and not self._busy:
            self._planned = True
            self._loop.call_soon(self._gather, 0, GATHER_TURNS)

    def _gather(self, before: int, turns: int) -> None:
        if turns and len(self._waiting) > before:
            self._loop.call_soon(self._gather, len(self._waiting), turns - 1)
        else:
            self._begin()

    def _begin(self) -> None:
        self._planned = False
        waiting, self._waiting = self._waiting, []
        if not self._dirty:
            _call(waiting)
            self._idle.set()
            return
        self._dirty, self._busy = False, True
        work = Work(self._retired, self._fd, waiting, self._written)
        self._retired = []
        if self._always and self._usual < INLINE_SECONDS and not work.retired:
            self._sync_files(work)
            self._synced(work)
        else:
            self._work.put(work)

    def _synced(self, work: Work) -> None:
        self._busy = False
        self._reach(work.position)
        _call(work.waiting)
        if self._waiting or self._retired or (self._always and self._dirty):
            self._plan()
        else:
            self._idle.set()

    def _reach(self, position: int) -> None:
        if position > self.safe:
            self.safe = position
            self._moved()

    # -- the thread's side -----------------------------------------------------------------------------

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=None if self._always else SYNC_SECONDS)
            except Empty:
                self._sync_written()
                continue
            if work is None:
                return
            self._sync_files(work)
            self._loop.call_soon_threadsafe(self._synced, work)

    def _sync_written(self) -> None:
        """What was written since the last sync. Only this thread closes files, so it is an open one."""
        if self._dirty:
            self._dirty = False  # before the sync: what is written meanwhile may miss it
            self._sync_files(Work([], self._fd, [], 0))

    def _sync_files(self, work: Work) -> None:
        started = time.perf_counter()
        try:
            for fd, _ in work.retired:
                os.fdatasync(fd)
                os.close(fd)
            os.fdatasync(work.active)
        except OSError as problem:
            # After a failed sync the kernel may call lost pages clean, so a later success proves nothing.
            # Nobody who waits has been acknowledged: dying now makes every such sender send again.
            log.critical("fdatasync of the journal failed: %s; stopping, so that senders resend", problem)
            os._exit(EXIT_SYNC_FAILED)
        took = time.perf_counter() - started
        self._usual = max(took, self._usual + (took - self._usual) * USUAL_SHARE)
        self._metrics.journal_syncs.observe(took)
        _call(synced for _, synced in work.retired)


def _call(done: Iterable[Done]) -> None:
    """Call them all: one that fails must not cost the others their answer."""
    for call in done:
        try:
            call()
        except Exception:
            log.exception("could not say that the journal has it")
