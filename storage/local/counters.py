"""Which part of a count the minute counters of the catalogue can tell, and which has to be scanned.

A file that lies wholly in the time asked for is told by all its counters, another one by those of the whole
minutes in it; what is left of the other, at most a minute at either end, is scanned.
"""

from collections.abc import Sequence

import msgspec
import pyarrow as pa
from msgspec.structs import replace

from storage.by import By
from storage.grid import EVERYTHING, MINUTE, Grid
from storage.local.catalogue import FileEntry
from storage.local.minutes import Minutes
from storage.local.parquet_sql import SQL
from storage.local.sources import Source
from storage.query import Query


class Scan(msgspec.Struct, frozen=True, eq=False):
    """Sources to be scanned for a question, which may be of a part of the time only."""

    sources: Sequence[Source]
    query: Query


class Split(msgspec.Struct, frozen=True, eq=False):
    """Counters, each group with the minutes that are meant, and scans for the rest."""

    counters: list[tuple[list[pa.RecordBatch], SQL]]
    scans: list[Scan]


def countable(query: Query, by: By | None, grid: Grid) -> bool:
    """Whether counters by minute, origin and level can tell the answer."""
    if query.text is not None or query.streams or (by is not None and by.kind in ("stream", "field")):
        return False
    return grid == EVERYTHING or grid.interval % MINUTE == 0


def split(sources: Sequence[Source], query: Query, minutes: Minutes) -> Split:
    """Which of the sources' counters tell what, and what has to be scanned beside them."""
    begin = None if query.since is None else -(-query.since // MINUTE)
    end = None if query.until is None else (query.until + 1) // MINUTE
    whole: list[pa.RecordBatch] = []
    inner: list[pa.RecordBatch] = []
    parts: list[Source] = []
    rest: list[Source] = []
    for source in sources:
        inside = _inside(source, query)
        told = _counters(source, minutes) if inside or begin is None or end is None or begin < end else None
        if told is None:
            rest.append(source)
        elif inside:
            whole.append(told)
        else:
            inner.append(told)
            parts.append(source)
    groups = [(whole, _between(None, None)), (inner, _between(begin, end))]
    scans = [Scan(rest, query), *_ends(parts, query, begin, end)]
    return Split([group for group in groups if group[0]], [scan for scan in scans if scan.sources])


def _inside(source: Source, query: Query) -> bool:
    after = query.since is None or query.since <= source.min_timestamp
    return after and (query.until is None or source.max_timestamp <= query.until)


def _counters(source: Source, minutes: Minutes) -> pa.RecordBatch | None:
    """A file's counters; none where minute 0 is among them: it has what is on both sides of 1970."""
    if not isinstance(source, FileEntry) or source.min_timestamp < MINUTE:
        return None
    return minutes.of(source.name)


def _between(begin: int | None, end: int | None) -> SQL:
    parts = [] if begin is None else [f"minute >= {begin}"]
    parts += [] if end is None else [f"minute < {end}"]
    return " AND ".join(parts) or "TRUE", []


def _ends(sources: Sequence[Source], query: Query, begin: int | None, end: int | None) -> list[Scan]:
    """The broken minutes at either end of the time asked for."""
    scans = []
    if begin is not None and query.since != begin * MINUTE:
        low = replace(query, until=begin * MINUTE - 1)
        scans.append(Scan([s for s in sources if s.min_timestamp < begin * MINUTE], low))
    if end is not None and query.until != end * MINUTE - 1:
        high = replace(query, since=end * MINUTE)
        scans.append(Scan([s for s in sources if s.max_timestamp >= end * MINUTE], high))
    return scans
