"""Questions to one data stream: each is one or a few searches, with errors as the Store port has them."""

from collections.abc import Awaitable
from typing import TypeVar

import msgspec

from parsers.event import Container, Event
from storage import lists
from storage.by import By
from storage.counts import Facets, Histogram
from storage.elastic import lists as elastic_lists
from storage.elastic.aggregate import Server
from storage.elastic.client import Client, Refused
from storage.elastic.counting import Counting
from storage.elastic.hits import Reader
from storage.elastic.search import Pager, hits
from storage.query import Page, Query
from storage.store import StoreUnavailable

T = TypeVar("T")


class Asker:
    """Answers what Elasticsearch sees just now. Every method raises StoreUnavailable."""

    def __init__(self, client: Client, stream: str, journal: str) -> None:
        self._client, self._stream, self._journal = client, stream, journal
        self._reader = Reader()
        self._server = Server(client, stream, self._reader)

    async def search(self, query: Query, ceiling: int) -> Page:
        """One page. `ceiling`: the highest offset of our journal that later pages may show."""
        pager = Pager(query, self._journal, ceiling)
        return await asked(pager.page(self._client, self._stream, self._reader))

    async def histogram(self, query: Query, by: By | None, buckets: int) -> Histogram:
        """See Store.histogram."""
        return await asked(Counting(self._server, query, by).histogram(buckets))

    async def facets(self, query: Query, by: By, limit: int) -> Facets:
        """See Store.facets."""
        return await asked(Counting(self._server, query, by).facets(limit))

    async def get(self, event_id: str) -> Event | None:
        """One event by its public id."""
        body = {"size": 1, "query": {"ids": {"values": [event_id]}}}
        found = await asked(hits(self._client, self._stream, body))
        return self._reader.event(found[0]) if found else None

    async def find_containers(self, ref: str) -> list[Container]:
        """See Store.find_containers."""
        answer = elastic_lists.referred(self._client, self._stream, self._reader, ref)
        return lists.find_containers(await asked(answer), ref)

    async def seen(self, query: Query) -> lists.Seen:
        """Lines per origin that `query`'s origin filters let through."""
        return await asked(elastic_lists.seen(self._client, self._stream, self._reader, query))


async def asked(answer: Awaitable[T]) -> T:
    """An answer, or StoreUnavailable when Elasticsearch refuses what we asked or says what we do not know."""
    try:
        return await answer
    except Refused as error:
        raise StoreUnavailable(f"Elasticsearch refuses this question: {error}") from error
    except msgspec.DecodeError as error:
        raise StoreUnavailable(f"an answer that is none of Elasticsearch's: {error}") from error
