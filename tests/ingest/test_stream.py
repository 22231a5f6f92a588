"""Stream connections over real sockets: frames into the journal, acks out, garbage to its sender."""

import asyncio
import contextlib
import errno
import json
import os
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgpack
import pytest

from ingest import gate as gate_module
from ingest import journal as journal_module
from ingest import stream
from ingest.entries import Kind, Protocol
from ingest.gate import Gate
from ingest.journal import Journal
from ingest.receivers import Receivers
from tests.ingest.bench import Journals, ack, counted, data, entries, frame, part, until


class Sender:
    """A client of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def receive(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), 10)

    async def end(self) -> bytes:
        """What comes until the server closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), 10)
        except ConnectionResetError:
            return b""

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class House:
    """A journal with listeners in front of it."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.gate = Gate(journal.metrics)
        self.receivers = Receivers(self.gate, journal)
        self.senders: list[Sender] = []

    async def open(self) -> None:
        await self.receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
        await self.receivers.open_tcp(Protocol.GELF_TCP, "127.0.0.1", 0)
        await self.journal.load_resends()
        await self.receivers.start()

    async def sender(self, protocol: str = "forward") -> Sender:
        host, _, port = self.receivers.addresses[protocol][0].rpartition(":")
        made = Sender(*await asyncio.open_connection(host, int(port)))
        self.senders.append(made)
        return made

    def refused(self, reason: str, protocol: str = "forward") -> float:
        return counted(self.journal.metrics.refused, protocol, reason)

    async def close(self) -> None:
        for sender in self.senders:
            await sender.close()
        await self.receivers.stop()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(stream, "CLOSE_AFTER_SECONDS", 0.03)
    monkeypatch.setattr("ingest.receivers.QUIET_SECONDS", 0.02)


@pytest.fixture
async def house(journals: Journals) -> AsyncIterator[House]:
    made = House(journals())
    await made.open()
    yield made
    await made.close()


def full_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """writev fails until the event is set."""
    room = threading.Event()
    real = os.writev

    def writev(fd: int, buffers: Sequence[bytes]) -> int:
        if not room.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, buffers)

    monkeypatch.setattr(os, "writev", writev)
    return room


# -- frames and acks -----------------------------------------------------------------------------------


async def test_frames_are_journalled_as_they_were_sent(house: House) -> None:
    sender = await house.sender()
    frames = [frame("one"), frame("two"), part("three", 1)]
    sender.send(*frames)
    await until(lambda: b"".join(data(house.journal)) == b"".join(frames))
    await sender.close()
    await until(lambda: entries(house.journal)[-1].kind is Kind.CLOSE)
    _, opened, *taken, closed = entries(house.journal)
    assert opened.kind is Kind.OPEN
    assert {(e.connection, e.peer, e.protocol) for e in (opened, *taken, closed)} == {
        (opened.connection, "127.0.0.1", Protocol.FORWARD)
    }
    assert sum(entry.count for entry in taken) == 3


async def test_a_frame_in_pieces_is_one_frame(house: House) -> None:
    sender = await house.sender()
    whole = frame("in pieces", "c1")
    for at in range(0, len(whole), 40):
        sender.send(whole[at : at + 40])
        await asyncio.sleep(0.001)
    assert await sender.receive(len(ack("c1"))) == ack("c1")
    assert data(house.journal) == [whole]


@pytest.mark.parametrize("chunk", ["c", "gQ8F3k2pQ4OKzXw2kq1x+A==", "x" * 40, "é" * 200, ""])
async def test_acks_are_exact(house: House, chunk: str) -> None:
    sender = await house.sender()
    sender.send(frame("line", chunk))
    assert await sender.receive(len(ack(chunk))) == ack(chunk)
    assert msgpack.unpackb(ack(chunk)) == {"ack": chunk}


async def test_every_chunk_is_acknowledged_once_and_in_order(house: House) -> None:
    sender = await house.sender()
    chunks = [f"chunk-{number}" for number in range(500)]
    sender.send(*(frame(f"line {chunk}", chunk) for chunk in chunks), frame("no ack wanted"))
    wanted = b"".join(map(ack, chunks))
    assert await sender.receive(len(wanted)) == wanted
    assert house.gate.acks == 500


async def test_always_acknowledges_only_after_the_sync(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    real = os.fdatasync

    def fdatasync(fd: int) -> None:
        assert go.wait(10)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    house = House(journals(always=True))
    await house.open()
    sender = await house.sender()
    sender.send(frame("line", "c1"))
    await until(lambda: data(house.journal))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sender.reader.read(1), 0.03)
    go.set()
    assert await sender.receive(len(ack("c1"))) == ack("c1")
    await house.close()


async def test_json_is_answered_in_json(house: House) -> None:
    sender = await house.sender()
    sender.send(json.dumps(["tag", 1_700_000_000, {"log": "one"}, {"chunk": "c1"}]).encode())
    assert await sender.receive(len(b'{"ack":"c1"}')) == b'{"ack":"c1"}'
    assert msgpack.unpackb(data(house.journal)[0])[2] == {"log": "one"}


async def test_heartbeats_are_counted_and_leave_nothing(house: House) -> None:
    sender = await house.sender()
    sender.send(b"\xc0\xc0", frame("line"), b"\xc0")
    await until(lambda: data(house.journal) == [frame("line")])
    await sender.close()
    await until(lambda: counted(house.journal.metrics.heartbeats, "forward") == 3)


async def test_gelf_over_tcp(house: House) -> None:
    sender = await house.sender("gelf_tcp")
    sender.send(b'{"short_message":"one"}\0{"short_message":"two"}\0{"short_message":"with')
    await until(lambda: b"".join(data(house.journal)).count(b"\0") == 2)
    sender.send(b'out a NUL"}')
    await sender.close()
    await until(lambda: entries(house.journal)[-1].kind is Kind.CLOSE)
    assert b"".join(data(house.journal)).endswith(b'{"short_message":"without a NUL"}\0')
    assert house.refused("torn", "gelf_tcp") == 0


async def test_many_connections_at_once(house: House) -> None:
    senders = [await house.sender() for _ in range(100)]
    for number, sender in enumerate(senders):
        sender.send(*(frame(f"{number}-{line}", f"{number}-{line}") for line in range(20)))
    for number, sender in enumerate(senders):
        wanted = b"".join(ack(f"{number}-{line}") for line in range(20))
        assert await sender.receive(len(wanted)) == wanted
    lines: dict[int, bytes] = {}
    for entry in entries(house.journal):
        lines[entry.connection] = lines.get(entry.connection, b"") + entry.raw
    for number in range(100):
        wanted = b"".join(frame(f"{number}-{line}", f"{number}-{line}") for line in range(20))
        assert wanted in lines.values()


# -- garbage -------------------------------------------------------------------------------------------

GARBAGE = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\xc1", b"\0" * 100]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_costs_its_own_connection_only(house: House, garbage: bytes) -> None:
    good, bad = await house.sender(), await house.sender()
    good.send(frame("before", "c1"))
    await good.receive(len(ack("c1")))
    bad.send(garbage)
    assert await bad.end() == b""
    good.send(frame("after", "c2"))
    assert await good.receive(len(ack("c2"))) == ack("c2")
    assert b"".join(data(house.journal)) == frame("before", "c1") + frame("after", "c2")
    await until(lambda: counted(house.journal.metrics.connections, "forward") == 1)


async def test_good_frames_before_a_bad_byte_are_kept(house: House) -> None:
    sender = await house.sender()
    sender.send(frame("good", "c1"), frame("good too"), b"\xc1garbage", frame("behind"))
    await sender.end()
    assert b"".join(data(house.journal)) == frame("good", "c1") + frame("good too")
    assert house.refused("not_forward") == 1


async def test_garbage_on_the_gelf_port(house: House) -> None:
    sender = await house.sender("gelf_tcp")
    sender.send(b'{"short_message":"kept"}\0' + frame("no GELF"))
    await sender.end()
    assert data(house.journal) == [b'{"short_message":"kept"}\0']
    assert house.refused("not_gelf", "gelf_tcp") == 1


async def test_a_torn_message_at_the_end_is_counted(house: House) -> None:
    sender = await house.sender()
    sender.send(frame("whole"), frame("torn")[:-1])
    await sender.close()
    await until(lambda: house.refused("torn") == 1)
    assert data(house.journal) == [frame("whole")]


async def test_messages_too_large_for_an_entry(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON's short numbers take nine bytes each when they are packed."""
    monkeypatch.setattr(stream, "MAX_RAW_BYTES", 5000)
    sender, other = await house.sender(), await house.sender()
    sender.send(json.dumps(["tag", [[1, {"v": [0.5] * 1000}]]]).encode())
    await sender.end()
    assert house.refused("oversize") == 1
    other.send(frame("fine", "c1"))
    assert await other.receive(len(ack("c1"))) == ack("c1")


# -- resends -------------------------------------------------------------------------------------------


async def test_a_resend_is_acknowledged_and_not_stored(house: House) -> None:
    first, second = await house.sender(), await house.sender()
    first.send(frame("line", "c1"))
    await first.receive(len(ack("c1")))
    second.send(frame("line", "c1"), frame("new", "c2"), frame("new", "c2"), frame("plain"))
    wanted = ack("c1") + ack("c2") + ack("c2")
    assert await second.receive(len(wanted)) == wanted
    await until(lambda: len(b"".join(data(house.journal))) == len(
        frame("line", "c1") + frame("new", "c2") + frame("plain")
    ))  # fmt: skip
    assert b"".join(data(house.journal)) == frame("line", "c1") + frame("new", "c2") + frame("plain")
    assert sum(entry.count for entry in entries(house.journal)) == 3
    assert counted(house.journal.metrics.resends) == 2


async def test_the_same_chunk_with_other_content_is_new(house: House) -> None:
    sender = await house.sender()
    sender.send(frame("one", "c1"), frame("two", "c1"))
    await sender.receive(2 * len(ack("c1")))
    assert b"".join(data(house.journal)) == frame("one", "c1") + frame("two", "c1")


@pytest.mark.parametrize("end", ["close", "kill"])
async def test_resends_are_known_after_a_restart(journals: Journals, end: str) -> None:
    first = House(journals())
    await first.open()
    sender = await first.sender()
    sender.send(frame("line", "c1"))
    await sender.receive(len(ack("c1")))
    await first.close()
    await (journals.close(first.journal) if end == "close" else journals.kill(first.journal))
    second = House(journals())
    await second.open()
    sender = await second.sender()
    sender.send(frame("line", "c1"), frame("next", "c2"))
    assert await sender.receive(len(ack("c1") + ack("c2"))) == ack("c1") + ack("c2")
    assert b"".join(data(second.journal)) == frame("line", "c1") + frame("next", "c2")
    await second.close()


async def test_a_resend_waits_for_its_pending_copy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    room = full_disk(monkeypatch)
    first, second = await house.sender(), await house.sender()
    first.send(frame("line", "c1"))
    await until(lambda: house.journal.blocked)
    monkeypatch.setattr(stream, "CLOSE_AFTER_SECONDS", 60)
    second.send(frame("line", "c1"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second.reader.read(1), 0.02)
    room.set()
    assert await second.receive(len(ack("c1"))) == ack("c1")
    assert data(house.journal) == [frame("line", "c1")]


# -- a journal that takes nothing ----------------------------------------------------------------------


async def test_who_waits_for_an_ack_is_closed_and_gets_all_lines_in_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker's own way: the same bytes again over a new connection, until there is an ack."""
    room = full_disk(monkeypatch)
    for _ in range(3):
        sender = await house.sender()
        sender.send(frame("line", "c1"))
        assert await sender.end() == b""  # closed without an ack
    assert house.refused("journal_blocked") == 3
    assert data(house.journal) == []
    room.set()
    await until(lambda: house.journal.blocked is None)
    sender = await house.sender()
    for number in range(1, 4):
        sender.send(frame("line", f"c{number}"))
        assert await sender.receive(len(ack("c1"))) == ack(f"c{number}")
    assert b"".join(data(house.journal)) == b"".join(frame("line", f"c{number}") for number in range(1, 4))


async def test_who_wants_no_ack_waits_and_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = full_disk(monkeypatch)
    sender = await house.sender()
    lines = [frame(f"line {number}") for number in range(3000)]
    sender.send(lines[0])
    await until(lambda: house.journal.blocked)
    sender.send(*lines[1:])
    await asyncio.sleep(0.1)
    assert not sender.reader.at_eof()
    room.set()
    await until(lambda: b"".join(data(house.journal)) == b"".join(lines))
    assert house.journal.damaged == []


async def test_lines_without_acks_beside_acked_ones_are_not_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = full_disk(monkeypatch)
    sender = await house.sender()
    sender.send(frame("cannot be sent again"), frame("line", "c1"))
    await sender.end()
    again = await house.sender()
    again.send(frame("line", "c1"))
    await again.end()
    room.set()
    await until(lambda: house.journal.blocked is None)
    assert b"".join(data(house.journal)) == frame("cannot be sent again") + frame("line", "c1")


async def test_nobody_is_read_when_memory_is_full(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "BLOCKED_BYTES", 2000)
    room = full_disk(monkeypatch)
    first = await house.sender()
    first.send(frame("x" * 3000))
    await until(lambda: house.journal.full)
    held = house.journal._pending_bytes
    late = await house.sender()
    late.send(*(frame(f"line {number}") for number in range(100)))
    await asyncio.sleep(0.1)
    assert house.journal._pending_bytes < held + 200  # that it opened
    room.set()
    await until(lambda: b"".join(data(house.journal)).count(b"line ") == 100)


# -- reading -------------------------------------------------------------------------------------------


async def test_a_sender_without_acks_is_read_seldom(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "TICK_SECONDS", 0.05)
    sender = await house.sender()
    sender.send(frame("first"))
    await until(lambda: data(house.journal))
    for number in range(10):
        sender.send(frame(f"{number}"))
        await asyncio.sleep(0.001)
    await until(lambda: sum(entry.count for entry in entries(house.journal)) == 11)
    assert len(data(house.journal)) < 6


async def test_a_big_sender_leaves_the_others_their_turn(house: House) -> None:
    big, small = await house.sender(), await house.sender()
    lines = [frame("x" * 1000) for _ in range(3000)]
    big.send(*lines)
    small.send(frame("small", "c1"))
    assert await small.receive(len(ack("c1"))) == ack("c1")
    await until(lambda: sum(entry.count for entry in entries(house.journal)) == 3001)


# -- Docker's silent connection ------------------------------------------------------------------------


async def silent_after_acked(house: House, monkeypatch: pytest.MonkeyPatch, protocol: str) -> Sender:
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.02)
    speaking, silent = await house.sender(), await house.sender(protocol)
    speaking.send(frame("line", "c1"))
    await speaking.receive(len(ack("c1")))
    await speaking.close()
    return silent


async def test_a_silent_connection_beside_an_ended_one_with_acks_is_closed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = await silent_after_acked(house, monkeypatch, "forward")
    assert await silent.end() == b""
    assert house.refused("stuck") == 1


async def test_gelf_knows_no_acks_so_silence_is_fine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = await silent_after_acked(house, monkeypatch, "gelf_tcp")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(silent.reader.read(1), 0.1)
    assert house.refused("stuck", "gelf_tcp") == 0


async def test_a_silent_connection_alone_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.01)
    silent = await house.sender()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(silent.reader.read(1), 0.1)
    silent.send(frame("after a while", "c1"))
    assert await silent.receive(len(ack("c1"))) == ack("c1")


async def test_one_that_came_and_went_is_no_silent_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker logs` of a container that is gone opens a connection and closes it."""
    silent = await silent_after_acked(house, monkeypatch, "forward")
    await silent.close()
    await asyncio.sleep(0.1)
    assert house.refused("stuck") == 0


async def test_a_chunk_that_is_no_text_is_echoed(house: House) -> None:
    sender = await house.sender()
    option: Any = {"chunk": b"\xff\xfe"}
    sender.send(msgpack.packb(["tag", 1, {"log": "x"}, option]))
    wanted = b"\x81\xa3ack\xa2\xff\xfe"
    assert await sender.receive(len(wanted)) == wanted
