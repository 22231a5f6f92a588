"""GELF over UDP, and the forward protocol's UDP heartbeat.

Datagrams are taken from the socket hundreds at a time, because waking for each would cost more than the
datagram; the kernel's buffer holds what comes meanwhile, so it is asked to be large.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections import defaultdict
from typing import cast

from ingest.entries import Kind, Protocol, frame_payloads
from ingest.gate import Gate
from ingest.journal import Journal
from parsers.chunks import ChunkAssembler
from parsers.gelf import looks_like_gelf
from parsers.record import Frames

log = logging.getLogger("logdock.ingest")

# A 16 KiB piece is 12 datagrams and dockerd can send 147,000 of them a second: half a second of that.
RECEIVE_BUFFER_BYTES = 64 << 20
SO_RCVBUFFORCE = 33  # asm-generic/socket.h; needs CAP_NET_ADMIN
SO_MEMINFO = 55
MEMINFO_DROPS = 8  # index of sk_drops in the u32 array (linux/sock_diag.h)
DATAGRAM_BYTES = 65_536
READ_AT_ONCE = 500  # datagrams a turn: about 2 ms, then the acks of others have their turn
READ_BYTES = 8 << 20  # payloads a turn: with the longest of all behind them, an entry stays readable
IDLE_PAUSE_SECONDS = 0.01  # after a turn that emptied the socket: let some gather
EXPIRE_SECONDS = 1.0
# What RECEIVE_BUFFER_BYTES can hold (the kernel doubles it and counts 768 bytes or more a datagram): when
# closing, a sender that never pauses must not be read for ever.
LAST_READS = 400


class GelfUdp:
    """A bound UDP socket whose datagrams end in the journal."""

    def __init__(self, gate: Gate, journal: Journal, host: str, port: int) -> None:
        self._gate = gate
        self._journal = journal
        self._chunks = ChunkAssembler()
        self._socket = _bind(host, port)
        self._buffer = bytearray(DATAGRAM_BYTES)
        self._loop = asyncio.get_running_loop()
        self._expiry: asyncio.TimerHandle | None = None
        self._closed = False
        self.address: tuple[str, int] = self._socket.getsockname()[:2]

    def start(self) -> None:
        self._loop.add_reader(self._socket, self._readable)
        self._expire()

    @property
    def kernel_drops(self) -> int:
        """Datagrams the kernel threw away because this process did not read in time."""
        if self._closed:
            return 0
        info = self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * (MEMINFO_DROPS + 1))
        return int.from_bytes(info[4 * MEMINFO_DROPS :], "little")

    def _readable(self) -> None:
        if self._turn():
            self._loop.remove_reader(self._socket)
            self._loop.call_later(IDLE_PAUSE_SECONDS, self._resume)

    def _turn(self) -> bool:
        """Carry what waits in the socket to the journal, but not too much; True when nothing is left."""
        by_peer: dict[str, list[bytes]] = defaultdict(list)
        emptied = self._read(by_peer)
        for peer, payloads in by_peer.items():
            self._take(peer, payloads)
        return emptied

    def _read(self, by_peer: dict[str, list[bytes]]) -> bool:
        """Read up to READ_AT_ONCE datagrams; True when the socket is empty."""
        now = time.monotonic()
        room = READ_BYTES
        for _ in range(READ_AT_ONCE):
            if room <= 0:
                return False
            try:
                size, sender = self._socket.recvfrom_into(self._buffer)
            except (BlockingIOError, InterruptedError):
                return True
            except OSError as problem:  # an ICMP error of an earlier answer: says nothing about this socket
                log.debug("udp: %s", problem)
                continue
            peer = sender[0]
            payload = self._chunks.feed(bytes(self._buffer[:size]), f"{peer}:{sender[1]}", now)
            if payload is None:
                continue
            room -= len(payload)
            if looks_like_gelf(payload):
                by_peer[peer].append(payload)
            else:
                self._gate.refuse("gelf_udp", "garbage", f"{peer}: {size} bytes that are not GELF")
        return False

    def _take(self, peer: str, payloads: list[bytes]) -> None:
        if self._journal.full:  # while memory lasts, what nobody can send again waits for room
            self._gate.metrics.dropped.labels("journal_blocked").inc(len(payloads))
            self._gate.refuse("gelf_udp", "journal_blocked", f"{peer}: {len(payloads)} datagrams dropped")
            return
        raw = frame_payloads(payloads)
        self._gate.count(Protocol.GELF_UDP, Frames(raw, len(payloads)))
        self._journal.append(Kind.DATA, Protocol.GELF_UDP, 0, peer.encode(), raw, len(payloads))

    def _resume(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._socket, self._readable)

    def _expire(self) -> None:
        self._chunks.expire(time.monotonic())
        dropped = self._chunks.dropped
        for reason, count in dropped.items():
            self._gate.metrics.dropped.labels(reason).inc(count)
            self._gate.refuse("gelf_udp", reason, f"{count} datagrams or incomplete messages dropped")
        dropped.clear()
        self._expiry = self._loop.call_later(EXPIRE_SECONDS, self._expire)

    def close(self) -> None:
        """Take what is in the socket still, then close it."""
        self._loop.remove_reader(self._socket)
        for _ in range(LAST_READS):
            if self._turn():
                break
        self._closed = True
        if self._chunks.pending:
            self._gate.refuse("gelf_udp", "stopped", f"{self._chunks.pending} incomplete messages dropped")
        if self._expiry is not None:
            self._expiry.cancel()
        self._socket.close()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][0]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    sock.bind((host, port))
    return sock


class Heartbeat(asyncio.DatagramProtocol):
    """Answers the forward protocol's UDP heartbeat: a zero byte for a zero byte (Forward spec v1)."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's is no subclass

    def datagram_received(self, data: bytes, sender: tuple[str | object, int]) -> None:
        if data[:1] != b"\0":
            self._gate.refuse("forward_udp", "garbage", "a datagram that is no heartbeat")
            return
        self._gate.metrics.heartbeats.labels("forward_udp").inc()
        with contextlib.suppress(OSError):
            self._transport.sendto(b"\0", sender)


async def listen_heartbeat(gate: Gate, host: str, port: int) -> asyncio.DatagramTransport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Heartbeat(gate), local_addr=(host, port))
    return transport
