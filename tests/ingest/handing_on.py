"""A pipeline between a journal and a store that remembers."""

import asyncio
from collections.abc import Sequence

from ingest.journal import Journal
from ingest.pipeline import Pipeline
from parsers.event import Event
from parsers.join import Joiner
from parsers.normalize import Normalizer
from storage.memory import MemoryStore
from storage.store import Checkpoint, StoreUnavailable
from storage.tail import Tail


class Recorder(MemoryStore):
    """Keeps every append apart. `safe` is what it is told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[tuple[list[Event], Checkpoint]] = []
        self.problems = 0
        self.durable: Checkpoint | None = None
        self.flushes = 0

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        if self.problems:
            self.problems -= 1
            raise StoreUnavailable("away")
        self.appends.append((list(events), checkpoint))
        await super().append(events, checkpoint)

    def safe(self) -> Checkpoint | None:
        return self.durable

    async def flush(self) -> None:
        self.flushes += 1
        self.durable = self.appends[-1][1]

    @property
    def events(self) -> list[Event]:
        return [event for events, _ in self.appends for event in events]

    @property
    def messages(self) -> list[str]:
        return [event.message for event in self.events]


class House:
    """A pipeline between a journal and a recorder."""

    def __init__(
        self, journal: Journal, checkpoint: Checkpoint | None = None, *, joiner: Joiner | None = None
    ) -> None:
        self.journal = journal
        self.store = Recorder()
        self.tail = Tail(journal.metrics)
        self.joiner = joiner or Joiner()
        self.pipeline = Pipeline(
            journal, self.store, self.tail, Normalizer("here"), self.joiner, journal.metrics
        )
        self.pipeline.restore(checkpoint)
        self.task: asyncio.Task[None] | None = None

    async def read_all(self) -> list[Event]:
        """Run until the journal's end."""
        self.pipeline.stop()
        await asyncio.wait_for(self.pipeline.run(), 60)
        return self.store.events

    def start(self) -> None:
        self.task = asyncio.create_task(self.pipeline.run())

    async def stop(self) -> None:
        assert self.task is not None
        self.pipeline.stop()
        await asyncio.wait_for(self.task, 10)
