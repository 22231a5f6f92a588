"""Files that are replaced whole: what a crash or a full disk leaves, and what is synced before what."""

import os
from pathlib import Path

import pytest

from storage.durable import make_folder, replacing, sync_folder, write_durably


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_small_files_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "run"
    write_durably(path, b"old")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_what_a_crash_left_aside_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "run.new").write_bytes(b"half of something much longer")
    write_durably(tmp_path / "run", b"new")
    assert (tmp_path / "run").read_bytes() == b"new"
    assert names(tmp_path) == ["run"]


def test_the_old_file_stays_under_its_name_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"old")
    with replacing(path, ".tmp") as file:
        file.write(b"ne")
        file.flush()
        assert (path.read_bytes(), names(tmp_path)) == (b"old", ["a.parquet", "a.parquet.tmp"])
        file.write(b"w")
    assert (path.read_bytes(), names(tmp_path)) == (b"new", ["a.parquet"])


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="no space"), replacing(path) as file:
        file.write(b"half")
        raise OSError("no space left")
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["run"])


def test_a_name_that_cannot_be_replaced_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(IsADirectoryError):
        write_durably(tmp_path / "run", b"new")
    assert names(tmp_path) == ["run"]


def test_the_file_is_synced_before_it_has_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "run", []

    def fsync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((target.name, os.fstat(descriptor).st_size if target != tmp_path else 0, path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_durably(path, b"12345")
    assert synced == [("run.new", 5, False), (tmp_path.name, 0, True)]


def test_only_a_folder_is_synced_as_one(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "gone")


def test_each_name_of_a_new_folder_is_synced_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("storage.durable.sync_folder", synced.append)
    make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    make_folder(tmp_path / "a" / "b" / "c")
    assert synced[3:] == [tmp_path / "a" / "b"]  # whoever made it may have died before it was synced
