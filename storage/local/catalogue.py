"""The catalogue of sealed files: which files exist, what each holds, and how far the journal is in them.

One SQLite file beside the Parquet files. Whatever changes together changes in one transaction, synced
before it returns; in between, files the catalogue does not name are nobody's. All methods are for one
thread at a time. Times are nanoseconds since the epoch, sizes are bytes.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from parsers.event import Origin
from storage.lists import OriginCount
from storage.prune import Pruned
from storage.store import Checkpoint

VERSION = 1  # of the tables below, kept in PRAGMA user_version

_TABLES = """
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE origins (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL);
CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, entry TEXT NOT NULL);
CREATE TABLE lines (
    file INTEGER NOT NULL, origin INTEGER NOT NULL, lines INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (file, origin)
) WITHOUT ROWID;
CREATE TABLE minutes (
    file INTEGER NOT NULL, minute INTEGER NOT NULL, origin INTEGER NOT NULL,
    level TEXT NOT NULL, lines INTEGER NOT NULL, PRIMARY KEY (file, minute, origin, level)
) WITHOUT ROWID;
CREATE TABLE pruned (
    at INTEGER NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL
);
"""


class CatalogueError(Exception):
    """The operator must act: the catalogue is damaged, newer than this program, or gone."""


class Span(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a file holds of one journal: the lowest and the highest position."""

    journal: str
    first: int
    last: int


class Trigrams(msgspec.Struct, frozen=True, array_like=True):
    """What the row groups of a file have (trigrams.py): `rows` in each but the last; packed bitmaps."""

    rows: int
    groups: int
    packed: bytes


class FileEntry(msgspec.Struct, frozen=True):
    """One sealed file. `origins` are the numbers of the origins in it."""

    name: str
    rows: int
    bytes: int
    min_timestamp: int
    max_timestamp: int
    min_observed: int
    max_observed: int
    min_sequence: int
    max_sequence: int
    min_offset: int
    max_offset: int
    spans: tuple[Span, ...]
    origins: tuple[int, ...] = ()
    trigrams: Trigrams | None = None


class MinuteCount(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Lines of one origin and level ("": none) in one minute (timestamp / 60 s, towards zero)."""

    minute: int
    origin: int
    level: str
    lines: int


class Sealed(msgspec.Struct, frozen=True):
    """A file's entry and its counters: what one sealing adds to the catalogue."""

    entry: FileEntry
    counts: list[OriginCount]
    minutes: list[MinuteCount]


class Catalogue:
    """The open catalogue. Raises CatalogueError when it cannot be used, sqlite3.Error when a write fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise CatalogueError(f"{path} cannot be used: {error}; restore it from a backup") from error

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # a commit lets the journal forget: it must be on disk
        self._db.execute("PRAGMA wal_autocheckpoint = 200")  # pages: keeps the WAL below a megabyte
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            text = f"{self._path} is of version {version}, of a newer logdock; this one knows {VERSION}"
            raise CatalogueError(text)
        if version == 0:
            self._db.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")

    def close(self) -> None:
        """Close the file. Nothing is lost: every method has committed what it did."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # What is there

    def origins(self) -> list[tuple[int, Origin]]:
        """Every origin that a file may name, with its number."""
        rows = self._db.execute("SELECT id, json FROM origins ORDER BY id")
        return [(number, msgspec.json.decode(text, type=Origin)) for number, text in rows]

    def files(self) -> list[FileEntry]:
        """Every sealed file, in the order of sealing."""
        numbers: dict[int, list[int]] = {}
        for file, origin in self._db.execute("SELECT file, origin FROM lines"):
            numbers.setdefault(file, []).append(origin)
        rows = self._db.execute("SELECT id, entry FROM files ORDER BY id")
        decoded = [(file, msgspec.json.decode(text, type=FileEntry)) for file, text in rows]
        return [msgspec.structs.replace(e, origins=tuple(numbers.get(file, ()))) for file, e in decoded]

    def names(self, name: str) -> bool:
        """Whether a file of this name is in the catalogue."""
        return self._db.execute("SELECT 1 FROM files WHERE name = ?", (name,)).fetchone() is not None

    def totals(self) -> list[OriginCount]:
        """Lines of every origin over all files."""
        rows = self._db.execute("SELECT origin, sum(lines), min(first), max(last) FROM lines GROUP BY origin")
        return [OriginCount(*row) for row in rows]

    def minutes(self, names: Sequence[str]) -> list[MinuteCount]:
        """Lines per minute, origin and level over the named files."""
        rows = self._db.execute(
            "SELECT minute, origin, level, sum(lines) FROM minutes WHERE file IN"
            " (SELECT id FROM files WHERE name IN (SELECT value FROM json_each(?)))"
            " GROUP BY minute, origin, level ORDER BY minute",
            (msgspec.json.encode(names).decode(),),
        )
        return [MinuteCount(*row) for row in rows]

    def checkpoint(self, journal: str) -> Checkpoint | None:
        """The checkpoint that was last committed for this journal; None when there was none."""
        row = self._db.execute(
            "SELECT value FROM state WHERE name = ?", (f"checkpoint {journal}",)
        ).fetchone()
        return msgspec.json.decode(row[0], type=Checkpoint) if row else None

    def counts(self, names: Sequence[str]) -> list[OriginCount]:
        """Lines of every origin over the named files."""
        rows = self._db.execute(
            "SELECT origin, sum(lines), min(first), max(last) FROM lines WHERE file IN"
            " (SELECT id FROM files WHERE name IN (SELECT value FROM json_each(?))) GROUP BY origin",
            (msgspec.json.encode(names).decode(),),
        )
        return [OriginCount(*row) for row in rows]

    def unrecorded(self) -> list[Pruned]:
        """What was removed but not yet told to the record, or not for certain, oldest first.

        Among them is what versions before the record has kept in here.
        """
        rows = self._db.execute("SELECT value FROM state WHERE name GLOB 'pruned *' ORDER BY name")
        found = [msgspec.json.decode(row[0], type=Pruned) for row in rows]
        old = self._db.execute(
            "SELECT max(at), reason, sum(rows), sum(bytes), min(first), max(last) FROM pruned GROUP BY reason"
        )
        for at, reason, lines, size, first, last in old:
            kind = "retention-size" if reason == "size" else "retention"
            found.append(Pruned(f"older {reason}", at, kind, lines, first, last, size))
        return sorted(found, key=lambda record: record.at)

    # What changes together

    def save_checkpoint(self, journal: str, checkpoint: Checkpoint) -> None:
        """Commit a checkpoint alone: nothing was appended since the last sealing."""
        with self._transaction():
            self._put_checkpoint(journal, checkpoint)

    def add(
        self,
        sealed: Sealed,
        origins: Iterable[tuple[int, Origin]],
        journal: str,
        checkpoint: Checkpoint | None,
    ) -> None:
        """Add a file, the origins it is the first to name, and the checkpoint that it makes durable."""
        with self._transaction():
            self._put_origins(origins)
            self._put_file(sealed)
            if checkpoint is not None:
                self._put_checkpoint(journal, checkpoint)

    def replace(self, old: Sequence[FileEntry], sealed: Sealed | None, removed: Pruned | None = None) -> None:
        """Put one file, or none, in the place of others; `removed` says which of their lines it lacks."""
        with self._transaction():
            for entry in old:
                self._drop_file(entry)
            if sealed is not None:
                self._put_file(sealed)
            if removed is not None:
                row = (f"pruned {removed.id}", msgspec.json.encode(removed).decode())
                self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", row)

    def recorded(self, names: Sequence[str]) -> None:
        """The removals of these ids are in the record."""
        with self._transaction():
            for name in names:
                self._db.execute("DELETE FROM state WHERE name = ?", (f"pruned {name}",))
                self._db.execute("DELETE FROM pruned WHERE 'older ' || reason = ?", (name,))

    def forget_unused_origins(self) -> None:
        """Drop the origins that no file names. Only when nothing in memory uses their numbers."""
        with self._transaction():
            self._db.execute("DELETE FROM origins WHERE id NOT IN (SELECT DISTINCT origin FROM lines)")

    def _put_checkpoint(self, journal: str, checkpoint: Checkpoint) -> None:
        row = (f"checkpoint {journal}", msgspec.json.encode(checkpoint).decode())
        self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", row)

    def _put_origins(self, origins: Iterable[tuple[int, Origin]]) -> None:
        rows = [(number, o.key, msgspec.json.encode(o).decode()) for number, o in origins]
        self._db.executemany("INSERT OR IGNORE INTO origins VALUES (?, ?, ?)", rows)

    def _put_file(self, sealed: Sealed) -> None:
        entry = msgspec.structs.replace(sealed.entry, origins=())  # `lines` says them
        text = msgspec.json.encode(entry).decode()
        file = self._db.execute("INSERT INTO files (name, entry) VALUES (?, ?)", (entry.name, text)).lastrowid
        counts = [(file, *msgspec.structs.astuple(count)) for count in sealed.counts]
        minutes = [(file, *msgspec.structs.astuple(minute)) for minute in sealed.minutes]
        self._db.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", counts)
        self._db.executemany("INSERT INTO minutes VALUES (?, ?, ?, ?, ?)", minutes)

    def _drop_file(self, entry: FileEntry) -> None:
        row = self._db.execute("SELECT id FROM files WHERE name = ?", (entry.name,)).fetchone()
        for table, column in (("lines", "file"), ("minutes", "file"), ("files", "id")):
            self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", row)
