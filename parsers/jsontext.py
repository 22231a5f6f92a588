"""JSON as log senders write it: read strictly when it is strict, with forbearance when it is not."""

import json
import math
import re
from typing import Any

import orjson

from parsers.unpacked import MAX_DEPTH, shallow

# An escape that is half a surrogate pair has no character (RFC 8259, section 8.2). Whole pairs and every
# other escape (a backslash before the "u" included) must be stepped over to see which is which.
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
# With all digits alike, a number that may be beyond 64 bits is found at memory's speed.
_DIGITS_ALIKE = bytes(ord("0") if chr(byte).isdecimal() else byte for byte in range(256))
_LONG = b"0" * 19
_INT64, _UINT64 = -(1 << 63), 1 << 64


def loads(text: bytes) -> Any:
    """The value of a JSON text. ValueError when it is none.

    Bytes that are not UTF-8 and lone surrogates become U+FFFD; raw control characters in strings are taken;
    a number that neither 64 bits nor a float can hold (2**64, 1e400) and NaN stay text; nesting beyond
    MAX_DEPTH becomes a note.
    """
    try:
        value = orjson.loads(text)
        if _LONG in text.translate(_DIGITS_ALIKE):
            value = _patient(text)  # orjson rounds such integers
    except orjson.JSONDecodeError:
        value = _patient(text)
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH:
        return shallow(value)
    return value


def _patient(text: bytes) -> Any:
    try:
        mended = _ESCAPES.sub(_mend, text.decode("utf-8", "replace"))
        return json.loads(mended, strict=False, parse_int=_int, parse_float=_float, parse_constant=str)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _mend(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape[1] else escape[0]


def _int(digits: str) -> int | str:
    value = int(digits) if len(digits) <= 20 else _UINT64
    return value if _INT64 <= value < _UINT64 else digits


def _float(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits
