"""Stream connections over real sockets: frames into the journal, acks out, garbage to its sender."""

import asyncio
import json
import os
import socket
import threading

import msgpack
import pytest

from ingest import gate as gate_module
from ingest import journal as journal_module
from ingest import stream
from ingest.entries import CLOSED_HERE, CLOSED_WITH_ACKS, Kind, Protocol
from tests.ingest.bench import Journals, ack, counted, data, entries, frame, part, until
from tests.ingest.listening import Listening


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(stream, "CLOSE_AFTER_SECONDS", 0.03)
    monkeypatch.setattr("ingest.receivers.QUIET_SECONDS", 0.02)


# -- frames and acks -----------------------------------------------------------------------------------


async def test_frames_are_journalled_as_they_were_sent(house: Listening) -> None:
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


async def test_a_frame_in_pieces_is_one_frame(house: Listening) -> None:
    sender = await house.sender()
    whole = frame("in pieces", "c1")
    for at in range(0, len(whole), 40):
        sender.send(whole[at : at + 40])
        await asyncio.sleep(0.001)
    assert await sender.receive(len(ack("c1"))) == ack("c1")
    assert data(house.journal) == [whole]


@pytest.mark.parametrize("chunk", ["c", "gQ8F3k2pQ4OKzXw2kq1x+A==", "x" * 40, "é" * 200, ""])
async def test_acks_are_exact(house: Listening, chunk: str) -> None:
    sender = await house.sender()
    sender.send(frame("line", chunk))
    assert await sender.receive(len(ack(chunk))) == ack(chunk)
    assert msgpack.unpackb(ack(chunk)) == {"ack": chunk}


async def test_every_chunk_is_acknowledged_once_and_in_order(house: Listening) -> None:
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
    house = Listening(journals(always=True))
    await house.open()
    sender = await house.sender()
    sender.send(frame("line", "c1"))
    await until(lambda: house.journal.position > house.journal.start_position)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sender.reader.read(1), 0.03)
    go.set()
    assert await sender.receive(len(ack("c1"))) == ack("c1")
    await house.close()


async def test_json_is_answered_in_json(house: Listening) -> None:
    sender = await house.sender()
    sender.send(json.dumps(["tag", 1_700_000_000, {"log": "one"}, {"chunk": "c1"}]).encode())
    assert await sender.receive(len(b'{"ack":"c1"}')) == b'{"ack":"c1"}'
    assert msgpack.unpackb(data(house.journal)[0])[2] == {"log": "one"}


async def test_heartbeats_are_counted_and_leave_nothing(house: Listening) -> None:
    sender = await house.sender()
    sender.send(b"\xc0\xc0", frame("line"), b"\xc0")
    await until(lambda: data(house.journal) == [frame("line")])
    await sender.close()
    await until(lambda: counted(house.journal.metrics.heartbeats, "forward") == 3)


async def test_gelf_over_tcp(house: Listening) -> None:
    sender = await house.sender("gelf_tcp")
    sender.send(b'{"short_message":"one"}\0{"short_message":"two"}\0{"short_message":"with')
    await until(lambda: b"".join(data(house.journal)).count(b"\0") == 2)
    sender.send(b'out a NUL"}')
    await sender.close()
    await until(lambda: entries(house.journal)[-1].kind is Kind.CLOSE)
    assert b"".join(data(house.journal)).endswith(b'{"short_message":"without a NUL"}\0')
    assert house.refused("torn", "gelf_tcp") == 0


async def test_many_connections_at_once(house: Listening) -> None:
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
async def test_garbage_costs_its_own_connection_only(house: Listening, garbage: bytes) -> None:
    good, bad = await house.sender(), await house.sender()
    good.send(frame("before", "c1"))
    await good.receive(len(ack("c1")))
    bad.send(garbage)
    assert await bad.end() == b""
    good.send(frame("after", "c2"))
    assert await good.receive(len(ack("c2"))) == ack("c2")
    assert b"".join(data(house.journal)) == frame("before", "c1") + frame("after", "c2")
    await until(lambda: counted(house.journal.metrics.connections, "forward") == 1)


async def test_good_frames_before_a_bad_byte_are_kept(house: Listening) -> None:
    sender = await house.sender()
    sender.send(frame("good", "c1"), frame("good too"), b"\xc1garbage", frame("behind"))
    await sender.end()
    assert b"".join(data(house.journal)) == frame("good", "c1") + frame("good too")
    assert house.refused("not_forward") == 1


async def test_garbage_on_the_gelf_port(house: Listening) -> None:
    sender = await house.sender("gelf_tcp")
    sender.send(b'{"short_message":"kept"}\0' + frame("no GELF"))
    await sender.end()
    assert data(house.journal) == [b'{"short_message":"kept"}\0']
    assert house.refused("not_gelf", "gelf_tcp") == 1


async def test_a_torn_message_at_the_end_is_counted(house: Listening) -> None:
    sender = await house.sender()
    sender.send(frame("whole"), frame("torn")[:-1])
    await sender.close()
    await until(lambda: house.refused("torn") == 1)
    assert data(house.journal) == [frame("whole")]


async def test_messages_too_large_for_an_entry(house: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON's short numbers take nine bytes each when they are packed."""
    monkeypatch.setattr(stream, "MAX_RAW_BYTES", 5000)
    sender, other = await house.sender(), await house.sender()
    sender.send(json.dumps(["tag", [[1, {"v": [0.5] * 1000}]]]).encode())
    await sender.end()
    assert house.refused("oversize") == 1
    other.send(frame("fine", "c1"))
    assert await other.receive(len(ack("c1"))) == ack("c1")


# -- reading -------------------------------------------------------------------------------------------


async def test_a_sender_without_acks_is_read_seldom(
    house: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_module, "TICK_SECONDS", 0.05)
    sender = await house.sender()
    sender.send(frame("first"))
    await until(lambda: data(house.journal))
    for number in range(10):
        sender.send(frame(f"{number}"))
        await asyncio.sleep(0.001)
    await until(lambda: sum(entry.count for entry in entries(house.journal)) == 11)
    assert len(data(house.journal)) < 6


async def test_lines_that_come_one_by_one_do_not_wait(
    house: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_module, "TICK_SECONDS", 60)
    sender = await house.sender()
    for number in range(5):
        sender.send(frame(f"{number}"))
        await until(lambda wanted=number + 1: len(data(house.journal)) == wanted)  # type: ignore[misc]
        await asyncio.sleep(2 * gate_module.SPARSE_SECONDS)


async def test_a_big_sender_leaves_the_others_their_turn(house: Listening) -> None:
    big, small = await house.sender(), await house.sender()
    lines = [frame("x" * 1000) for _ in range(3000)]
    big.send(*lines)
    small.send(frame("small", "c1"))
    assert await small.receive(len(ack("c1"))) == ack("c1")
    await until(lambda: sum(entry.count for entry in entries(house.journal)) == 3001)


# -- unfinished messages -------------------------------------------------------------------------------


async def test_unfinished_messages_of_all_are_bounded(
    house: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_module, "MAX_UNFINISHED", 100_000)
    small, big, healthy = [await house.sender(protocol) for protocol in ("gelf_tcp", "forward", "forward")]
    small.send(b'{"short_message":"' + b"x" * 30_000)
    big.send(frame("x" * 60_000)[:-1])
    await until(lambda: house.gate.unfinished > 90_000)
    healthy.send(frame("fine", "c1"))
    assert await healthy.receive(len(ack("c1"))) == ack("c1")
    healthy.send(frame("x" * 20_000, "c2")[:-1])
    assert await big.end() == b""  # its sender dials and sends it again
    assert house.refused("unfinished") == 1
    assert house.refused("torn") == 0
    healthy.send(frame("x" * 20_000, "c2")[-1:])
    assert await healthy.receive(len(ack("c2"))) == ack("c2")
    small.send(b'"}\0')
    await until(lambda: b"".join(data(house.journal)).count(b"x") == 50_000)
    assert house.gate.unfinished == 0
    again = await house.sender()
    again.send(frame("x" * 60_000))
    await until(lambda: b"".join(data(house.journal)).count(b"x") == 110_000)


async def test_what_a_closed_connection_held_counts_no_more(house: Listening) -> None:
    sender = await house.sender()
    sender.send(frame("x" * 1000)[:-1])
    await until(lambda: house.gate.unfinished)
    await sender.close()
    await until(lambda: house.gate.unfinished == 0)
    garbage = await house.sender()
    garbage.send(frame("x" * 1000)[:-1], b"\xc1")
    await garbage.end()
    await until(lambda: not house.gate.connections)
    assert house.gate.unfinished == 0


# -- death ---------------------------------------------------------------------------------------------


async def test_a_sender_is_reset_when_this_process_dies(house: Listening) -> None:
    """As the kernel closes what is left of a killed process: the next write must fail, not vanish."""
    sender = await house.sender()
    sender.send(frame("line", "c1"))
    assert await sender.receive(len(ack("c1"))) == ack("c1")
    (connection,) = house.gate.connections
    descriptor = connection._transport.get_extra_info("socket").fileno()
    linger = socket.socket(fileno=os.dup(descriptor))
    assert linger.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == stream._RESET
    linger.close()


async def test_the_journal_tells_who_ended_a_connection(house: Listening) -> None:
    ended, refused = await house.sender(), await house.sender()
    ended.send(frame("line"))
    await until(lambda: data(house.journal))
    await ended.close()
    await until(lambda: entries(house.journal)[-1].kind is Kind.CLOSE)
    assert entries(house.journal)[-1].raw == b""
    refused.send(b"\xc1")  # no MessagePack
    await refused.end()
    await until(lambda: [entry.kind for entry in entries(house.journal)].count(Kind.CLOSE) == 2)
    assert entries(house.journal)[-1].raw == CLOSED_HERE
    acked = await house.sender()
    acked.send(frame("line", "c1"))
    assert await acked.receive(len(ack("c1"))) == ack("c1")
    await acked.close()
    await until(lambda: [entry.kind for entry in entries(house.journal)].count(Kind.CLOSE) == 3)
    assert entries(house.journal)[-1].raw == CLOSED_WITH_ACKS
