"""Go's string and character literals, written and read (Go: strconv/quote.go)."""

from __future__ import annotations

import re
from typing import Final

from parsers.go.errors import GoError
from parsers.go.runes import (
    RUNE_ERROR,
    decode_rune,
    encode_rune,
    is_invalid,
    is_print,
    is_rune,
    text_of,
)

_NAMED: Final = {7: b"\\a", 8: b"\\b", 12: b"\\f", 10: b"\\n", 13: b"\\r", 9: b"\\t", 11: b"\\v"}
_VALUES: Final = {ord("abfnrtv"[i]): value for i, value in enumerate((7, 8, 12, 10, 13, 9, 11))}
_HEX_LENGTHS: Final = {ord("x"): 2, ord("u"): 4, ord("U"): 8}
_PLAIN: Final = re.compile(rb"[ !#-\[\]-~]*")
_HEX: Final = re.compile(rb"[0-9a-fA-F]*")
_OCTAL: Final = re.compile(rb"[0-7]{3}")
_SINGLE, _DOUBLE, _BACK, _BACKSLASH, _NEWLINE = b"'\"`\\\n"


def quote(data: bytes, *, ascii_only: bool = False) -> bytes:
    """A double-quoted literal; what is not UTF-8 is written as \\x.. (strconv.Quote, QuoteToASCII)."""
    if _PLAIN.fullmatch(data):
        return b'"' + data + b'"'
    parts = []
    for character in text_of(data):
        code = ord(character)
        if is_invalid(character):
            parts.append(b"\\x%02x" % (code - 0xDC00))
        else:
            parts.append(_escaped(code, _DOUBLE, ascii_only))
    return b'"' + b"".join(parts) + b'"'


def quote_rune(rune: int, *, ascii_only: bool = False) -> bytes:
    """A single-quoted literal (strconv.QuoteRune, QuoteRuneToASCII)."""
    return b"'" + _escaped(rune if is_rune(rune) else RUNE_ERROR, _SINGLE, ascii_only) + b"'"


def _escaped(rune: int, mark: int, ascii_only: bool) -> bytes:
    if rune in (mark, _BACKSLASH):
        return b"\\" + bytes([rune])
    if is_print(rune) and not (ascii_only and rune >= 0x80):
        return encode_rune(rune)
    if rune in _NAMED:
        return _NAMED[rune]
    if rune < 0x20 or rune == 0x7F:
        return b"\\x%02x" % rune
    return b"\\u%04x" % rune if rune < 0x10000 else b"\\U%08x" % rune


def can_backquote(data: bytes) -> bool:
    """Whether a raw literal can hold the string as it is (strconv.CanBackquote)."""
    for character in text_of(data):
        if character in "\ufeff`\x7f" or is_invalid(character) or (character < " " and character != "\t"):
            return False
    return True


def unquote(literal: bytes) -> bytes:
    """What a literal in any of the three quotes says (strconv.Unquote). Raises GoError: invalid syntax."""
    if len(literal) < 2 or literal[0] not in (_SINGLE, _DOUBLE, _BACK) or literal[-1] != literal[0]:
        raise _syntax_error()
    mark, end = literal[0], len(literal) - 1
    if mark == _BACK:
        if literal.find(b"`", 1) != end:
            raise _syntax_error()
        return literal[1:end].replace(b"\r", b"")
    inner = _PLAIN.fullmatch(literal, 1, end)
    if inner is not None and mark == _DOUBLE:
        return inner[0]
    return _unquoted(literal, mark)


def _unquoted(literal: bytes, mark: int) -> bytes:
    parts, at = [], 1
    while at < len(literal) and literal[at] != mark:
        if literal[at] == _NEWLINE:
            raise _syntax_error()
        rune, is_multibyte, at = unquote_rune(literal, at, mark)
        parts.append(encode_rune(rune) if rune < 0x80 or is_multibyte else bytes([rune]))
        if mark == _SINGLE:
            break
    if at != len(literal) - 1 or literal[at] != mark:
        raise _syntax_error()
    return b"".join(parts)


def unquote_rune(literal: bytes, at: int, mark: int) -> tuple[int, bool, int]:
    """The first character of what stands in quotes `mark`, whether it is more than a byte, and where the
    rest begins (strconv.UnquoteChar). Raises GoError."""
    first = literal[at] if at < len(literal) else mark
    if first == mark:
        raise _syntax_error()
    if first >= 0x80:
        rune, width = decode_rune(literal, at)
        return rune, True, at + width
    if first != _BACKSLASH:
        return first, False, at + 1
    if at + 1 >= len(literal):
        raise _syntax_error()
    return _unescaped(literal, at + 1, mark)


def _unescaped(literal: bytes, at: int, mark: int) -> tuple[int, bool, int]:
    """The character of an escape whose backslash is before `at`."""
    letter = literal[at]
    if letter in _VALUES:
        return _VALUES[letter], False, at + 1
    if letter == _BACKSLASH or (letter == mark and mark in (_SINGLE, _DOUBLE)):
        return letter, False, at + 1
    if letter in _HEX_LENGTHS:
        return _from_hex(literal, at + 1, letter)
    octal = _OCTAL.match(literal, at)
    if octal is None or int(octal[0], 8) > 255:
        raise _syntax_error()
    return int(octal[0], 8), False, at + 3


def _from_hex(literal: bytes, at: int, letter: int) -> tuple[int, bool, int]:
    end = at + _HEX_LENGTHS[letter]
    digits = literal[at:end]
    if len(digits) < end - at or not _HEX.fullmatch(digits):
        raise _syntax_error()
    value = int(digits, 16)
    if letter == ord("x"):
        return value, False, end
    if not is_rune(value):
        raise _syntax_error()
    return value, True, end


def _syntax_error() -> GoError:
    return GoError("invalid syntax")
