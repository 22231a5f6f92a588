"""Sealed files and their catalogue together: everything the embedded store does to its disk.

Used by one thread at a time. Every method leaves the folder and the catalogue in agreement, or the
difference for the next start to sweep up.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from parsers.event import Origin
from storage.durable import make_folder
from storage.lists import OriginCount
from storage.local import files as local_files
from storage.local.catalogue import Catalogue, CatalogueError, FileEntry, Sealed
from storage.local.hot import Batch
from storage.prune import Pruned
from storage.store import Checkpoint

logger = logging.getLogger("logdock.storage")


class Contents(msgspec.Struct, frozen=True, eq=False):
    """What a start finds."""

    origins: list[tuple[int, Origin]]
    files: list[FileEntry]
    missing: list[FileEntry]
    totals: list[OriginCount]
    unrecorded: list[Pruned]
    checkpoint: Checkpoint | None


class Disk:
    """`folder`/parquet/*.parquet and `folder`/catalogue.sqlite."""

    def __init__(self, folder: Path, journal: str) -> None:
        self.parquet = folder / "parquet"
        self.path = folder / "catalogue.sqlite"
        self._journal = journal
        self._catalogue: Catalogue | None = None

    @property
    def catalogue(self) -> Catalogue:
        """The open catalogue."""
        if self._catalogue is None:
            raise RuntimeError("the store is not started")
        return self._catalogue

    def open(self) -> Contents:
        """Open or make the folder and sweep it. Raises CatalogueError, OSError."""
        make_folder(self.parquet.parent)
        make_folder(self.parquet)
        if not self.path.exists() and any(self.parquet.glob("*.parquet")):
            text = f"{self.parquet} holds sealed files but {self.path} is gone: restore it or move them away"
            raise CatalogueError(text)
        self._catalogue = catalogue = Catalogue(self.path)
        catalogue.forget_unused_origins()
        files = catalogue.files()
        for name in local_files.sweep(self.parquet, [entry.name for entry in files]):
            logger.warning("deleted %s: the catalogue does not name it", name)
        missing = [entry for entry in files if not (self.parquet / entry.name).exists()]
        for entry in missing:
            logger.error("%s is gone with %d lines: the catalogue still names it", entry.name, entry.rows)
        present = [entry for entry in files if entry not in missing]
        checkpoint = catalogue.checkpoint(self._journal)
        return Contents(
            catalogue.origins(), present, missing, catalogue.totals(), catalogue.unrecorded(), checkpoint
        )

    def close(self) -> None:
        """Close the catalogue."""
        if self._catalogue is not None:
            self._catalogue.close()

    def seal(self, batches: Sequence[Batch], origins: Mapping[int, Origin], checkpoint: Checkpoint) -> Sealed:
        """Make batches a file, and `checkpoint` durable with it."""
        sealed = local_files.write([batch.data for batch in batches], origins, self.parquet)
        numbered = [(number, origins[number]) for number in sealed.entry.origins]
        with self._or_unlink(sealed):
            self.catalogue.add(sealed, numbered, self._journal, checkpoint)
        return sealed

    def save(self, checkpoint: Checkpoint) -> None:
        """Make a checkpoint durable alone."""
        self.catalogue.save_checkpoint(self._journal, checkpoint)

    def merge(self, entries: Sequence[FileEntry], origins: Mapping[int, Origin]) -> Sealed:
        """One file in the place of several; theirs stay on disk until `delete`."""
        batches: list[pa.RecordBatch] = []
        for entry in entries:
            batches += local_files.read(self.parquet / entry.name)
        sealed = local_files.write(batches, origins, self.parquet)
        with self._or_unlink(sealed):
            self.catalogue.replace(entries, sealed)
        return sealed

    def remove(self, entries: Sequence[FileEntry], removed: Pruned) -> list[OriginCount]:
        """Forget files, which stay on disk until `delete`; returns the new totals."""
        self.catalogue.replace(entries, None, removed)
        return self.catalogue.totals()

    def swap(self, entry: FileEntry, sealed: Sealed, removed: Pruned) -> list[OriginCount]:
        """Put a new file, with what is kept of an old one, in its place; returns the new totals."""
        with self._or_unlink(sealed):
            self.catalogue.replace([entry], sealed, removed)
        return self.catalogue.totals()

    def delete(self, name: str) -> None:
        """Delete a file that no entry names any more and no query reads."""
        (self.parquet / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _or_unlink(self, sealed: Sealed) -> Iterator[None]:
        """Take the new file away when the catalogue says for certain that it does not name it."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if not self.catalogue.names(sealed.entry.name):
                    self.delete(sealed.entry.name)
            raise
