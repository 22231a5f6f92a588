"""The minute counters of sealed files, read from the catalogue once and kept as Arrow tables.

Query threads read them, over a connection of their own: the catalogue's is for the writer's thread. Files
never change, so what was read stays right; a file that the catalogue has forgotten meanwhile has none.
"""

import io
import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

MAX_BYTES = 64 * 2**20  # of tables kept, 20 each counter: a fortnight of 40 containers with 4 levels a minute

SCHEMA = pa.schema(
    [
        ("minute", pa.int32()),  # timestamp / 60 s
        ("origin", pa.int32()),
        ("level", pa.dictionary(pa.int32(), pa.string())),  # "": none
        ("lines", pa.int64()),
    ]
)
# One text instead of rows: SQLite and Arrow make and read it four times as fast as Python takes rows.
_SELECT = (
    "SELECT group_concat(minute || ',' || origin || ',' || level || ',' || lines, char(10)) FROM minutes"
    " WHERE file = (SELECT id FROM files WHERE name = ?)"
)
_COLUMNS = csv.ReadOptions(column_names=SCHEMA.names, use_threads=False)
_TYPES = csv.ConvertOptions(column_types={field.name: field.type for field in SCHEMA})


class Minutes:
    """Counters by the name of their file. For any thread."""

    def __init__(self, catalogue: Path) -> None:
        self._path = catalogue
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._kept: OrderedDict[str, pa.RecordBatch] = OrderedDict()
        self._bytes = 0

    def of(self, name: str) -> pa.RecordBatch | None:
        """Rows of SCHEMA; None when there are none to be had, so that the file itself has to be asked."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
            try:
                return self._keep(name, self._read(name))
            except (sqlite3.Error, pa.ArrowException, OverflowError):
                return None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _keep(self, name: str, batch: pa.RecordBatch | None) -> pa.RecordBatch | None:
        if batch is None:
            return None
        self._kept[name] = batch
        self._bytes += batch.nbytes
        while self._bytes > MAX_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return batch

    def _read(self, name: str) -> pa.RecordBatch | None:
        if self._db is None:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(uri, uri=True, check_same_thread=False)
        text = self._db.execute(_SELECT, (name,)).fetchone()[0]
        if text is None:
            return None
        table = csv.read_csv(io.BytesIO(text.encode()), _COLUMNS, convert_options=_TYPES)
        return table.unify_dictionaries().combine_chunks().to_batches()[0]
