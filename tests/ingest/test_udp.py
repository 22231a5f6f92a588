"""GELF datagrams, chunked or not, and the forward protocol's heartbeat."""

import asyncio
import gzip
import os
import socket
from collections.abc import AsyncIterator, Sequence

import pytest

from ingest import udp as udp_module
from ingest.entries import Protocol, split_payloads
from ingest.gate import Gate
from ingest.udp import GelfUdp, listen_heartbeat
from tests.ingest.bench import Journals, counted, data, entries, until


def gelf(text: str) -> bytes:
    return b'{"short_message":"%s"}' % text.encode()


def chunks(payload: bytes, count: int, identity: bytes = b"12345678") -> list[bytes]:
    size = -(-len(payload) // count)
    return [
        b"\x1e\x0f" + identity + bytes([number, count]) + payload[number * size : (number + 1) * size]
        for number in range(count)
    ]


class Receiver:
    """A receiver on a free port and a socket that sends to it."""

    def __init__(self, journals: Journals) -> None:
        self.journal = journals()
        self.gate = Gate(self.journal.metrics)
        self.udp = GelfUdp(self.gate, self.journal, "127.0.0.1", 0)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.closed = False

    def send(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.socket.sendto(datagram, self.udp.address)

    def payloads(self) -> list[bytes]:
        return [payload for raw in data(self.journal) for payload in split_payloads(raw)]

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.udp.close()
            self.socket.close()


@pytest.fixture
async def receiver(journals: Journals) -> AsyncIterator[Receiver]:
    made = Receiver(journals)
    made.udp.start()
    yield made
    made.close()


async def test_datagrams_are_journalled_as_they_came(receiver: Receiver) -> None:
    wanted = [gelf("plain"), gzip.compress(gelf("packed")), *(gelf(str(n)) for n in range(1000))]
    receiver.send(*wanted)
    await until(lambda: receiver.payloads() == wanted)
    taken = [entry for entry in entries(receiver.journal) if entry.protocol is Protocol.GELF_UDP]
    assert sum(entry.count for entry in taken) == len(wanted)
    assert {entry.peer for entry in taken} == {"127.0.0.1"}


async def test_chunks_in_any_order_are_one_payload(receiver: Receiver) -> None:
    one, two = chunks(gelf("x" * 5000), 4), chunks(gelf("y" * 3000), 3, b"abcdefgh")
    receiver.send(two[2], one[3], one[1], one[1], two[0], one[0], gelf("between"), one[2], two[1])
    await until(lambda: len(receiver.payloads()) == 3)
    assert receiver.payloads() == [gelf("between"), gelf("x" * 5000), gelf("y" * 3000)]


async def test_chunks_that_miss_a_part_are_dropped_and_counted(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp_module, "EXPIRE_SECONDS", 0.01)
    receiver = Receiver(journals)
    receiver.udp._chunks._timeout = 0.02
    receiver.udp.start()
    receiver.send(*chunks(gelf("x" * 100), 3)[:2])
    dropped = receiver.journal.metrics.dropped
    await until(lambda: counted(dropped, "chunk_timeout") == 1)
    assert receiver.payloads() == []
    receiver.close()


@pytest.mark.parametrize("garbage", [b"", b"\0", b"GET /", b"\x1e\x0f", b"\x94\xa3tag"])
async def test_garbage_costs_its_datagram(receiver: Receiver, garbage: bytes) -> None:
    receiver.send(gelf("before"), garbage, gelf("after"))
    await until(lambda: len(receiver.payloads()) == 2)
    assert receiver.payloads() == [gelf("before"), gelf("after")]


async def test_garbage_is_counted(receiver: Receiver) -> None:
    receiver.send(b"GET /", b"\x94\xa3tag")
    await until(lambda: counted(receiver.journal.metrics.refused, "gelf_udp", "garbage") == 2)


async def test_a_blocked_journal_keeps_what_cannot_be_sent_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = [False]
    real = os.writev

    def writev(fd: int, buffers: Sequence[bytes]) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        return real(fd, buffers)

    monkeypatch.setattr("ingest.journal.RETRY_SECONDS", 0.005)
    monkeypatch.setattr(os, "writev", writev)
    receiver.send(gelf("first"))
    await until(lambda: receiver.journal.blocked)
    receiver.send(gelf("second"))
    await until(lambda: receiver.gate.received == 2)
    monkeypatch.setattr("ingest.journal.BLOCKED_BYTES", 10)
    receiver.send(gelf("too much"))
    await until(lambda: counted(receiver.journal.metrics.dropped, "journal_blocked") == 1)
    room[0] = True
    await until(lambda: receiver.payloads() == [gelf("first"), gelf("second")])


async def test_what_waits_in_the_socket_is_taken_at_the_end(journals: Journals) -> None:
    receiver = Receiver(journals)
    receiver.send(*(gelf(str(number)) for number in range(1200)))  # nobody is reading yet
    receiver.close()
    receiver.journal.flush()
    assert receiver.payloads() == [gelf(str(number)) for number in range(1200)]


async def test_one_turn_takes_a_bounded_amount(journals: Journals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp_module, "READ_BYTES", 10_000)
    receiver = Receiver(journals)
    receiver.send(*(gelf("x" * 3000) for _ in range(20)))
    assert receiver.udp._turn() is False
    receiver.journal.flush()
    assert len(receiver.payloads()) == 4
    receiver.close()
    receiver.journal.flush()
    assert len(receiver.payloads()) == 20


async def test_the_kernels_drops_are_known(journals: Journals) -> None:
    receiver = Receiver(journals)
    receiver.udp._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert receiver.udp.kernel_drops == 0
    receiver.send(*(gelf("x" * 1000) for _ in range(100)))
    assert receiver.udp.kernel_drops > 0
    receiver.close()
    assert receiver.udp.kernel_drops == 0


async def test_the_heartbeat_is_answered(journals: Journals) -> None:
    gate = Gate(journals().metrics)
    transport = await listen_heartbeat(gate, "127.0.0.1", 0)
    address = transport.get_extra_info("sockname")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(b"no heartbeat", address)
        sender.sendto(b"\0", address)
        assert await asyncio.wait_for(loop.sock_recv(sender, 100), 10) == b"\0"
    assert counted(gate.metrics.heartbeats, "forward_udp") == 1
    assert counted(gate.metrics.refused, "forward_udp", "garbage") == 1
    transport.close()
