"""Search in the embedded store: which sources can matter, newest first, and stop when the page is certain.

A source is a batch in memory or a sealed file; both say the bounds of what they hold. Everything here runs
in a query thread on a snapshot and touches nothing that the event loop changes.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from parsers.event import Event, Origin
from storage.expression import Expression, select
from storage.local import columns, parquet_sql
from storage.local.catalogue import FileEntry
from storage.local.hot import Batch, Key
from storage.local.narrowing import Part, condition, narrowed
from storage.local.origins import Origins
from storage.local.sources import Source, beats, bound, certain, in_order, look, relevant
from storage.query import Cursor, Page, Query, cursor_after
from storage.store import StoreUnavailable

logger = logging.getLogger("logdock.storage")

MEMORY_LIMIT = "512MB"  # a ceiling, not a reservation: a full page of 10,000 long lines sorts well below it
FIRST_ROWS = 16_384  # the first look: the newest hundred of anything busy are among so many
GROWTH = 4  # each further look is this much wider, so that a rare word costs few statements
MOST_ROWS = 1_000_000  # of one look: about 0.2 s, sorted whole 250 MB
SCAN_SECONDS = 20.0  # after this a page is cut where it is certain, and says so
FETCH_ROWS = 10_000  # rows made into Python objects at once: bounds the memory of a query that sifts

UNREADABLE = (duckdb.IOException, duckdb.InvalidInputException)  # a file that is damaged or gone

_MOST = 2**63 - 2  # the ends of a TIMESTAMP_NS, which keeps the outermost values for infinity
_LAST_SEQUENCE = 2**62  # above every sequence
_LAST_ID = "\U0010ffff"  # above every id

Row = tuple[Any, ...]


class Snapshot(msgspec.Struct, frozen=True, eq=False):
    """Everything that is stored, at one moment."""

    batches: list[Batch]
    files: list[FileEntry]
    journals: frozenset[str]
    journal: str  # our own, the one that grows
    ceiling: int  # the highest offset


class Found(msgspec.Struct):
    """Up to limit + 1 events in order; `resume` when the time ran out before the page was certain."""

    events: list[Event]
    resume: Cursor | None = None
    unreadable: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, eq=False):
    """One page's question: the condition is made once and asked of every source."""

    query: Query
    condition: parquet_sql.SQL
    order: str
    ceiling: int


class Searcher:
    """DuckDB over batches and files. `origins` is the store's live table, by number."""

    def __init__(self, folder: Path, origins: dict[int, Origin], threads: int) -> None:
        self._folder = folder
        self._origins = origins
        self._stopped = False
        self._duck = duckdb.connect()
        self._duck.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        self._duck.execute(f"SET threads = {threads}")
        self._duck.execute("SET parquet_metadata_cache = true")  # sealed files never change
        spill = str(folder.parent / "spill").replace("'", "''")
        self._duck.execute(f"SET temp_directory = '{spill}'")  # for sorts beyond the limit

    def stop(self) -> None:
        """Running searches end at their next look."""
        self._stopped = True

    def close(self) -> None:
        """Release DuckDB. No search may be running."""
        self._duck.close()

    def search(self, snapshot: Snapshot, plan: Plan, selected: frozenset[int] | None) -> Found:
        """The first limit + 1 events of the page, exactly. Raises StoreUnavailable."""
        query, found = plan.query, Found([])
        sources = sources_of(snapshot, query, selected)
        sources.sort(key=lambda s: bound(s, query), reverse=query.order == "desc")
        deadline, rows, place = time.monotonic() + SCAN_SECONDS, FIRST_ROWS, 0
        while place < len(sources) and not certain(found.events, sources[place], query):
            self._stop_when_closing()
            if place and time.monotonic() > deadline:
                cut(found, sources[place], plan)
                break
            end = place + look(sources[place:], rows)
            self._look_at(sources[place:end], plan, found)
            place, rows = end, min(rows * GROWTH, MOST_ROWS)
        return found

    def get(self, sources: Sequence[Source], key: Key) -> Event | None:
        """The event with this journal, position and index."""
        condition = ('position = ? AND "index" = ? AND journal = ?', [key[1], key[2], key[0]])
        for source in sources:
            for row in self._rows([source], condition, "LIMIT 1"):
                return columns.event(row, self._origins)
        return None

    def stored(self, files: Sequence[FileEntry], keys: set[Key]) -> set[Key]:
        """Which of `keys` are in the files."""
        positions = ", ".join(str(position) for position in sorted({key[1] for key in keys}))
        sql = f'SELECT journal, position, "index" FROM {self._parquet(files)} WHERE position IN ({positions})'
        return keys & {row for rows in self._chunks(sql, [], []) for row in rows}

    def select(
        self, what: str, group: Sequence[Source], condition: parquet_sql.SQL, tail: str = ""
    ) -> Iterator[list[Row]]:
        """Rows of sources that are all batches or all files, some thousands at a time.

        Raises StoreUnavailable, and what UNREADABLE names when a file cannot be read.
        """
        where, values = condition
        memory = [source.data for source in group if isinstance(source, Batch)]
        source = "hot" if memory else self._parquet([s for s in group if isinstance(s, FileEntry)])
        yield from self._chunks(f"SELECT {what} FROM {source} WHERE {where} {tail}", values, memory)

    def select_from(
        self, what: str, rows: Sequence[pa.RecordBatch], condition: parquet_sql.SQL, tail: str
    ) -> Iterator[list[Row]]:
        """The same of any rows in memory."""
        where, values = condition
        yield from self._chunks(f"SELECT {what} FROM hot WHERE {where} {tail}", values, list(rows))

    def _look_at(self, sources: Sequence[Source], plan: Plan, found: Found) -> None:
        """Merge what these sources have into the page."""
        memory = [source for source in sources if isinstance(source, Batch)]
        files = [source for source in sources if isinstance(source, FileEntry)]
        for group in (memory, files):
            if group:
                found.events += self._matching(group, plan, found)
        found.events = in_order(found.events, plan.query)[: plan.query.limit + 1]

    def _matching(self, group: Sequence[Source], plan: Plan, found: Found) -> list[Event]:
        try:
            return self._verified(group, plan)
        except UNREADABLE as error:
            if len(group) > 1:  # one by one: a damaged or missing file must not hide its neighbours
                return [event for source in group for event in self._matching([source], plan, found)]
            if isinstance(group[0], Batch):
                raise StoreUnavailable(f"cannot search: {error}") from error
            logger.error("cannot read %s: %s", self._folder / group[0].name, error)
            found.unreadable += (group[0].name,)
            return []

    def _verified(self, group: Sequence[Source], plan: Plan) -> list[Event]:
        """The best limit + 1 events that match: candidates that Python agrees with."""
        query, wanted = plan.query, plan.query.limit + 1
        late = query.text is None and len(group) == 1 and isinstance(group[0], FileEntry)
        rows = self._rows(group, plan.condition, f"ORDER BY {plan.order} LIMIT {wanted}", late)
        events = [columns.event(row, self._origins) for row in rows]
        if query.text is None:
            return events
        matching = select(query.text, events)
        if len(matching) == len(events) or len(events) < wanted:
            return matching
        return self._sifted(group, plan, query.text)

    def _sifted(self, group: Sequence[Source], plan: Plan, text: Expression) -> list[Event]:
        matching: list[Event] = []
        for rows in self._chunks(*self._statement(group, plan.condition, f"ORDER BY {plan.order}")):
            matching += select(text, [columns.event(row, self._origins) for row in rows])
            if len(matching) > plan.query.limit:
                break
        return matching

    def _rows(
        self, group: Sequence[Source], condition: parquet_sql.SQL, tail: str, late: bool = False
    ) -> list[Row]:
        chunks = self._chunks(*self._statement(group, condition, tail, late))
        return [row for rows in chunks for row in rows]

    def _statement(
        self, group: Sequence[Source], condition: parquet_sql.SQL, tail: str, late: bool = False
    ) -> tuple[str, list[Any], list[pa.RecordBatch]]:
        where, values = condition
        memory = [source.data for source in group if isinstance(source, Batch)]
        source = "hot" if memory else self._parquet([s for s in group if isinstance(s, FileEntry)])
        if not late:
            return f"SELECT {parquet_sql.COLUMNS} FROM {source} WHERE {where} {tail}", values, memory
        # Keys first, then the wide columns of the winners only: half the time on a whole file
        winners = f"SELECT file_row_number AS number FROM {source} WHERE {where} {tail}"
        fetch = f"FROM {source} WHERE file_row_number IN (SELECT number FROM winners)"
        return (
            f"WITH winners AS MATERIALIZED ({winners}) SELECT {parquet_sql.COLUMNS} {fetch}",
            values,
            memory,
        )

    def _chunks(self, sql: str, values: list[Any], memory: list[pa.RecordBatch]) -> Iterator[list[Row]]:
        try:
            with self._duck.cursor() as cursor:
                if memory:
                    cursor.register("hot", pa.Table.from_batches(memory))
                cursor.execute(sql, values)
                while rows := cursor.fetchmany(FETCH_ROWS):
                    self._stop_when_closing()
                    yield rows
        except (duckdb.OutOfMemoryException, duckdb.InterruptException, duckdb.ConnectionException) as error:
            raise StoreUnavailable(f"cannot search now: {error}") from error

    def _stop_when_closing(self) -> None:
        if self._stopped:
            raise StoreUnavailable("the local store is closing")

    def _parquet(self, files: Sequence[FileEntry]) -> str:
        """The rows of these files, and of parts of files no others."""
        whole = [file for file in files if not isinstance(file, Part)]
        parts = [file for file in files if isinstance(file, Part)]
        tables = [self._read(whole)] if whole else []
        tables += [f"(SELECT * FROM {self._read([part])} WHERE {condition(part)})" for part in parts]
        return (
            tables[0] if len(tables) == 1 else f"({' UNION ALL '.join(f'FROM {table}' for table in tables)})"
        )

    def _read(self, files: Sequence[FileEntry]) -> str:
        names = ", ".join("'" + str(self._folder / file.name).replace("'", "''") + "'" for file in files)
        return f"read_parquet([{names}], file_row_number = true)"


def page(searcher: Searcher, snapshot: Snapshot, query: Query, origins: Origins, notes: list[str]) -> Page:
    """The answer to `query` over a snapshot. Raises StoreUnavailable."""
    selected = origins.matching(query)
    if selected is not None and not selected:
        return Page([], notes=tuple(notes))
    query, ceiling = within_range(query), query.cursor.ceiling if query.cursor else snapshot.ceiling
    limit = ceiling if query.cursor else None  # the first page sees one moment as it is
    condition = parquet_sql.where(query, selected, snapshot.journal, limit)
    plan = Plan(query, condition, parquet_sql.order_by(query, len(snapshot.journals)), ceiling)
    found = searcher.search(snapshot, plan, selected)
    notes += [
        f"the sealed file {name} cannot be read: its lines are missing here" for name in found.unreadable
    ]
    events, end = found.events[: query.limit], found.resume
    if len(found.events) > query.limit:
        end = cursor_after(events[-1], plan.query, ceiling)
    cut_short = found.resume is not None and end is found.resume
    return Page(events, end, "time" if cut_short else None, tuple(notes))


def sources_of(snapshot: Snapshot, query: Query, selected: frozenset[int] | None) -> list[Source]:
    """What may have a match, files as the parts that may. `selected`: numbers of origins, None for all."""
    everything: list[Source] = [*snapshot.batches, *snapshot.files]
    return narrowed([source for source in everything if relevant(source, query, selected)], query.text)


def within_range(query: Query) -> Query:
    """The same question with bounds that a TIMESTAMP_NS can hold."""

    def clamp(value: int | None) -> int | None:
        return None if value is None else max(-_MOST, min(value, _MOST))

    since, until, after = clamp(query.since), clamp(query.until), clamp(query.after_offset)
    cursor = query.cursor
    if cursor is not None:  # one that somebody made up
        cursor = msgspec.structs.replace(cursor, timestamp=max(-_MOST, min(cursor.timestamp, _MOST)))
    return msgspec.structs.replace(query, since=since, until=until, after_offset=after, cursor=cursor)


def cut(found: Found, source: Source, plan: Plan) -> None:
    """Keep what is certain without `source` and those after it, and say where to go on."""
    limit, order = bound(source, plan.query), plan.query.order
    found.events = [event for event in found.events if beats(event, limit, plan.query)]
    sequence = _LAST_SEQUENCE if order == "desc" else -1
    offset = limit - 1 if order == "arrival" else 0
    found.resume = Cursor(
        limit, sequence, _LAST_ID if order == "arrival" else "", offset, plan.ceiling, order
    )
