"""Fixtures of the storage room: every store behind the port, for the contract that all of them keep."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.conftest import elasticsearch  # noqa: F401 - the fixture, which opened() asks for by name
from tests.storage.contract import DURABLE, KINDS, Subject, opened


@pytest.fixture(params=KINDS)
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """Each kind of store, started."""
    async for one in opened(request.param, tmp_path, request):
        yield one


@pytest.fixture(params=DURABLE)
async def durable(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """Each kind that outlives its process."""
    async for one in opened(request.param, tmp_path, request):
        yield one
