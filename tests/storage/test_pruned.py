"""The record: durable before `add` returns, small for ever, and readable after any crash."""

import errno
from pathlib import Path
from typing import Any

import msgspec
import pytest

from storage.metrics import Metrics
from storage.prune import Part, Pruned, PruneResult
from storage.pruned import MAX_LINES, MAX_RECORDS, PrunedLog, pruned


def record(number: int, **changes: Any) -> Pruned:
    parts = (Part(2, number, number + 5, "web", "ab" * 32, "shop"),)
    made = Pruned(f"id{number}", number, "prune", 2, number, number + 5, 100, "service=shop", parts)
    return msgspec.structs.replace(made, **changes)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "pruned.ndjson"


def test_records_come_back_newest_first(file: Path) -> None:
    log = PrunedLog(file)
    assert log.records() == []
    for number in (1, 3, 2):
        log.add(record(number))
    assert log.records() == PrunedLog(file).records() == [record(3), record(2), record(1)]


def test_a_later_record_of_the_same_id_replaces(file: Path) -> None:
    log = PrunedLog(file)
    log.add(record(1, state="running", lines=9))
    log.add(record(1))
    assert log.records() == PrunedLog(file).records() == [record(1)]
    log.add(record(1))
    assert PrunedLog(file).records() == [record(1)]


def test_what_was_running_when_the_process_ended_is_unknown(file: Path) -> None:
    PrunedLog(file).add(record(1, state="running", lines=9))
    assert PrunedLog(file).records() == [record(1, state="unknown", lines=9)]


def test_progress_is_told_but_not_written(file: Path) -> None:
    log = PrunedLog(file)
    log.add(record(1, state="running", lines=9))
    log.show(record(1, state="running", lines=4))
    assert log.records()[0].lines == 4
    assert PrunedLog(file).records()[0].lines == 9


def test_each_removal_is_counted_once(file: Path) -> None:
    metrics = Metrics()
    log = PrunedLog(file, metrics)
    log.add(record(1, state="running", lines=9))
    log.show(record(1, state="running", lines=4))
    log.add(record(1, lines=5, state="partial"))
    log.add(record(1, lines=5, state="partial"))
    log.add(record(2, reason="retention", lines=7))
    PrunedLog(file, metrics)
    value = metrics.registry.get_sample_value
    assert value("logdock_pruned_lines_total", {"reason": "prune"}) == 5
    assert value("logdock_pruned_lines_total", {"reason": "retention"}) == 7


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_a_torn_end_costs_only_itself(file: Path, cut: int) -> None:
    log = PrunedLog(file)
    log.add(record(1))
    log.add(record(2))
    file.write_bytes(file.read_bytes()[:-cut])
    again = PrunedLog(file)
    assert record(1) in again.records()
    again.add(record(3))
    assert {r.id for r in PrunedLog(file).records()} >= {"id1", "id3"}


def test_a_damaged_line_costs_only_itself(file: Path) -> None:
    log = PrunedLog(file)
    log.add(record(1))
    with file.open("ab") as opened:
        opened.write(b"\xff\x00 nonsense\n{}\n")
    PrunedLog(file).add(record(2))
    assert PrunedLog(file).records() == [record(2), record(1)]


def test_old_records_are_merged_and_nothing_is_forgotten(file: Path) -> None:
    log = PrunedLog(file)
    count = 2 * MAX_LINES
    for number in range(count):
        reason = "prune" if number % 3 else "retention"
        log.add(record(number, reason=reason, selection=f"until={number}", state="done"))
    for records in (log.records(), PrunedLog(file).records()):
        assert len(records) <= MAX_LINES
        assert sum(r.lines for r in records) == 2 * count
        assert sum(part.lines for r in records for part in r.parts) == 2 * count
        assert (min(r.first for r in records), max(r.last for r in records)) == (0, count + 4)
    assert len(log.records()) <= MAX_RECORDS + 1
    assert len(file.read_bytes().splitlines()) <= MAX_LINES + 1
    assert log.records()[0] == record(
        count - 1, selection=f"until={count - 1}", reason=log.records()[0].reason
    )
    oldest = log.records()[-1]
    assert (oldest.selection, oldest.bytes) == ("several prunes", oldest.lines * 50)


def test_a_full_disk_is_told_and_the_record_still_shown(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = PrunedLog(file)
    log.add(record(1))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("storage.durable.os.fsync", full)
    with pytest.raises(OSError, match="no space left"):
        log.add(record(2))
    assert [r.id for r in log.records()] == ["id2", "id1"]
    monkeypatch.undo()
    log.add(record(3))
    assert {"id1", "id3"} <= {r.id for r in PrunedLog(file).records()}


def test_a_record_of_a_result() -> None:
    part = Part(3, 1, 2, "web")
    made = pruned("x", 9, "retention", PruneResult(3, 40, 1, 2, (part,), 6), "until=1h", "partial")
    assert made == Pruned("x", 9, "retention", 3, 1, 2, 40, "until=1h", (part,), 6, "partial")
