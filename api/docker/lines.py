"""The stored lines of `docker logs`, page by page, up to a moment; live.py goes on after it.

The moment is an offset, the highest that was stored when the question came. Stored lines are read in the
order of time up to that offset, a live tail is resumed right after it: nothing is missing or double, and
nothing but a page is ever held.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from api.docker.framing import count_entries
from api.errors import InterruptedStreamError
from api.services import Services
from parsers.event import Event, Origin
from storage.query import MAX_LIMIT, Cursor, Order, Page, Query, sort_key
from storage.store import Store

PAGE = MAX_LIMIT  # events a search: the fewer searches, the less is done twice
FIRST_PAGE = 500  # what a terminal shows at once; `| head` reads no more

_BEFORE_ALL, _AFTER_ALL = -(2**63) + 2, 2**63 - 2  # nanoseconds that every store can compare
_LAST = 2**62  # above every sequence


@dataclass(frozen=True)
class Begin:
    """The first line to show, by its place in every sort, and how many of its entries are too old."""

    place: tuple[int, int, str]
    skip: int = 0


Lane = Callable[[Origin], object]  # whose newest entries are counted together
Begins = Mapping[object, Begin]
Slice = tuple[Sequence[Event], int]  # events, and how many entries of the first are not to be shown


async def moment(services: Services, query: Query) -> int:
    """The offset up to which the store has everything. Raises StoreUnavailable."""
    offset = services.tail.stored
    cursor = _first("desc", offset)
    page = await services.store.search(replace(query, order="desc", limit=1, cursor=cursor))
    return offset if page.complete_to is None else min(offset, page.complete_to)


async def stored(
    store: Store, query: Query, ceiling: int, begins: Begins | None, lane: Lane
) -> AsyncIterator[Slice]:
    """Stored events in the order of time; at least one slice.

    Raises StoreUnavailable, and InterruptedStreamError when not everything could be searched.
    """
    cursor = _first("asc", ceiling)
    if begins:
        first = min(begin.place for begin in begins.values())
        cursor = replace(cursor, timestamp=first[0], sequence=first[1])
    query = replace(query, order="asc", cursor=cursor, limit=FIRST_PAGE)
    while True:
        page = await store.search(query)
        if begins is None:
            yield page.events, 0
        else:
            for part in _from_begin(page.events, begins, lane):
                yield part
        if page.next is None:
            _whole(page)
            return
        query = replace(query, cursor=page.next, limit=PAGE)


def _from_begin(events: Sequence[Event], begins: Begins, lane: Lane) -> Iterator[Slice]:
    """What is not older than its lane's begin; a line that is cut there leads a slice of its own."""
    kept: list[Event] = []
    skip = 0
    for event in events:
        begin, place = begins.get(lane(event.origin)), sort_key(event)
        if begin is not None and place < begin.place:
            continue
        if begin is not None and begin.skip and place == begin.place:
            yield kept, skip
            kept, skip = [], begin.skip
        kept.append(event)
    yield kept, skip


async def newest(store: Store, query: Query, ceiling: int, count: int) -> Begin:
    """Where the newest `count` entries begin; since and until do not count, as with Docker."""
    query = replace(query, since=None, until=None, order="desc", limit=max(1, min(count, PAGE)))
    query, total = replace(query, cursor=_first("desc", ceiling)), 0
    while True:
        page = await store.search(query)
        for event in page.events:
            total += count_entries(event)
            if total >= count:
                return Begin(sort_key(event), total - count)
        if page.next is None:
            _whole(page)
            return Begin((_BEFORE_ALL, -1, ""))
        query = replace(query, cursor=page.next)


async def tailed(services: Services, query: Query, count: int) -> tuple[int, list[Event], int]:
    """The newest `count` entries by one search, for a few: what `moment`, `newest` and `stored` tell of them.

    (The offset, the events in the order of time within since and until, how many entries of the first are
    too old.) Raises as `stored`.
    """
    offset, found, total = services.tail.stored, list[Event](), 0
    asked = replace(query, since=None, until=None, order="desc", limit=count, cursor=_first("desc", offset))
    while True:
        page = await services.store.search(asked)
        offset = offset if page.complete_to is None else min(offset, page.complete_to)
        for event in page.events:
            found.append(event)
            total += count_entries(event)
            if total >= count:
                break
        if total >= count or page.next is None:
            if total < count:
                _whole(page)
            return offset, *_within(query, found[::-1], max(0, total - count))
        asked = replace(asked, cursor=page.next)


def _within(query: Query, events: list[Event], skip: int) -> tuple[list[Event], int]:
    since = _BEFORE_ALL if query.since is None else query.since
    until = _AFTER_ALL if query.until is None else query.until
    kept = [event for event in events if since <= event.timestamp <= until]
    return kept, skip if kept and kept[0] is events[0] else 0


def _first(order: Order, ceiling: int) -> Cursor:
    """The place before everything, in a question that sees nothing above the ceiling."""
    if order == "asc":
        return Cursor(_BEFORE_ALL, -1, "", -1, ceiling, order)
    return Cursor(_AFTER_ALL, _LAST, "\U0010ffff", 0, ceiling, order)


def _whole(page: Page) -> None:
    if page.truncated_by is not None:
        raise InterruptedStreamError(f"not everything was searched: {page.truncated_by}")
