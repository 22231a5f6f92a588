from pathlib import Path

import pytest

from storage.durable import write_durably
from storage.elastic.commit import Commit, read_commit, write_commit
from storage.store import Checkpoint, Held

COMMIT = Commit(Checkpoint(70, 7, 8, (Held(40, 1, 5),)), "j", "logs-docker-default", ".ds-1")


def test_a_commit_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "commit.json"
    assert read_commit(path) is None
    write_commit(path, COMMIT)
    assert read_commit(path) == COMMIT


def test_a_later_one_replaces_it_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "commit.json"
    write_commit(path, COMMIT)
    write_commit(path, Commit(Checkpoint(71), "j", "s"))
    read = read_commit(path)
    assert read is not None
    assert (read.checkpoint.next, read.index) == (71, None)
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_leaves_beside_it_is_not_read_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "commit.json"
    write_commit(path, COMMIT)
    (tmp_path / "commit.json.new").write_bytes(b'{"checkpoi')
    assert read_commit(path) == COMMIT
    write_durably(path, b"x")
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "commit.json"
    write_commit(path, COMMIT)
    (tmp_path / "commit.json.new").mkdir()
    with pytest.raises(OSError):
        write_commit(path, Commit(Checkpoint(99), "j", "s"))
    assert read_commit(path) == COMMIT


@pytest.mark.parametrize(
    "data", [b"", b"{", b"{}", b"\xff", b'{"checkpoint":{"next":"x"},"journal":"j","stream":"s"}']
)
def test_a_damaged_one_names_the_file(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "commit.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"commit\.json is damaged"):
        read_commit(path)
