"""One process per data folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.lock import FolderInUse, lock_folder

HOLD = "import sys; from pathlib import Path; from ingest.lock import lock_folder\n" \
       "held = lock_folder(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"  # fmt: skip


def test_a_second_owner_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as first,
    ):
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse, match=rf"in use by logdock pid {first.pid};"):
            lock_folder(tmp_path)
        first.kill()
        first.wait()
        with lock_folder(tmp_path):  # the kernel lets go of a dead owner's lock
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_closing_gives_the_folder_away(tmp_path: Path) -> None:
    lock_folder(tmp_path).close()
    with lock_folder(tmp_path), pytest.raises(FolderInUse, match=f"pid {os.getpid()};"):
        lock_folder(tmp_path)
