"""Pages out of Elasticsearch: candidates are asked for, read, and checked until the page is full."""

from collections.abc import Sequence
from typing import Any

import msgspec

from parsers.event import Event
from storage.elastic import dsl as elastic_dsl
from storage.elastic.client import Client
from storage.elastic.docs import LAST_TIME
from storage.elastic.hits import Hit, Reader
from storage.query import Cursor, Page, Query, cursor_after, matching
from storage.store import StoreUnavailable

SCAN_HITS = 100_000
"""Candidates read for one page: some 5 s. A question without a word to look for then says so and goes on
with its cursor; only a rare match among very many lines meets it."""
WINDOW = 10_000  # index.max_result_window: the most that one search may return
IDS_AT_ONCE = 5_000  # of one look-up: half of what a search may return, in case an id is there twice
SCAN_WINDOW = 2_000  # candidates at once after the first look: 32 MB of the longest ordinary lines (16 KB)

# Half an answer that looks like a whole one is worse than none.
PARAMETERS = "ignore_unavailable=true&allow_partial_search_results=false"


class _Hits(msgspec.Struct):
    hits: list[Hit] = []


class _Found(msgspec.Struct):
    hits: _Hits = msgspec.field(default_factory=_Hits)
    timed_out: bool = False


_found = msgspec.json.Decoder(_Found)


async def hits(client: Client, stream: str, body: dict[str, Any]) -> list[Hit]:
    """The hits of one search; none when the stream does not exist yet. Raises StoreUnavailable, Refused."""
    found = _found.decode(await client.ask("POST", f"/{stream}/_search?{PARAMETERS}", body))
    if found.timed_out:
        raise StoreUnavailable("Elasticsearch gave up on this search")
    return found.hits.hits


async def copies(client: Client, stream: str, ids: Sequence[str]) -> list[Hit]:
    """Every document of the stream with one of these ids: an id may be in several backing indices.

    Raises StoreUnavailable, Refused.
    """
    found: list[Hit] = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        body = {
            "size": 2 * IDS_AT_ONCE,
            "query": {"ids": {"values": ids[start : start + IDS_AT_ONCE]}},
            "_source": False,
            "sort": ["_doc"],
        }
        found += await hits(client, stream, body)
    return found


class Pager:
    """Collects one page."""

    def __init__(self, query: Query, journal: str, ceiling: int) -> None:
        self._query, self._journal = query, journal
        self._check = msgspec.structs.replace(query, cursor=None)  # its ceiling is not for other journals
        self._ceiling = query.cursor.ceiling if query.cursor is not None else ceiling
        self._events: list[Event] = []

    async def page(self, client: Client, stream: str, reader: Reader) -> Page:
        """Raises StoreUnavailable, Refused."""
        size, seen = min(self._query.limit + 1, WINDOW), 0
        after: list[Any] | None = None
        while True:
            body = elastic_dsl.body(self._query, self._journal, size, after)
            batch = await hits(client, stream, body)
            self._take(batch, reader)
            seen += len(batch)
            if len(self._events) > self._query.limit:
                return self._full()
            if len(batch) < size:
                return Page(self._events)
            if seen >= SCAN_HITS:
                return self._cut(batch[-1], seen)
            after = batch[-1].sort
            size = min(max(size * 4, 100), SCAN_WINDOW)

    def _take(self, batch: list[Hit], reader: Reader) -> None:
        events = [event for event in map(reader.event, batch) if event is not None]
        self._events += matching(self._check, events)

    def _full(self) -> Page:
        events = self._events[: self._query.limit]
        return Page(events, cursor_after(events[-1], self._query, self._ceiling))

    def _cut(self, last: Hit, seen: int) -> Page:
        note = f"looked at {seen} lines and stopped: ask for a word of the line, or for a shorter time"
        return Page(self._events, self._place(last), "scan_limit", (note,))

    def _place(self, hit: Hit) -> Cursor:
        """Where a hit stands, though it is no match and perhaps not even ours."""
        order = self._query.order
        if order == "arrival":
            return Cursor(0, 0, hit.id, hit.sort[0], self._ceiling, order)
        at = hit.sort[0] if 0 < hit.sort[0] < LAST_TIME else hit.sort[1]
        return Cursor(at, hit.sort[2], hit.id, 0, self._ceiling, order)
