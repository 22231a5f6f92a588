"""Events as Arrow columns and back: what the embedded store holds in memory and writes to Parquet.

A row keeps a whole Event exactly. Its origin is a number here (the catalogue's), because thousands of
rows share one; sealing writes the readable origin columns beside it (files.py).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson
import pyarrow as pa

from parsers.event import Event, Origin, Printed

# Arrow's own pool gives memory back at once and takes it again, zeroed, for the next batch: that costs 1.1 us
# an event and 70 MiB at the peak more than malloc does (bench/end_to_end.py).
pa.set_memory_pool(pa.system_memory_pool())

WORD = pa.dictionary(pa.int32(), pa.string())  # few distinct values: one small number a row

SCHEMA = pa.schema(
    [
        ("journal", WORD),
        ("position", pa.int64()),
        ("index", pa.int32()),
        (
            "timestamp",
            pa.timestamp("ns"),
        ),  # UTC; DuckDB cuts those with a zone to microseconds
        ("observed", pa.timestamp("ns")),
        ("sequence", pa.int64()),
        ("offset", pa.int64()),
        ("message", pa.string()),
        ("stream", WORD),
        ("level", WORD),
        ("origin", pa.int32()),
        ("fields", pa.string()),  # JSON; null where there are none and where json_line holds
        ("json_line", pa.bool_()),
        ("flags", pa.list_(pa.string())),
        ("printed", pa.binary()),  # MessagePack: [[data, stream, timestamp], ...]
    ]
)

_PRINTED = msgspec.msgpack.Decoder(tuple[Printed, ...])


def batch(events: Sequence[Event], origin_ids: Mapping[str, int]) -> pa.RecordBatch:
    """Events as one RecordBatch of SCHEMA; `origin_ids` maps every Origin.key met to its number.

    Raises UnicodeEncodeError (a lone surrogate in a text), OverflowError (a number beyond 64 bits), and
    what pyarrow and orjson raise for values no Event should hold.
    """
    arrays = [
        pa.array([e.journal for e in events], WORD),
        pa.array([e.position for e in events], pa.int64()),
        pa.array([e.index for e in events], pa.int32()),
        _times([e.timestamp for e in events]),
        _times([e.observed for e in events]),
        pa.array([e.sequence for e in events], pa.int64()),
        pa.array([e.offset for e in events], pa.int64()),
        pa.array([e.message for e in events], pa.string()),
        pa.array([e.stream for e in events], WORD),
        pa.array([e.level for e in events], WORD),
        pa.array([origin_ids[e.origin.key] for e in events], pa.int32()),
        pa.array(
            [_dumps(e.fields) if e.fields is not None and not e.json_line else None for e in events],
            pa.string(),
        ),
        pa.array([e.json_line for e in events], pa.bool_()),
        _sparse([e.flags for e in events], pa.list_(pa.string()), list),
        _sparse([e.printed for e in events], pa.binary(), msgspec.msgpack.encode),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def event(row: Sequence[Any], origins: Mapping[int, Origin]) -> Event:
    """The Event of one row in SCHEMA's order, times as integer nanoseconds; `origins` by number."""
    (
        journal, position, index, timestamp, observed, sequence, offset,
        message, stream, level, origin, fields, json_line, flags, printed,
    ) = row  # fmt: skip
    return Event(
        journal, position, index, timestamp, observed, sequence, offset, message, origins[origin],
        stream, level, _loads(message if json_line else fields), json_line,
        tuple(flags) if flags else (), _PRINTED.decode(printed) if printed else (),
    )  # fmt: skip


def storable(event: Event) -> Event:
    """`event` with what no UTF-8 file can hold (lone surrogates) replaced: never in a well-formed Event."""

    def clean(text: str | None) -> str | None:
        return None if text is None else text.encode("utf-8", "replace").decode()

    message = clean(event.message) or ""
    return msgspec.structs.replace(
        event,
        message=message,
        stream=clean(event.stream),
        level=clean(event.level),
        json_line=event.json_line and message == event.message,
        flags=tuple(clean(flag) or "" for flag in event.flags),
    )


def _times(nanoseconds: list[int]) -> pa.Array:
    return pa.array(nanoseconds, pa.int64()).view(pa.timestamp("ns"))


def _sparse(values: list[Any], kind: pa.DataType, encode: Any) -> pa.Array:
    """A column that is almost always empty: empty values are nulls and cost nothing to tell apart."""
    if not any(values):
        return pa.nulls(len(values), kind)
    return pa.array([encode(value) if value else None for value in values], kind)


def _dumps(fields: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(fields).decode()
    except TypeError:  # beyond 64 bits, or no JSON value: the standard encoder takes more, the rest as text
        return json.dumps(fields, default=str)


def _loads(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value: dict[str, Any] = msgspec.json.decode(text)  # exact also for integers beyond 64 bits
    except msgspec.DecodeError:  # NaN and the like, written by the standard encoder
        value = json.loads(text)
    return value
