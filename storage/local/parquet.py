"""The embedded store: recent events in memory as Arrow batches, older ones in sealed Parquet files.

The event loop owns all that changes; keeper.py moves events to disk, search.py finds them again
in query threads that work on snapshots. See disk.py for what a crash can leave.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from parsers.event import Container, Event, parse_id
from storage import lists
from storage.by import By
from storage.counts import Facets, Histogram, noted, question
from storage.local import counting
from storage.local import lists as local_lists
from storage.local import prune as local_prune
from storage.local.catalogue import FileEntry
from storage.local.disk import Disk
from storage.local.hot import Hot, Ids, Key, covers, held
from storage.local.keeper import SEAL_ROWS, Keeper, Limits, in_thread
from storage.local.minutes import Minutes
from storage.local.origins import Origins
from storage.local.search import Searcher, Snapshot, page
from storage.local.sources import Source
from storage.metrics import Metrics
from storage.prune import Pruned, PruneResult, Selection
from storage.pruned import FILE, PrunedLog
from storage.pruned_notes import notes, with_notes
from storage.query import Page, Query
from storage.store import (
    Checkpoint,
    Lag,
    OnRejected,
    Rejection,
    StoreUnavailable,
)

logger = logging.getLogger("logdock.storage")

T = TypeVar("T", Histogram, Facets)

QUERY_THREADS = 2  # questions at once; more wait their turn, for each already uses every core


class LocalStore(lists.Lists):
    """The Store over `folder`. Ages are in seconds, sizes in bytes; retention None keeps for ever.

    `start` raises CatalogueError when the folder needs an operator.
    """

    name = "local"

    def __init__(
        self,
        folder: Path,
        journal: str,
        metrics: Metrics,
        *,
        seal_rows: int = SEAL_ROWS,
        seal_seconds: float = 600,
        retention_seconds: float | None = None,
        retention_bytes: int | None = None,
        clock: Callable[[], int] = time.time_ns,
        on_rejected: OnRejected | None = None,
        pruned: PrunedLog | None = None,
    ) -> None:
        self._journal, self._metrics, self._on_rejected = journal, metrics, on_rejected
        self._origins, self._ids = Origins(), Ids()
        self._disk = Disk(folder, journal)
        self._minutes = Minutes(self._disk.path)
        limits = Limits(seal_rows, seal_seconds, retention_seconds, retention_bytes)
        hot = Hot(self._origins, self._refuse)
        pruned = pruned or PrunedLog(folder / FILE, metrics)
        self._keeper = Keeper(self._disk, hot, self._origins, limits, clock, self._hand_over, pruned)
        self._refused: list[Rejection] = []  # in no quarantine yet
        self._back: dict[str, str] = {}  # ids that `put_back` offers, and why they are refused
        self._ceiling = -1  # the highest offset so far
        self._journals = {journal}
        self._searcher: Searcher | None = None
        self._readers = ThreadPoolExecutor(QUERY_THREADS, "local-query")

    async def start(self) -> Checkpoint | None:
        """See Store.start. Deletes files the catalogue does not name, and reports those that are gone."""
        contents = await self._keeper.open()
        self._origins.load(contents.origins)
        for entry in (*contents.files, *contents.missing):
            self._learn(entry)
        if contents.checkpoint is not None:
            self._ceiling = max(self._ceiling, contents.checkpoint.offset - 1)
        self._searcher = Searcher(self._disk.parquet, self._origins.known, os.cpu_count() or 1)
        return contents.checkpoint

    def _learn(self, entry: FileEntry) -> None:
        self._ceiling = max(self._ceiling, entry.max_offset)
        for span in entry.spans:
            self._ids.raise_to(span)
            self._journals.add(span.journal)

    async def close(self) -> None:
        """See Store.close."""
        if self._searcher is not None:
            self._searcher.stop()
        await asyncio.to_thread(self._readers.shutdown)
        self._minutes.close()
        if self._searcher is not None:
            self._searcher.close()
        await self._keeper.close()

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """See Store.append. Waits when a full hot set meets a sealing that is not done."""
        await self._keeper.make_room()
        fresh = await self._fresh(events) if events else events
        if fresh:
            self._keeper.hot.add(fresh)
            self._ceiling = max(self._ceiling, max([event.offset for event in fresh]))
        self._keeper.appended(checkpoint)
        self._hand_over()

    async def put_back(self, events: Sequence[Event]) -> Sequence[Rejection]:
        """See Store.put_back."""
        fresh = await self._fresh(events) if events else []
        self._back = dict.fromkeys([event.id for event in fresh], "")
        self._keeper.hot.add(fresh)
        self._ceiling = max([self._ceiling, *(event.offset for event in fresh)])
        self._keeper.added()
        await self._keeper.flush()
        return [Rejection(e, "unstorable", why) for e in fresh if (why := self._back.get(e.id))]

    def lag(self) -> Lag:
        """See Store.lag."""
        return Lag()

    def safe(self) -> Checkpoint | None:
        """See Store.safe."""
        return self._keeper.safe

    async def flush(self) -> None:
        """See Store.flush."""
        await self._keeper.flush()

    async def maintain(self) -> None:
        """Seal, prune and merge what is due. The store does it by itself every second."""
        await self._keeper.maintain()

    async def _fresh(self, events: Sequence[Event]) -> Sequence[Event]:
        """`events` without those that are stored already, and without repeats."""
        doubtful = self._ids.doubtful(events)
        self._journals.add(events[0].journal)
        if not doubtful:
            return events
        known = await self._stored(doubtful)
        fresh = []
        for event in events:
            key = (event.journal, event.position, event.index)
            if key not in known:
                known.add(key)
                fresh.append(event)
        self._journals.update(event.journal for event in fresh)
        if len(fresh) < len(events):
            logger.info("%d events were stored already", len(events) - len(fresh))
        return fresh

    async def _stored(self, keys: set[Key]) -> set[Key]:
        known = self._keeper.hot.held(keys).union(*(held(batch, keys) for batch in self._keeper.sealing()))
        unknown = keys - known
        with self._keeper.files() as files:
            covering = [e for e in files if any(covers(e.spans, key) for key in unknown)]
            if covering:
                known.update(await in_thread(self._readers, self._ask().stored, covering, unknown))
        return known

    def _refuse(self, event: Event, message: str) -> None:
        if event.id in self._back:
            self._back[event.id] = message or "unstorable"
            return
        self._metrics.rejected.labels("unstorable").inc()
        logger.error("cannot store event %s: %s", event.id, message)
        self._refused.append(Rejection(event, "unstorable", message))
        with suppress(StoreUnavailable):  # tried again before anything is sealed
            self._hand_over()

    def _hand_over(self) -> None:
        """Put what was refused into quarantine. Raises StoreUnavailable; nothing is sealed before it is."""
        if self._refused and self._on_rejected is not None:
            try:
                self._on_rejected(self._refused)
            except OSError as error:
                raise StoreUnavailable(f"refused events cannot be quarantined: {error}") from error
        self._refused = []

    def _ask(self) -> Searcher:
        if self._searcher is None:
            raise StoreUnavailable("the local store is not started")
        return self._searcher

    async def search(self, query: Query) -> Page:
        """See Store.search."""
        with self._keeper.files() as files:
            missing = self._keeper.shelf.notes(query)
            told = (self._ask(), self._snapshot(files), query, self._origins, missing)
            found = await in_thread(self._readers, page, *told)
        return with_notes(found, query, self.pruned())

    def _snapshot(self, files: list[FileEntry]) -> Snapshot:
        batches, journals = self._keeper.batches(), frozenset(self._journals)
        return Snapshot(batches, files, journals, self._journal, self._ceiling)

    async def histogram(self, query: Query, by: By | None, buckets: int) -> Histogram:
        """See Store.histogram."""
        return await self._counted(counting.histogram, question(query), by, buckets)

    async def facets(self, query: Query, by: By, limit: int) -> Facets:
        """See Store.facets."""
        return await self._counted(counting.facets, question(query), by, limit)

    async def _counted(self, work: Callable[..., T], query: Query, *how: object) -> T:
        with self._keeper.files() as files:
            missing: list[str] = self._keeper.shelf.notes(query)
            counter = counting.counter(self._ask(), self._minutes, self._origins, self._snapshot(files))
            answer = await in_thread(self._readers, work, counter, query, *how)
        return noted(answer, [*missing, *notes(query, None, self.pruned())])

    async def get(self, event_id: str) -> Event | None:
        """See Store.get."""
        key = parse_id(event_id)
        if key is None:
            return None
        with self._keeper.files() as files:
            everything: list[Source] = [*self._keeper.batches(), *files]
            sources = [source for source in everything if covers(source.spans, key)]
            return await in_thread(self._readers, self._ask().get, sources, key)

    async def _seen(self, query: Query) -> lists.Seen:
        batches, totals = self._keeper.batches(), list(self._keeper.shelf.totals.values())
        return await in_thread(self._readers, local_lists.seen, batches, totals, self._origins, query)

    async def find_containers(self, ref: str) -> list[Container]:
        """See Store.find_containers."""
        return lists.find_containers(await self._seen(Query()), ref)

    async def prune(self, selection: Selection, dry_run: bool) -> PruneResult:
        """See Store.prune."""
        work = local_prune.count if dry_run else local_prune.prune
        return await work(self._keeper, self._origins, selection)

    def pruned(self) -> list[Pruned]:
        """See Store.pruned."""
        return self._keeper.pruned.records()
