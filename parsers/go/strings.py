"""Strings as Docker's functions change them (Go: strings; Docker: daemon/logger/templates/templates.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from parsers.go.errors import GoError
from parsers.go.limits import check_size
from parsers.go.runes import LOWER, SPACES, TITLE, UPPER, encode_rune, is_digit, is_letter, runes, text_of

_UNDERSCORE = 0x5F


def lower(text: bytes) -> bytes:
    return text.lower() if text.isascii() else _mapped(text, LOWER)


def upper(text: bytes) -> bytes:
    return text.upper() if text.isascii() else _mapped(text, UPPER)


def _mapped(text: bytes, mapping: Mapping[int, int]) -> bytes:
    """Rune by rune; an invalid byte becomes U+FFFD (strings.Map)."""
    check_size(3 * len(text))
    return b"".join(encode_rune(mapping.get(rune, rune)) for rune in runes(text))


def title(text: bytes) -> bytes:
    """Each word's first letter in title case; a word begins behind a separator (strings.Title)."""
    check_size(3 * len(text))
    return b"".join(map(encode_rune, _titled(text)))


def _titled(text: bytes) -> Iterator[int]:
    begins = True
    for rune in runes(text):
        yield TITLE.get(rune, rune) if begins else rune
        begins = _separates(rune)


def _separates(rune: int) -> bool:
    if rune == _UNDERSCORE or is_letter(rune) or is_digit(rune):
        return False
    return rune < 0x80 or rune in SPACES


def split(text: bytes, separator: bytes) -> tuple[bytes, ...]:
    """Into runes when the separator is empty."""
    if separator:
        return tuple(text.split(separator))
    return tuple(character.encode("utf-8", "surrogateescape") for character in text_of(text))


def join(texts: Sequence[bytes], separator: bytes) -> bytes:
    check_size(sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0))
    return separator.join(texts)


def pad(text: bytes, before: int, after: int) -> bytes:
    """Spaces around a text that is not empty. Raises GoError for a negative number."""
    if not text:
        return text
    if before < 0 or after < 0:
        raise GoError("strings: negative Repeat count")
    check_size(len(text) + before + after)
    return b" " * before + text + b" " * after


def truncate(text: bytes, length: int) -> bytes:
    """At most so many bytes; runes are cut. Raises GoError for a negative number."""
    if length < 0:
        raise GoError(f"runtime error: slice bounds out of range [:{length}]")
    return text[:length]
