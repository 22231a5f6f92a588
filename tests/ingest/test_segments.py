"""The files of the journal folder, and the resend keys that outlive their lines."""

import errno
import os
import time
from pathlib import Path

import pytest

from ingest import segments
from ingest.entries import KEY_BYTES, Kind, Protocol, encode_header
from ingest.resends import WINDOW_SECONDS
from ingest.segments import (
    LAST_TIMED_RUN,
    RUN_BITS,
    Segment,
    existing_segments,
    leave_keys,
    next_run,
    prune_keys,
    recent_keys,
    scan_keys,
    segment_path,
    set_aside,
)

NOW = 1_795_500_000.0  # 2026-11-24


def key(number: int) -> bytes:
    return number.to_bytes(KEY_BYTES, "big")


def keys(*numbers: int) -> bytes:
    return b"".join(map(key, numbers))


def entry(raw: bytes, *numbers: int, observed: int | None = None) -> bytes:
    when = time.time_ns() if observed is None else observed
    return encode_header(Kind.DATA, Protocol.FORWARD, when, 1, b"", 1, keys(*numbers), raw) + raw


def write(folder: Path, base: int, content: bytes) -> Segment:
    path = segment_path(folder, base)
    path.write_bytes(content)
    return Segment(path, base, len(content))


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_segments_are_found_in_order_and_foreign_files_are_none(tmp_path: Path) -> None:
    write(tmp_path, 5 << RUN_BITS, b"12345")
    write(tmp_path, 100, b"123")
    (tmp_path / "notes.log").write_text("somebody's")
    found = existing_segments(tmp_path)
    assert [(segment.base, segment.end) for segment in found] == [
        (100, 103),
        (5 << RUN_BITS, (5 << RUN_BITS) + 5),
    ]


def test_runs_are_never_used_twice(tmp_path: Path) -> None:
    assert next_run(tmp_path, [], NOW) == 1
    assert next_run(tmp_path, [], NOW) == 2  # though nothing was ever written under the first
    (tmp_path / "run").unlink()
    assert next_run(tmp_path, [write(tmp_path, 7 << RUN_BITS, b"x")], NOW) == 8


def test_a_run_that_outgrew_its_numbers_is_not_run_into(tmp_path: Path) -> None:
    last = Segment(segment_path(tmp_path, 0), (4 << RUN_BITS) - 10, 20)
    assert next_run(tmp_path, [last], NOW) << RUN_BITS > last.end


def test_a_restored_folder_does_not_use_its_old_numbers_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "LAST_TIMED_RUN", LAST_TIMED_RUN)
    backup = next_run(tmp_path, [], NOW)
    assert next_run(tmp_path, [], NOW) == backup + 1  # in the same minute
    later = next_run(tmp_path, [], NOW + 3600)
    (tmp_path / "run").write_text(str(backup))
    assert next_run(tmp_path, [], NOW + 7200) > later
    assert next_run(tmp_path, [], NOW - 86_400) > later  # a clock that goes back
    assert next_run(tmp_path, [], NOW * 10) < LAST_TIMED_RUN  # and one that is centuries ahead


def test_a_full_disk_does_not_keep_a_run_from_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segments, "write_durably", full)
    assert next_run(tmp_path, [], NOW) == 1
    assert "cannot record run 1" in caplog.text


def test_what_is_set_aside_is_kept_and_gone_from_the_segment(tmp_path: Path) -> None:
    segment = write(tmp_path, 1000, b"good" + b"bad" * 1_000_000)
    target = set_aside(segment, 1004)
    assert target.read_bytes() == b"bad" * 1_000_000
    assert segment.path.read_bytes() == b"good"
    assert segment.end == 1004
    assert existing_segments(tmp_path) == [segment]


def test_keys_of_whole_entries_are_scanned(tmp_path: Path) -> None:
    segment = write(tmp_path, 0, entry(b"a", 1, 2) + entry(b"b") + entry(b"c", 3))
    assert scan_keys(segment.path) == keys(1, 2, 3)


def test_a_torn_or_damaged_entry_gives_no_keys(tmp_path: Path) -> None:
    """Its frames never were acknowledged: their resend is the only copy."""
    last = entry(b"never acknowledged", 2)
    good = entry(b"good", 1)
    torn = write(tmp_path, 0, good + last[:-1])
    zeroed = write(tmp_path, 10_000, good + last[: -len(b"acknowledged")] + bytes(len(b"acknowledged")))
    assert scan_keys(torn.path) == keys(1)
    assert scan_keys(zeroed.path) == keys(1)


def test_the_window_is_rebuilt_from_segments_and_key_files(tmp_path: Path) -> None:
    leave_keys(segment_path(tmp_path, 0), keys(1, 2))  # its lines are forgotten
    kept = write(tmp_path, 1000, entry(b"", 3))
    leave_keys(kept.path, keys(3))
    killed = write(tmp_path, 2000, entry(b"", 4) + entry(b"", 5))
    assert recent_keys(tmp_path, 1 << 50) == [key(number) for number in (1, 2, 3, 4, 5)]
    assert killed.path.with_suffix(".keys").read_bytes() == keys(4, 5)  # for when its lines are forgotten
    assert recent_keys(tmp_path, 1 << 50) == [key(number) for number in (1, 2, 3, 4, 5)]


def test_a_segment_with_a_key_file_is_not_read_again(tmp_path: Path) -> None:
    segment = write(tmp_path, 0, entry(b"", 1))
    leave_keys(segment.path, b"")
    assert recent_keys(tmp_path, 1 << 50) == []


def test_only_the_newest_keys_are_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "WINDOW_KEYS", 3)
    leave_keys(segment_path(tmp_path, 0), keys(1, 2))
    leave_keys(segment_path(tmp_path, 10), keys(3, 4))
    assert recent_keys(tmp_path, 1 << 50) == [key(2), key(3), key(4)]


def test_a_clock_that_was_set_or_a_long_stop_forgets_no_key(tmp_path: Path) -> None:
    leave_keys(segment_path(tmp_path, 0), keys(1))
    age(segment_path(tmp_path, 0).with_suffix(".keys"), 10 * WINDOW_SECONDS)
    write(tmp_path, 1000, entry(b"", 2, observed=0) + entry(b"", 3, observed=1 << 62))
    assert recent_keys(tmp_path, 1 << 50) == [key(1), key(2), key(3)]


def test_key_files_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "WINDOW_KEYS", 4)
    for base in (0, 10, 20, 30):
        leave_keys(segment_path(tmp_path, base), keys(base, base + 1))
    prune_keys(tmp_path)
    assert sorted(int(path.stem) for path in tmp_path.glob("*.keys")) == [20, 30]
