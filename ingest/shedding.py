"""What a full journal gives up when it was told to (--on-full): never silently.

drop-new      what arrives is acknowledged, counted and forgotten, as long as there is no room
drop-oldest   the oldest segment goes, after the records in it that no store has got were counted

The default, block, loses nothing: senders wait, and nothing in here is used.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING

import msgspec

from ingest.decoding import count_records
from ingest.entries import Damage, Entry, Kind, decode_entries
from ingest.segments import Segment
from ingest.writing import Pending
from storage.metrics import Metrics

if TYPE_CHECKING:
    from ingest.journal import Journal

log = logging.getLogger("logdock.ingest.journal")

TELL_SECONDS = 10.0  # between two reports of what is being dropped: not one for every line
SOLID = ("journal full", "disk floor")  # reasons for which dropping makes room; a failing disk is another


class Shed(msgspec.Struct):
    """Records that were given up. Times are nanoseconds of `observed`."""

    records: int = 0
    size: int = 0  # bytes
    first: int = 0
    last: int = 0


Report = Callable[[str, Shed], None]
"""Called with "drop-new" or "drop-oldest" and what went. May raise OSError: then it is logged only."""


class DropNew:
    """Takes the lines out of what waits for a journal that has no room."""

    def __init__(self, metrics: Metrics, report: Report) -> None:
        self.reason: str | None = None  # why lines are dropped just now
        self._dropped = metrics.dropped.labels("drop-new")
        self._report = report
        self._shed = Shed()
        self._tell_at = 0.0

    def without_lines(self, pending: list[Pending], reason: str | None) -> list[Pending]:
        """`pending` without lines when there is a `reason`; their senders are told that they arrived."""
        if reason is None:
            self._end()
            return pending
        if self.reason is None:
            log.error("%s: what arrives is dropped (--on-full drop-new)", reason)
        self.reason = reason
        kept = [p for p in pending if not self._drop(p)]
        if time.monotonic() >= self._tell_at:
            self._tell()
        return kept

    def _drop(self, pending: Pending) -> bool:
        """Whether it was a line, and so is gone; everything else costs next to nothing and is written."""
        if not pending.raw:
            return False
        entry = next(decode_entries(pending.header + pending.raw, 0))
        if entry.kind is not Kind.DATA:
            return False
        records = _add(self._shed, entry)
        self._dropped.inc(records)
        if pending.done is not None:
            pending.done()
        return True

    def _end(self) -> None:
        if self.reason is not None:
            log.warning("the journal takes lines again (was: %s)", self.reason)
            self.reason = None
            self._tell()

    def _tell(self) -> None:
        self._tell_at = time.monotonic() + TELL_SECONDS
        shed, self._shed = self._shed, Shed()
        if shed.records:
            tell(self._report, "drop-new", shed)


class DropOldest:
    """Makes room in a blocked journal. `read_to` is the position up to which the pipeline has read."""

    def __init__(
        self, journal: "Journal", read_to: Callable[[], int], metrics: Metrics, report: Report
    ) -> None:
        self._journal, self._read_to, self._report = journal, read_to, report
        self._dropped = metrics.dropped.labels("drop-oldest")
        self._task: asyncio.Task[None] | None = None

    def blocked(self) -> None:
        """A hook of Journal.on_blocked."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._make_room())

    async def _make_room(self) -> None:
        journal = self._journal
        while journal.blocked is not None and journal.blocked.startswith(SOLID):
            if len(journal.segments) == 1:
                journal.roll()
            if len(journal.segments) == 1:
                return  # no room for a new one: it blocks until there is
            await self._drop(journal.segments[0])
            journal.retry()

    async def _drop(self, oldest: Segment) -> None:
        shed = await asyncio.to_thread(count_segment, oldest, self._read_to())
        if self._journal.segments[0] is not oldest or len(self._journal.segments) == 1:
            return  # the store has got it meanwhile
        self._journal.drop_oldest()
        if shed.records:
            self._dropped.inc(shed.records)
            tell(self._report, "drop-oldest", shed)


def count_segment(segment: Segment, position: int) -> Shed:
    """What stands in a segment from `position` on. What is damaged in it counts as nothing."""
    shed = Shed()
    try:
        with segment.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            for entry in decode_entries(data, segment.base):
                if entry.kind is Kind.DATA and entry.position >= position:
                    _add(shed, entry)
    except (Damage, OSError, ValueError, BufferError) as problem:
        log.error("cannot count all of %s before it is dropped: %s", segment.path.name, problem)
    return shed


def _add(shed: Shed, entry: Entry) -> int:
    records = count_records(entry)
    shed.records += records
    shed.size += len(entry.raw)
    shed.first = min(shed.first or entry.observed, entry.observed)
    shed.last = max(shed.last, entry.observed)
    return records


def tell(report: Report, how: str, shed: Shed) -> None:
    """Log it and report it."""
    log.error("%d records were dropped (--on-full %s), %d bytes", shed.records, how, shed.size)
    try:
        report(how, shed)
    except OSError as problem:
        log.error("cannot record what was dropped: %s", problem)
