"""Documents out of one backing index, by id: found page by page, deleted body by body, counted exactly."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, TypeVar

import msgspec
import orjson

from storage.elastic import hits as elastic_hits
from storage.elastic.client import Client, Refused
from storage.store import StoreUnavailable

log = logging.getLogger("logdock.storage")

IDS_AT_ONCE = 5_000  # of one bulk body: half a megabyte
KEEP_ALIVE = "5m"  # of a point in time between two pages: a bulk that is tried again takes its time
ATTEMPTS = 8  # at one body, in about 25 s; then it is given up
FIRST_PAUSE, LAST_PAUSE = 0.1, 10.0  # seconds between them, doubling

_VERDICTS = "filter_path=errors,items.*.status,items.*.error"


class Fields(msgspec.Struct):
    """What a hit says beside its id."""

    origin: list[str] = msgspec.field(name="logdock.origin", default_factory=list)


class Hit(elastic_hits.Hit):
    """One document to delete, and whose line it is."""

    fields: Fields = msgspec.field(default_factory=Fields)


H = TypeVar("H", bound=elastic_hits.Hit)


class _Hits(msgspec.Struct):
    hits: list[Hit]


class _Found(msgspec.Struct):
    hits: _Hits
    pit_id: str = ""
    timed_out: bool = False


class _Verdict(msgspec.Struct):
    status: int
    error: dict[str, Any] | None = None


class _Item(msgspec.Struct):
    delete: _Verdict


class _Reply(msgspec.Struct):
    items: list[_Item]


class _Opened(msgspec.Struct):
    id: str


async def pages(client: Client, index: str, query: dict[str, Any]) -> AsyncGenerator[list[Hit], None]:
    """The documents that match, as they were when this began. Raises StoreUnavailable, Refused."""
    reply = await client.ask("POST", f"/{index}/_pit?keep_alive={KEEP_ALIVE}")
    pit = msgspec.json.decode(reply, type=_Opened).id
    body: dict[str, Any] = {
        "size": IDS_AT_ONCE,
        "query": query,
        "sort": ["_shard_doc"],
        "_source": False,
        "docvalue_fields": ["logdock.origin"],
        "track_total_hits": False,
    }
    try:
        while True:
            body["pit"] = {"id": pit, "keep_alive": KEEP_ALIVE}
            found = await _page(client, body)
            if not found.hits.hits:
                return
            yield found.hits.hits
            pit = found.pit_id or pit
            body["search_after"] = found.hits.hits[-1].sort
    finally:
        await _close(client, pit)


async def _page(client: Client, body: dict[str, Any]) -> _Found:
    reply = await client.ask("POST", "/_search?allow_partial_search_results=false", body)
    found = msgspec.json.decode(reply, type=_Found)
    if found.timed_out:
        raise StoreUnavailable("Elasticsearch gave up on this search")
    return found


async def _close(client: Client, pit: str) -> None:
    try:
        await client.ask("DELETE", "/_pit", {"id": pit})
    except (StoreUnavailable, Refused) as error:
        log.info("a point in time was not closed, it ends by itself: %s", error)


async def delete(client: Client, hits: Sequence[H], count: Callable[[Sequence[H]], None]) -> None:
    """Delete documents; `count` is told of those that this has deleted, not of what somebody else has before.

    Raises StoreUnavailable, Refused; what went before that was told to `count`.
    """
    pause, arrived = FIRST_PAUSE, False
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_PAUSE)
        try:
            reply = await client.bulk(f"/_bulk?{_VERDICTS}", _body(hits))
        except StoreUnavailable as error:
            why, arrived = str(error), True  # perhaps: what is missing next time was deleted by us
            continue
        deleted, hits, why = verdicts(reply, hits, arrived)
        count(deleted)
        if not hits:
            return
    raise StoreUnavailable(f"Elasticsearch does not delete: {why}")


def _body(hits: Sequence[elastic_hits.Hit]) -> bytes:
    return b"".join(orjson.dumps({"delete": {"_index": h.index, "_id": h.id}}) + b"\n" for h in hits)


def verdicts(reply: bytes, hits: Sequence[H], arrived: bool) -> tuple[list[H], list[H], str]:
    """(deleted, to try again, why) of a bulk reply. `arrived`: the same body may have been through before.

    Raises StoreUnavailable when it is no such reply.
    """
    items = msgspec.json.decode(reply, type=_Reply).items
    if len(items) != len(hits):
        raise StoreUnavailable(f"a bulk reply with {len(items)} verdicts for {len(hits)} lines")
    deleted: list[H] = []
    again: list[H] = []
    why = ""
    for hit, item in zip(hits, items, strict=True):
        status = item.delete.status
        if status == 200 or (status == 404 and arrived):
            deleted.append(hit)
        elif status != 404:
            again.append(hit)
            why = f"{status} {(item.delete.error or {}).get('reason')}"
    return deleted, again, why
