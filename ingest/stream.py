"""One connection of a stream protocol (Fluentd forward, GELF over TCP): bytes in, journal entries out.

It reads seldom and much: Docker writes one message a syscall, and waking for each costs ten times what the
message costs. So a connection that never asked for an ack is read every 20 ms while its messages come thick
but small. One whose messages come one by one is read at once, for what waits unread would be lost with this
process; so is one that wants acknowledgements, because its container waits for each.
"""

import asyncio
import contextlib
import logging
import os
import socket
import struct
import time
from collections.abc import Sequence
from functools import partial
from typing import cast

from ingest.entries import CLOSED_HERE, CLOSED_WITH_ACKS, MAX_RAW_BYTES, Kind, Protocol
from ingest.gate import Gate, new_splitter
from ingest.journal import Journal
from ingest.resends import only_new, resend_key
from ingest.silence import Silence
from ingest.writing import Done
from parsers.forward import ForwardSplitter
from parsers.forward import ack as encode_ack
from parsers.gelf import NulSplitter
from parsers.record import DecodeError, Frames

log = logging.getLogger("logdock.ingest")

BIG_READ = 32 << 10  # from here on the sender is busy: read on at once, but let the others have their turn
# SO_LINGER (socket(7)). With no time, closing sends a reset, and so does the kernel when this process is
# killed. After an orderly end the sender's kernel takes one more write and drops it: a line, without acks.
_RESET, _IN_ORDER = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)
LAST_BYTES = 4 << 20  # taken at a connection's end: about what a kernel holds; a busy sender never ends
CLOSE_AFTER_SECONDS = 1.5  # blocked this long with an ack owed: closing makes Docker resend, silence hangs it


class Connection(asyncio.Protocol):
    """A sender. Garbage ends it; nothing else of it is lost and nobody else notices."""

    def __init__(self, gate: Gate, journal: Journal, protocol: Protocol) -> None:
        self._gate = gate
        self._journal = journal
        self._protocol = protocol
        self._label = protocol.label
        self._splitter = new_splitter(protocol)
        self._acks = self._splitter if isinstance(self._splitter, ForwardSplitter) else None
        self._transport: asyncio.Transport
        self._refused = False
        self._descriptor: int | None = None  # of the socket, once `close` was called
        self._owed = 0  # answers that wait for the journal
        self._answered = 0.0  # when it last got one, or began to wait for one (monotonic)
        self._read = 0.0  # when it was last read (monotonic), if it wants no acks
        self.unfinished = 0  # bytes of a message that is not whole yet, as the gate counts them
        self.opened = time.monotonic()
        self.reads = 0
        self.overlapped = False  # its client had two frames on the way at once (gate.py says what that means)
        self._silence = Silence()
        self._closed_idle = self._ended_by_sender = False
        self.peer = ""
        self.number = journal.new_connection()

    # -- asyncio's side --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        address = transport.get_extra_info("peername")
        self.peer = address[0] if isinstance(address, tuple) and address else ""
        self._peer_bytes = self.peer.encode()[:255]
        self._linger(_RESET)
        self._append(Kind.OPEN)
        self._gate.opened(self, self._label)
        if self._journal.full:  # no memory is left for what it would say: it waits in its own socket
            asyncio.get_running_loop().call_soon(self.pause)  # not now: uvloop begins to read after this

    def data_received(self, data: bytes) -> None:
        self.reads += 1
        try:
            for frames in self._splitter.feed(data):
                self._take(frames)
        except DecodeError as problem:
            self._refuse(problem)
            return
        if (held := self._splitter.buffered) != self.unfinished:
            self._gate.hold(self, held)
        if not self._transport.is_closing():
            self._throttle(len(data))

    def _throttle(self, size: int) -> None:
        if self._journal.blocked:
            self._transport.pause_reading()  # the journal's end of block resumes all
            if self._journal.full:
                self._gate.pause_all()
        elif size >= BIG_READ:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self.resume)
        elif not self.asked_for_acks:
            before, self._read = self._read, time.monotonic()
            if not self._gate.read_at_once(before, self._read):
                self._transport.pause_reading()
                self._gate.resume_later(self)

    def eof_received(self) -> bool:
        self._ended_by_sender = True
        self._linger(_IN_ORDER)
        return False  # nothing more can come: close, as the sender did

    def connection_lost(self, problem: Exception | None) -> None:
        if self._descriptor is not None:  # what came since close(), a turn of the loop ago: it is open still
            self._take_last(self._descriptor)
        self._gate.hold(self, 0)
        if not self._refused:
            self._end_of_stream()
        by_sender = CLOSED_WITH_ACKS if self.asked_for_acks else b""
        self._append(Kind.CLOSE, by_sender if self._ended_by_sender or problem else CLOSED_HERE)
        if self._acks is not None and self._acks.heartbeats:
            self._gate.metrics.heartbeats.labels(self._label).inc(self._acks.heartbeats)
        asked = self.asked_for_acks and not self._closed_idle  # our own closing says nothing about its client
        self._gate.closed(self, self._label, asked_for_acks=asked)

    # -- frames ----------------------------------------------------------------------------------------

    def _take(self, frames: Frames) -> None:
        if len(frames.raw) > MAX_RAW_BYTES:  # JSON's numbers can grow when they are packed
            raise DecodeError(
                "oversize", f"a message of {len(frames.raw)} bytes does not fit into the journal"
            )
        self._gate.count(self._protocol, frames)
        if not frames.acks:
            self._append(Kind.DATA, frames.raw, frames.count)
            return
        self.overlapped = self.overlapped or len(frames.acks) > 1
        keys = [resend_key(frame.chunk, frames.raw[frame.start : frame.end]) for frame in frames.acks]
        json = self._acks is not None and self._acks.json
        answer = b"".join(encode_ack(frame.chunk, json=json) for frame in frames.acks)
        raw, new_keys = only_new(frames, keys, self._journal.resends)
        if len(new_keys) < len(keys):
            self._gate.metrics.resends.inc(len(keys) - len(new_keys))
        if not self._owed:
            self._answered = time.monotonic()
        self._owed += 1
        done = partial(self._answer, answer, len(keys))
        if raw:
            count = frames.count - (len(keys) - len(new_keys))
            self._append(Kind.DATA, raw, count, new_keys, done)
        else:
            self._journal.after_pending(done)
        if self._journal.blocked:
            self.journal_blocked()

    def _append(
        self,
        kind: Kind,
        raw: bytes = b"",
        count: int = 0,
        keys: Sequence[bytes] = (),
        done: Done | None = None,
    ) -> None:
        self._journal.append(
            kind, self._protocol, self.number, self._peer_bytes, raw, count, tuple(keys), done
        )

    def _answer(self, answer: bytes, acks: int) -> None:
        self._owed -= 1
        if self._owed:
            self._answered = time.monotonic()
        if not self._transport.is_closing():
            self._transport.write(answer)
            self._gate.acks += acks

    # -- ends ------------------------------------------------------------------------------------------

    def _end_of_stream(self) -> None:
        rest = self._splitter.rest() if isinstance(self._splitter, NulSplitter) else None
        if rest is not None:
            self._append(Kind.DATA, rest.raw, rest.count)
        elif self._splitter.buffered:
            self._gate.refuse(self._label, "torn", f"{self.peer} ended inside a message")

    def _refuse(self, problem: DecodeError) -> None:
        self._refused = True
        self._gate.refuse(self._label, problem.reason, f"{self.peer or 'unix'}: {problem}")
        self._gate.hold(self, 0)
        self._linger(_IN_ORDER)  # the acks of what was good must arrive
        self._transport.close()

    def _linger(self, how: bytes) -> None:
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)

    def pause(self) -> None:
        """Read no more until the journal takes lines again."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def journal_blocked(self) -> None:
        """The journal takes nothing. Who waits for an ack is closed if that takes long.

        Others are read once more: only what they say tells whether they wait for an ack.
        """
        if self._owed:
            asyncio.get_running_loop().call_later(CLOSE_AFTER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """The journal still takes nothing: close, so that the sender does not wait for an ack for ever.

        What it sent waits for room all the same; when it is sent again, it is known by its chunk.
        """
        if self._journal.blocked and self._owed and not self._transport.is_closing():
            self._gate.refuse(self._label, "journal_blocked", self._journal.blocked)
            self._transport.abort()

    def resume(self) -> None:
        """Read again, unless the journal takes nothing."""
        if not self._transport.is_closing() and not self._journal.blocked:
            self._transport.resume_reading()

    @property
    def asked_for_acks(self) -> bool:
        return self._acks is not None and self._acks.asked_for_acks

    @property
    def may_want_acks(self) -> bool:
        """It asked for acks, or speaks a protocol that has them and has said nothing yet."""
        return self.asked_for_acks or (self._acks is not None and not self.reads)

    def idle_sweeps(self) -> int:
        """How many of the gate's sweeps in a row found that nothing came; to be called once in each."""
        self._silence.look(self.reads, waiting=self._owed > 0 or self._journal.blocked is not None)
        return self._silence.sweeps

    @property
    def fell_silent(self) -> bool:
        """It had acks, and stopped after messages that came together."""
        return self.asked_for_acks and self._silence.abrupt

    def close_idle(self) -> None:
        """As `close_stuck`, on less suspicion: most are well, and dial when they have something to say."""
        self._gate.metrics.refused.labels(self._label, "idle").inc()
        self._closed_idle = True
        self.close()

    def close_stuck(self) -> None:
        """Its client may wait for an ack that it lost: let it dial and send again."""
        self._gate.refuse(self._label, "stuck", f"{self.peer or 'unix'}: closed an idle connection with acks")
        self.close()

    def unanswered_seconds(self, now: float) -> float:
        """How long it has waited for its next answer (monotonic `now`)."""
        return now - self._answered if self._owed else 0.0

    def close_unanswered(self) -> None:
        """Its disk hangs: let it dial and send again. What comes again is known by its chunk."""
        if not self._transport.is_closing():
            self._gate.refuse(self._label, "journal_slow", f"{self.peer or 'unix'}: no ack for too long")
            self._transport.abort()

    def close_unfinished(self) -> None:
        """Unfinished messages fill the memory, and it holds most of them."""
        self._refused = True
        self._gate.refuse(
            self._label, "unfinished", f"{self.peer or 'unix'}: {self.unfinished} bytes of one message"
        )
        self._gate.hold(self, 0)
        self._transport.abort()  # no wait for a peer that does not read

    def close(self) -> None:
        """Take what has arrived, then end so that the sender's next write fails and is made again."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            self._descriptor = sock.fileno()
            self._take_last(self._descriptor)
            self._linger(_RESET)
        self._transport.close()

    def _take_last(self, descriptor: int) -> None:
        """What waits in the kernel, while reading pauses, counts as delivered with a sender without acks."""
        with contextlib.suppress(OSError):  # BlockingIOError: there is no more
            for _ in range(LAST_BYTES // BIG_READ):
                if self._journal.blocked or self._refused or not (data := os.read(descriptor, BIG_READ)):
                    return
                self.data_received(data)
