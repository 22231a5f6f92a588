"""The journal: order, promises, limits, and what a restart remembers."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ingest import journal as journal_module
from ingest.entries import Kind, Protocol
from ingest.journal import Journal
from ingest.resends import resend_key
from ingest.segments import RUN_BITS
from tests.ingest.bench import Journals, counted, data, entries, put, until

KEY = resend_key(b"chunk", b"frame")
OTHER = resend_key(b"chunk", b"other frame")


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """fdatasync waits for this event."""
    go = threading.Event()
    real = os.fdatasync

    def fdatasync(fd: int) -> None:
        assert go.wait(10)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    yield go
    go.set()


class Writev:
    """writev that fails while `problem` is set, after having written `taken` bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.problem: OSError | None = None
        self.taken = 0
        self.calls = 0
        self._real = os.writev
        monkeypatch.setattr(os, "writev", self)

    def __call__(self, fd: int, buffers: Sequence[bytes]) -> int:
        self.calls += 1
        if self.problem is None:
            return self._real(fd, buffers)
        os.write(fd, b"".join(buffers)[: self.taken])
        raise self.problem


@pytest.fixture
def writev(monkeypatch: pytest.MonkeyPatch) -> Writev:
    return Writev(monkeypatch)


def append(journal: Journal, raw: bytes, done: Callable[[], None] | None = None, *keys: bytes) -> None:
    journal.append(Kind.DATA, Protocol.FORWARD, 1, b"10.0.0.1", raw, 1, keys, done)


# -- writing and promises ------------------------------------------------------------------------------


async def test_a_run_begins_with_its_start(journals: Journals) -> None:
    journal = journals()
    (start,) = entries(journal)
    assert (start.kind, start.position, start.raw) == (Kind.START, journal.start_position, b'{"run":1}')
    assert journal.start_position == 1 << RUN_BITS


async def test_one_turn_of_the_loop_is_one_write_in_order(journals: Journals, writev: Writev) -> None:
    journal = journals()
    writev.calls = 0
    done: list[int] = []
    for number in range(5):
        append(journal, b"%d" % number, lambda number=number: done.append(number))  # type: ignore[misc]
    assert (writev.calls, done) == (0, [])
    await asyncio.sleep(0)
    assert writev.calls == 1
    assert done == [0, 1, 2, 3, 4]
    assert data(journal) == [b"0", b"1", b"2", b"3", b"4"]


async def test_told_only_when_it_is_written(journals: Journals) -> None:
    journal = journals()
    seen: list[list[bytes]] = []
    append(journal, b"line", lambda: seen.append(data(journal)))
    await asyncio.sleep(0)
    assert seen == [[b"line"]]


async def test_always_tells_only_after_the_sync(journals: Journals, slow_disk: threading.Event) -> None:
    journal = journals(always=True)
    done: list[str] = []
    append(journal, b"line", lambda: done.append("first"))
    await until(lambda: data(journal) == [b"line"])
    journal.after_pending(lambda: done.append("resent"))
    await asyncio.sleep(0.02)
    assert done == []
    slow_disk.set()
    await until(lambda: done == ["first", "resent"])


async def test_much_does_not_wait_for_the_end_of_the_turn(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "FLUSH_BYTES", 1000)
    journal = journals()
    append(journal, b"x" * 1001)
    assert data(journal) == [b"x" * 1001]


async def test_who_waits_for_a_pending_copy_is_told_after_it(journals: Journals) -> None:
    journal = journals()
    done: list[str] = []
    append(journal, b"one", lambda: done.append("one"))
    journal.after_pending(lambda: done.append("again"))
    append(journal, b"two", lambda: done.append("two"))
    assert done == []
    journal.flush()
    assert done == ["one", "again", "two"]
    journal.after_pending(lambda: done.append("written long ago"))
    assert done[-1] == "written long ago"


async def test_thousands_may_wait_for_one_pending_copy(journals: Journals) -> None:
    """Every container of a host resends at once when an outage ends."""
    journal = journals()
    done: list[int] = []
    append(journal, b"one")
    for number in range(5000):
        journal.after_pending(lambda number=number: done.append(number))  # type: ignore[misc]
    journal.flush()
    assert done == list(range(5000))
    assert data(journal) == [b"one"]


async def test_an_entry_too_large_to_be_read_back_is_refused(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest import entries as entries_module

    journal = journals()
    monkeypatch.setattr(entries_module, "MAX_RAW_BYTES", 100)
    with pytest.raises(ValueError, match="do not fit"):
        append(journal, b"x" * 101, None, KEY)
    assert KEY not in journal.resends
    put(journal, b"fits")
    assert data(journal) == [b"fits"]


async def test_waiting_ends_with_the_next_write_or_a_wake(journals: Journals) -> None:
    journal = journals()
    waiting = asyncio.create_task(journal.wait(journal.position))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    put(journal, b"x")
    await asyncio.wait_for(waiting, 5)
    waiting = asyncio.create_task(journal.wait(journal.position))
    await asyncio.sleep(0)
    journal.wake()
    await asyncio.wait_for(waiting, 5)


# -- segments ------------------------------------------------------------------------------------------


async def test_segments_are_small_and_forgotten_one_by_one(journals: Journals) -> None:
    journal = journals(limit=1 << 20)  # segments of 128 KiB
    for number in range(8):
        put(journal, b"%d" % number * 70_000)
    assert len(journal.segments) == 5
    assert journal.size == sum(path.stat().st_size for path in journals.folder.glob("*.log"))
    second = journal.segments[1]
    journal.forget(second.end - 1)
    assert journal.segments[0] is second
    assert data(journal)[0] == b"2" * 70_000
    journal.forget(1 << 60)
    assert len(journal.segments) == 1  # the one being written stays
    assert [path.name for path in journals.folder.glob("*.log")] == [journal.segments[0].path.name]


async def test_a_roll_that_fails_costs_nothing(journals: Journals, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = journals(limit=1 << 20)
    real = os.open

    def full(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", full)
    done: list[int] = []
    put(journal, b"x" * 200_000, done=lambda: done.append(1))
    put(journal, b"y")
    assert len(journal.segments) == 1
    assert done == [1]
    monkeypatch.setattr(os, "open", real)
    put(journal, b"z")
    put(journal, b"a")
    assert len(journal.segments) == 2
    assert data(journal) == [b"x" * 200_000, b"y", b"z", b"a"]


async def test_a_restart_begins_a_new_run(journals: Journals) -> None:
    first = journals()
    put(first, b"one")
    await journals.kill(first)
    second = journals()
    assert second.start_position == 2 << RUN_BITS
    assert second.new_connection() == 1
    assert data(second) == [b"one"]


# -- room ----------------------------------------------------------------------------------------------


async def test_a_full_disk_blocks_and_loses_nothing(
    journals: Journals, writev: Writev, caplog: pytest.LogCaptureFixture
) -> None:
    journal = journals()
    events: list[str] = []
    journal.on_blocked.append(lambda: events.append("blocked"))
    journal.on_unblocked.append(lambda: events.append("unblocked"))
    put(journal, b"before")
    writev.problem, writev.taken = OSError(errno.ENOSPC, "No space left on device"), 20
    append(journal, b"one", lambda: events.append("one"))
    journal.flush()
    append(journal, b"two", lambda: events.append("two"))
    journal.flush()
    assert journal.blocked == "write failed: No space left on device"
    assert counted(journal.metrics.journal_blocked, "write failed") == 1
    assert data(journal) == [b"before"]
    await asyncio.sleep(0.02)  # it is tried again and fails again
    assert data(journal) == [b"before"]
    writev.problem = None
    await until(lambda: journal.blocked is None)
    assert data(journal) == [b"before", b"one", b"two"]
    assert [e for e in events if e != "blocked"] == ["one", "two", "unblocked"]
    assert events[0] == "blocked"
    assert counted(journal.metrics.journal_blocked, "write failed") == 0
    assert journal.damaged == []
    assert "takes lines again" in caplog.text


async def test_the_limit_blocks_until_something_is_forgotten(journals: Journals) -> None:
    journal = journals(limit=1 << 20)
    done: list[int] = []
    for number in range(20):
        append(journal, b"x" * 100_000, lambda number=number: done.append(number))  # type: ignore[misc]
        journal.flush()
    assert (journal.blocked or "").startswith("journal full: ")
    assert journal.size <= 1 << 20
    assert journal.under_pressure
    assert done == list(range(10))
    await asyncio.sleep(0.02)
    assert len(done) == 10
    journal.forget(journal.segments[-1].base)
    await until(lambda: journal.blocked is None)
    assert done == list(range(20))


async def test_a_limit_smaller_than_what_waits_does_not_block_for_ever(journals: Journals) -> None:
    """Nothing can be forgotten of a journal that is one segment: it has to go on."""
    journal = journals(limit=100_000)
    put(journal, b"x" * 200_000)
    put(journal, b"y" * 200_000)  # blocked: the first segment is still there
    assert journal.blocked
    journal.forget(journal.segments[-1].base)
    await until(lambda: journal.blocked is None)
    assert data(journal)[-1] == b"y" * 200_000


async def test_the_disk_floor_blocks(journals: Journals, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = journals(floor=1 << 20)
    monkeypatch.setattr(journal._space, "_measure", lambda: 1 << 20)
    journal._space._free = 1 << 20
    put(journal, b"x")
    assert (journal.blocked or "").startswith("disk floor: ")
    assert data(journal) == []
    monkeypatch.setattr(journal._space, "_measure", lambda: 2 << 20)
    await until(lambda: journal.blocked is None)
    assert data(journal) == [b"x"]


async def test_memory_is_full_when_much_waits(
    journals: Journals, writev: Writev, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "BLOCKED_BYTES", 10_000)
    journal = journals()
    put(journal, b"x" * 20_000)
    assert not journal.full
    writev.problem = OSError(errno.ENOSPC, "No space left on device")
    put(journal, b"x" * 9_000)
    assert not journal.full
    for _ in range(5):
        journal.after_pending(lambda: None)  # waiting costs memory too
    assert journal.full
    writev.problem = None
    await until(lambda: not journal.full)


async def test_time_is_told_while_there_is_no_room(journals: Journals) -> None:
    """Else what the joiner holds would pin the segment whose end it waits for."""
    journal = journals(limit=100_000)
    put(journal, b"x" * 99_900)
    put(journal, b"waits")
    assert journal.blocked
    journal.tick()
    assert [entry.kind for entry in entries(journal)][-1] is Kind.TICK
    journal.forget(journal.segments[-1].base)
    await until(lambda: journal.blocked is None)
    assert data(journal)[-1] == b"waits"


async def test_a_tick_that_cannot_be_written_leaves_no_trace(journals: Journals, writev: Writev) -> None:
    journal = journals()
    writev.problem, writev.taken = OSError(errno.ENOSPC, "No space left on device"), 10
    put(journal, b"waits")
    journal.tick()
    assert [entry.kind for entry in entries(journal)] == [Kind.START]
    writev.problem = None
    await until(lambda: journal.blocked is None)
    assert data(journal) == [b"waits"]
    assert journal.damaged == []


async def test_closing_writes_what_waits_past_the_limit(journals: Journals) -> None:
    """A sender without acks will not send it again."""
    journal = journals(limit=100_000)
    put(journal, b"x" * 99_900)
    put(journal, b"waits")
    assert journal.blocked
    await journals.close(journal)
    again = journals()
    assert data(again) == [b"x" * 99_900, b"waits"]


async def test_what_cannot_be_written_at_the_end_is_reported(
    journals: Journals, writev: Writev, caplog: pytest.LogCaptureFixture
) -> None:
    journal = journals()
    writev.problem = OSError(errno.ENOSPC, "No space left on device")
    put(journal, b"one", b"two")
    await journals.close(journal)
    assert "2 entries are lost" in caplog.text


async def test_nothing_is_written_after_the_end(journals: Journals) -> None:
    """The end of a connection may come late; the file's number may be another file's by then."""
    journal = journals()
    await journals.close(journal)
    sizes = {path: path.stat().st_size for path in journals.folder.iterdir()}
    append(journal, b"late")
    journal.flush()
    await asyncio.sleep(0.01)
    assert sizes == {path: path.stat().st_size for path in journals.folder.iterdir()}


# -- resends -------------------------------------------------------------------------------------------


async def test_keys_are_known_while_pending_and_afterwards(journals: Journals) -> None:
    journal = journals()
    append(journal, b"frame", None, KEY)
    assert KEY in journal.resends
    assert OTHER not in journal.resends
    journal.flush()
    assert KEY in journal.resends


@pytest.mark.parametrize("end", ["close", "kill"])
async def test_keys_are_known_after_a_restart(journals: Journals, end: str) -> None:
    first = journals()
    append(first, b"frame", None, KEY)
    first.flush()
    await (journals.close(first) if end == "close" else journals.kill(first))
    second = journals()
    assert KEY not in second.resends
    await second.load_resends()
    assert KEY in second.resends
    assert OTHER not in second.resends


async def test_keys_of_what_was_never_written_are_unknown_after_a_restart(journals: Journals) -> None:
    first = journals()
    append(first, b"frame", None, KEY)
    await journals.kill(first)
    second = journals()
    await second.load_resends()
    assert KEY not in second.resends


@pytest.mark.parametrize("end", ["close", "kill"])
async def test_keys_outlive_the_lines_they_belong_to(journals: Journals, end: str) -> None:
    first = journals()
    append(first, b"frame", None, KEY)
    first.flush()
    first.roll()
    first.forget(first.segments[-1].base)
    assert data(first) == []
    await until(lambda: list(journals.folder.glob("*.keys")))
    await (journals.close(first) if end == "close" else journals.kill(first))
    second = journals()
    await second.load_resends()
    assert KEY in second.resends
    second.forget(second.start_position)
    await journals.kill(second)
    third = journals()
    await third.load_resends()
    assert KEY in third.resends


async def test_keys_are_left_only_once_their_lines_are_synced(
    journals: Journals, slow_disk: threading.Event
) -> None:
    """After a power cut, keys without lines would swallow a frame that never was acknowledged."""
    journal = journals(always=True)
    append(journal, b"frame", None, KEY)
    journal.flush()
    journal.roll()
    await asyncio.sleep(0.02)
    assert list(journals.folder.glob("*.keys")) == []
    slow_disk.set()
    await until(lambda: list(journals.folder.glob("*.keys")))
