"""A journal that may drop: what goes is counted, reported and acknowledged, and everything else stays."""

import errno
import logging

import pytest

from ingest import journal as journal_module
from ingest import shedding
from ingest.entries import Kind, Protocol
from ingest.shedding import DropNew, DropOldest, Shed, count_segment
from storage.metrics import Metrics
from tests.ingest.bench import Journals, Writev, counted, data, entries, frame, packed_frames, put, until
from tests.ingest.handing_on import House

Reports = list[tuple[str, Shed]]


@pytest.fixture
def reports() -> Reports:
    return []


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def drop_new(reports: Reports, metrics: Metrics) -> DropNew:
    return DropNew(metrics, lambda how, shed: reports.append((how, shed)))


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)


async def test_drop_new_acknowledges_and_counts_what_finds_no_room(
    journals: Journals, reports: Reports, drop_new: DropNew, metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(shedding, "TELL_SECONDS", 0.0)
    journal = journals(limit=1 << 20, drop_new=drop_new)
    done: list[int] = []
    for number in range(20):
        put(journal, frame("x" * 100_000), done=lambda number=number: done.append(number))  # type: ignore[misc]
    put(journal, packed_frames(["a", "b", "c"] * 30_000))
    assert done == list(range(20)), "a sender that waits for an ack must get it"
    assert journal.blocked is None
    kept = len(data(journal))
    dropped = counted(metrics.dropped, "drop-new")
    assert 8 <= kept < 12
    assert dropped == 20 - kept + 90_000
    assert (drop_new.reason or "").startswith("journal full")
    assert sum(shed.records for _, shed in reports) == dropped
    journal.forget(journal.segments[-1].base)
    put(journal, frame("room again"))
    assert drop_new.reason is None
    assert b"room again" in data(journal)[-1]


async def test_drop_new_keeps_what_is_no_line(journals: Journals, drop_new: DropNew) -> None:
    journal = journals(limit=100_000, drop_new=drop_new)
    put(journal, b"x" * 99_950)
    for kind in (Kind.OPEN, Kind.DATA, Kind.CLOSE):
        journal.append(kind, Protocol.GELF_TCP, 7, b"", b"{}\0" * 10 if kind is Kind.DATA else b"", 10)
    journal.flush()
    assert [entry.kind for entry in entries(journal)][-2:] == [Kind.OPEN, Kind.CLOSE]


async def test_a_disk_that_fails_blocks_with_drop_new_too(
    journals: Journals, drop_new: DropNew, writev: Writev
) -> None:
    journal = journals(drop_new=drop_new)
    writev.problem = OSError(errno.EIO, "Input/output error")
    put(journal, frame("kept"))
    assert journal.blocked == "write failed: Input/output error"
    writev.problem = None
    await until(lambda: journal.blocked is None)
    assert len(data(journal)) == 1


async def test_drop_oldest_makes_room_and_counts_what_nobody_has_read(
    journals: Journals, reports: Reports, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    journal = journals(limit=1 << 20)
    house = House(journal)
    put(journal, frame("read in time"))
    await house.read_all()
    shedder = DropOldest(
        journal, lambda: house.pipeline.read_to, metrics, lambda how, shed: reports.append((how, shed))
    )
    journal.on_blocked.append(shedder.blocked)
    sent = 1
    for number in range(40):
        put(journal, frame(f"{number:03}" * 30_000))
        await until(lambda: journal.blocked is None)
        sent += 1
    kept = len(data(journal))
    dropped = counted(metrics.dropped, "drop-oldest")
    assert dropped == sent - kept - 1, "the line that was read in time is not lost"
    assert dropped > 20
    assert [how for how, _ in reports] == ["drop-oldest"] * len(reports)
    assert sum(shed.records for _, shed in reports) == dropped
    assert journal.size <= 1 << 20
    assert "records were dropped" in caplog.text
    events = await house.read_all()
    assert [event.message[:3] for event in events[1:]] == [f"{n:03}" for n in range(40 - kept, 40)]


async def test_drop_oldest_does_not_help_against_a_failing_disk(
    journals: Journals, metrics: Metrics, writev: Writev
) -> None:
    journal = journals()
    shedder = DropOldest(journal, lambda: 0, metrics, lambda *_: None)
    journal.on_blocked.append(shedder.blocked)
    put(journal, frame("a"))
    journal.roll()
    writev.problem = OSError(errno.EIO, "Input/output error")
    put(journal, frame("b"))
    assert shedder._task is not None
    await shedder._task
    assert len(journal.segments) == 2


async def test_a_damaged_segment_is_counted_up_to_the_damage(
    journals: Journals, caplog: pytest.LogCaptureFixture
) -> None:
    journal = journals()
    put(journal, frame("a"), frame("b"))
    segment = journal.segments[0]
    with segment.path.open("ab") as file:
        file.write(b"garbage" * 100)
    assert count_segment(segment, 0).records == 2
    assert "cannot count all" in caplog.text


async def test_a_report_that_cannot_be_kept_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with caplog.at_level(logging.ERROR):
        shedding.tell(full, "drop-new", Shed(3, 300))
    assert "3 records were dropped" in caplog.text
    assert "cannot record what was dropped" in caplog.text


async def test_a_start_on_a_full_disk_waits_for_room(journals: Journals, writev: Writev) -> None:
    writev.problem = OSError(errno.ENOSPC, "No space left on device")
    journal = journals()
    assert journal.blocked == "write failed: No space left on device"
    put(journal, frame("first"))
    writev.problem = None
    await until(lambda: journal.blocked is None)
    assert [entry.kind for entry in entries(journal)] == [Kind.START, Kind.DATA]
