"""Values as encoding/json writes them without HTML escapes (Go: encoding/json/encode.go)."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, Final

from parsers.go.errors import GoError
from parsers.go.floats import format_float
from parsers.go.limits import Buffer
from parsers.go.runes import text_of
from parsers.go.values import NO_VALUE, Boxed, Pointer, Struct, is_nil, type_of

_SPECIAL: Final = re.compile('[\0-\x1f"\\\\\u2028\u2029\udc80-\udcff]')
_NAMED: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_json(value: Any) -> bytes:
    """json.Encoder with SetEscapeHTML(false), without the newline. Raises GoError as it fails."""
    buffer = Buffer()
    _write(buffer, value)
    return buffer.value()


def quoted(data: bytes) -> bytes:
    """A string; invalid UTF-8 becomes \\ufffd."""
    return b'"' + _SPECIAL.sub(_escape, text_of(data)).encode() + b'"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _NAMED:
        return _NAMED[character]
    return "\\ufffd" if character >= "\udc80" else f"\\u{ord(character):04x}"


def _write(buffer: Buffer, value: Any) -> None:
    while isinstance(value, Boxed | Pointer):
        value = value.value if isinstance(value, Boxed) else value.target
    if value is None or value is NO_VALUE or is_nil(value):
        buffer.write(b"null")
        return
    own = value.to_json() if isinstance(value, Struct) else None
    if own is not None:
        buffer.write(own)
        return
    match type_of(value).kind:
        case "string":
            buffer.write(quoted(value))
        case "bool":
            buffer.write(b"true" if value else b"false")
        case "int" | "uint":
            buffer.write(b"%d" % value)
        case "float":
            buffer.write(_number(value))
        case "slice":
            _write_list(buffer, value)
        case "map":
            _write_entries(buffer, sorted(value.items()))
        case "struct":
            _write_entries(buffer, _exported(value))
        case _:
            raise GoError(f"json: unsupported type: {type_of(value).name}")


def _number(value: float) -> bytes:
    """As JavaScript writes it, nearly."""
    if not isfinite(value):
        raise GoError(b"json: unsupported value: " + format_float(value, "g", -1))
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return format_float(value, "f", -1)
    return re.sub(rb"e-0(?=[0-9]$)", b"e-", format_float(value, "e", -1))


def _write_list(buffer: Buffer, values: Any) -> None:
    buffer.write(b"[")
    for number, value in enumerate(values):
        if number:
            buffer.write(b",")
        _write(buffer, value)
    buffer.write(b"]")


def _write_entries(buffer: Buffer, entries: list[tuple[bytes, Any]]) -> None:
    buffer.write(b"{")
    for number, (key, value) in enumerate(entries):
        if number:
            buffer.write(b",")
        buffer.write(quoted(key) + b":")
        _write(buffer, value)
    buffer.write(b"}")


def _exported(value: Struct) -> list[tuple[bytes, Any]]:
    return [(name, field) for name, field in value.fields.items() if not name[:1].islower()]
