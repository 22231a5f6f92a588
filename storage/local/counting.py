"""Counting in the embedded store: minute counters where they tell, else SQL over batches and files.

SQL tells lines that match for certain from those that may (text_sql.py); the latter are read and looked at
one by one, as a search does. Everything here runs in a query thread on a snapshot.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import msgspec
import pyarrow as pa
from msgspec.structs import replace

from storage.by import By, origin_value
from storage.counts import Counts, Facets, Histogram, facets_of, histogram_of, span
from storage.expression import select
from storage.grid import EMPTY, EVERYTHING, MINUTE, Grid, grid
from storage.local import columns, parquet_sql, text_sql
from storage.local.catalogue import FileEntry
from storage.local.counters import Scan, countable, split
from storage.local.counting_sql import certain, key_of, minute_place, place_of, possible
from storage.local.hot import Batch
from storage.local.minutes import Minutes
from storage.local.origins import Origins
from storage.local.search import MOST_ROWS, UNREADABLE, Searcher, Snapshot, sources_of, within_range
from storage.local.sources import Source, look, relevant
from storage.query import Query
from storage.store import StoreUnavailable
from storage.times import rfc3339

logger = logging.getLogger("logdock.storage")

COUNT_SECONDS = 20.0  # after this older lines are left out, and the answer says so
READ_ROWS = 500_000  # lines that are looked at one by one: some 5 s
SAMPLE_ROWS = 100_000  # of more of them: a share of 10 % is then told to within 0.2 %


ENDS = 'epoch_ns(min("timestamp")), epoch_ns(max("timestamp"))'


class Counter(msgspec.Struct, frozen=True, eq=False):
    """What all passes over one snapshot have in common. `deadline`: of time.monotonic()."""

    searcher: Searcher
    minutes: Minutes
    origins: Origins
    snapshot: Snapshot
    deadline: float


def counter(searcher: Searcher, minutes: Minutes, origins: Origins, snapshot: Snapshot) -> Counter:
    """A count that begins now."""
    return Counter(searcher, minutes, origins, snapshot, time.monotonic() + COUNT_SECONDS)


class Task(msgspec.Struct, frozen=True, eq=False):
    """What one pass counts: the lines of `query`, on a grid that holds them all."""

    query: Query
    by: By | None
    grid: Grid
    counters: bool = True  # may be used


def histogram(counter: Counter, query: Query, by: By | None, buckets: int) -> Histogram:
    """Lines over time. Raises StoreUnavailable.

    Where the time is open, what is stored at all gives the first grid. When what matches then turns out to
    fit a finer one, it is counted again on that.
    """
    query = within_range(query)
    covered = span(query, *_bounds(counter, query))
    if covered is None:
        return histogram_of(Counts(EMPTY, by))
    task = Task(query, by, grid(*covered, buckets))
    while True:
        done = Pass(counter, task)
        done.run()
        covered = span(query, done.first, done.last)
        if covered is None:
            return histogram_of(done.counts.on(EMPTY))
        finest = grid(*(done.nearest(query) if done.rough else covered), buckets).interval
        if finest == task.grid.interval or done.late:
            return histogram_of(done.counts.on(task.grid.within(*covered)))
        narrow = replace(query, since=covered[0], until=covered[1])
        place = grid(*covered, buckets)
        task = Task(narrow, by, place, counters=place.interval != task.grid.interval)


def facets(counter: Counter, query: Query, by: By, limit: int) -> Facets:
    """The values of most lines. Raises StoreUnavailable."""
    done = Pass(counter, Task(within_range(query), by, EVERYTHING))
    done.run()
    return facets_of(done.counts, limit)


def _bounds(counter: Counter, query: Query) -> tuple[int | None, int | None]:
    """Nothing that matches is earlier or later."""
    sources = _relevant(counter, query)
    first = min((source.min_timestamp for source in sources), default=None)
    last = max((source.max_timestamp for source in sources), default=None)
    if first is None or last is None:
        return None, None
    return _clipped(query, first, last)


def _clipped(query: Query, first: int, last: int) -> tuple[int, int]:
    """What is in the time asked for of that between these two."""
    low = first if query.since is None else max(first, query.since)
    return low, last if query.until is None else min(last, query.until)


def _relevant(counter: Counter, query: Query) -> list[Source]:
    """The sources that may have something, the latest first."""
    sources = sources_of(counter.snapshot, query, counter.origins.matching(query))
    return sorted(sources, key=lambda source: source.max_timestamp, reverse=True)


class Pass:
    """One pass over what is stored.

    `first` and `last` are the times of the first and last match; of those that only minute counters tell, the
    ends of their minutes (`rough`). `late`: the time ran out.
    """

    def __init__(self, counter: Counter, task: Task) -> None:
        self._counter, self._task = counter, task
        self._selected = counter.origins.matching(task.query)
        self._certain = certain(task.query, task.by)
        self._values: dict[int, str] = {}
        self._doubtful: list[tuple[Sequence[Source], Query, int]] = []
        self.counts = Counts(task.grid, task.by)
        self.first: int | None = None
        self.last: int | None = None
        self.rough = self.late = False

    def nearest(self, query: Query) -> tuple[int, int]:
        """The shortest time that the matches of `query` may cover, `first` and `last` being rough."""
        assert self.first is not None and self.last is not None
        low = self.first + MINUTE - 1 if query.since is None else query.since
        high = self.last - MINUTE + 1 if query.until is None else query.until
        return low, max(low, high)

    def run(self) -> None:
        """Raises StoreUnavailable."""
        if self._selected is not None and not self._selected:
            return
        scans = [Scan(_relevant(self._counter, self._task.query), self._task.query)]
        if self._task.counters and countable(self._task.query, self._task.by, self._task.grid):
            found = split(scans[0].sources, self._task.query, self._counter.minutes)
            for rows, condition in found.counters:
                self._add_counters(rows, condition)
            scans = found.scans
        for scan in scans:
            self._scan(scan)
        self._look_at_doubtful()

    def _add_counters(self, rows: Sequence[pa.RecordBatch], minutes: parquet_sql.SQL) -> None:
        """Lines that the catalogue has counted."""
        place, key = minute_place(self._task.grid), key_of(self._task.by)
        what = f"{place} AS place, {key} AS key, sum(lines), min(minute), max(minute)"
        filters = parquet_sql.where(Query(levels=self._task.query.levels), self._selected, "", None)
        condition = parquet_sql.join([minutes, filters])
        for chunk in self._counter.searcher.select_from(what, rows, condition, "GROUP BY place, key"):
            for number, value, lines, low, high in chunk:
                self.counts.add(number, self._named(value), int(lines))
                self._reach(*_clipped(self._task.query, low * MINUTE, high * MINUTE + MINUTE - 1))
                self.rough = True

    def _scan(self, scan: Scan) -> None:
        """Lines of batches and files, the latest first, some of each kind at once."""
        sources = [source for source in scan.sources if relevant(source, scan.query, self._selected)]
        place = 0
        while place < len(sources):
            if time.monotonic() > self._counter.deadline:
                self._too_late(sources[place].max_timestamp)
                return
            end = place + look(sources[place:], MOST_ROWS)
            for kind in (Batch, FileEntry):
                if group := [source for source in sources[place:end] if isinstance(source, kind)]:
                    self._readably(group, partial(self._count, scan.query))
            place = end

    def _readably(self, group: Sequence[Source], work: Callable[[Sequence[Source]], None]) -> None:
        """Do the work with all sources of the group that can be read. With several it may not do a part."""
        try:
            work(group)
        except UNREADABLE as error:
            if len(group) > 1:  # one by one: a damaged or missing file must not hide its neighbours
                for source in group:
                    self._readably([source], work)
            elif isinstance(group[0], Batch):
                raise StoreUnavailable(f"cannot count: {error}") from error
            else:
                logger.error("cannot read %s: %s", group[0].name, error)
                self.counts.inexact(
                    f"the sealed file {group[0].name} cannot be read: its lines are missing here"
                )

    def _count(self, query: Query, group: Sequence[Source]) -> None:
        """Add what is certain, note what is not."""
        sure, values = self._certain
        condition = self._where(query)
        place, key = place_of(self._task.grid), key_of(self._task.by)
        what = f"{sure} AS certain, {place} AS place, {key} AS key, count(*), {ENDS}"
        both = condition[0], [*values, *condition[1]]
        rows = self._counter.searcher.select(what, group, both, "GROUP BY certain, place, key")
        found = [row for chunk in rows for row in chunk]  # all of it, before any is added
        for matches, number, key, lines, low, high in found:
            if matches:
                self.counts.add(number, self._named(key), lines)
                self._reach(low, high)
        if doubtful := sum(row[3] for row in found if not row[0]):
            self._doubtful.append((group, query, doubtful))

    def _look_at_doubtful(self) -> None:
        """Read lines and see: all of them, or when they are too many, a sample."""
        total = sum(rows for _, _, rows in self._doubtful)
        share = 1 if total <= READ_ROWS else -(-total // SAMPLE_ROWS)
        if share > 1:
            self.counts.inexact(
                f"estimates: of {total} lines that have to be looked at one by one, one in {share} was"
            )
        for group, query, _ in self._doubtful:
            parts = [group] if isinstance(group[0], Batch) else [[file] for file in group]
            for part in parts:
                self._readably(part, partial(self._look_at, query, share))

    def _look_at(self, query: Query, share: int, group: Sequence[Source]) -> None:
        sure, values = text_sql.negated(self._certain)
        parts = [self._where(query), (sure, values)]
        if share > 1:
            parts.append((f'hash(journal, position, "index") % {share} = 0', []))
        for rows in self._counter.searcher.select(parquet_sql.COLUMNS, group, parquet_sql.join(parts)):
            if time.monotonic() > self._counter.deadline:
                self._too_late(max(source.max_timestamp for source in group))
                return
            events = [columns.event(row, self._counter.origins.known) for row in rows]
            if query.text is not None:
                events = select(query.text, events)
            for event in events:
                self.counts.event(event, share)
                self._reach(event.timestamp, event.timestamp)

    def _where(self, query: Query) -> parquet_sql.SQL:
        journal = self._counter.snapshot.journal
        filters = parquet_sql.where(replace(query, text=None), self._selected, journal, None)
        return parquet_sql.join([filters, possible(query)])

    def _named(self, key: int | str) -> Iterable[str]:
        """The values that a group has: `key` is one, or the number of an origin."""
        by = self._task.by
        if by is None:
            return ()
        if isinstance(key, str):
            return (key,)
        if key not in self._values:
            self._values[key] = origin_value(by, self._counter.origins.known[key])
        return (self._values[key],)

    def _reach(self, low: int, high: int) -> None:
        self.first = low if self.first is None else min(self.first, low)
        self.last = high if self.last is None else max(self.last, high)

    def _too_late(self, moment: int) -> None:
        self.late = True
        self.counts.inexact(
            f"not everything was counted in {COUNT_SECONDS:.0f} s: lines up to {rfc3339(moment)} are missing,"
            " in whole or in part; ask for a shorter time"
        )
