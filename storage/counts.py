"""Counts of lines: what `histogram` and `facets` answer, and how every store puts its counts together.

A store counts in its own way, in one pass over a grid: lines by bucket, and lines by bucket and value. What
becomes of that (empty buckets, top values, the rest, what is said about them) is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from parsers.event import Event
from storage.by import NONE, By, values_of
from storage.grid import EMPTY, Grid, grid
from storage.query import Query

TOP_VALUES = 50  # values told apart in one histogram: more than colours tell, fewer than fill a page
OTHERS = "(others)"  # the lines of all other values, and of a value that is called so itself
DEFAULT_FACETS = 20
MAX_FACETS = 1000
MAX_CELLS = 500_000  # pairs of bucket and value kept while counting, some 100 bytes each

MANY_VALUES = (
    "there are more different values than could be kept: some lines are counted without theirs, "
    "so counts of values are too low; ask for a shorter time"
)


class Bucket(msgspec.Struct, frozen=True):
    """Lines with start <= timestamp < start + interval. `by`: lines by value, without those that have none
    of them; a line with several values counts for each."""

    start: int  # nanoseconds since the epoch
    count: int
    by: Mapping[str, int] = {}


class Histogram(msgspec.Struct, frozen=True):
    """Buckets in order, without a hole. Where not `exact`, `notes` say what was counted instead."""

    interval: int  # nanoseconds
    buckets: tuple[Bucket, ...] = ()
    exact: bool = True
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        """Of all buckets."""
        return sum(bucket.count for bucket in self.buckets)


class ValueCount(msgspec.Struct, frozen=True):
    """Lines with a value; NONE is the value of lines without one."""

    value: str
    count: int


class Facets(msgspec.Struct, frozen=True):
    """The values with the most lines first. Where not `exact`, `notes` say what was counted instead."""

    values: tuple[ValueCount, ...] = ()
    exact: bool = True
    notes: tuple[str, ...] = ()


T = TypeVar("T", Histogram, Facets)


class Counts:
    """What was counted so far: lines by bucket of a grid, and by (bucket, value)."""

    def __init__(self, grid: Grid, by: By | None) -> None:
        self.grid, self.by = grid, by
        self.lines: dict[int, int] = {}
        self.cells: dict[tuple[int, str], int] = {}
        self.exact = True
        self.notes: list[str] = []

    def add(self, place: int, values: Iterable[str], count: int = 1) -> None:
        """`count` lines in bucket `place`, each with these values."""
        if not count:
            return
        self.lines[place] = self.lines.get(place, 0) + count
        self.add_values(place, values, count)

    def add_values(self, place: int, values: Iterable[str], count: int) -> None:
        """The values of lines whose bucket is counted already."""
        cells = self.cells
        for value in values:
            key = (place, value)
            if key in cells or len(cells) < MAX_CELLS:
                cells[key] = cells.get(key, 0) + count
            else:
                self.inexact(MANY_VALUES)

    def event(self, event: Event, count: int = 1) -> None:
        """An event inside the grid, which stands for `count` lines."""
        self.add(self.grid.place(event.timestamp), values_of(self.by, event) if self.by else (), count)

    def on(self, grid: Grid) -> Counts:
        """The same counts on a shorter or longer grid of the same interval, which must hold them all."""
        moved = Counts(grid, self.by)
        shift = (self.grid.start - grid.start) // grid.interval
        moved.lines = {place + shift: count for place, count in self.lines.items()}
        moved.cells = {(place + shift, value): count for (place, value), count in self.cells.items()}
        moved.exact, moved.notes = self.exact, self.notes
        return moved

    def inexact(self, note: str) -> None:
        """The counts are not exact, and why."""
        self.exact = False
        self.note(note)

    def note(self, text: str) -> None:
        """Something to be said once."""
        if text not in self.notes:
            self.notes.append(text)


def question(query: Query) -> Query:
    """`query` as a question of how many: without its page, order and place."""
    return Query(
        containers=query.containers,
        services=query.services,
        hosts=query.hosts,
        streams=query.streams,
        levels=query.levels,
        labels=query.labels,
        tag=query.tag,
        text=query.text,
        since=query.since,
        until=query.until,
        container_refs=query.container_refs,
        fingerprint=query.fingerprint,
    )


def span(query: Query, first: int | None, last: int | None) -> tuple[int, int] | None:
    """The time to cover: that asked for, where it is open up to the first or last match; None without any."""
    low = first if query.since is None else query.since
    high = last if query.until is None else query.until
    return None if low is None or high is None or low > high else (low, high)


def grid_of(query: Query, first: int | None, last: int | None, buckets: int) -> Grid:
    """The grid of a histogram, `first` and `last` being the times of the first and last match."""
    covered = span(query, first, last)
    return EMPTY if covered is None else grid(*covered, buckets)


def histogram_of(counts: Counts) -> Histogram:
    """The counts as an answer: every bucket of the grid, top values and the rest of them."""
    totals = _totals(counts.cells)
    kept, rest = _parted(totals, TOP_VALUES)
    by: dict[int, dict[str, int]] = {}
    for (place, value), count in counts.cells.items():
        told = by.setdefault(place, {})
        name = value if value in kept else OTHERS
        told[name] = told.get(name, 0) + count
    buckets = tuple(
        Bucket(counts.grid.begin(place), counts.lines.get(place, 0), _sorted(by.get(place, {})))
        for place in range(counts.grid.count)
    )
    notes = list(counts.notes)
    if rest:
        values = "1 more value is" if len(rest) == 1 else f"{len(rest)} more values are"
        notes.append(f"{values} counted together as {OTHERS}: those of most lines are told apart")
    return Histogram(counts.grid.interval, buckets, counts.exact, tuple(notes))


def facets_of(counts: Counts, limit: int) -> Facets:
    """The counts as an answer: the `limit` values with the most lines."""
    ranked = _ranked(_totals(counts.cells))
    notes, rest = list(counts.notes), ranked[limit:]
    if rest:
        values = "1 more value" if len(rest) == 1 else f"{len(rest)} more values"
        notes.append(f"{values} with fewer lines, {sum(count for _, count in rest)} in all, not listed here")
    return Facets(tuple(ValueCount(*pair) for pair in ranked[:limit]), counts.exact, tuple(notes))


def _totals(cells: Mapping[tuple[int, str], int]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for (_, value), count in cells.items():
        totals[value] = totals.get(value, 0) + count
    return totals


def _ranked(totals: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most lines first; equals by value, so that every store and every call order them alike."""
    return sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))


def _parted(totals: Mapping[str, int], most: int) -> tuple[set[str], Sequence[str]]:
    """(values told apart, the others). Lines without a value are always told apart."""
    ranked = [value for value, _ in _ranked(totals) if value not in (NONE, OTHERS)]
    others = [*ranked[most:], *(value for value in totals if value == OTHERS)]
    return {*ranked[:most], NONE}, others


def _sorted(by: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(by.items(), key=lambda pair: (pair[0] == OTHERS, -pair[1], pair[0])))


def noted(answer: T, notes: Sequence[str]) -> T:
    """The answer with more notes."""
    return msgspec.structs.replace(answer, notes=(*answer.notes, *notes)) if notes else answer
