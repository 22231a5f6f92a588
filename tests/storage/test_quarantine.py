"""What the quarantine keeps, counts and says, and what it survives."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from storage import quarantine as module
from storage.metrics import Metrics
from storage.quarantine import Quarantine, QuarantineFull
from storage.query import ContainerRef, Query
from storage.store import Rejection
from tests.storage.factories import SECOND, TIME, event, origin


def rejections(first: int, count: int, reason: str = "refused", **changes: Any) -> list[Rejection]:
    return [Rejection(event(n, **changes), reason, f"no {n}") for n in range(first, first + count)]


def value(quarantine: Quarantine, name: str, **labels: str) -> float | None:
    return quarantine.metrics.registry.get_sample_value(f"logdock_{name}", labels)


def names(quarantine: Quarantine) -> list[str]:
    return [entry.event.message for entry in quarantine.entries(lambda _: True, 0, 1 << 30)]


def test_a_refused_event_is_kept_as_a_readable_line(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine", Metrics())
    quarantine.take([Rejection(event(1), "mapping", "no such type"), Rejection(event(2), "mapping", "again")])
    lines = (tmp_path / "quarantine" / "rejected-000001.ndjson").read_text().splitlines()
    first = json.loads(lines[0])
    assert len(lines) == 2
    assert (first["id"], first["reason"], first["said"]) == (event(1).id, "mapping", "no such type")
    assert first["event"]["message"] == "line 1"


def test_it_is_all_there_after_opening_again(tmp_path: Path) -> None:
    first = Quarantine(tmp_path, Metrics())
    first.take(rejections(0, 3))
    first.take(rejections(3, 1, "too_large"))
    again = Quarantine(tmp_path, Metrics())
    assert names(again) == ["line 0", "line 1", "line 2", "line 3"]
    assert (len(again), again.reasons, again.bytes) == (4, first.reasons, first.bytes)
    assert value(again, "quarantine_events", reason="refused") == 3
    assert value(again, "quarantine_events", reason="too_large") == 1
    assert value(again, "quarantine_bytes") == first.bytes


def test_what_is_here_already_is_not_listed_twice(tmp_path: Path) -> None:
    """A replay after kill -9 refuses the same events again."""
    quarantine = Quarantine(tmp_path, Metrics())
    quarantine.take(rejections(0, 2))
    quarantine.take([*rejections(1, 2), *rejections(2, 1)])
    assert names(quarantine) == ["line 0", "line 1", "line 2"]
    again = Quarantine(tmp_path, Metrics())
    again.take(rejections(0, 3))
    assert len(again) == 3
    assert value(quarantine, "quarantined_total", reason="refused") == 3
    assert value(again, "quarantined_total", reason="refused") is None


def test_a_disk_that_takes_nothing_is_told_and_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("a file stands in the way")
    quarantine = Quarantine(tmp_path / "quarantine", Metrics())
    with pytest.raises(OSError, match="exists"):
        quarantine.take(rejections(1, 1))
    assert value(quarantine, "quarantined_total", reason="refused") is None
    (tmp_path / "quarantine").unlink()
    quarantine.take(rejections(1, 1))
    assert names(quarantine) == ["line 1"]


def test_a_full_quarantine_takes_nothing_new_and_says_so(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, Metrics(), limit=1)
    quarantine.take(rejections(0, 1))
    assert value(quarantine, "quarantine_full") == 1
    with pytest.raises(QuarantineFull, match="takes no more"):
        quarantine.take(rejections(1, 1))
    quarantine.take(rejections(0, 1))  # what is here already is handled
    assert names(quarantine) == ["line 0"]


def test_moments_are_unique_and_grow_though_the_clock_steps_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine = Quarantine(tmp_path, Metrics())
    for number, now in enumerate((TIME, TIME - 10 * SECOND, TIME)):
        monkeypatch.setattr("time.time_ns", lambda now=now: now)
        quarantine.take(rejections(2 * number, 2))
    found = quarantine.entries(lambda _: True, 0, 100)
    assert [entry.quarantined for entry in found] == [TIME + n for n in range(6)]


def test_pages_go_on_after_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1)
    quarantine = Quarantine(tmp_path, Metrics())
    for number in range(6):
        quarantine.take(rejections(number, 1))
    assert len(list(tmp_path.glob("rejected-*.ndjson"))) == 6
    found, after = [], 0
    while page := quarantine.entries(lambda entry: entry.event.position != event(3).position, after, 2):
        found += [entry.event.message for entry in page]
        after = page[-1].quarantined
    assert found == ["line 0", "line 1", "line 2", "line 4", "line 5"]


def test_files_of_earlier_versions_and_leavings_of_a_crash(tmp_path: Path) -> None:
    old = {"quarantined": 5, "reason": "refused", "message": "no", "id": event(9).id}
    (tmp_path / "rejected.ndjson").write_bytes(msgspec.json.encode(old | {"event": event(9)}) + b"\n")
    (tmp_path / "rejected-000004.ndjson.new").write_text("half")
    (tmp_path / "rejected-notes.ndjson").write_text("somebody's")
    quarantine = Quarantine(tmp_path, Metrics())
    quarantine.take(rejections(0, 1))
    assert names(quarantine) == ["line 9", "line 0"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "rejected-000001.ndjson", "rejected-notes.ndjson", "rejected.ndjson",
    ]  # fmt: skip


def test_notes_are_about_the_containers_and_times_asked_for(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, Metrics())
    assert quarantine.note(Query()) == []
    quarantine.take(rejections(0, 3))
    quarantine.take(rejections(3, 1, origin=origin("db", "f" * 64, service="db")))
    assert quarantine.note(Query()) == [
        "4 lines of these containers and times are in quarantine: see `logdock quarantine list`"
    ]
    web = Query(containers=(ContainerRef(name="shop-web-1"),))
    assert quarantine.count(web) == 3
    assert quarantine.count(Query(services=("db",))) == 1
    assert quarantine.count(Query(since=TIME + SECOND, until=TIME + 2 * SECOND)) == 2
    assert quarantine.note(Query(since=TIME + 3 * SECOND))[0].startswith("1 line of")
    assert quarantine.note(Query(services=("never",))) == []


def test_one_log_line_for_a_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    quarantine = Quarantine(tmp_path, Metrics())
    for number in range(5):
        quarantine.take(rejections(number, 1))
    quarantine.take(rejections(9, 1, "too_large"))
    assert [record.getMessage() for record in caplog.records] == [
        f"event {event(0).id} is in quarantine (refused): no 0",
        f"event {event(9).id} is in quarantine (too_large): no 9",
    ]
