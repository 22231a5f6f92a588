"""What all connections of a server share: who is open, the 20 ms tick, the search for stuck ones, counts."""

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING

from ingest.entries import Protocol
from parsers.forward import ForwardSplitter
from parsers.gelf import NulSplitter
from parsers.record import Frames
from storage.metrics import Metrics

if TYPE_CHECKING:
    from ingest.stream import Connection

log = logging.getLogger("logdock.ingest")

TICK_SECONDS = 0.02  # small reads wait this long: a wake-up costs 10 us, a line that came along 0.5 us
SPARSE_SECONDS = 0.002  # a read so long after the last one brings few lines: waiting would gather none
# Sparse reads are taken at once, because what waits unread is lost with a sender without acks when this
# process dies; but all of them together no oftener than this a tick: 1,000 wake-ups a second, 1 % of a core.
SPARSE_READS = 20
# Bytes of unfinished messages, all connections together: two of the longest that the forward protocol is let
# have, or sixty of Fluent Bit's chunks at once. Each byte stands in memory twice (boundaries.py).
MAX_UNFINISHED = 128 << 20
LOG_EVERY_SECONDS = 10  # one log line per reason in this time: a port scan must not fill the disk
# Docker's client can lock itself up when it has two messages on one connection at a time (both streams of a
# container, or a ring buffer that is being closed): one waiting goroutine reads the other's ack, or swallows
# it, because its read buffer is made anew for each ack (fluent-logger-golang syncReadAck, issue 103). The
# loser waits for ever, on the old connection or on a new one. Closing that connection frees it, and what it
# then sends again is known by its chunk: so one with acks that shows such signs is closed when it is idle.
SWEEP_SECONDS = 0.25
MAX_PEERS = 10_000  # remembered ends of connections with acks; losing them only delays a cure
IDLE_SWEEPS = 2
# With no other sign than that it stopped after messages that came together: 2 s. At an exit, dockerd's ring
# was seen to lose an ack so, once in six, and to wait for ever. Most that look so are well: a container that
# prints in bursts. It costs them one dial a burst.
SILENT_SWEEPS = 8
# No ack for so long though the journal says that it takes lines: its disk hangs. A common sync takes 0.01 s,
# one behind a full write cache a second or two. dockerd has no read time-out, waits for ever, and gives the
# last lines of an exiting container ten seconds: in half of them it can dial again, where another may answer.
UNANSWERED_SECONDS = 5.0
NEAR_SECONDS = 1.0  # between one connection's end and the next one's beginning, of a client that redials


class Gate:
    """Keeps the open connections of one server and counts for them."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self.connections: set[Connection] = set()
        self.acks = 0  # since the last scrape
        self.received = 0  # frames ever
        self._waiting: list[Connection] = []
        self._ticking = False
        self._sweeping = False
        self._window = 0.0  # when the count of sparse reads began
        self._sparse_reads = 0
        self.unfinished = 0  # bytes of messages that are not whole yet
        self._frames: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._logged: dict[tuple[str, str], float] = {}
        self._ack_closed: dict[str, float] = {}  # peer -> when a connection with acks last ended

    def opened(self, connection: "Connection", label: str) -> None:
        self.connections.add(connection)
        self.metrics.connections.labels(label).inc()
        self.metrics.connections_total.labels(label).inc()
        if label == Protocol.FORWARD.label and not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def closed(self, connection: "Connection", label: str, *, asked_for_acks: bool) -> None:
        self.connections.discard(connection)
        self.metrics.connections.labels(label).dec()
        if asked_for_acks:
            if len(self._ack_closed) >= MAX_PEERS:
                self._ack_closed.clear()
            self._ack_closed[connection.peer] = time.monotonic()

    def _sweep(self) -> None:
        """Close connections whose client may wait for an ack that it lost, or that does not come."""
        now = time.monotonic()
        for connection in list(self.connections):
            if connection.unanswered_seconds(now) >= UNANSWERED_SECONDS:
                connection.close_unanswered()
                continue
            idle = connection.idle_sweeps()
            if idle >= IDLE_SWEEPS and self._suspicious(connection):
                connection.close_stuck()
            elif idle >= SILENT_SWEEPS and connection.fell_silent:
                connection.close_idle()
        self._sweeping = bool(self.connections)
        if self._sweeping:
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def _suspicious(self, connection: "Connection") -> bool:
        if connection.overlapped:
            return True
        if not connection.may_want_acks:
            return False
        closed = self._ack_closed.get(connection.peer)
        return closed is not None and abs(closed - connection.opened) < NEAR_SECONDS

    def read_at_once(self, last: float, now: float) -> bool:
        """Whether a connection that was read at `last` before may be read on without a pause (monotonic)."""
        if now - last < SPARSE_SECONDS:
            return False
        if now - self._window >= TICK_SECONDS:
            self._window, self._sparse_reads = now, 0
        self._sparse_reads += 1
        return self._sparse_reads <= SPARSE_READS

    def resume_later(self, connection: "Connection") -> None:
        """Read from `connection` again at the next tick."""
        self._waiting.append(connection)
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._ticking = False
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.resume()

    def journal_blocked(self) -> None:
        """The journal takes nothing."""
        for connection in list(self.connections):
            connection.journal_blocked()

    def pause_all(self) -> None:
        """Nothing more may be held in memory: read from nobody."""
        for connection in list(self.connections):
            connection.pause()

    def resume_all(self) -> None:
        """The journal takes lines again: read from everybody."""
        for connection in list(self.connections):
            connection.resume()

    def hold(self, connection: "Connection", size: int) -> None:
        """`connection` now has `size` bytes of an unfinished message. Beyond the limit, who has most ends."""
        self.unfinished += size - connection.unfinished
        connection.unfinished = size
        while self.unfinished > MAX_UNFINISHED:
            max(self.connections, key=lambda one: one.unfinished).close_unfinished()

    def count(self, protocol: Protocol, frames: Frames) -> None:
        label = protocol.label
        self.received += frames.count
        self._frames[label] += frames.count
        self._bytes[label] += len(frames.raw)

    def publish(self) -> None:
        """Carry what was counted in plain integers over to the metrics; called before each scrape."""
        for label, frames in self._frames.items():
            self.metrics.frames.labels(label).inc(frames)
        for label, size in self._bytes.items():
            self.metrics.bytes.labels(label).inc(size)
        self.metrics.acks.inc(self.acks)
        self._frames.clear()
        self._bytes.clear()
        self.acks = 0

    def refuse(self, label: str, reason: str, text: str) -> None:
        """Count what was ended or dropped for a sender's mistake, and say so, but not a thousand times."""
        self.metrics.refused.labels(label, reason).inc()
        now = time.monotonic()
        if now - self._logged.get((label, reason), -LOG_EVERY_SECONDS) >= LOG_EVERY_SECONDS:
            self._logged[label, reason] = now
            log.warning("%s refused (%s): %s", label, reason, text)


def new_splitter(protocol: Protocol) -> ForwardSplitter | NulSplitter:
    return ForwardSplitter() if protocol is Protocol.FORWARD else NulSplitter()
