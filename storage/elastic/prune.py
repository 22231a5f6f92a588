"""Pruning one data stream with no more than searches and bulk deletes: not every server has _delete_by_query.

Which origins are meant is decided here, on what they are, as lists.py does; then their documents go
by id, backing index by backing index, and an older index that would be empty goes as a whole. Only what the
commit file is past is touched: neither a replay nor a body sent again can bring back what was pruned.
"""

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

import msgspec

from parsers.event import Origin
from storage.elastic import backing as elastic_backing
from storage.elastic import deleting as elastic_deleting
from storage.elastic import dsl as elastic_dsl
from storage.elastic import lists as elastic_lists
from storage.elastic.asking import asked
from storage.elastic.client import Client, Refused
from storage.elastic.deleting import Hit
from storage.elastic.docs import time_text
from storage.elastic.hits import Reader
from storage.lists import OriginCount
from storage.prune import Pruned, PruneResult, Selection, State, origin_query, selects_origin
from storage.prune_counts import Tally
from storage.pruned import PrunedLog, pruned
from storage.store import StoreUnavailable

log = logging.getLogger("logdock.storage")

ORIGINS_AT_ONCE = 10_000  # of one search; `index.max_terms_count` allows 65,536

Counts = dict[str, tuple[Origin, OriginCount]]  # by `logdock.origin`


class Reach(msgspec.Struct, frozen=True):
    """Where a prune works: `ceiling` is the highest offset of `journal`, ours, that is committed."""

    stream: str
    journal: str
    ceiling: int
    indices: Sequence[str] = ()  # backing indices, the write index last


class _Count(msgspec.Struct):
    count: int


async def prune(
    client: Client, reach: Reach, selection: Selection, dry_run: bool, record: PrunedLog
) -> PruneResult:
    """See Store.prune. Raises StoreUnavailable, which says how many lines are gone already."""
    reach = await asked(_look(client, reach))
    reader, planned, plans = Reader(), Tally(), dict[str, Counts]()
    for index in reach.indices:
        plans[index] = await asked(_plan(client, index, reader, reach, selection))
        _add(planned, plans[index])
    if dry_run or not planned.lines:
        return planned.result()
    pruning = Pruning(client, reach, selection, record)
    await pruning.begin(planned)
    try:
        for index, counts in plans.items():
            if counts:
                await asked(pruning.index(index, counts))
        await asked(elastic_backing.refresh(client, reach.stream))
    except StoreUnavailable as error:
        await pruning.end("partial")
        raise StoreUnavailable(f"{error}; {pruning.tally.lines} lines are gone already") from error
    await pruning.end("done")
    return pruning.tally.result()


async def _look(client: Client, reach: Reach) -> Reach:
    """With its backing indices, everything sent so far being visible in them."""
    indices = await elastic_backing.names(client, reach.stream)
    if indices:
        await elastic_backing.refresh(client, reach.stream)
    return msgspec.structs.replace(reach, indices=indices)


async def _plan(client: Client, index: str, reader: Reader, reach: Reach, selection: Selection) -> Counts:
    """The lines of one index that go, by origin."""
    conditions = [*elastic_dsl.origin_filters(origin_query(selection)), *_reached(reach, selection)]
    counts = await elastic_lists.by_digest(client, index, reader, conditions)
    return {digest: pair for digest, pair in counts.items() if selects_origin(selection, pair[0])}


def _reached(reach: Reach, selection: Selection) -> list[elastic_dsl.DSL]:
    """The conditions on the line itself: observed in time, and committed when it is of our journal."""
    ours = {"bool": {"must_not": [{"term": {"logdock.journal": {"value": reach.journal}}}]}}
    committed = {"range": {"logdock.offset": {"lte": reach.ceiling}}}
    conditions = [elastic_dsl.either([committed, ours])]
    if selection.until is not None:
        conditions.append({"range": {"event.created": {"lt": time_text(selection.until)}}})
    return conditions


def _add(tally: Tally, counts: Counts) -> None:
    for origin, count in counts.values():
        tally.add(origin, count.lines, count.first, count.last)


class Pruning:
    """One prune under way."""

    def __init__(self, client: Client, reach: Reach, selection: Selection, record: PrunedLog) -> None:
        self._client, self._reach, self._selection, self._log = client, reach, selection, record
        self._id, self._at = uuid.uuid4().hex, time.time_ns()
        self.tally = Tally()  # what has gone

    def _record(self, tally: Tally, state: State) -> Pruned:
        return pruned(self._id, self._at, "prune", tally.result(), self._selection.text, state)

    async def begin(self, planned: Tally) -> None:
        """Record what is about to go: nothing goes unrecorded, whatever ends this process."""
        try:
            await asyncio.to_thread(self._log.add, self._record(planned, "running"))
        except OSError as error:
            raise StoreUnavailable(f"cannot record the prune, so nothing was removed: {error}") from error

    async def end(self, state: State) -> None:
        """Record what has gone."""
        try:
            await asyncio.to_thread(self._log.add, self._record(self.tally, state))
        except OSError as error:
            log.error("cannot record that %d lines were pruned: %s", self.tally.lines, error)

    async def index(self, index: str, counts: Counts) -> None:
        """Remove the lines of one backing index. Raises StoreUnavailable, Refused."""
        try:
            if index != self._reach.indices[-1] and await self._whole(index, counts):
                _add(self.tally, counts)
                return
            digests = list(counts)
            for start in range(0, len(digests), ORIGINS_AT_ONCE):
                await self._lines(index, digests[start : start + ORIGINS_AT_ONCE], counts)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            log.info("the index %s is gone already: %s", index, refusal)  # retention is quicker

    async def _whole(self, index: str, counts: Counts) -> bool:
        """Delete an older index in which nothing else is; False when it must go line by line."""
        reply = await self._client.ask("POST", f"/{index}/_count")
        if msgspec.json.decode(reply, type=_Count).count != sum(c.lines for _, c in counts.values()):
            return False
        try:
            await self._client.ask("DELETE", f"/{index}")
        except (StoreUnavailable, Refused) as error:  # perhaps only not allowed to us
            log.info("cannot delete the index %s, its lines will go one by one: %s", index, error)
            return False
        return True

    async def _lines(self, index: str, digests: Sequence[str], counts: Counts) -> None:
        terms = {"terms": {"logdock.origin": digests}}
        query = elastic_dsl.both([terms, *_reached(self._reach, self._selection)])
        async with aclosing(elastic_deleting.pages(self._client, index, query)) as pages:
            async for hits in pages:
                await elastic_deleting.delete(self._client, hits, lambda gone: self._count(gone, counts))

    def _count(self, gone: Sequence[Hit], counts: Counts) -> None:
        for digest, lines in Counter(digest for hit in gone for digest in hit.fields.origin).items():
            origin, planned = counts[digest]
            self.tally.add(origin, lines, planned.first, planned.last)
        self._log.show(self._record(self.tally, "running"))
