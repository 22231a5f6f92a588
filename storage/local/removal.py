"""Lines out of the sealed files of the embedded store, and into the record of what was removed.

The catalogue keeps what went in the same transaction that takes it out, until the record has it too: so
whatever a crash hits, the next start knows exactly what is gone. Everything here runs in the writer thread.
"""

import logging
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from parsers.event import Origin
from storage.lists import OriginCount
from storage.local import files as local_files
from storage.local.catalogue import FileEntry, Sealed
from storage.local.disk import Disk
from storage.prune import Pruned, State
from storage.prune_counts import Tally
from storage.pruned import PrunedLog, pruned

logger = logging.getLogger("logdock.storage")

NEEDED = ["origin", "timestamp", "observed"]  # columns that tell whether a row goes, and how it is counted

Mask = Callable[[pa.RecordBatch], pa.Array]


class Removal:
    """One removal under way. `freed` is in bytes; `at` in nanoseconds."""

    def __init__(
        self,
        disk: Disk,
        origins: Mapping[int, Origin],
        log: PrunedLog,
        at: int,
        reason: str,
        selection: str,
    ) -> None:
        self._disk, self._origins, self._log = disk, origins, log
        self._id, self._at, self._reason, self._selection = uuid.uuid4().hex, at, reason, selection
        self.tally, self.freed = Tally(), 0
        self.notes: list[str] = []

    def record(self, state: State) -> Pruned:
        """All of it so far."""
        return self._record(self.tally, self.freed, state)

    def _record(self, tally: Tally, freed: int, state: State) -> Pruned:
        return pruned(self._id, self._at, self._reason, tally.result(freed), self._selection, state)

    def files(self, entries: Sequence[FileEntry]) -> list[OriginCount]:
        """Whole files; the totals of what is left."""
        tally = self.tally.copy()
        add(tally, self._disk.catalogue.counts([entry.name for entry in entries]), self._origins)
        freed = self.freed + sum(entry.bytes for entry in entries)
        totals = self._disk.remove(entries, self._record(tally, freed, "partial"))
        self.tally, self.freed = tally, freed
        return totals

    def lines(self, entry: FileEntry, going: Mask) -> tuple[Sealed | None, list[OriginCount]] | None:
        """The rows of one file that `going` marks: what is in its place now, and the totals.

        None when no row is. A file that cannot be read stays as it is, with a note.
        """
        try:
            kept, gone = split(self._disk, entry, going)
        except (OSError, pa.ArrowException) as error:
            logger.error("cannot prune %s: %s", entry.name, error)
            self.notes.append(f"the sealed file {entry.name} cannot be read: what it holds stays")
            return None
        if not gone:
            return None
        if not kept:
            return None, self.files([entry])
        sealed = local_files.write(kept, self._origins, self._disk.parquet)
        tally, freed = self.tally.copy(), self.freed + entry.bytes - sealed.entry.bytes
        add(tally, gone, self._origins)
        totals = self._disk.swap(entry, sealed, self._record(tally, freed, "partial"))
        self.tally, self.freed = tally, freed
        return sealed, totals

    def keep(self, state: State) -> None:
        """Put it into the record, if anything went."""
        if self.tally.lines:
            settle(self._disk, self._log, [self.record(state)])

    def show(self) -> None:
        """Let answers tell of it while it is under way."""
        self._log.show(self.record("running"))


def settle(disk: Disk, log: PrunedLog, records: Sequence[Pruned]) -> None:
    """Move what was removed from the catalogue to the record; what cannot be is moved at the next start."""
    try:
        for record in records:
            log.add(record)
        if records:
            disk.catalogue.recorded([record.id for record in records])
    except (OSError, sqlite3.Error) as error:
        logger.error("cannot record what was removed, will try again at the next start: %s", error)


def add(tally: Tally, counts: Sequence[OriginCount], origins: Mapping[int, Origin]) -> None:
    """Count lines of numbered origins."""
    for count in counts:
        tally.add(origins[count.origin], count.lines, count.first, count.last)


def split(disk: Disk, entry: FileEntry, going: Mask) -> tuple[list[pa.RecordBatch], list[OriginCount]]:
    """(rows of a file that stay, lines that go). Raises OSError, pyarrow's errors."""
    kept, gone = [], []
    for batch in local_files.read_slowly(disk.parquet / entry.name):
        mask = going(batch)
        gone.append(batch.select(NEEDED).filter(mask))
        stays = batch.filter(pc.invert(mask))
        if stays.num_rows:
            kept.append(stays)
    return kept, local_files.counts([batch for batch in gone if batch.num_rows])
