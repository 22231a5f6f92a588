"""Entries back to back, [time, record] each: what Forward, PackedForward and compressed messages all hold."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import msgspec
import orjson

from parsers.boundaries import ARRAYS, MAPS, Boundaries, children
from parsers.record import DecodeError, Ext, Record
from parsers.unpacked import time, unpack

# In the option of a record that could not be read as its sender meant it.
MALFORMED = "logdock_malformed"
# An entry that is still incomplete after this much is no entry, but a length that lies.
MAX_ENTRY = 64 << 20

_ARRAY_32 = b"\xdd"
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)


class _Entry(msgspec.Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    """An entry whose values are all UTF-8 text."""

    time: int | Ext | None
    record: dict[str, str]


_ENTRIES = msgspec.msgpack.Decoder(list[_Entry])
_ENTRY = msgspec.msgpack.Decoder(_Entry)


def entries(
    tag: str, blocks: Iterable[bytes], option: dict[str, Any] | None, skipped: Counter[str]
) -> Iterator[Record]:
    """The records in `blocks`, which may be cut anywhere. One block's entries are held at once.

    DecodeError when a value is no array, or is not msgpack: the framing is lost, and the rest with it.
    """
    boundaries = Boundaries()
    for block in blocks:
        raw, ends = boundaries.feed(block)
        yield from _whole(tag, raw, ends, option)
        if boundaries.broken or len(boundaries.tail) > MAX_ENTRY:
            raise DecodeError("malformed", "broken entries")
    if boundaries.tail:
        skipped["malformed"] += 1


def _whole(tag: str, raw: bytes, ends: list[int], option: dict[str, Any] | None) -> Iterator[Record]:
    try:
        plain = _ENTRIES.decode(_ARRAY_32 + len(ends).to_bytes(4, "big") + raw)
    except _BROKEN:
        for start, end in pairwise([0, *ends]):
            yield _one(tag, raw[start:end], option)
        return
    for entry in plain:
        yield Record(tag, entry.time, entry.record, option)


def _one(tag: str, packed: bytes, option: dict[str, Any] | None) -> Record:
    try:
        entry = _ENTRY.decode(packed)
    except _BROKEN:
        return _careful(tag, packed, option)
    return Record(tag, entry.time, entry.record, option)


def _careful(tag: str, packed: bytes, option: dict[str, Any] | None) -> Record:
    if packed[0] not in ARRAYS:
        raise DecodeError("malformed", "an entry must be an array")
    parts = children(packed)
    if len(parts) < 2 or parts[1][0] not in MAPS:
        shown = parts[1] if len(parts) == 2 else packed
        return Record(
            tag, time(parts[0]) if parts else None, {"message": message_text(shown)}, malformed(option)
        )
    if len(parts) > 2:
        option = malformed(option)
    try:
        return Record(tag, time(parts[0]), unpack(parts[1]), _with_metadata(parts[0], option))
    except ValueError:
        return Record(tag, time(parts[0]), {"message": message_text(parts[1])}, malformed(option))


def _with_metadata(packed_time: bytes, option: dict[str, Any] | None) -> dict[str, Any] | None:
    """The metadata of `[time, metadata]` stands beside the frame's option: nothing of an entry is dropped."""
    if packed_time[0] not in ARRAYS:
        return option
    parts = children(packed_time)
    metadata = unpack(parts[1]) if len(parts) > 1 else None
    return {**(option or {}), "metadata": metadata} if metadata else option


def malformed(option: dict[str, Any] | None) -> dict[str, Any]:
    """The option of a record that is not what its sender meant."""
    return {**(option or {}), MALFORMED: True}


def message_text(packed: bytes) -> str:
    """A value that is no record, as a line of text: a string as it is, anything else as JSON."""
    try:
        value = unpack(packed)
        if isinstance(value, str):
            return value
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return orjson.dumps(value, default=_replaced).decode()
    except (ValueError, TypeError):
        return packed.decode("utf-8", "replace")


def _replaced(value: bytes) -> str:
    return value.decode("utf-8", "replace")
