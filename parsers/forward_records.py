"""Fluentd's forward protocol, seen from the pipeline: the records of journalled frames, in the wire's order.

Contract: whatever the splitter let through gives records; nothing is raised and nothing is lost unseen. What
cannot be read as a record becomes one that says so (MALFORMED in its option) or is counted in `skipped`:

    signal               a metrics or traces frame (fluent_signal 1 and 2), which is no log
    malformed            packed entries whose framing is broken: the rest of that frame
    inflated_too_big     compressed entries beyond the limit: the rest of that frame
    unknown_compression  packed entries in a method nobody here can read: that frame
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import astuple

from parsers.boundaries import ARRAYS, MAPS, STRINGS, Boundaries, children, head, string
from parsers.inflate import BLOCK, MAX_INFLATED, inflated
from parsers.packed import MALFORMED, entries, malformed, message_text
from parsers.record import DecodeError, Record
from parsers.unpacked import MAX_BUILT, text, time, unpack

_METRICS_AND_TRACES = (1, 2)  # fluent_signal (Forward Protocol Specification v1.5; Fluent Bit fw_prot.c)
_ARRAY_32 = b"\xdd"
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)


class _Texts(Record, gc=False, array_like=True):
    """A message whose values are all UTF-8 text: Docker's, and nothing in it needs a second look."""

    record: dict[str, str]
    option: dict[str, str] | None = None

    def __eq__(self, other: object) -> bool:
        """Equal to any Record of the same content: which way it was decoded is nobody's concern."""
        return isinstance(other, Record) and astuple(self) == astuple(other)


_ALL_TEXTS = msgspec.msgpack.Decoder(list[_Texts])
_ONE_TEXTS = msgspec.msgpack.Decoder(_Texts)
# A list is only made of this much at once, so that one frame of millions of keys cannot become gigabytes.
_MAX_AT_ONCE = 4 << 20


def decode(
    raw: bytes,
    count: int,
    skipped: Counter[str] | None = None,
    max_inflated: int = MAX_INFLATED,
) -> Iterable[Record]:
    """The records of `count` frames that stand back to back in `raw`.

    A list when all are plain messages of text, else a generator that holds a block of entries at most.
    Records of one frame share its option: do not change it. `max_inflated` is in bytes a frame.
    """
    if len(raw) <= min(_MAX_AT_ONCE, count * MAX_BUILT):
        try:
            return _ALL_TEXTS.decode(_ARRAY_32 + count.to_bytes(4, "big") + raw)
        except _BROKEN:
            pass
    return _one_by_one(raw, Counter() if skipped is None else skipped, max_inflated)


def _one_by_one(raw: bytes, skipped: Counter[str], max_inflated: int) -> Iterator[Record]:
    for frame in _frames(raw, skipped):
        if len(frame) <= MAX_BUILT:
            try:
                yield _ONE_TEXTS.decode(frame)
                continue
            except _BROKEN:
                pass
        yield from _careful(frame, skipped, max_inflated)


def _frames(raw: bytes, skipped: Counter[str]) -> Iterator[bytes]:
    boundaries = Boundaries()
    whole, ends = boundaries.feed(raw)
    if boundaries.tail:
        skipped["malformed"] += 1
    start = 0
    for end in ends:
        yield whole[start:end]
        start = end


def _careful(frame: bytes, skipped: Counter[str], max_inflated: int) -> Iterator[Record]:
    parts = children(frame) if frame[0] in ARRAYS else []
    tag = string(parts[0]) if parts else None
    if tag is None or len(parts) < 2:
        yield Record("", None, {"message": message_text(frame)}, malformed(None))
        return
    is_message = parts[1][0] not in ARRAYS and parts[1][0] not in STRINGS
    option = _option(parts[3:] if is_message else parts[2:])
    if option and option.get("fluent_signal") in _METRICS_AND_TRACES:
        skipped["signal"] += 1
    elif is_message:
        yield _message(text(tag), parts, option)
    else:
        yield from _entries(text(tag), parts[1], option, skipped, max_inflated)


def _option(parts: list[bytes]) -> dict[str, Any] | None:
    if not parts or parts[0] == b"\xc0":
        return None
    try:
        value = unpack(parts[0])
    except ValueError:
        return {MALFORMED: True}
    return value if isinstance(value, dict) else {MALFORMED: True}


def _message(tag: str, parts: list[bytes], option: dict[str, Any] | None) -> Record:
    packed = parts[2] if len(parts) > 2 else b"\xc0"
    if packed[0] in MAPS:
        try:
            return Record(tag, time(parts[1]), unpack(packed), option)
        except ValueError:
            pass
    shown = packed if len(parts) > 2 else parts[1]
    return Record(tag, time(parts[1]), {"message": message_text(shown)}, malformed(option))


def _entries(
    tag: str, packed: bytes, option: dict[str, Any] | None, skipped: Counter[str], max_inflated: int
) -> Iterator[Record]:
    blocks = _blocks(packed, str((option or {}).get("compressed", "text")), max_inflated)
    try:
        yield from entries(tag, blocks, option, skipped)
    except DecodeError as error:
        skipped[error.reason] += 1


def _blocks(packed: bytes, method: str, max_inflated: int) -> Iterator[bytes]:
    """Entries back to back: the content of an array, or of a str or bin that may be compressed."""
    size = head(packed)[1]
    if packed[0] in ARRAYS:
        return (packed[start : start + BLOCK] for start in range(size, len(packed), BLOCK))
    return inflated(packed[size:], method, max_inflated)
