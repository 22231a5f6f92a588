"""Fixtures of the ingest room."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from ingest import segments
from tests.ingest.bench import Journals, Writev
from tests.ingest.listening import Listening


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[Journals]:
    folder = tmp_path / "journal"
    folder.mkdir()
    made = Journals(folder)
    yield made
    await made.close_all()


SOCKETS = ("test_stream.py", "test_stream_blocked.py", "test_udp.py", "test_tcp.py", "test_receivers.py")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], Any]]:
    """Sockets are tried on both: uvloop serves, and does some things in another order than asyncio."""
    loops: dict[str, Callable[[], Any]] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in SOCKETS:
        loops["uvloop"] = uvloop.new_event_loop
    return loops


@pytest.fixture(autouse=True)
def counted_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs count from 1 as if the clock said nothing, so that tests can name their positions."""
    monkeypatch.setattr(segments, "LAST_TIMED_RUN", -1 << 40)


@pytest.fixture
def writev(monkeypatch: pytest.MonkeyPatch) -> Writev:
    return Writev(monkeypatch)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """fdatasync waits for this event."""
    go = threading.Event()
    real = os.fdatasync

    def fdatasync(fd: int) -> None:
        assert go.wait(10)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    yield go
    go.set()


@pytest.fixture
async def house(journals: Journals) -> AsyncIterator[Listening]:
    made = Listening(journals())
    await made.open()
    yield made
    await made.close()
