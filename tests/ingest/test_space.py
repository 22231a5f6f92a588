"""What the journal may take of the disk."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest import space
from ingest.space import Space


class Disk:
    """A disk with so many free bytes, and how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
        self.free, self.asked, self.now = free, 0, 100.0
        monkeypatch.setattr(os, "statvfs", self._status)
        monkeypatch.setattr(space, "time", SimpleNamespace(monotonic=lambda: self.now))

    def _status(self, _: object) -> SimpleNamespace:
        self.asked += 1
        return SimpleNamespace(f_bavail=self.free // 4096, f_frsize=4096)


def test_the_limit_counts_what_is_there_and_what_comes(tmp_path: Path) -> None:
    limited = Space(tmp_path, 1000, 0)
    assert limited.over_limit(600, 400) is None
    assert (limited.over_limit(600, 401) or "").startswith("journal full: 600 bytes of 1000")


def test_the_floor_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, 10 << 20)
    limited = Space(tmp_path, 1 << 40, 8 << 20)
    assert limited.below_floor(1 << 20) is None
    assert (limited.below_floor(2 << 20) or "").startswith("disk floor: ")
    disk.free = 100 << 20
    assert limited.below_floor(1 << 20) is None  # below the floor the disk is asked each time


def test_the_disk_is_asked_seldom_and_what_we_write_is_counted_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, 100 << 20)
    limited = Space(tmp_path, 1 << 40, 8 << 20)
    for _ in range(92):
        assert limited.below_floor(1 << 20) is None
    assert disk.asked == 1
    assert limited.below_floor(1 << 20) is not None
    disk.now += space.CHECK_SECONDS
    disk.free = 50 << 20  # somebody else wrote
    assert limited.below_floor(1 << 20) is None
    assert disk.asked == 2
