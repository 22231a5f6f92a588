"""Senders' values made fit for everything behind us: valid text, and values that JSON can hold."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import orjson

# JSON writers and readers here stop at about 250 to 1000 levels; a log field this deep is read by nobody.
MAX_DEPTH = 32


def sound(text: str | None) -> str:
    """`text` without lone surrogates, which UTF-8 cannot hold (JSON escapes can make them); "" for None."""
    if text is None:
        return ""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def text_of(value: Any) -> str:
    """A value as one text: text as it is, bytes with what is not UTF-8 replaced, anything else as JSON."""
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return orjson.dumps(plain(value)).decode()


def plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    """The value as JSON's types only. What JSON cannot say (not a number, an integer beyond 64 bits, a
    msgpack extension, too deep a nesting) becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return text_of(value)
    if isinstance(value, (Mapping, list, tuple)):
        return _nested(value, depth)
    return _odd(value)


def _nested(value: Any, depth: int) -> Any:
    if depth <= 0:
        return "..."
    if isinstance(value, Mapping):
        return {text_of(key): plain(item, depth - 1) for key, item in value.items()}
    return [plain(item, depth - 1) for item in value]


def _odd(value: Any) -> str:
    """A msgpack extension as `ext:<code>:<base64>`, anything else (a time) as Python writes it."""
    code, data = getattr(value, "code", None), getattr(value, "data", None)
    if isinstance(code, int) and data is not None:
        return f"ext:{code}:{base64.b64encode(bytes(data)).decode()}"
    return sound(str(value))
