"""Fixtures of the ingest room."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.ingest.bench import Journals


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[Journals]:
    folder = tmp_path / "journal"
    folder.mkdir()
    made = Journals(folder)
    yield made
    await made.close_all()


SOCKETS = ("test_stream.py", "test_udp.py", "test_tcp.py", "test_receivers.py")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], Any]]:
    """Sockets are tried on both: uvloop serves, and does some things in another order than asyncio."""
    loops: dict[str, Callable[[], Any]] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in SOCKETS:
        loops["uvloop"] = uvloop.new_event_loop
    return loops
