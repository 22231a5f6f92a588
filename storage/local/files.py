"""Sealed files of the embedded store: sorted by container and time, written so that a crash leaves no half.

Whoever opens one with DuckDB, pandas or Spark finds readable columns; the origins are also whole in the
footer, as JSON under "logdock.origins", so that a file explains itself without the catalogue.
"""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parsers.event import Origin
from storage.durable import replacing
from storage.lists import OriginCount
from storage.local.catalogue import FileEntry, MinuteCount, Sealed, Trigrams
from storage.local.columns import SCHEMA, WORD
from storage.local.hot import bounds, spans
from storage.local.trigrams import SEARCHED, bitmap, pack

# Measured on 250,000 Docker-shaped lines of 129 bytes, sealing CPU per event and bytes per event: level 1
# 0.48 us 24.8; 3 0.50 us 25.4; 6 1.21 us 23.4. Row groups of 65,536 or 16,384 rows change neither
# by 2 %; small ones let a query for one container read little.
COMPRESSION_LEVEL = 1
ROW_GROUP_ROWS = 32_768

_NUMBERS = (
    "position",
    "index",
    "timestamp",
    "observed",
    "sequence",
    "offset",
)  # deltas are small
_READABLE = ("container_id", "container_name", "image", "service", "service_source", "host", "tag")
_JSON = ("labels", "tag_fields")
_WORDS = ("journal", "stream", "level", "origin", *_READABLE, *_JSON)
_COUNTED = ["origin", "timestamp"]
_MINUTE = 60_000_000_000  # nanoseconds
_UNFINISHED = ".tmp"


def write(batches: Sequence[pa.RecordBatch], origins: Mapping[int, Origin], folder: Path) -> Sealed:
    """Seal rows of columns.SCHEMA into a new file in `folder`; durable when this returns.

    Raises OSError or pyarrow's errors when the disk does not take it; then nothing is left behind.
    """
    table = pa.Table.from_batches(batches, SCHEMA).unify_dictionaries().combine_chunks()
    data = table.to_batches()[0]  # combined: there is one
    name, counts = _name(bounds(data["observed"])[0]), _counts(table)
    schema = _schema([count.origin for count in counts], origins)
    groups = _row_groups(table, origins)
    with replacing(folder / name, _UNFINISHED) as file:  # under its own name a file is always whole
        trigrams = _write_groups(file, schema, groups)
        size = file.tell()
    entry = FileEntry(
        name, table.num_rows, size, *bounds(data["timestamp"]), *bounds(data["observed"]),
        *bounds(data["sequence"]), *bounds(data["offset"]), spans(data), tuple(c.origin for c in counts),
        Trigrams(ROW_GROUP_ROWS, len(trigrams), pack(trigrams)),
    )  # fmt: skip
    return Sealed(entry, counts, _minutes(table))


def read(path: Path) -> list[pa.RecordBatch]:
    """The rows of a sealed file, in columns.SCHEMA."""
    words = [name for name in SCHEMA.names if SCHEMA.field(name).type == WORD]
    table = pq.read_table(path, columns=SCHEMA.names, read_dictionary=words, use_threads=False)
    batches: list[pa.RecordBatch] = table.replace_schema_metadata(None).cast(SCHEMA).to_batches()
    return batches


def read_slowly(path: Path, columns: Sequence[str] = SCHEMA.names) -> Iterator[pa.RecordBatch]:
    """The rows of a sealed file, some thousands at a time: what is dropped of them costs no memory."""
    words = [name for name in columns if SCHEMA.field(name).type == WORD]
    schema = pa.schema([SCHEMA.field(name) for name in columns])
    with pq.ParquetFile(path, read_dictionary=words) as file:
        for batch in file.iter_batches(ROW_GROUP_ROWS, columns=list(columns), use_threads=False):
            table = pa.Table.from_batches([batch]).replace_schema_metadata(None)
            yield from table.select(list(columns)).cast(schema).to_batches()


def sweep(folder: Path, known: Iterable[str]) -> list[str]:
    """Delete what no catalogue entry names: sealed but not committed, or replaced but not yet deleted."""
    names = {path.name for path in folder.iterdir() if path.suffix in (".parquet", _UNFINISHED)}
    strangers = sorted(names - set(known))
    for name in strangers:
        (folder / name).unlink()
    return strangers


def _row_groups(table: pa.Table, origins: Mapping[int, Origin]) -> Iterator[pa.Table]:
    """Sorted, readable, and one at a time: a whole sorted copy would cost as much memory as the hot set."""
    order = _order(table, origins)
    for start in range(0, table.num_rows, ROW_GROUP_ROWS):
        yield _readable(table.take(order.slice(start, ROW_GROUP_ROWS)), origins)


def _order(table: pa.Table, origins: Mapping[int, Origin]) -> pa.Array:
    """By container, timestamp and sequence. Containers go by rank: numbers compare quickly."""
    numbers = table["origin"].combine_chunks()
    present = numbers.unique()
    ids = [_container(origins[number]) for number in present.to_pylist()]
    rank = {container: place for place, container in enumerate(sorted(set(ids)))}
    ranks = pa.array([rank[container] for container in ids], pa.int32()).take(pc.index_in(numbers, present))
    keys = pa.table({"rank": ranks, "timestamp": table["timestamp"], "sequence": table["sequence"]})
    return pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])


def _container(origin: Origin) -> tuple[str, str, str]:
    return origin.container.id or "", origin.container.name or "", origin.host


def _schema(numbers: Sequence[int], origins: Mapping[int, Origin]) -> pa.Schema:
    whole = {str(number): origins[number] for number in numbers}
    fields = [*SCHEMA, *(pa.field(name, WORD) for name in (*_READABLE, *_JSON))]
    return pa.schema(fields, {"logdock.format": "1", "logdock.origins": msgspec.json.encode(whole)})


def _readable(table: pa.Table, origins: Mapping[int, Origin]) -> pa.Table:
    numbers = table["origin"].combine_chunks()
    present = numbers.unique()
    used = [origins[number] for number in present.to_pylist()]
    places = pc.index_in(numbers, present)
    for name in (*_READABLE, *_JSON):
        table = table.append_column(name, _words([_text(origin, name) for origin in used], places))
    return table


def _text(origin: Origin, name: str) -> str | None:
    holder: object = origin.container if name in ("container_id", "container_name", "image") else origin
    value: str | Mapping[str, str] | None = getattr(holder, name.removeprefix("container_"))
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode() if value else None


def _words(values: list[str | None], places: pa.Array) -> pa.Array:
    distinct = sorted({value for value in values if value is not None})
    number = {value: place for place, value in enumerate(distinct)}
    codes = pa.array([None if value is None else number[value] for value in values], pa.int32())
    return pa.DictionaryArray.from_arrays(codes.take(places), pa.array(distinct, pa.string()))


def _counts(table: pa.Table) -> list[OriginCount]:
    small = pa.table({"origin": table["origin"], "timestamp": table["timestamp"].cast(pa.int64())})
    grouped = small.group_by("origin", use_threads=False).aggregate(
        [("timestamp", "count"), ("timestamp", "min"), ("timestamp", "max")]
    )
    names = ("origin", "timestamp_count", "timestamp_min", "timestamp_max")
    return [OriginCount(*row) for row in zip(*(grouped[name].to_pylist() for name in names), strict=True)]


def _minutes(table: pa.Table) -> list[MinuteCount]:
    small = pa.table(
        {
            "minute": pc.divide(table["timestamp"].cast(pa.int64()), _MINUTE),
            "origin": table["origin"],
            "level": pc.fill_null(table["level"].cast(pa.string()), ""),
        }
    )
    grouped = small.group_by(["minute", "origin", "level"], use_threads=False).aggregate([([], "count_all")])
    names = ("minute", "origin", "level", "count_all")
    return [MinuteCount(*row) for row in zip(*(grouped[name].to_pylist() for name in names), strict=True)]


def counts(batches: Sequence[pa.RecordBatch]) -> list[OriginCount]:
    """Lines per origin of rows in memory; of their columns, origin and timestamp are enough."""
    return _counts(pa.Table.from_batches([batch.select(_COUNTED) for batch in batches])) if batches else []


def _name(observed: int) -> str:
    seconds = time.gmtime(observed // 1_000_000_000)
    return f"{time.strftime('%Y%m%dT%H%M%SZ', seconds)}-{uuid.uuid4().hex[:12]}.parquet"


def _write_groups(file: BinaryIO, schema: pa.Schema, groups: Iterable[pa.Table]) -> list[bytes]:
    """Write them; returns the trigrams of each."""
    trigrams = []
    with pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=list(_WORDS),
        column_encoding=dict.fromkeys(_NUMBERS, "DELTA_BINARY_PACKED"),
    ) as writer:
        for group in groups:
            writer.write_table(group.replace_schema_metadata(schema.metadata), row_group_size=ROW_GROUP_ROWS)
            trigrams.append(bitmap(chunk for name in SEARCHED for chunk in group[name].chunks))
    return trigrams
