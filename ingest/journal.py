"""The journal: what arrived, in order, on disk before anybody is told that it arrived.

Receivers `append` and go on; everything appended during one turn of the event loop is written by one
writev at the end of it (group commit), and only then are the waiting acknowledgements sent. With
sync "interval" that write is the promise (it survives any death of the process) and an fdatasync follows
every 200 ms; with "always" the acknowledgements wait for an fdatasync that all who wait share.

Readers read the files back (reader.py): there is no second way from a socket to the pipeline.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from ingest.entries import Kind, Protocol, encode_header
from ingest.resends import Resends
from ingest.segment_files import SegmentFiles
from ingest.segments import RUN_BITS, Segment, existing_segments, next_run, recent_keys
from ingest.shedding import DropNew
from ingest.space import Space
from ingest.sync import Syncer
from ingest.writing import PENDING_BYTES, Done, Pending, size_of
from storage.metrics import Metrics

log = logging.getLogger("logdock.ingest.journal")

SEGMENT_BYTES = 64 << 20  # small enough to forget soon and to scan in half a second, large enough to be few
FLUSH_BYTES = 4 << 20  # more than this waits for no end of the loop's turn: it bounds what is in memory
BLOCKED_BYTES = 64 << 20  # what is kept in memory while the journal takes nothing; then nobody is read
RETRY_SECONDS = 0.2  # how often a blocked journal looks whether there is room again


class Journal:
    """One journal folder, owned by this process (the caller holds the lock).

    `position` is where the next entry will stand; `start_position` is where this run began: when the
    pipeline has read up to it, the replay is done. `blocked` says why nothing is being written, if so;
    `drop_new` takes what has no room instead (--on-full drop-new). Raises OSError.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        metrics: Metrics,
        space: Space,
        *,
        always: bool = False,
        drop_new: DropNew | None = None,
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
        self._drop_new = drop_new
        segments = existing_segments(folder)
        run = next_run(folder, segments, time.time())
        self.start_position = run << RUN_BITS
        self._files = SegmentFiles(folder, segments, self.start_position)
        self._syncer = Syncer(
            self._files.fd, metrics, always=always, safe=self.start_position, moved=self._written.set
        )
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
        with contextlib.suppress(OSError):
            self._write([Pending(header, b"", (), None)])

    # -- writing ---------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write all that waits, now. While there is no room it stays in memory and is tried again."""
        self._flush_planned = False
        if not self._pending or self.blocked:
            return
        reason = self._refusal()
        if self._drop_new is not None and (reason or self._drop_new.reason):
            self._pending = self._drop_new.without_lines(self._pending, reason)
            self._pending_bytes = size_of(self._pending)
            reason = None
        if reason := reason or self._write_pending():
            self._block(reason)

    def _write_pending(self) -> str | None:
        """Write all that waits, whatever the limits say; else it goes on waiting, and here is why."""
        batch, self._pending, self._pending_bytes = self._pending, [], 0
        try:
            self._write(batch)
        except OSError as problem:
            self._take_back(batch)
            return f"write failed: {problem.strerror}"
        if self._files.active.size >= self._segment_bytes:
            self.roll()
        return None

    def _write(self, batch: list[Pending]) -> None:
        self._files.write(batch)
        self._syncer.wrote(self.position, [p.done for p in batch if p.done is not None])

    def _take_back(self, batch: list[Pending]) -> None:
        """After a failed write: hold it in memory again."""
        self._pending = batch + self._pending
        self._pending_bytes = size_of(self._pending)

    # -- room ------------------------------------------------------------------------------------------

    def _block(self, reason: str) -> None:
        self._say_blocked(reason)
        asyncio.get_running_loop().call_later(RETRY_SECONDS, self._retry_later)
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

    def retry(self) -> None:
        """Look now whether there is room again. While blocked, that is done every RETRY_SECONDS."""
        if self.blocked is None or self._closed:
            return
        if reason := self._refusal() or self._write_pending():
            self._say_blocked(reason)
            return
        log.warning("journal takes lines again (was: %s)", self.blocked)
        self._say_blocked(None)
        for resume in self.on_unblocked:
            resume()

    def _retry_later(self) -> None:
        self.retry()
        if self.blocked is not None and not self._closed:
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._retry_later)

    # -- segments --------------------------------------------------------------------------------------

    @property
    def segments(self) -> list[Segment]:
        """All files, oldest first; the last one is being written."""
        return self._files.segments

    @property
    def position(self) -> int:
        """Where the next entry will stand."""
        return self._files.active.end

    @property
    def readable(self) -> int:
        """Everything before it is as safe as `sync` promises, and may be handed on.

        What a store had before a power cut takes it from the journal would be stored twice: its sender was
        not answered and sends it again, and then it stands in another place.
        """
        return self._syncer.safe

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._files.size

    def bytes_after(self, position: int) -> int:
        """Bytes on disk from `position` on."""
        return self._files.after(position)

    @property
    def under_pressure(self) -> bool:
        """More than half of the limit is used: the store should make more durable before senders feel it."""
        return self.blocked is not None or self.size > self._space.limit // 2

    def roll(self) -> None:
        """Go on in a new segment. When that is not possible, go on in this one."""
        self._files.roll(self._syncer.switch)

    def forget(self, position: int) -> None:
        """Delete the segments that lie wholly before `position`; their resend keys stay for their time."""
        self._files.forget(position)

    def drop_oldest(self) -> None:
        """Delete the first segment, stored or not; not the one being written."""
        self._files.drop_oldest()

    # -- life ------------------------------------------------------------------------------------------

    def _append_start(self, run: int) -> None:
        raw = msgspec.json.encode({"run": run})
        header = encode_header(Kind.START, Protocol.NONE, time.time_ns(), 0, b"", 0, b"", raw)
        start = Pending(header, raw, (), None)
        try:
            self._write([start])
        except OSError as problem:  # a full disk: it stays first of what waits for room
            self._take_back([start])
            self._block(f"write failed: {problem.strerror}")

    async def load_resends(self) -> None:
        """Fill the resend window from disk. Until it returns, no frame that wants an ack may be taken."""
        keys = await asyncio.to_thread(recent_keys, self.folder, self.start_position)
        self.resends.load(keys, time.monotonic())

    async def wait(self, position: int) -> None:
        """Return when something can be read at or after `position`, or when `wake` is called."""
        if self.readable <= position:
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
        self._files.close()


def _kind(reason: str) -> str:
    """The stable part of a reason, for a metric's label."""
    return reason.partition(":")[0]
