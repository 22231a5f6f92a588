"""The backing indices of one data stream: how large they are, what times are in them, and their end."""

from contextlib import suppress
from typing import Any

import msgspec

from storage.elastic import lists as elastic_lists
from storage.elastic.client import Client, Refused
from storage.elastic.hits import Reader
from storage.elastic.search import hits
from storage.prune import PruneResult
from storage.prune_counts import Tally
from storage.query import Query
from storage.store import StoreUnavailable

_PARTS = ("status", "primaries.docs.count", "primaries.store.size_in_bytes")
_STATS = f"forbid_closed_indices=false&level=indices&filter_path={','.join('indices.*.' + p for p in _PARTS)}"


class Backing(msgspec.Struct, frozen=True):
    """One backing index: documents and bytes of its primary shards."""

    name: str
    lines: int
    bytes: int
    is_open: bool = True  # an operator has closed it: no search sees it, and it is not ours to delete


class Span(msgspec.Struct, frozen=True):
    """The first and last `@timestamp` of an index and its last `event.created`, nanoseconds; None when it has
    no such document."""

    first: int | None = None
    last: int | None = None
    observed: int | None = None


class _DataStream(msgspec.Struct):
    backing_indices: list[str] = []


class _Resolved(msgspec.Struct):
    data_streams: list[_DataStream] = []


class _Docs(msgspec.Struct):
    count: int = 0


class _Store(msgspec.Struct):
    size_in_bytes: int = 0


class _Primaries(msgspec.Struct):
    docs: _Docs = msgspec.field(default_factory=_Docs)
    store: _Store = msgspec.field(default_factory=_Store)


class _Index(msgspec.Struct):
    status: str = "open"
    primaries: _Primaries = msgspec.field(default_factory=_Primaries)


class _Stats(msgspec.Struct):
    indices: dict[str, _Index] = {}


async def names(client: Client, stream: str) -> list[str]:
    """The backing indices, the oldest first and the write index last; none when the stream does not exist.

    Raises StoreUnavailable, Refused, as all that follows.
    """
    try:
        reply = await client.ask("GET", f"/_resolve/index/{stream}")
    except Refused as refusal:
        if refusal.status == 404:
            return []
        raise
    streams = msgspec.json.decode(reply, type=_Resolved).data_streams
    return streams[0].backing_indices if streams else []


async def refresh(client: Client, stream: str) -> None:
    """Make everything that was stored visible to searches; a stream that does not exist yet is no error."""
    await client.ask("POST", f"/{stream}/_refresh?ignore_unavailable=true")


async def backing(client: Client, stream: str) -> list[Backing]:
    """The same with their sizes."""
    found = await names(client, stream)
    if not found:
        return []
    reply = await client.ask("GET", f"/{stream}/_stats/docs,store?{_STATS}")
    told = msgspec.json.decode(reply, type=_Stats).indices
    return [_backing(name, told.get(name)) for name in found]


def _backing(name: str, told: _Index | None) -> Backing:
    if told is None:
        return Backing(name, 0, 0, is_open=False)
    primaries = told.primaries
    return Backing(name, primaries.docs.count, primaries.store.size_in_bytes, told.status == "open")


async def span(client: Client, index: str) -> Span:
    """The times in an index, with everything that was ever stored in it."""
    await client.ask("POST", f"/{index}/_refresh")
    first, last = (
        await _end(client, index, "@timestamp", "asc"),
        await _end(client, index, "@timestamp", "desc"),
    )
    return Span(first, last, await _end(client, index, "event.created", "desc"))


async def _end(client: Client, index: str, field: str, order: str) -> int | None:
    """From its sort value, which is exact (lists.py)."""
    body: dict[str, Any] = {
        "size": 1,
        "query": {"exists": {"field": field}},
        "sort": [{field: {"order": order, "unmapped_type": "date_nanos"}}],
        "track_total_hits": False,
        "_source": False,
    }
    found = await hits(client, index, body)
    return int(found[0].sort[0]) if found else None


async def contents(client: Client, index: Backing, times: Span) -> PruneResult:
    """What goes with an index. Whose lines they are is left out when telling takes too long."""
    tally = Tally()
    with suppress(StoreUnavailable, Refused):
        for origin, count in await elastic_lists.seen(client, index.name, Reader(), Query()):
            tally.add(origin, count.lines, count.first, count.last)
    told = tally.result(index.bytes)
    return msgspec.structs.replace(
        told,
        lines=max(told.lines, index.lines),
        first=told.first if told.first is not None else times.first,
        last=told.last if told.last is not None else times.last,
    )


async def delete(client: Client, index: str) -> bool:
    """Delete a whole index; False when it was gone already."""
    try:
        await client.ask("DELETE", f"/{index}")
    except Refused as refusal:
        if refusal.status == 404:
            return False
        raise
    return True
