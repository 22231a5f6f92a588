"""The journal: order, promises, limits, and what a restart remembers."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from ingest import journal as journal_module
from ingest.entries import Kind
from ingest.resends import resend_key
from ingest.segments import RUN_BITS
from tests.ingest.bench import Journals, Writev, append, data, entries, put, until

KEY = resend_key(b"chunk", b"frame")
OTHER = resend_key(b"chunk", b"other frame")


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)


# -- writing and promises ------------------------------------------------------------------------------


async def test_bytes_are_counted_across_the_gap_between_runs(journals: Journals) -> None:
    first = journals()
    put(first, b"x" * 1000)
    end = first.position
    await journals.close(first)
    second = journals()
    put(second, b"y" * 500)
    assert second.bytes_after(0) == second.size
    assert second.bytes_after(end) == second.bytes_after(end + 1) == second.position - second.start_position
    assert second.bytes_after(end - 10) == second.bytes_after(end) + 10
    assert second.bytes_after(second.position) == 0


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


async def test_always_tells_and_shows_only_after_the_sync(
    journals: Journals, slow_disk: threading.Event
) -> None:
    journal = journals(always=True)
    done: list[str] = []
    append(journal, b"line", lambda: done.append("first"))
    await until(lambda: journal.position > journal.start_position)
    journal.after_pending(lambda: done.append("resent"))
    waiting = asyncio.create_task(journal.wait(journal.start_position))
    await asyncio.sleep(0.02)
    assert (done, entries(journal), waiting.done()) == ([], [], False)
    slow_disk.set()
    await until(lambda: done == ["first", "resent"])
    assert data(journal) == [b"line"]
    await asyncio.wait_for(waiting, 10)


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
