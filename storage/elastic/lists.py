"""Containers, services and labels out of Elasticsearch: it counts lines per origin, the rest is done here.

What an origin is (its labels, its service) is read once per origin and remembered; so the filters and the
lists are exactly those of the other stores.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from parsers.event import Origin
from storage.elastic import dsl as elastic_dsl
from storage.elastic.client import Client
from storage.elastic.docs import LAST_TIME
from storage.elastic.hits import Hit, Reader
from storage.elastic.search import PARAMETERS, hits
from storage.lists import OriginCount, Seen
from storage.query import Query, matches_origin

ORIGINS_AT_ONCE = 1000  # buckets of one request; `search.max_buckets` allows 65,536

_TIME = ("@timestamp", "logdock.timestamp")


class _Key(msgspec.Struct):
    origin: str


class _Sorted(msgspec.Struct):
    sort: list[int]


class _SortedHits(msgspec.Struct):
    hits: list[_Sorted]


class _Top(msgspec.Struct):
    hits: _SortedHits


class _Bucket(msgspec.Struct):
    key: _Key
    doc_count: int
    first: _Top | None = None
    last: _Top | None = None


class _Origins(msgspec.Struct):
    buckets: list[_Bucket] = []
    after_key: _Key | None = None


class _Aggregations(msgspec.Struct):
    origins: _Origins = msgspec.field(default_factory=_Origins)


class _Counted(msgspec.Struct):
    aggregations: _Aggregations = msgspec.field(default_factory=_Aggregations)


_counted = msgspec.json.Decoder(_Counted)


async def seen(client: Client, stream: str, reader: Reader, query: Query) -> Seen:
    """Lines per origin that `query`'s origin filters let through, the one seen last first.

    Raises StoreUnavailable, Refused.
    """
    counted = await _counts(client, stream, reader, elastic_dsl.origin_filters(query), ends=True)
    found = [pair for pair in counted if matches_origin(query, pair[0])]
    return sorted(found, key=lambda pair: pair[1].last, reverse=True)


async def referred(client: Client, stream: str, reader: Reader, ref: str) -> Seen:
    """The same for the origins whose container `ref` may mean, among others.

    It is asked in front of every question about a container, and nearly always means one: then when it
    was seen last does not matter, which is by far the dearest part. Times and counts are only for sorting.
    """
    conditions = elastic_dsl.reference(ref)
    found = await _counts(client, stream, reader, conditions, ends=False)
    if len({(origin.container.id, origin.container.name) for origin, _ in found}) <= 1:
        return found
    found = await _counts(client, stream, reader, conditions, ends=True)
    return sorted(found, key=lambda pair: pair[1].last, reverse=True)


async def _counts(
    client: Client, stream: str, reader: Reader, conditions: list[dict[str, Any]], ends: bool
) -> Seen:
    return list((await by_digest(client, stream, reader, conditions, ends)).values())


async def by_digest(
    client: Client, stream: str, reader: Reader, conditions: list[dict[str, Any]], ends: bool = True
) -> dict[str, tuple[Origin, OriginCount]]:
    """Lines that meet the conditions by `logdock.origin`; their ends in time only when they are asked for.

    Raises StoreUnavailable, Refused.
    """
    found: dict[str, tuple[Origin, OriginCount]] = {}
    after: _Key | None = None
    while True:
        body = _body(conditions, after, ends)
        reply = await client.ask("POST", f"/{stream}/_search?{PARAMETERS}", body)
        page = _counted.decode(reply).aggregations.origins
        read = await origins(client, stream, reader, [bucket.key.origin for bucket in page.buckets])
        for bucket in page.buckets:
            if (origin := read.get(bucket.key.origin)) is not None:
                found[bucket.key.origin] = origin, _count(bucket, len(found))
        after = page.after_key
        if after is None:
            return found


def _body(conditions: list[dict[str, Any]], after: _Key | None, ends: bool) -> dict[str, Any]:
    origin = {"origin": {"terms": {"field": "logdock.origin"}}}
    composite: dict[str, Any] = {"size": ORIGINS_AT_ONCE, "sources": [origin]}
    if after is not None:
        composite["after"] = {"origin": after.origin}
    return {
        "size": 0,
        "track_total_hits": False,
        "query": elastic_dsl.both(conditions),
        "aggs": {
            "origins": {
                "composite": composite,
                "aggs": {"first": _end("asc"), "last": _end("desc")} if ends else {},
            }
        },
    }


def _end(order: str) -> dict[str, Any]:
    """The first or last time of a bucket, from its sort value: `min` and `max` reckon in floating point,
    which rounds nanoseconds of today to 256."""
    by = [{_TIME[0]: {"order": order}}, {_TIME[1]: {"order": order, "missing": 0, "unmapped_type": "long"}}]
    return {"top_hits": {"size": 1, "sort": by, "_source": False, "stored_fields": "_none_"}}


def _count(bucket: _Bucket, number: int) -> OriginCount:
    if bucket.first is None or bucket.last is None:
        return OriginCount(number, bucket.doc_count, 0, 0)
    first, last = (_time(top.hits.hits[0].sort) for top in (bucket.first, bucket.last))
    return OriginCount(number, bucket.doc_count, first, last)


def _time(values: list[int]) -> int:
    return values[0] if 0 < values[0] < LAST_TIME else values[1]


async def origins(client: Client, stream: str, reader: Reader, digests: Sequence[str]) -> dict[str, Origin]:
    """Origins by digest, those not remembered read from one document each.

    Raises StoreUnavailable, Refused.
    """
    known = {digest: reader.origins[digest] for digest in digests if digest in reader.origins}
    missing = [digest for digest in digests if digest not in known]
    if missing:
        read = await hits(client, stream, _one_each(missing))
        known.update(_read(reader, read))
    return known


def _one_each(digests: list[str]) -> dict[str, Any]:
    return {
        "size": len(digests),
        "query": {"terms": {"logdock.origin": digests}},
        "collapse": {"field": "logdock.origin"},
        "track_total_hits": False,
    }


def _read(reader: Reader, read: list[Hit]) -> dict[str, Origin]:
    return {name: origin for name, origin in map(reader.origin, read) if origin is not None}
