"""Counting in Elasticsearch: aggregations over what matches for certain, and the rest read and looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from storage.by import By, values_of
from storage.counts import Counts, Facets, Histogram, facets_of, grid_of, histogram_of
from storage.elastic import certain as elastic_certain
from storage.elastic import dsl as elastic_dsl
from storage.elastic import lists as elastic_lists
from storage.elastic.aggregate import Server, add
from storage.elastic.certain import DATED, DSL, NOTHING, OURS, Terms
from storage.elastic.composite import BUCKETS_AT_ONCE, groups, total, value_of, value_source
from storage.elastic.search import SCAN_HITS, SCAN_WINDOW, hits
from storage.elastic.spelling import judged
from storage.expression import Expression, Field
from storage.grid import EVERYTHING, Grid
from storage.query import Query, matches_origin, matching

SAMPLE_HITS = 20_000  # of more lines than can be read: a share of 10 % is then told to within 0.5 %
TERMS_AT_ONCE = 10_000  # of one condition; `index.max_terms_count` allows 65,536


class Counting:
    """One question. Both methods raise StoreUnavailable, Refused."""

    def __init__(self, server: Server, query: Query, by: By | None) -> None:
        self._server, self._client, self._stream = server, server.client, server.stream
        self._query, self._by = query, by
        self._field = elastic_dsl.subfield("docker.fields", by.key) if by is not None else None
        self._base: list[DSL] = []  # what all that matches fulfils, and nothing that is not ours
        self._sure: list[DSL] = []  # and with these matches for certain, and has its values in the index
        self._spelled: set[str] = set()  # numbers whose values the index does not tell

    async def histogram(self, buckets: int) -> Histogram:
        """Lines over time."""
        return histogram_of(await self._counted(buckets))

    async def facets(self, limit: int) -> Facets:
        """The values of most lines."""
        return facets_of(await self._counted(None), limit)

    async def _counted(self, buckets: int | None) -> Counts:
        """Counts over time, or without `buckets` of all times together."""
        await self._prepare()
        counts = await self._count(buckets)
        if self._spelled and len(self._spelled) <= TERMS_AT_ONCE:
            self._sure.append(elastic_dsl.neither([{"terms": {self._field: sorted(self._spelled)}}]))
            self._spelled = set()
            counts = await self._count(buckets)
        if self._spelled:
            some = f"{len(self._spelled)} of its values"
            counts.inexact(
                f"{some} are numbers that can be written in several ways: texts like them count with them"
            )
        return counts

    async def _prepare(self) -> None:
        query, by = self._query, self._by
        self._base = [OURS, *await self._origins(), *elastic_dsl.line_filters(query)]
        self._sure = [DATED]
        if query.text is not None:
            known = await self._terms(query.text)
            wide = elastic_certain.possible(query.text, known)
            sure = elastic_certain.certain(query.text, known)
            self._base += [wide] if wide is not None else []
            self._sure.append(sure if sure is not None else NOTHING)
        if by is not None and by.kind == "field":
            self._sure.append(elastic_certain.whole_fields(by.key))

    async def _terms(self, expression: Expression) -> dict[Field, Terms]:
        """The terms of those fields that only a look at them can judge; not of fields with very many."""
        known: dict[Field, Terms] = {}
        for field in elastic_certain.unknown_fields(expression):
            wide = elastic_dsl.candidates(field)  # no other line has a term that matches
            query = elastic_dsl.both([*self._base, *([wide] if wide is not None else [])])
            source = [value_source(f"docker.fields.{field.path}", missing=False)]
            async for found in groups(self._client, self._stream, query, source):
                if len(found) < BUCKETS_AT_ONCE:
                    known[field] = judged(field, [value_of(group) for group in found])
                break
        return known

    async def _origins(self) -> list[DSL]:
        """The filters on who printed a line, exactly: origins that the index cannot tell are looked at."""
        query = self._query
        wide, sure = elastic_dsl.origin_filters(query), elastic_certain.origin_filters(query)
        if sure is not None and sure == wide:
            return sure
        known = [] if sure is None else [elastic_dsl.both(sure)]
        doubtful = [OURS, *wide, *([elastic_dsl.neither(known)] if known else [])]
        found = await elastic_lists.by_digest(
            self._client, self._stream, self._server.reader, doubtful, ends=False
        )
        names = [name for name, (origin, _) in found.items() if matches_origin(query, origin)]
        parts = [names[start : start + TERMS_AT_ONCE] for start in range(0, len(names), TERMS_AT_ONCE)]
        known += [{"terms": {"logdock.origin": part}} for part in parts]
        return [elastic_dsl.either(known) if known else NOTHING]

    async def _count(self, buckets: int | None) -> Counts:
        conditions = [*self._base, elastic_dsl.neither([elastic_dsl.both(self._sure)])]
        lines = await total(self._client, self._stream, elastic_dsl.both(conditions))
        share = 1 if lines <= SCAN_HITS else -(-lines // SAMPLE_HITS)
        rest = [seen async for seen in self._read(conditions, share)] if lines else []
        grid = EVERYTHING if buckets is None else await self._grid([seen[0] for seen in rest], buckets)
        counts = Counts(grid, self._by)
        if share > 1:
            counts.inexact(
                f"estimates: of {lines} lines that have to be looked at one by one, one in {share} was"
            )
        for timestamp, values in rest:
            counts.add(grid.place(timestamp), values, share)
        if grid.count:
            self._spelled = await add(counts, self._server, [*self._base, *self._sure], self._field)
        return counts

    async def _read(self, conditions: list[DSL], share: int) -> AsyncIterator[tuple[int, tuple[str, ...]]]:
        """Time and values of the lines that match among these, of one in `share`."""
        body: dict[str, Any] = {
            "size": SCAN_WINDOW,
            "sort": elastic_dsl.sort(Query(order="asc")),
            "track_total_hits": False,
            **sampled(elastic_dsl.both(conditions), share),
        }
        while True:
            found = await hits(self._client, self._stream, body)
            for event in matching(
                self._query, [e for e in map(self._server.reader.event, found) if e is not None]
            ):
                yield event.timestamp, tuple(values_of(self._by, event)) if self._by is not None else ()
            if len(found) < SCAN_WINDOW:
                return
            body["search_after"] = found[-1].sort

    async def _grid(self, times: list[int], buckets: int) -> Grid:
        """The grid for lines at these times and those that match for certain."""
        query = self._query
        times = times + (await self._end("asc") if query.since is None else [])
        times += await self._end("desc") if query.until is None else []
        return grid_of(query, min(times, default=None), max(times, default=None), buckets)

    async def _end(self, order: str) -> list[int]:
        """The time of the first or the last line that matches for certain, if there is any."""
        body = {
            "size": 1,
            "sort": [{"@timestamp": {"order": order}}],
            "query": elastic_dsl.both([*self._base, *self._sure]),
            "track_total_hits": False,
            "_source": False,
        }
        return [hit.sort[0] for hit in await hits(self._client, self._stream, body)]


def sampled(query: DSL, share: int) -> dict[str, Any]:
    """The part of a search that finds one in `share` of the documents, always the same ones."""
    if share == 1:
        return {"query": query}
    random = {"random_score": {"seed": 1, "field": "event.sequence"}, "boost_mode": "replace"}
    return {"query": {"function_score": {"query": query, **random}}, "min_score": 1 - 1 / share}
