"""The reference store: a list in memory, asked by `matching` and a sort. For tests and for trying things out.

What this store answers is what the others have to answer; the contract suite compares them with it.
"""

from collections.abc import Sequence

from parsers.event import Container, Event, parse_id
from storage import local_lists
from storage.catalogue import OriginCount
from storage.metrics import Metrics
from storage.query import Cursor, Page, Query, arrival_key, matching, sort_key
from storage.store import Checkpoint, ContainerSummary, NameSummary

MAX_EVENTS = 1_000_000  # about 1 GB of ordinary lines; the oldest go, counted, because nothing else bounds it

Key = tuple[str, int, int]


class MemoryStore:
    """The Store without a disk. It is durable for as long as the object lives: `start` again goes on."""

    name = "memory"

    def __init__(self, metrics: Metrics | None = None, max_events: int = MAX_EVENTS) -> None:
        self._metrics = metrics or Metrics()
        self._max_events = max_events
        self._events: dict[Key, Event] = {}  # in the order of arrival
        self._checkpoint: Checkpoint | None = None
        self._journal = ""  # whose lines arrive now
        self._ceiling = -1  # the highest offset appended

    async def start(self) -> Checkpoint | None:
        """See Store.start."""
        return self._checkpoint

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """See Store.append."""
        for event in events:
            self._events.setdefault((event.journal, event.position, event.index), event)
        if events:
            self._journal = events[-1].journal
            self._ceiling = max(self._ceiling, max(event.offset for event in events))
        self._checkpoint = checkpoint
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        excess = len(self._events) - self._max_events
        if excess <= 0:
            return
        for key in list(self._events)[:excess]:
            del self._events[key]
        self._metrics.dropped.labels("memory_store_full").inc(excess)

    def safe(self) -> Checkpoint | None:
        """See Store.safe."""
        return self._checkpoint

    async def flush(self) -> None:
        """See Store.flush: nothing is ever behind."""

    async def search(self, query: Query) -> Page:
        """See Store.search."""
        ceiling = query.cursor.ceiling if query.cursor else self._ceiling
        events = matching(query, self._below(ceiling))
        if query.order == "arrival":
            events.sort(key=arrival_key)
        else:
            events.sort(key=sort_key, reverse=query.order == "desc")
        if len(events) <= query.limit:
            return Page(events)
        last = events[query.limit - 1]
        place = Cursor(last.timestamp, last.sequence, last.id, last.offset, ceiling, query.order)
        return Page(events[: query.limit], place)

    def _below(self, ceiling: int) -> list[Event]:
        """What a page may see: other journals do not grow, ours ends at the ceiling."""
        return [e for e in self._events.values() if e.offset <= ceiling or e.journal != self._journal]

    async def get(self, event_id: str) -> Event | None:
        """See Store.get."""
        key = parse_id(event_id)
        return self._events.get(key) if key else None

    def _seen(self, query: Query) -> local_lists.Seen:
        counts: dict[str, OriginCount] = {}
        origins = {event.origin.key: event.origin for event in matching(_origins_only(query), list(self._events.values()))}
        raise NotImplementedError
