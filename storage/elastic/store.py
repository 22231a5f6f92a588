"""The Elasticsearch store: a data stream that a person's Kibana or Grafana can read as it is."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from parsers.event import Container, Event, parse_id
from storage import lists
from storage.by import By
from storage.counts import Facets, Histogram, noted, question
from storage.elastic import prune as elastic_prune
from storage.elastic.asking import Asker
from storage.elastic.client import Client
from storage.elastic.lifecycle import Lifecycle, Limits
from storage.elastic.sending import Sending
from storage.elastic.template import STREAM
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

T = TypeVar("T", Histogram, Facets)

FRESH_SECONDS = 1.0  # a question waits so long for lines on their way: a bulk and a refresh on a busy server


class ElasticStore(lists.Lists):
    """The Store over one data stream. `url` is as for client.hosts; `folder` holds the commit file.
    Lines go `retention_seconds` after they were observed, and the oldest of more than `retention_bytes` (of
    primary shards). `compress`: bulk bodies, "on", "off" or "auto" (while it pays, post.py).

    `start` returns at once and raises ValueError for a damaged commit file; while Elasticsearch is away,
    events wait, `append` holds back, and questions raise StoreUnavailable.
    """

    name = "elasticsearch"

    def __init__(
        self,
        url: str,
        folder: Path,
        journal: str,
        metrics: Metrics,
        *,
        on_rejected: OnRejected,
        ca_certs: str | None = None,
        api_key: str | None = None,
        stream: str = STREAM,
        fresh_seconds: float = FRESH_SECONDS,
        pruned: PrunedLog | None = None,
        retention_seconds: float | None = None,
        retention_bytes: int | None = None,
        compress: str = "auto",
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._pruned = pruned or PrunedLog(folder / FILE, metrics)
        self._journal, self._stream, self._fresh_seconds = journal, stream, fresh_seconds
        self._client = Client(url, ca_certs, api_key)
        self._sending = Sending(self._client, stream, folder, journal, metrics, on_rejected, compress)
        self._asker = Asker(self._client, stream, journal)
        self._lifecycle = Lifecycle(
            self._client, stream, self._sending.cluster, Limits(retention_seconds, retention_bytes),
            self._sending.still, self._pruned.add, folder, clock,
        )  # fmt: skip
        self._tending: asyncio.Task[None] | None = None

    async def start(self) -> Checkpoint | None:
        """See Store.start."""
        await self._sending.start()
        self._tending = asyncio.create_task(self._lifecycle.run())
        return self._sending.safe

    async def close(self) -> None:
        """See Store.close."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        await self._sending.close()
        await self._client.close()

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """See Store.append. Waits while two bodies wait already."""
        await self._sending.append(events, checkpoint)

    async def put_back(self, events: Sequence[Event]) -> Sequence[Rejection]:
        """See Store.put_back."""
        return await self._sending.put_back(events)

    def lag(self) -> Lag:
        """See Store.lag."""
        return self._sending.lag()

    def safe(self) -> Checkpoint | None:
        """See Store.safe: what the commit file says."""
        return self._sending.safe

    async def flush(self) -> None:
        """See Store.flush."""
        await self._sending.flush()

    # Answering

    async def search(self, query: Query) -> Page:
        """See Store.search. It waits a moment for lines on their way; what it then lacks is in the notes."""
        return with_notes(await self._search(query), query, self.pruned())

    async def _search(self, query: Query) -> Page:
        ceiling = self._sending.ceiling
        if await self._fresh():
            return await self._asker.search(query, ceiling)
        if query.order == "arrival":  # a follower's: a hole in it would never be filled
            raise StoreUnavailable(self._behind())
        return await self._so_far(query)

    async def _so_far(self, query: Query) -> Page:
        """A page of what is visible. Nothing beyond the horizon: a tail that begins there has it all."""
        note, ceiling = self._behind(), self._sending.horizon.offset
        page = await self._asker.search(query, ceiling)
        events = [e for e in page.events if e.offset <= ceiling or e.journal != self._journal]
        return msgspec.structs.replace(page, events=events, notes=(*page.notes, note), complete_to=ceiling)

    def _behind(self) -> str:
        lines, seconds = self._sending.horizon.lines_behind, self._sending.horizon.seconds_behind
        return (
            f"Elasticsearch is {seconds:.1f} s behind: {lines} lines are on their way to it and not in here"
        )

    async def histogram(self, query: Query, by: By | None, buckets: int) -> Histogram:
        """See Store.histogram. What is on its way then is not counted, and said."""
        asked, behind = question(query), await self._missing()
        return self._told(await self._asker.histogram(asked, by, buckets), asked, behind)

    async def facets(self, query: Query, by: By, limit: int) -> Facets:
        """See Store.facets, and `histogram`."""
        asked, behind = question(query), await self._missing()
        return self._told(await self._asker.facets(asked, by, limit), asked, behind)

    async def _missing(self) -> list[str]:
        """What is to be said of lines on their way, after waiting for them a moment."""
        return [] if await self._fresh() else [self._behind()]

    def _told(self, answer: T, query: Query, behind: list[str]) -> T:
        told = msgspec.structs.replace(answer, exact=answer.exact and not behind)
        return noted(told, [*behind, *notes(query, None, self.pruned())])

    async def get(self, event_id: str) -> Event | None:
        """See Store.get."""
        if parse_id(event_id) is None:
            return None
        fresh = await self._fresh()
        found = await self._asker.get(event_id)
        if found is None and not fresh:
            raise StoreUnavailable(self._behind())
        return found

    async def find_containers(self, ref: str) -> list[Container]:
        """See Store.find_containers."""
        await self._fresh()
        return await self._asker.find_containers(ref)

    async def prune(self, selection: Selection, dry_run: bool) -> PruneResult:
        """See Store.prune."""
        await self.flush()
        safe = self.safe()
        reach = elastic_prune.Reach(self._stream, self._journal, safe.offset - 1 if safe else -1)
        return await elastic_prune.prune(self._client, reach, selection, dry_run, self._pruned)

    def pruned(self) -> list[Pruned]:
        """See Store.pruned."""
        return self._pruned.records()

    async def _seen(self, query: Query) -> lists.Seen:
        await self._fresh()
        return await self._asker.seen(query)

    async def _fresh(self) -> bool:
        """Whether a search sees everything whose append has returned: waits for that, but not for long."""
        try:
            async with asyncio.timeout(self._fresh_seconds):
                await self._sending.refresh()
        except TimeoutError:
            return False
        return True
