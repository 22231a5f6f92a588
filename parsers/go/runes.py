"""Go strings are bytes; a rune is a code point; an invalid byte is U+FFFD of width 1 (Go: unicode/utf8).

Python's `surrogateescape` decodes just as Go does: one code point for each rune, one for each invalid byte.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from parsers.go import tables

RUNE_ERROR: Final = 0xFFFD
MAX_RUNE: Final = 0x10FFFF
SPACES: Final = frozenset(map(ord, "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000")) | frozenset(
    range(0x2000, 0x200B)
)


def text_of(data: bytes) -> str:
    """One character for each rune; an invalid byte is a lone surrogate, U+DC80 to U+DCFF."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The inverse of `text_of`."""
    return text.encode("utf-8", "surrogateescape")


def is_invalid(character: str) -> bool:
    """Whether a character of `text_of` stands for an invalid byte."""
    return "\udc80" <= character <= "\udcff"


def decode_rune(data: bytes, at: int) -> tuple[int, int]:
    """The rune at a place and its width; (U+FFFD, 1) for an invalid byte, (U+FFFD, 0) at the end."""
    if at >= len(data):
        return RUNE_ERROR, 0
    first = data[at]
    if first < 0x80:
        return first, 1
    width = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    try:
        return ord(data[at : at + width].decode()), width
    except UnicodeDecodeError:
        return RUNE_ERROR, 1


def encode_rune(rune: int) -> bytes:
    """UTF-8 of a rune; of U+FFFD for what is none (utf8.AppendRune)."""
    return chr(rune).encode() if is_rune(rune) else b"\xef\xbf\xbd"


def is_rune(rune: int) -> bool:
    """utf8.ValidRune."""
    return 0 <= rune < 0xD800 or 0xDFFF < rune <= MAX_RUNE


def rune_count(data: bytes) -> int:
    return len(data) if data.isascii() else len(text_of(data))


def _bounds(table: str) -> tuple[int, ...]:
    found, at = [], 0
    for step in table.split():
        at += int(step, 36)
        found.append(at)
    return tuple(found)


def mapping(table: str) -> dict[int, int]:
    """A mapping of parsers.go.tables."""
    found, at = {}, 0
    for run in table.split():
        step, distance, *rest = (int(part, 36) for part in run.split(","))
        count, stride = (*rest, 1, 1)[:2] if len(rest) != 1 else (rest[0], 1)
        at += step
        for rune in range(at, at + count * stride, stride):
            found[rune] = rune + distance
    return found


_LETTERS: Final = _bounds(tables.LETTERS)
_DIGITS: Final = _bounds(tables.DIGITS)
_PRINTABLE: Final = _bounds(tables.PRINTABLE)


def is_letter(rune: int) -> bool:
    return bisect_right(_LETTERS, rune) % 2 == 1


def is_digit(rune: int) -> bool:
    return bisect_right(_DIGITS, rune) % 2 == 1


def is_print(rune: int) -> bool:
    """Letters, marks, numbers, punctuation, symbols and the ASCII space (strconv.IsPrint)."""
    return bisect_right(_PRINTABLE, rune) % 2 == 1


def is_word(rune: int) -> bool:
    """A letter, a digit or an underscore (text/template/parse/lex.go, isAlphaNumeric)."""
    return rune == 0x5F or is_letter(rune) or is_digit(rune)


_ASCII_UPPER: Final = {rune: rune - 32 for rune in range(97, 123)}
UPPER: Final = _ASCII_UPPER | mapping(tables.UPPER)
LOWER: Final = {rune: rune + 32 for rune in range(65, 91)} | mapping(tables.LOWER)
# Title case is upper case, but for the letters that are two in one, and the Georgian ones.
TITLE: Final = (
    UPPER
    | {rune: middle for middle in (0x1C5, 0x1C8, 0x1CB, 0x1F2) for rune in (middle - 1, middle, middle + 1)}
    | {rune: rune for rune in range(0x10D0, 0x1100) if rune in UPPER}
)


def runes(data: bytes) -> Iterator[int]:
    """Each rune of a string; U+FFFD for an invalid byte."""
    for character in text_of(data):
        yield RUNE_ERROR if is_invalid(character) else ord(character)
