"""Number constants of a template (Go: text/template/parse/node.go, newNumber; strconv)."""

from __future__ import annotations

import re
from typing import Final

from parsers.go.errors import GoError
from parsers.go.nodes import NumberNode
from parsers.go.quoting import quote, unquote_rune

_BASES: Final = {b"0b": 2, b"0o": 8, b"0x": 16}
# More digits than a number of 64 bits has in base 2; Python itself bounds what int() converts.
_MAX_DIGITS: Final = 64

_DIGITS: Final = {
    base: re.compile(rb"[0-9a-fA-F]*" if base == 16 else b"[0-%d]*" % (base - 1)) for base in (2, 8, 10, 16)
}
_LONE_UNDERSCORE: Final = re.compile(rb"(?<![0-9])_|_(?![0-9])")
_LONE_UNDERSCORE_HEX: Final = re.compile(rb"(?<![0-9a-fA-F])_|_(?![0-9a-fA-F])")
_DECIMAL: Final = re.compile(rb"[-+]?(?=\.?[0-9])[0-9]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?")
_HEXADECIMAL: Final = re.compile(rb"[-+]?0[xX](?=\.?[0-9a-fA-F])[0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][-+]?[0-9]+")
# What fmt.Sscan takes for one part of a complex number; an i in front could be that of Inf, and is gone
# (fmt/scan.go, floatToken).
_PART: Final = (
    rb"(?>[-+]?i?(?:0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*(?:[pP][-+]?[0-9_]*)?"
    rb"|[0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9_]*)?))"
)
_COMPLEX: Final = re.compile(rb"(%s)((?=[-+])%s)i" % (_PART, _PART))


def number_node(position: int, text: bytes) -> NumberNode:
    """A number in each Go type that holds it. Raises GoError with Go's words."""
    if text.endswith(b"i"):
        imaginary = _float_or_none(text[:-1])
        if imaginary is not None:
            return _complex_node(position, text, complex(0, imaginary))
    signed, unsigned = parse_int(text), parse_uint(text)
    if signed == 0:
        unsigned = 0  # -0 too
    whole = unsigned if signed is None else signed
    if whole is not None:
        return NumberNode(position, text, signed, unsigned, float(whole))
    value = _float_or_none(text)
    if value is None:
        raise GoError(b"illegal number syntax: " + quote(text))
    if not any(mark in text for mark in b".eEpP"):
        raise GoError(b"integer overflow: " + quote(text))
    return NumberNode(position, text, _as_int(value), _as_uint(value), value)


def complex_node(position: int, text: bytes) -> NumberNode:
    """A constant like 1+2i. Raises GoError."""
    parts = _COMPLEX.match(text)
    if parts is None:
        raise GoError("syntax error scanning complex number")
    return _complex_node(position, text, complex(_scanned(parts[1]), _scanned(parts[2])))


def character_node(position: int, text: bytes) -> NumberNode:
    """A character constant, quotes and all. Raises GoError."""
    rune, _, end = unquote_rune(text, 1, text[0])
    if end != len(text) - 1:
        raise GoError(b"malformed character constant: " + text)
    return NumberNode(position, text, rune, rune, float(rune))


def _complex_node(position: int, text: bytes, value: complex) -> NumberNode:
    if value.imag != 0:
        return NumberNode(position, text, as_complex=value)
    real = value.real
    return NumberNode(position, text, _as_int(real), _as_uint(real), real, value)


def _as_int(value: float) -> int | None:
    return int(value) if -(2.0**63) <= value < 2.0**63 and value == int(value) else None


def _as_uint(value: float) -> int | None:
    return int(value) if 0 <= value < 2.0**64 and value == int(value) else None


def _scanned(text: bytes) -> float:
    try:
        return parse_float(text)
    except GoError as error:
        raise GoError(b"strconv.ParseFloat: parsing " + quote(text) + b": " + error.text) from None


def _float_or_none(text: bytes) -> float | None:
    try:
        return parse_float(text)
    except GoError:
        return None


def parse_float(text: bytes) -> float:
    """strconv.ParseFloat for what the lexer calls a number. Raises GoError: syntax or range."""
    digits = text.replace(b"_", b"")
    is_hex = _HEXADECIMAL.fullmatch(digits) is not None
    if not (is_hex or _DECIMAL.fullmatch(digits)) or not _underscores_fit(text):
        raise GoError("invalid syntax")
    try:
        value = float.fromhex(digits.decode()) if is_hex else float(digits)
    except OverflowError:
        value = float("inf")
    if value in (float("inf"), float("-inf")):
        raise GoError("value out of range")
    return value


def parse_int(text: bytes) -> int | None:
    """strconv.ParseInt with base 0 and 64 bits; None when Go gives an error."""
    value = parse_uint(text[1:] if text[:1] in (b"+", b"-") else text)
    if value is None:
        return None
    value = -value if text.startswith(b"-") else value
    return value if -(2**63) <= value < 2**63 else None


def parse_uint(text: bytes) -> int | None:
    """strconv.ParseUint with base 0 and 64 bits; None when Go gives an error."""
    base, digits = 10, text
    if text.startswith(b"0"):
        base = _BASES.get(text[:2].lower(), 8) if len(text) > 2 else 8
        digits = text[1:] if base == 8 and text[1:2] not in (b"o", b"O") else text[2:]
        if len(text) == 2:
            digits = text[1:]
    digits = digits.replace(b"_", b"")
    if not text or not _DIGITS[base].fullmatch(digits) or not _underscores_fit(text):
        return None
    digits = digits.lstrip(b"0")
    value = int(digits, base) if 0 < len(digits) <= _MAX_DIGITS else len(digits)
    return value if len(digits) <= _MAX_DIGITS and value < 2**64 else None


def _underscores_fit(text: bytes) -> bool:
    """Whether each underscore stands between digits, a base's prefix being one (strconv, underscoreOK)."""
    if b"_" not in text:
        return True
    body = text.lstrip(b"+-")
    prefix = body[:2].lower()
    if prefix not in _BASES:
        return _LONE_UNDERSCORE.search(body) is None
    lone = _LONE_UNDERSCORE_HEX if prefix == b"0x" else _LONE_UNDERSCORE
    return lone.search(b"0" + body[2:]) is None
