"""Events without effort, for every test that needs some."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from parsers.event import Container, Event, Origin, make_origin
from storage.query import Query
from storage.store import Checkpoint, Store

JOURNAL = "00aa00aa00aa00aa"
SECOND = 1_000_000_000
TIME = 1_795_500_000_123_456_789  # 2026-11-24, an odd number of nanoseconds
FULL_ID = "0123456789ab" + "c" * 52


def origin(
    name: str | None = "shop-web-1",
    container_id: str | None = FULL_ID,
    *,
    host: str = "node-a",
    service: str | None = "web",
    labels: Mapping[str, str] | None = None,
    **rest: Any,
) -> Origin:
    """An origin of a compose container; whatever else make_origin takes may be given."""
    container = Container(container_id, name, rest.pop("image", "nginx:1.27"))
    source = "label:com.docker.compose.service" if service is not None else None
    return make_origin(container, host, service=service, service_source=source, labels=labels, **rest)


ORIGIN = origin(labels={"com.docker.compose.service": "web"}, tag="docker.web.0123456789ab")


def event(number: int = 0, message: str | None = None, **changes: Any) -> Event:
    """Event number `number`: its place, order and time follow from the number; `changes` are attributes."""
    values: dict[str, Any] = {
        "journal": JOURNAL,
        "position": 4096 + number * 300,
        "index": 0,
        "timestamp": TIME + number * SECOND,
        "observed": TIME + number * SECOND + 5_000_000,
        "sequence": number,
        "offset": number,
        "message": f"line {number}" if message is None else message,
        "origin": ORIGIN,
        "stream": "stdout",
    }
    return Event(**(values | changes))


def events(first: int, count: int, **changes: Any) -> list[Event]:
    """`count` events from number `first` on."""
    return [event(number, **changes) for number in range(first, first + count)]


def after(events: Sequence[Event]) -> Checkpoint:
    """The pipeline's checkpoint once these, its newest, are emitted."""
    last = max(events, key=lambda e: e.offset)
    return Checkpoint(last.position + 1, last.sequence + 1, last.offset + 1)


async def everything(store: Store, query: Query | None = None) -> list[Event]:
    """All pages of a query, one after the other."""
    query, found = query or Query(), list[Event]()
    while True:
        page = await store.search(query)
        found += page.events
        if page.next is None:
            return found
        query = msgspec.structs.replace(query, cursor=page.next)
