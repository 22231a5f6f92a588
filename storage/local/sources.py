"""What a search of the embedded store looks through, judged by its bounds: batches in memory, files."""

from collections.abc import Iterable, Sequence

from parsers.event import Event
from storage.local.catalogue import FileEntry
from storage.local.hot import Batch
from storage.query import Cursor, Query, arrival_key, sort_key

Source = Batch | FileEntry


def relevant(source: Source, query: Query, selected: frozenset[int] | None) -> bool:
    """Whether the source's bounds leave room for an answer."""
    if query.since is not None and source.max_timestamp < query.since:
        return False
    if query.until is not None and source.min_timestamp > query.until:
        return False
    if query.after_offset is not None and source.max_offset <= query.after_offset:
        return False
    if query.cursor is not None and not _reaches(source, query.cursor):
        return False
    return selected is None or not selected.isdisjoint(source.origins)


def _reaches(source: Source, cursor: Cursor) -> bool:
    if cursor.order == "desc":
        return source.min_timestamp <= cursor.timestamp
    if cursor.order == "asc":
        return source.max_timestamp >= cursor.timestamp
    return source.max_offset >= cursor.offset


def bound(source: Source, query: Query) -> int:
    """The best first sort value that anything in the source can have."""
    if query.order == "arrival":
        return source.min_offset
    return source.max_timestamp if query.order == "desc" else source.min_timestamp


def certain(events: Sequence[Event], source: Source, query: Query) -> bool:
    """Whether nothing in `source`, the best of those not looked at, can come before the page's last event."""
    if len(events) <= query.limit:
        return False
    return beats(events[-1], bound(source, query), query)


def beats(event: Event, limit: int, query: Query) -> bool:
    """Whether the event comes before everything that a source of this bound can have."""
    if query.order == "arrival":
        return event.offset < limit
    return event.timestamp > limit if query.order == "desc" else event.timestamp < limit


def in_order(events: Iterable[Event], query: Query) -> list[Event]:
    """The events as the query orders them."""
    key = arrival_key if query.order == "arrival" else sort_key
    return sorted(events, key=key, reverse=query.order == "desc")


def look(sources: Sequence[Source], rows: int) -> int:
    """How many of the sources make one look of about `rows` rows; at least one."""
    total = 0
    for count, source in enumerate(sources, 1):
        total += source.rows
        if total >= rows:
            return count
    return len(sources)
