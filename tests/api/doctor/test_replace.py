import os
from pathlib import Path

import pytest

from api.doctor import replace


def test_the_old_file_is_kept_and_the_mode_too(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    backup = replace.replace_file(path, b"new")
    assert (path.read_bytes(), backup.read_bytes()) == (b"new", b"old")
    assert backup == tmp_path / "daemon.json.bak"
    assert path.stat().st_mode & 0o777 == backup.stat().st_mode & 0o777 == 0o640
    assert replace.replace_file(path, b"newer").name == "daemon.json.bak.1"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "daemon.json",
        "daemon.json.bak",
        "daemon.json.bak.1",
    ]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "daemon.json"
    real.write_bytes(b"old")
    link.symlink_to(real)
    assert replace.replace_file(link, b"new") == tmp_path / "real.json.bak"
    assert link.is_symlink() and real.read_bytes() == b"new"


def test_a_write_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "daemon.json"
    path.write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace.replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_there_is_an_end_of_backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replace, "MAX_BACKUPS", 1)
    path = tmp_path / "daemon.json"
    path.write_bytes(b"old")
    replace.replace_file(path, b"new")
    with pytest.raises(OSError, match="backups already"):
        replace.replace_file(path, b"newer")
