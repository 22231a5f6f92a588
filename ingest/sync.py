"""When written bytes become durable: every 200 ms, or before each acknowledgement."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence

from storage.metrics import Metrics

log = logging.getLogger("logdock.ingest.journal")

SYNC_SECONDS = 0.2  # what a power cut can take with --sync interval

EXIT_SYNC_FAILED = 74  # EX_IOERR of sysexits.h

Done = Callable[[], None]


class Syncer:
    """Runs fdatasync in a thread for one journal: `always` before telling anybody, else on an interval."""

    def __init__(self, fd: int, metrics: Metrics, *, always: bool) -> None:
        self.dirty = False
        self._fd = fd
        self._retired: list[tuple[int, Done]] = []  # rolled segments whose last bytes are not synced yet
        self._metrics = metrics
        self._always = always
        self._waiting: list[Done] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name="journal-sync")

    def when_safe(self, done: Sequence[Done]) -> None:
        """Call each of `done` when all that is written so far is as safe as promised."""
        if not self._always:
            _call(done)
            return
        if done:
            self._waiting += done
            self._wake.set()

    def switch(self, fd: int, synced: Done) -> None:
        """The journal rolled: sync the old file a last time, close it, call `synced` in the sync's thread."""
        self._retired.append((self._fd, synced))
        self._fd = fd
        self.dirty = True
        self._wake.set()

    async def _run(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), None if self._always else SYNC_SECONDS)
            self._wake.clear()
            await self._sync()

    async def _sync(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self.dirty:
            self.dirty = False
            files = (self._retired, self._fd)  # as they are now: a roll meanwhile belongs to the next sync
            self._retired = []
            await asyncio.to_thread(self._sync_files, *files)
        _call(waiting)

    def _sync_files(self, retired: list[tuple[int, Done]], active: int) -> None:
        started = time.perf_counter()
        try:
            for fd, _ in retired:
                os.fdatasync(fd)
                os.close(fd)
            os.fdatasync(active)
        except OSError as problem:
            # After a failed sync the kernel may call lost pages clean, so a later success proves nothing.
            # Nobody who waits has been acknowledged: dying now makes every such sender send again.
            log.critical("fdatasync of the journal failed: %s; stopping, so that senders resend", problem)
            os._exit(EXIT_SYNC_FAILED)
        self._metrics.journal_syncs.observe(time.perf_counter() - started)
        _call(synced for _, synced in retired)

    async def close(self) -> None:
        """Sync once more and stop. A sync in progress is waited for: its thread uses the files."""
        self._stopping = True
        self._wake.set()
        await self._task
        self.dirty = True
        await self._sync()


def _call(done: Iterable[Done]) -> None:
    """Call them all: one that fails must not cost the others their answer."""
    for call in done:
        try:
            call()
        except Exception:
            log.exception("could not say that the journal has it")
