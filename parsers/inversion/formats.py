"""The formats of `printf` as far as they are undone: plain verbs, and one verb with a width or precision."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from parsers.inversion.patterns import Bytes

_VERB: Final = re.compile(rb"%([-+# 0]*)(\d*)(?:\.(\d*))?([a-zA-Z%])")
_HEX: Final = re.compile(rb"(?:[0-9a-f]{2})*")


class Verb(msgspec.Struct, frozen=True):
    """One verb: `%-20s`. Width and precision count runes; None when absent."""

    text: bytes
    flags: bytes
    width: int | None
    precision: int | None
    letter: bytes

    @property
    def is_plain(self) -> bool:
        """Prints a string as it is."""
        return self.letter in (b"s", b"v") and self.text == b"%" + self.letter

    @property
    def cuts(self) -> bool:
        """Prints the beginning of a string."""
        return self.letter in (b"s", b"v") and self.precision is not None and not (self.width or self.flags)

    def undo(self, text: bytes, among: Bytes) -> bytes | None:
        """The only string out of these bytes that prints as `text`; None when there may be several."""
        if self.letter == b"q":
            return self._unquoted(text)
        if self.letter == b"x":
            return _from_hex(text) if self.text == b"%x" else None
        if self.text == b"%X":
            return _from_hex(text.lower())
        if self.letter not in (b"s", b"v") or self.flags.strip(b"-"):
            return None
        return self._unpadded(text, among)

    def _unquoted(self, text: bytes) -> bytes | None:
        inner = text[1:-1]
        plain = self.text == b"%q" and text == b'"' + inner + b'"'
        if not plain or b'"' in inner.replace(b'\\"', b""):
            return None
        return inner.replace(b'\\"', b'"') if b"\\" not in inner.replace(b'\\"', b"") else None

    def _unpadded(self, text: bytes, among: Bytes) -> bytes | None:
        runes = len(text.decode("utf-8", "replace"))
        if self.precision is not None:
            return text if self.width is None and runes < self.precision else None
        if runes > (self.width or 0):
            return text
        if 32 in among:
            return None
        return text.rstrip(b" ") if b"-" in self.flags else text.lstrip(b" ")


def _from_hex(text: bytes) -> bytes | None:
    return bytes.fromhex(text.decode()) if _HEX.fullmatch(text) else None


def split_format(text: bytes) -> list[bytes | Verb] | None:
    """A format as literal texts and verbs; None when it has what is not followed here (`%[1]s`, `%*d`)."""
    parts: list[bytes | Verb] = []
    at = 0
    while (start := text.find(b"%", at)) >= 0:
        match = _VERB.match(text, start)
        if match is None:
            return None
        if start > at:
            parts.append(text[at:start])
        parts.append(b"%" if match[0] == b"%%" else _verb(match))
        at = match.end()
    return [*parts, text[at:]] if at < len(text) else parts


def one_verb(text: bytes) -> Verb | None:
    """The verb that a format consists of."""
    match = _VERB.fullmatch(text)
    return None if match is None or match[4] == b"%" else _verb(match)


def _verb(match: re.Match[bytes]) -> Verb:
    width, precision = match[2], match[3]
    return Verb(
        match[0],
        match[1],
        int(width) if width else None,
        None if precision is None else int(precision or b"0"),
        match[4],
    )
