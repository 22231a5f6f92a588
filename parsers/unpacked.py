"""msgpack values as Python values that any JSON writer takes.

Senders put anything into a record: text that is not UTF-8, maps with arrays as keys, NaN, extension types,
a thousand levels of nesting. Here each becomes something that can be stored and shown.
"""

import math
import struct
from typing import Any

import msgpack

from parsers.boundaries import BROKEN, MAPS, STRINGS, children, head, string
from parsers.record import NANOSECONDS, Ext

# Deeper than any log record; below the 254 levels that orjson writes and far below Python's own stack.
MAX_DEPTH = 64
TOO_DEEP = "(nested too deeply)"
# One byte of msgpack may become a Python object of 64 bytes (an empty map). Up to this size all of a record
# is built (64 MiB at worst); of a larger one, whose bulk is long text in honest hands, only flat values.
MAX_BUILT = 1 << 20
# A larger record with more keys than this is not built at all: 64 MiB could hold ten million of them.
MAX_KEYS = 10_000
_SHORT = 16  # no number and no EventTime is longer when packed

_EVENT_TIME = struct.Struct(">II")
_SECONDS = 1 << 32  # EventTime holds them in 32 bits
_EXACT_FLOAT = 1 << 53


class _Map:
    """A map as it came: its keys may be of any type."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[Any, Any]]) -> None:
        self.pairs = pairs


def unpack(data: bytes) -> Any:
    """One packed value as JSON-able Python, except that top-level map values that are not UTF-8 stay bytes.

    ValueError when it cannot be built (a broken Timestamp, a map of too many keys).
    """
    if len(data) > MAX_BUILT and data[0] not in STRINGS:
        return _unpack_large(data)
    value = _build(data)
    if isinstance(value, _Map):
        return {text(key): _flat(item) for key, item in value.pairs}
    return _flat(value)


def _build(data: bytes) -> Any:
    if len(data) > MAX_BUILT and data[0] not in STRINGS:
        raise ValueError(f"{len(data)} bytes of values are too many to build")
    try:
        return msgpack.unpackb(data, raw=True, strict_map_key=False, object_pairs_hook=_Map)
    except BROKEN as error:
        raise ValueError(str(error)) from error


def _unpack_large(data: bytes) -> dict[str, Any]:
    if data[0] not in MAPS or head(data)[0] > MAX_KEYS:
        raise ValueError(f"{len(data)} bytes of values are too many to build")
    parts = children(data)
    return {text(_build(key)): _large_value(item) for key, item in zip(parts[::2], parts[1::2], strict=True)}


def _large_value(item: bytes) -> Any:
    content = string(item)
    if content is not None:
        return _flat(content)
    return unpack(item) if len(item) <= _SHORT else item.decode("utf-8", "replace")


def _flat(value: Any) -> Any:
    """A value of a record. Text that is not UTF-8 stays bytes: Docker cuts long lines inside characters."""
    if type(value) is bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return _clean(value, MAX_DEPTH)


def _clean(value: Any, depth: int) -> Any:
    if type(value) is bytes:
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [_clean(item, depth - 1) for item in value] if depth else TOO_DEEP
    if isinstance(value, _Map):
        return {text(key): _clean(item, depth - 1) for key, item in value.pairs} if depth else TOO_DEEP
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return _not_finite(value)
    if isinstance(value, msgpack.ExtType):
        return value.data.hex()
    if isinstance(value, msgpack.Timestamp):
        return f"{value.seconds}.{value.nanoseconds:09}"
    return value


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def text(key: Any) -> str:
    """A map key, or a tag, as text."""
    if type(key) is bytes:
        return key.decode("utf-8", "replace")
    if isinstance(key, bool):
        return "true" if key else "false"
    if key is None:
        return "null"
    return str(_clean(key, MAX_DEPTH))


def shallow(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A JSON value without what is nested deeper than `depth` levels."""
    if isinstance(value, dict):
        return {key: shallow(item, depth - 1) for key, item in value.items()} if depth else TOO_DEEP
    if isinstance(value, list):
        return [shallow(item, depth - 1) for item in value] if depth else TOO_DEEP
    return value


def time(data: bytes) -> int | Ext | None:
    """A packed forward time: whole seconds, an EventTime, or None when it says nothing.

    `[time, metadata]` gives its time (Forward Protocol Specification v1.5); a float becomes an EventTime.
    """
    try:
        return _time(_build(data))
    except ValueError:
        return None


def _time(value: Any) -> int | Ext | None:
    if isinstance(value, list) and value:
        value = value[0]
    if type(value) is int:
        return value
    if isinstance(value, msgpack.ExtType) and value.code == 0 and len(value.data) == 8:
        return Ext(0, value.data)
    if isinstance(value, msgpack.Timestamp):
        return Ext(-1, value.to_bytes())
    if isinstance(value, float) and 0 <= value < _EXACT_FLOAT:
        return _event_time(*divmod(_float_nanoseconds(value), NANOSECONDS))
    return None


def _float_nanoseconds(value: float) -> int:
    """Through its shortest decimal form: 1700000000.123 means .123000000, not .123000144."""
    seconds, _, fraction = repr(value).partition(".")
    if not seconds.isdigit() or not fraction.isdigit():  # an exponent
        seconds, _, fraction = f"{value:.9f}".partition(".")
    return int(seconds) * NANOSECONDS + int(fraction[:9].ljust(9, "0"))


def _event_time(seconds: int, nanoseconds: int) -> int | Ext:
    if not 0 <= seconds < _SECONDS:
        return seconds
    return Ext(0, _EVENT_TIME.pack(seconds, nanoseconds))
