"""The journal: what arrived, in order, on disk before anybody is told that it arrived.

Receivers `append` and go on; everything appended during one turn of the event loop is written by one
writev at the end of it (group commit), and only then are the waiting acknowledgements sent. With
sync "interval" that write is the promise (it survives any death of the process) and an fdatasync follows
every 200 ms; with "always" the acknowledgements wait for an fdatasync that all who wait share.

Readers read the files back (reader.py): there is no second way from a socket to the pipeline.
"""

import asyncio
import itertools
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from ingest.entries import Kind, Protocol, encode_header
from ingest.resends import Resends
from ingest.segments import (
    RUN_BITS,
    Segment,
    existing_segments,
    leave_keys,
    next_run,
    prune_keys,
    recent_keys,
    segment_path,
)
from ingest.space import Space
from ingest.sync import Syncer
from ingest.writing import PENDING_BYTES, Done, Pending, cut_off, size_of, write_batch
from storage.durable import sync_folder
from storage.metrics import Metrics

log = logging.getLogger("logdock.ingest.journal")

SEGMENT_BYTES = 64 << 20  # small enough to forget soon and to scan in half a second, large enough to be few
FLUSH_BYTES = 4 << 20  # more than this waits for no end of the loop's turn: it bounds what is in memory
BLOCKED_BYTES = 64 << 20  # what is kept in memory while the journal takes nothing; then nobody is read
RETRY_SECONDS = 0.2  # how often a blocked journal looks whether there is room again


class Journal:
    """One journal folder, owned by this process (the caller holds the lock).

    `position` is where the next entry will stand; `start_position` is where this run began: when the
    pipeline has read up to it, the replay is done. `blocked` says why nothing is being written, if so.
    """

    def __init__(
        self, folder: Path, identity: str, metrics: Metrics, space: Space, *, always: bool = False
    ) -> None:
        self.folder = folder
        self.identity = identity
        self.metrics = metrics
        self.blocked: str | None = None
        self.damaged: list[str] = []
        self.on_blocked: list[Callable[[], None]] = []
        self.on_unblocked: list[Callable[[], None]] = []
        self.resends = Resends(time.monotonic())
        self._space = space
        self._segment_bytes = min(SEGMENT_BYTES, max(space.limit // 8, 1 << 16))
        self._pending: list[Pending] = []
        self._pending_bytes = 0
        self._flush_planned = False
        self._closed = False
        self._written = asyncio.Event()
        self._connections = itertools.count(1)
        self.segments = existing_segments(folder)
        run = next_run(folder, self.segments)
        self.start_position = run << RUN_BITS
        self._fd = -1
        self._active_keys = bytearray()
        self._open_segment(self.start_position)
        self._syncer = Syncer(self._fd, metrics, always=always)
        self._append_start(run)

    # -- the receivers' side ---------------------------------------------------------------------------

    def new_connection(self) -> int:
        """A number for a connection, unique within this run."""
        return next(self._connections)

    def append(
        self,
        kind: Kind,
        protocol: Protocol,
        connection: int = 0,
        peer: bytes = b"",
        raw: bytes = b"",
        count: int = 0,
        keys: tuple[bytes, ...] = (),
        done: Done | None = None,
    ) -> None:
        """Write an entry soon; `done` is called in order once it is as safe as `sync` promises.

        Raises ValueError when `raw` is longer than entries.MAX_RAW_BYTES. Nothing is taken after `close`.
        """
        if self._closed:
            return  # the end of a connection that outlived its listener
        header = encode_header(kind, protocol, time.time_ns(), connection, peer, count, b"".join(keys), raw)
        if keys:
            self.resends.add(keys, time.monotonic())
        self._pending.append(Pending(header, raw, keys, done))
        self._pending_bytes += len(header) + len(raw)
        if self._pending_bytes > FLUSH_BYTES:
            self.flush()
        elif not self._flush_planned:
            self._flush_planned = True
            asyncio.get_running_loop().call_soon(self.flush)

    def after_pending(self, done: Done) -> None:
        """Call `done` when all that was appended so far is safe (a resent frame: its first copy may wait)."""
        if self._pending:
            self._pending.append(Pending(b"", b"", (), done))
        else:
            self._syncer.when_safe([done])

    @property
    def full(self) -> bool:
        """Nothing can be written and no more may be held in memory: do not read from anybody."""
        held = self._pending_bytes + len(self._pending) * PENDING_BYTES
        return self.blocked is not None and held > BLOCKED_BYTES

    def tick(self) -> None:
        """Write down the time, without room too: only so does the joiner let go of what pins the journal."""
        if self.blocked is None:
            self.append(Kind.TICK, Protocol.NONE)
            return
        header = encode_header(Kind.TICK, Protocol.NONE, time.time_ns(), 0, b"", 0, b"", b"")
        try:
            self._write([Pending(header, b"", (), None)])
        except OSError:
            cut_off(self._fd, self._active.size)
        self._written.set()

    # -- writing ---------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write all that waits, now. While there is no room it stays in memory and is tried again."""
        self._flush_planned = False
        if not self._pending or self.blocked:
            return
        if reason := self._refusal():
            self._block(reason)
            return
        if reason := self._write_pending():
            self._block(reason)

    def _write_pending(self) -> str | None:
        """Write all that waits, whatever the limits say; else it goes on waiting, and here is why."""
        batch, self._pending, self._pending_bytes = self._pending, [], 0
        try:
            self._write(batch)
        except OSError as problem:
            self._take_back(batch)
            return f"write failed: {problem.strerror}"
        self._syncer.when_safe([p.done for p in batch if p.done is not None])
        self._written.set()
        if self._active.size >= self._segment_bytes:
            self.roll()
        return None

    def _write(self, batch: list[Pending]) -> None:
        self._active.size += write_batch(self._fd, batch)
        self._active_keys += b"".join(key for p in batch for key in p.keys)
        self._syncer.dirty = True

    def _take_back(self, batch: list[Pending]) -> None:
        """After a failed write: hold it in memory again."""
        cut_off(self._fd, self._active.size)
        self._pending = batch + self._pending
        self._pending_bytes = size_of(self._pending)

    # -- room ------------------------------------------------------------------------------------------

    def _block(self, reason: str) -> None:
        self._say_blocked(reason)
        asyncio.get_running_loop().call_later(RETRY_SECONDS, self._retry)
        for pause in self.on_blocked:
            pause()

    def _say_blocked(self, reason: str | None) -> None:
        before, self.blocked = self.blocked, reason
        if before is not None:
            self.metrics.journal_blocked.labels(_kind(before)).set(0)
        if reason is not None:
            self.metrics.journal_blocked.labels(_kind(reason)).set(1)
            if before is None or _kind(reason) != _kind(before):
                log.error("journal takes nothing: %s; senders are paused", reason)

    def _refusal(self) -> str | None:
        # The segment being written cannot be forgotten. Alone, it grows past a limit smaller than what waits.
        more, alone = self._pending_bytes, len(self.segments) == 1
        return (None if alone else self._space.over_limit(self.size, more)) or self._space.below_floor(more)

    def _retry(self) -> None:
        if self.blocked is None or self._closed:
            return
        if reason := self._refusal() or self._write_pending():
            self._say_blocked(reason)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._retry)
            return
        log.warning("journal takes lines again (was: %s)", self.blocked)
        self._say_blocked(None)
        for resume in self.on_unblocked:
            resume()

    # -- segments --------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Where the next entry will stand: everything before it can be read."""
        return self._active.end

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(segment.size for segment in self.segments)

    @property
    def under_pressure(self) -> bool:
        """More than half of the limit is used: the store should make more durable before senders feel it."""
        return self.blocked is not None or self.size > self._space.limit // 2

    @property
    def _active(self) -> Segment:
        return self.segments[-1]

    def _open_segment(self, base: int) -> None:
        path = segment_path(self.folder, base)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        sync_folder(self.folder)
        self._fd = fd
        self.segments.append(Segment(path, base, 0))
        self._active_keys = bytearray()

    def roll(self) -> None:
        """Go on in a new segment. When that is not possible, go on in this one."""
        path, keys = self._active.path, bytes(self._active_keys)
        try:
            self._open_segment(self._active.end)
        except OSError as problem:
            log.error("cannot begin another journal segment: %s", problem)
            return
        self._syncer.switch(self._fd, lambda: self._leave_keys(path, keys))

    def _leave_keys(self, path: Path, keys: bytes) -> None:
        try:
            leave_keys(path, keys)
            prune_keys(self.folder, time.time())
        except OSError as problem:  # costs a resend check, or a scan at the next start
            log.warning("cannot keep the resend keys of %s: %s", path.name, problem)

    def forget(self, position: int) -> None:
        """Delete the segments that lie wholly before `position`; their resend keys stay for their time."""
        while len(self.segments) > 1 and self.segments[0].end <= position:
            self.segments.pop(0).path.unlink(missing_ok=True)

    # -- life ------------------------------------------------------------------------------------------

    def _append_start(self, run: int) -> None:
        raw = msgspec.json.encode({"run": run})
        header = encode_header(Kind.START, Protocol.NONE, time.time_ns(), 0, b"", 0, b"", raw)
        self._write([Pending(header, raw, (), None)])

    async def load_resends(self) -> None:
        """Fill the resend window from disk. Until it returns, no frame that wants an ack may be taken."""
        keys = await asyncio.to_thread(recent_keys, self.folder, time.time(), self.start_position)
        self.resends.load(keys, time.monotonic())

    async def wait(self, position: int) -> None:
        """Return when something stands at or after `position`, or when `wake` is called."""
        if self.position <= position:
            self._written.clear()
            await self._written.wait()

    def wake(self) -> None:
        """Let `wait` return though nothing was written."""
        self._written.set()

    async def close(self) -> None:
        """Write and sync what waits, past the limit too: a sender without acks cannot send it again."""
        self._closed = True
        if self._pending and (reason := self._write_pending()):
            log.error("%d entries are lost: %s", len(self._pending), reason)
        await self._syncer.close()
        self._leave_keys(self._active.path, bytes(self._active_keys))
        os.close(self._fd)


def _kind(reason: str) -> str:
    """The stable part of a reason, for a metric's label."""
    return reason.partition(":")[0]
