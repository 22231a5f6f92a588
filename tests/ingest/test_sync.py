"""When written bytes count as safe."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ingest import sync
from ingest.sync import EXIT_SYNC_FAILED, INLINE_SECONDS, Syncer
from storage.metrics import Metrics
from tests.ingest.bench import until


class Disk:
    """fdatasync that can be held up, and what was synced."""

    def __init__(self) -> None:
        self.synced: list[int] = []
        self.go = threading.Event()
        self.go.set()
        self.entered = 0

    def fdatasync(self, fd: int) -> None:
        self.entered += 1
        assert self.go.wait(10)
        os.fstat(fd)  # EBADF for a file that was closed under us
        self.synced.append(fd)


@pytest.fixture
async def disk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Disk]:
    made = Disk()
    monkeypatch.setattr(os, "fdatasync", made.fdatasync)
    yield made
    made.go.set()


@pytest.fixture
def open_file(tmp_path: Path) -> Callable[[], int]:
    return lambda: os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)


async def test_interval_calls_at_once(disk: Disk, open_file: Callable[[], int]) -> None:
    syncer = Syncer(open_file(), Metrics(), always=False)
    disk.go.clear()
    called: list[int] = []
    syncer.wrote(7, [lambda: called.append(syncer.safe), lambda: called.append(2)])
    assert called == [7, 2]
    disk.go.set()
    await syncer.close()


async def test_interval_syncs_what_was_written(
    disk: Disk, open_file: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "SYNC_SECONDS", 0.001)
    syncer = Syncer(open_file(), Metrics(), always=False)
    await asyncio.sleep(0.01)
    assert disk.entered == 0  # nothing was written
    syncer.wrote(1, [])
    await until(lambda: disk.synced)
    await syncer.close()


async def test_always_calls_only_after_the_sync(disk: Disk, open_file: Callable[[], int]) -> None:
    disk.go.clear()
    syncer = Syncer(open_file(), Metrics(), always=True)
    called: list[int] = []
    syncer.wrote(1, [lambda: called.append(1)])
    await until(lambda: disk.entered == 1)
    # written during the first sync: it may have missed that
    syncer.wrote(2, [lambda: called.append(2)])
    await asyncio.sleep(0.01)
    assert called == []
    disk.go.set()
    await until(lambda: called == [1, 2])
    assert len(disk.synced) == 2
    await syncer.close()


async def test_what_nobody_waits_for_is_safe_after_the_sync_too(
    disk: Disk, open_file: Callable[[], int]
) -> None:
    moved: list[int] = []
    syncer = Syncer(open_file(), Metrics(), always=True, safe=5, moved=lambda: moved.append(len(disk.synced)))
    disk.go.clear()
    syncer.wrote(8, [])
    await until(lambda: disk.entered == 1)
    syncer.wrote(9, [])  # during the sync, which may miss it
    assert syncer.safe == 5
    disk.go.set()
    await until(lambda: syncer.safe == 8)
    await until(lambda: syncer.safe == 9)
    assert moved == [1, 2]
    await syncer.close()


async def test_the_interval_is_kept_while_the_loop_is_busy(
    disk: Disk, open_file: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "SYNC_SECONDS", 0.01)
    syncer = Syncer(open_file(), Metrics(), always=False)
    syncer.wrote(1, [])
    deadline = time.monotonic() + 10
    while not disk.synced:
        assert time.monotonic() < deadline  # and no turn of the loop meanwhile
    await syncer.close()


async def test_all_that_wait_share_a_sync(disk: Disk, open_file: Callable[[], int]) -> None:
    syncer = Syncer(open_file(), Metrics(), always=True)
    called: list[int] = []
    for number in range(100):
        syncer.wrote(number, [lambda number=number: called.append(number)])  # type: ignore[misc]
    await until(lambda: len(called) == 100)
    assert called == list(range(100))
    assert len(disk.synced) == 1
    await syncer.close()


async def test_a_rolled_file_is_synced_before_the_new_one_and_closed(
    disk: Disk, open_file: Callable[[], int]
) -> None:
    old, new = open_file(), open_file()
    syncer = Syncer(old, Metrics(), always=True)
    told: list[list[int]] = []
    syncer.switch(new, lambda: told.append(list(disk.synced)))
    await until(lambda: told)
    assert disk.synced == [old, new]
    assert told == [[old, new]]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(old)
    await syncer.close()


async def test_closing_waits_for_the_sync_in_progress(disk: Disk, open_file: Callable[[], int]) -> None:
    """Its thread goes on whatever happens to the task: the file must not be closed under it."""
    syncer = Syncer(open_file(), Metrics(), always=True)
    disk.go.clear()
    called: list[int] = []
    syncer.switch(open_file(), lambda: None)
    syncer.when_safe([lambda: called.append(1)])
    await until(lambda: disk.entered == 1)
    closing = asyncio.create_task(syncer.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    disk.go.set()
    await closing
    assert called == [1]
    entered = disk.entered
    await asyncio.sleep(0.01)
    assert disk.entered == entered


async def test_one_failing_answer_does_not_cost_the_others_theirs(
    open_file: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    syncer = Syncer(open_file(), Metrics(), always=True)
    called: list[int] = []
    syncer.when_safe([lambda: 1 / 0, lambda: called.append(1)])  # type: ignore[list-item]
    await until(lambda: called == [1])
    syncer.when_safe([lambda: called.append(2)])
    await until(lambda: called == [1, 2])
    assert "ZeroDivisionError" in caplog.text
    await syncer.close()


FAILING = """
import asyncio, os, tempfile
from ingest.sync import Syncer
from storage.metrics import Metrics

def fail(fd):
    raise OSError(5, "Input/output error")

async def main():
    os.fdatasync = fail
    syncer = Syncer(tempfile.TemporaryFile().fileno(), Metrics(), always=True)
    syncer.wrote(1, [lambda: print("acknowledged")])
    await asyncio.sleep(10)

asyncio.run(main())
"""


def test_a_failed_sync_ends_the_process_before_anybody_is_told() -> None:
    ended = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=60)
    assert ended.returncode == EXIT_SYNC_FAILED
    assert ended.stdout == ""
    assert "Input/output error" in ended.stderr


async def test_a_quick_disk_is_synced_by_the_loop_and_a_slow_one_never(
    open_file: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    seconds, now = INLINE_SECONDS / 10, 0.0

    def fdatasync(_: int) -> None:
        nonlocal now
        now += seconds
        threads.append(threading.current_thread().name)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr("ingest.sync.time.perf_counter", lambda: now)
    syncer = Syncer(open_file(), Metrics(), always=True)

    async def synced() -> str:
        called: list[int] = []
        syncer.wrote(1, [lambda: called.append(1)])
        await until(lambda: called)
        return threads[-1]

    assert await synced() == "journal-sync"  # nothing is known of the disk yet
    assert [await synced() for _ in range(20)][-1] == "MainThread"
    seconds = INLINE_SECONDS * 10
    await synced()
    assert await synced() == "journal-sync"
    await syncer.close()
