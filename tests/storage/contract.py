"""Every store behind the port, opened for the one suite that all of them have to pass.

Kinds: "memory"; "local", whose events stay in its hot set; "sealed", the local store after a flush of every
append, so that all answers come from Parquet files; "elasticsearch", a real one, each test in a data stream
of its own. A test file that wants it imports the `elasticsearch` fixture of tests/real, which starts one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from parsers.event import Event
from storage.memory import MemoryStore
from storage.metrics import Metrics
from storage.query import Query
from storage.store import Checkpoint, Rejection, Store
from tests.real import elastic
from tests.storage.factories import JOURNAL, after, everything

KINDS = ("memory", "local", "sealed", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch))
DURABLE = KINDS[1:]
AT_ONCE = 4  # as many readers ask at the same time
FRESH_SECONDS = 30.0  # a question of the suite waits for what was appended, however busy the machine is


class Subject:
    """One store under test, and how to open it again over the same data."""

    def __init__(self, kind: str, make: Callable[[], Store]) -> None:
        self.kind, self._make = kind, make
        self.store = make()

    async def add(self, events: Sequence[Event]) -> None:
        """Append as the pipeline does."""
        await self.store.append(events, after(events))
        if self.kind == "sealed":
            await self.store.flush()

    async def all(self, query: Query | None = None) -> list[Event]:
        """Every page of the answer."""
        return await everything(self.store, query)

    async def reopen(self) -> Checkpoint | None:
        """Close, and start over the same data."""
        await self.store.close()
        self.store = self._make()
        return await self.store.start()


async def answered_alike(
    subject: Subject, stored: Sequence[Event], asked: Sequence[Callable[[Store], Any]], told: str
) -> None:
    """Ask the store and the memory store, which is the judge, the same questions about the same lines."""
    judge = MemoryStore()
    await judge.append(stored, after(stored))
    half = len(stored) // 2
    await subject.add(stored[:half])
    await subject.add(stored[half:])
    wrong: list[tuple[Any, Any, Any]] = []

    async def some(place: int) -> None:
        for question in asked[place::AT_ONCE]:
            found, expected = await question(subject.store), await question(judge)
            if found != expected:
                wrong.append((question, found, expected))

    await asyncio.gather(*(some(place) for place in range(AT_ONCE)))
    assert wrong == [], f"{len(wrong)} of {len(asked)} answers differ, {told}; {wrong[0][0]}"


async def opened(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """A started subject; closed, and its data removed, at the end. No event may be rejected meanwhile."""
    rejected: list[Rejection] = []
    url, stream = "", f"logs-docker-test{uuid4().hex[:12]}"
    if kind == "elasticsearch":
        url = request.getfixturevalue("elasticsearch")
    subject = Subject(kind, maker(kind, folder, url, stream, rejected))
    await subject.store.start()
    yield subject
    await subject.store.close()
    if url:
        verify = elastic.trust(elastic.given_ca())
        async with httpx.AsyncClient(trust_env=False, verify=verify) as client:
            await client.delete(f"{elastic.superuser(url)}/_data_stream/{stream}")
    assert rejected == []


def maker(kind: str, folder: Path, url: str, stream: str, rejected: list[Rejection]) -> Callable[[], Store]:
    """What makes one more store of this kind over the same data."""
    if kind == "memory":
        memory = MemoryStore()
        return lambda: memory
    options: dict[str, Any] = {"on_rejected": rejected.extend}
    if kind == "elasticsearch":
        from storage.elastic.store import ElasticStore

        options |= {"fresh_seconds": FRESH_SECONDS, "ca_certs": elastic.given_ca()}
        return lambda: ElasticStore(url, folder, JOURNAL, Metrics(), stream=stream, **options)
    from storage.local.parquet import LocalStore

    return lambda: LocalStore(folder, JOURNAL, Metrics(), **options)
