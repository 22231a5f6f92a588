"""The Elasticsearch store: a data stream that a person's Kibana or Grafana can read as it is."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from parsers.event import Container, Event, parse_id
from storage import lists
from storage.elastic_asking import Asker
from storage.elastic_client import Client
from storage.elastic_sending import Sending
from storage.elastic_template import STREAM
from storage.metrics import Metrics
from storage.query import Page, Query
from storage.store import Checkpoint, ContainerSummary, NameSummary, OnRejected, StoreUnavailable

FRESH_SECONDS = 1.0  # a question waits so long for lines on their way: a bulk and a refresh on a busy server


class ElasticStore:
    """The Store over one data stream. `url` is as for elastic_client.hosts; `folder` holds the commit file.

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
    ) -> None:
        self._journal, self._fresh_seconds = journal, fresh_seconds
        self._client = Client(url, ca_certs, api_key)
        self._sending = Sending(self._client, stream, folder, journal, metrics, on_rejected)
        self._asker = Asker(self._client, stream, journal)

    @property
    def available(self) -> bool:
        """Whether Elasticsearch takes events just now."""
        return self._sending.delivery.health.available

    @property
    def last_error(self) -> str | None:
        """Why it last did not."""
        return self._sending.delivery.health.last_error

    async def start(self) -> Checkpoint | None:
        """See Store.start."""
        await self._sending.start()
        return self._sending.safe

    async def close(self) -> None:
        """See Store.close."""
        await self._sending.close()
        await self._client.close()

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """See Store.append. Waits while two bodies wait already."""
        await self._sending.append(events, checkpoint)

    def safe(self) -> Checkpoint | None:
        """See Store.safe: what the commit file says."""
        return self._sending.safe

    async def flush(self) -> None:
        """See Store.flush."""
        await self._sending.flush()

    # Answering

    async def search(self, query: Query) -> Page:
        """See Store.search. It waits a moment for lines on their way; what it then lacks is in the notes."""
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

    async def containers(self, query: Query) -> list[ContainerSummary]:
        """See Store.containers."""
        return lists.containers(await self._seen(query))

    async def services(self, query: Query) -> list[NameSummary]:
        """See Store.services."""
        return lists.services(await self._seen(query))

    async def labels(self, query: Query) -> list[NameSummary]:
        """See Store.labels."""
        return lists.labels(await self._seen(query))

    async def label_values(self, key: str, query: Query) -> list[NameSummary]:
        """See Store.label_values."""
        return lists.label_values(await self._seen(query), key)

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
