"""A journal without room: what waits, who is told, and how it goes on."""

import asyncio
import errno

import pytest

from ingest import journal as journal_module
from ingest.entries import Kind
from tests.ingest.bench import Journals, Writev, append, counted, data, entries, put, until


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)


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
