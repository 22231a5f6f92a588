"""Stream connections when the journal takes nothing, when frames come again, and when nothing comes."""

import asyncio
import threading
from typing import Any

import msgpack
import pytest

from ingest import gate as gate_module
from ingest import journal as journal_module
from ingest import stream
from tests.ingest.bench import Journals, ack, counted, data, entries, frame, until
from tests.ingest.listening import Listening, Sender, full_disk


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(stream, "CLOSE_AFTER_SECONDS", 0.03)
    monkeypatch.setattr("ingest.receivers.QUIET_SECONDS", 0.02)


# -- resends -------------------------------------------------------------------------------------------


async def test_a_resend_is_acknowledged_and_not_stored(house: Listening) -> None:
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


async def test_the_same_chunk_with_other_content_is_new(house: Listening) -> None:
    sender = await house.sender()
    sender.send(frame("one", "c1"), frame("two", "c1"))
    await sender.receive(2 * len(ack("c1")))
    assert b"".join(data(house.journal)) == frame("one", "c1") + frame("two", "c1")


@pytest.mark.parametrize("end", ["close", "kill"])
async def test_resends_are_known_after_a_restart(journals: Journals, end: str) -> None:
    first = Listening(journals())
    await first.open()
    sender = await first.sender()
    sender.send(frame("line", "c1"))
    await sender.receive(len(ack("c1")))
    await first.close()
    await (journals.close(first.journal) if end == "close" else journals.kill(first.journal))
    second = Listening(journals())
    await second.open()
    sender = await second.sender()
    sender.send(frame("line", "c1"), frame("next", "c2"))
    assert await sender.receive(len(ack("c1") + ack("c2"))) == ack("c1") + ack("c2")
    assert b"".join(data(second.journal)) == frame("line", "c1") + frame("next", "c2")
    await second.close()


async def test_a_resend_waits_for_its_pending_copy(house: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
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
    house: Listening, monkeypatch: pytest.MonkeyPatch
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


async def test_who_has_all_its_acks_is_not_closed(house: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    idle, other = await house.sender(), await house.sender()
    idle.send(frame("line", "c1"))
    await idle.receive(len(ack("c1")))
    room = full_disk(monkeypatch)
    other.send(frame("blocks"))
    await until(lambda: house.journal.blocked)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(idle.reader.read(1), 0.1)
    room.set()
    idle.send(frame("line", "c2"))
    assert await idle.receive(len(ack("c2"))) == ack("c2")


async def test_who_wants_no_ack_waits_and_loses_nothing(
    house: Listening, monkeypatch: pytest.MonkeyPatch
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
    house: Listening, monkeypatch: pytest.MonkeyPatch
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


async def test_nobody_is_read_when_memory_is_full(house: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
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


# -- a disk that hangs ---------------------------------------------------------------------------------


async def test_who_waits_too_long_for_a_sync_is_closed_and_known_when_it_comes_again(
    journals: Journals, monkeypatch: pytest.MonkeyPatch, slow_disk: threading.Event
) -> None:
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(gate_module, "UNANSWERED_SECONDS", 0.1)
    house = Listening(journals(always=True))
    await house.open()
    plain = await house.sender()
    plain.send(frame("wants no ack"))
    for _ in range(2):
        sender = await house.sender()
        sender.send(frame("line", "c1"))
        assert await sender.end() == b""
    assert house.journal.blocked is None
    assert house.refused("journal_slow") == 2
    slow_disk.set()
    sender = await house.sender()
    sender.send(frame("line", "c1"), frame("next", "c2"))
    assert await sender.receive(len(ack("c1") * 2)) == ack("c1") + ack("c2")
    assert b"".join(data(house.journal)) == frame("wants no ack") + frame("line", "c1") + frame("next", "c2")
    assert not plain.reader.at_eof()
    await house.close()


async def test_a_gelf_sender_is_never_closed_for_a_journal_that_takes_nothing(
    house: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would lose what waits in its socket, and learns nothing from the end."""
    room = full_disk(monkeypatch)
    sender = await house.sender("gelf_tcp")
    lines = [b'{"short_message":"%d"}\0' % number for number in range(3000)]
    sender.send(lines[0])
    await until(lambda: house.journal.blocked)
    sender.send(*lines[1:])
    await asyncio.sleep(0.1)
    assert not sender.reader.at_eof()
    room.set()
    await until(lambda: b"".join(data(house.journal)) == b"".join(lines))


# -- Docker's silent connection ------------------------------------------------------------------------


async def silent_after_acked(house: Listening, monkeypatch: pytest.MonkeyPatch, protocol: str) -> Sender:
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.02)
    speaking, silent = await house.sender(), await house.sender(protocol)
    speaking.send(frame("line", "c1"))
    await speaking.receive(len(ack("c1")))
    await speaking.close()
    return silent


async def test_a_silent_connection_beside_an_ended_one_with_acks_is_closed(
    house: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = await silent_after_acked(house, monkeypatch, "forward")
    assert await silent.end() == b""
    assert house.refused("stuck") == 1


async def test_gelf_knows_no_acks_so_silence_is_fine(
    house: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = await silent_after_acked(house, monkeypatch, "gelf_tcp")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(silent.reader.read(1), 0.1)
    assert house.refused("stuck", "gelf_tcp") == 0


async def test_a_silent_connection_alone_stays(house: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.01)
    silent = await house.sender()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(silent.reader.read(1), 0.1)
    silent.send(frame("after a while", "c1"))
    assert await silent.receive(len(ack("c1"))) == ack("c1")


async def test_two_frames_at_once_and_then_nothing(house: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the client's two goroutines may have read both acks; the other waits for ever."""
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.02)
    one_by_one, at_once = await house.sender(), await house.sender()
    one_by_one.send(frame("line", "c1"))
    at_once.send(frame("line", "c2"), frame("line", "c3"))
    assert await at_once.end() == ack("c2") + ack("c3")
    assert house.refused("stuck") == 1
    await one_by_one.receive(len(ack("c1")))
    one_by_one.send(frame("line", "c4"))
    assert await one_by_one.receive(len(ack("c4"))) == ack("c4")


async def test_a_burst_with_acks_and_then_nothing(house: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame was read alone; yet one goroutine may have swallowed the ack that another waits for."""
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.02)
    burst, alone, no_acks = [await house.sender() for _ in range(3)]
    alone.send(frame("line", "c0"))
    await alone.receive(len(ack("c0")))
    for number in range(1, 4):
        burst.send(frame("line", f"c{number}"))
        no_acks.send(frame("line"))
        assert await burst.receive(len(ack("c1"))) == ack(f"c{number}")
    assert await burst.end() == b""
    assert counted(house.journal.metrics.refused, "forward", "idle") == 1
    again = await house.sender()
    again.send(frame("line", "c3"), frame("line", "c4"))
    assert await again.receive(2 * len(ack("c3"))) == ack("c3") + ack("c4")
    assert b"".join(data(house.journal)).count(b"line") == 8
    assert not alone.reader.at_eof() and not no_acks.reader.at_eof()


async def test_who_still_gets_an_ack_is_not_stuck(
    journals: Journals, monkeypatch: pytest.MonkeyPatch, slow_disk: threading.Event
) -> None:
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.01)
    house = Listening(journals(always=True))
    await house.open()
    sender = await house.sender()
    sender.send(frame("line", "c1"), frame("line", "c2"))
    await asyncio.sleep(0.1)
    slow_disk.set()
    assert await sender.receive(len(ack("c1")) * 2) == ack("c1") + ack("c2")
    await house.close()


async def test_one_that_came_and_went_is_no_silent_one(
    house: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`docker logs` of a container that is gone opens a connection and closes it."""
    silent = await silent_after_acked(house, monkeypatch, "forward")
    await silent.close()
    await asyncio.sleep(0.1)
    assert house.refused("stuck") == 0


async def test_a_chunk_that_is_no_text_is_echoed(house: Listening) -> None:
    sender = await house.sender()
    option: Any = {"chunk": b"\xff\xfe"}
    sender.send(msgpack.packb(["tag", 1, {"log": "x"}, option]))
    wanted = b"\x81\xa3ack\xa2\xff\xfe"
    assert await sender.receive(len(wanted)) == wanted
