"""Fixtures of the ingest room."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ingest.bench import Journals


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[Journals]:
    folder = tmp_path / "journal"
    folder.mkdir()
    made = Journals(folder)
    yield made
    await made.close_all()
