"""The reference store: a list in memory, asked by `matching` and a sort. For tests and for trying things out.

What this store answers is what the others have to answer; the contract suite compares them with it.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from parsers.event import Container, Event, Origin, parse_id
from storage.by import By
from storage.counts import (
    Counts,
    Facets,
    Histogram,
    facets_of,
    grid_of,
    histogram_of,
    noted,
    question,
)
from storage.grid import EVERYTHING, Grid
from storage.lists import MAX_FOUND, container_summary, identity, refers
from storage.metrics import Metrics
from storage.prune import Pruned, PruneResult, Selection, selects
from storage.prune_counts import Tally
from storage.pruned import PrunedLog, pruned
from storage.pruned_notes import notes, with_notes
from storage.query import Page, Query, arrival_key, cursor_after, matches_origin, matching, sort_key
from storage.store import Checkpoint, ContainerSummary, Lag, NameSummary, Rejection

MAX_EVENTS = 1_000_000  # about 1 GB of ordinary lines; the oldest go, counted, because nothing else bounds it

Key = tuple[str, int, int]
T = TypeVar("T")


class MemoryStore:
    """The Store without a disk. It is durable for as long as the object lives: `start` again goes on."""

    name = "memory"

    def __init__(
        self,
        metrics: Metrics | None = None,
        max_events: int = MAX_EVENTS,
        removed: PrunedLog | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._removed = removed or PrunedLog(metrics=self._metrics)
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

    async def put_back(self, events: Sequence[Event]) -> Sequence[Rejection]:
        """See Store.put_back: a list takes everything."""
        for event in events:
            self._events.setdefault((event.journal, event.position, event.index), event)
            self._ceiling = max(self._ceiling, event.offset)
        self._forget_oldest()
        return []

    def _forget_oldest(self) -> None:
        excess = len(self._events) - self._max_events
        if excess <= 0:
            return
        for key in list(self._events)[:excess]:
            del self._events[key]
        self._metrics.dropped.labels("memory_store_full").inc(excess)

    def lag(self) -> Lag:
        """See Store.lag."""
        return Lag()

    def safe(self) -> Checkpoint | None:
        """See Store.safe."""
        return self._checkpoint

    async def flush(self) -> None:
        """See Store.flush: nothing is ever behind."""

    async def search(self, query: Query) -> Page:
        """See Store.search."""
        ceiling = query.cursor.ceiling if query.cursor else self._ceiling
        events = matching(query, self._visible(query, ceiling))
        if query.order == "arrival":
            events.sort(key=arrival_key)
        else:
            events.sort(key=sort_key, reverse=query.order == "desc")
        page = Page(events)
        if len(events) > query.limit:
            page = Page(events[: query.limit], cursor_after(events[query.limit - 1], query, ceiling))
        return with_notes(page, query, self.pruned())

    def _visible(self, query: Query, ceiling: int) -> list[Event]:
        """What a page may see: other journals do not grow, ours ends at the ceiling."""
        ours = [e for e in self._events.values() if e.journal == self._journal and e.offset <= ceiling]
        if query.after_offset is not None:
            return ours
        return ours + [e for e in self._events.values() if e.journal != self._journal]

    async def histogram(self, query: Query, by: By | None, buckets: int) -> Histogram:
        """See Store.histogram."""
        asked = question(query)
        events = matching(asked, list(self._events.values()))
        times = [event.timestamp for event in events]
        place = grid_of(asked, min(times, default=None), max(times, default=None), buckets)
        answer = histogram_of(_counted(events, by, place))
        return noted(answer, notes(asked, None, self.pruned()))

    async def facets(self, query: Query, by: By, limit: int) -> Facets:
        """See Store.facets."""
        asked = question(query)
        events = matching(asked, list(self._events.values()))
        answer = facets_of(_counted(events, by, EVERYTHING), limit)
        return noted(answer, notes(asked, None, self.pruned()))

    async def get(self, event_id: str) -> Event | None:
        """See Store.get."""
        key = parse_id(event_id)
        return self._events.get(key) if key else None

    async def find_containers(self, ref: str) -> list[Container]:
        """See Store.find_containers."""
        newest = sorted(self._events.values(), key=sort_key, reverse=True)
        found: dict[str | None, Container] = {}
        for container in (event.origin.container for event in newest):
            if refers(container, ref):
                found.setdefault(container.id or container.name, container)
        exact = [c for c in found.values() if ref in (c.id, c.name)]
        return (exact + [c for c in found.values() if c not in exact])[:MAX_FOUND]

    async def containers(self, query: Query) -> list[ContainerSummary]:
        """See Store.containers. What a container's lines tell differently is told as it was last known."""
        groups = self._groups(query, lambda origin: [identity(origin)] if identity(origin) else [])
        summaries = [_container_summary(events) for events in groups.values()]
        return sorted(summaries, key=lambda summary: summary.last_seen, reverse=True)

    async def services(self, query: Query) -> list[NameSummary]:
        """See Store.services."""
        return self._names(query, lambda origin: [origin.service] if origin.service is not None else [])

    async def labels(self, query: Query) -> list[NameSummary]:
        """See Store.labels."""
        return self._names(query, lambda origin: list(origin.labels))

    async def label_values(self, key: str, query: Query) -> list[NameSummary]:
        """See Store.label_values."""
        return self._names(query, lambda origin: [origin.labels[key]] if key in origin.labels else [])

    async def prune(self, selection: Selection, dry_run: bool) -> PruneResult:
        """See Store.prune."""
        going = {key: event for key, event in self._events.items() if selects(selection, event)}
        tally = Tally()
        for event in going.values():
            tally.add(event.origin, 1, event.timestamp, event.timestamp)
        result = tally.result()
        if going and not dry_run:
            self._events = {key: event for key, event in self._events.items() if key not in going}
            self._removed.add(pruned(uuid.uuid4().hex, time.time_ns(), "prune", result, selection.text))
        return result

    def pruned(self) -> list[Pruned]:
        """See Store.pruned."""
        return self._removed.records()

    async def close(self) -> None:
        """See Store.close."""

    def _groups(self, query: Query, names: Callable[[Origin], Iterable[T]]) -> dict[T, list[Event]]:
        groups: dict[T, list[Event]] = {}
        for event in self._events.values():
            if matches_origin(query, event.origin):
                for name in names(event.origin):
                    groups.setdefault(name, []).append(event)
        return groups

    def _names(self, query: Query, names: Callable[[Origin], Iterable[str]]) -> list[NameSummary]:
        groups = self._groups(query, names)
        return [
            NameSummary(name, *_span(events), _containers(events)) for name, events in sorted(groups.items())
        ]


def _counted(events: Sequence[Event], by: By | None, grid: Grid) -> Counts:
    counts = Counts(grid, by)
    for event in events:
        counts.event(event)
    return counts


def _container_summary(events: list[Event]) -> ContainerSummary:
    newest: dict[str, Event] = {}
    for event in events:
        known = newest.setdefault(event.origin.key, event)
        if sort_key(event) > sort_key(known):
            newest[event.origin.key] = event
    latest_first = sorted(newest.values(), key=sort_key, reverse=True)
    return container_summary([event.origin for event in latest_first], *_span(events))


def _span(events: list[Event]) -> tuple[int, int, int]:
    """Lines, first and last time."""
    times = [event.timestamp for event in events]
    return len(times), min(times), max(times)


def _containers(events: list[Event]) -> int:
    return len({identity(event.origin) for event in events} - {None})
