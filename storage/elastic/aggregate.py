"""Counts over a grid by aggregation: whole documents, whose values the index tells.

What an origin says (service, container, labels) is counted by origin, and read once per origin as for the
lists.
"""

from __future__ import annotations

from typing import Any

import msgspec

from storage.by import NONE, By, origin_value
from storage.counts import MANY_VALUES, Counts
from storage.elastic import dsl as elastic_dsl
from storage.elastic import lists as elastic_lists
from storage.elastic.client import Client
from storage.elastic.composite import Group, TooManyError, groups, total, value_of, value_source
from storage.elastic.dsl import DSL
from storage.elastic.hits import Reader
from storage.elastic.spelling import as_number
from storage.grid import Grid
from storage.query import Query

MILLISECOND = 1_000_000  # nanoseconds

Source = list[dict[str, Any]]  # of a composite aggregation; empty: all documents are one group

_KEYWORDS = {"level": "log.level", "stream": "log.iostream"}


class Server(msgspec.Struct, frozen=True, eq=False):
    """The data stream that is asked, and who reads its documents."""

    client: Client
    stream: str
    reader: Reader


async def add(counts: Counts, server: Server, conditions: list[DSL], field: str | None) -> set[str]:
    """Add what fulfils the conditions. `field`: the name in the index of the parsed field that is asked for;
    None when it has none: then no document that fulfils them has any fields.

    Returns terms whose values the index does not tell; they are counted as numbers. Raises StoreUnavailable,
    Refused.
    """
    grid, by = counts.grid, counts.by
    within = elastic_dsl.line_filters(Query(since=grid.start, until=grid.begin(grid.count) - 1))
    query = elastic_dsl.both([*conditions, *within])
    spelled: set[str] = set()
    try:
        if by is None:
            await _add_lines(counts, server, query, ())
        elif by.kind != "field":
            await _add(counts, server, query, by)
        elif field is None:
            await _add_lines(counts, server, query, (NONE,))
        else:  # lines apart from values: one line may have several
            await _add_lines(counts, server, query, ())
            spelled = await _add_values(counts, server, query, field)
    except TooManyError:
        counts.inexact(MANY_VALUES)
    return spelled


async def _add_lines(counts: Counts, server: Server, query: DSL, values: tuple[str, ...]) -> None:
    """Lines that all have these values."""
    if not (source := _time(counts.grid)):
        counts.add(0, values, await total(server.client, server.stream, query))
        return
    async for found in groups(server.client, server.stream, query, source):
        for group in found:
            counts.add(_place(counts.grid, group), values, group.doc_count)


async def _add_values(counts: Counts, server: Server, query: DSL, field: str) -> set[str]:
    spelled = set()
    source = [*_time(counts.grid), value_source(field)]
    async for found in groups(server.client, server.stream, query, source):
        for group in found:
            term = value_of(group)
            value = as_number(term)
            if value is not None:
                spelled.add(term)
            counts.add_values(_place(counts.grid, group), (value or term,), group.doc_count)
    return spelled


async def _add(counts: Counts, server: Server, query: DSL, by: By) -> None:
    """Lines with the one value that each of them has."""
    source = [*_time(counts.grid), value_source(_KEYWORDS.get(by.kind, "logdock.origin"))]
    async for found in groups(server.client, server.stream, query, source):
        names = await _names(server, by, [value_of(group) for group in found])
        for group in found:
            if (name := names.get(value_of(group))) is not None:
                counts.add(_place(counts.grid, group), (name,), group.doc_count)


async def _names(server: Server, by: By, terms: list[str]) -> dict[str, str]:
    """The values that the terms mean: they are values, or the names of origins."""
    if not by.of_origin:
        return dict(zip(terms, terms, strict=True))
    found: dict[str, str] = {}
    digests = sorted(set(terms))
    for start in range(0, len(digests), elastic_lists.ORIGINS_AT_ONCE):
        some = digests[start : start + elastic_lists.ORIGINS_AT_ONCE]
        read = await elastic_lists.origins(server.client, server.stream, server.reader, some)
        found |= {digest: origin_value(by, origin) for digest, origin in read.items()}
    return found


def _time(grid: Grid) -> Source:
    if grid.count <= 1:
        return []
    interval = f"{grid.interval // MILLISECOND}ms"
    return [{"time": {"date_histogram": {"field": "@timestamp", "fixed_interval": interval}}}]


def _place(grid: Grid, group: Group) -> int:
    return grid.place(int(group.key["time"] or 0) * MILLISECOND) if "time" in group.key else 0
