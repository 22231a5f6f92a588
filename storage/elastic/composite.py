"""Counts of documents out of Elasticsearch by composite aggregations: exact over any number of shards."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from storage.elastic.client import Client
from storage.elastic.search import PARAMETERS

BUCKETS_AT_ONCE = 10_000  # of one page; `search.max_buckets` allows 65,536
MAX_PAGES = 20  # each looks at all documents again

Key = dict[str, int | str | None]


class Group(msgspec.Struct, frozen=True, gc=False):
    """Documents that have these values of the sources; None: no value."""

    key: Key
    doc_count: int


class _Composite(msgspec.Struct):
    buckets: list[Group] = []
    after_key: Key | None = None


class _Aggregations(msgspec.Struct):
    groups: _Composite = msgspec.field(default_factory=_Composite)


class _Total(msgspec.Struct):
    value: int = 0


class _Hits(msgspec.Struct):
    total: _Total = msgspec.field(default_factory=_Total)


class _Reply(msgspec.Struct):
    hits: _Hits = msgspec.field(default_factory=_Hits)
    aggregations: _Aggregations = msgspec.field(default_factory=_Aggregations)


_reply = msgspec.json.Decoder(_Reply)


class TooManyError(Exception):
    """There are more groups than are read."""


async def total(client: Client, stream: str, query: dict[str, Any]) -> int:
    """How many documents there are. Raises StoreUnavailable, Refused."""
    body = {"size": 0, "track_total_hits": True, "query": query}
    return _reply.decode(await client.ask("POST", f"/{stream}/_search?{PARAMETERS}", body)).hits.total.value


async def groups(
    client: Client, stream: str, query: dict[str, Any], sources: list[dict[str, Any]]
) -> AsyncIterator[list[Group]]:
    """Documents by what the sources say, some thousand groups at a time.

    Raises TooManyError, StoreUnavailable, Refused.
    """
    composite: dict[str, Any] = {"size": BUCKETS_AT_ONCE, "sources": sources}
    aggregations = {"groups": {"composite": composite}}
    body = {"size": 0, "track_total_hits": False, "query": query, "aggs": aggregations}
    for _ in range(MAX_PAGES):
        reply = _reply.decode(await client.ask("POST", f"/{stream}/_search?{PARAMETERS}", body))
        found = reply.aggregations.groups
        yield found.buckets
        if found.after_key is None or len(found.buckets) < BUCKETS_AT_ONCE:
            return
        composite["after"] = found.after_key
    raise TooManyError


def value_source(field: str, missing: bool = True) -> dict[str, Any]:
    """The source that parts documents by a field, `missing`: also those without it."""
    return {"value": {"terms": {"field": field, "missing_bucket": missing}}}


def value_of(group: Group) -> str:
    """The field's value, empty for none."""
    value = group.key["value"]
    return "" if value is None else str(value)
