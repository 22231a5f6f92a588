"""The forward protocol in JSON, as fluentd's in_forward takes it: turned into msgpack before the journal.

    ["tag", time, {record}, option?]  or  ["tag", [[time, {record}], ...], option?]

back to back or with blanks between them.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgpack

from parsers.jsontext import loads
from parsers.record import DecodeError

# What is nested deeper than this is no log message; msgpack's packer ends at 511 levels.
MAX_NESTING = 256

# Outside strings only brackets and quotes matter; inside, only the closing quote and backslashes.
_MARK = re.compile(rb'["\[\]{}]')
_STRING_REST = re.compile(rb'(?:[^"\\]+|\\.)*+', re.DOTALL)
_BLANKS = b" \t\r\n"


class JsonValues:
    """Cuts a stream of JSON arrays and objects into whole ones, looking at every byte once.

    `tail` is the start of the value that is still incomplete.
    """

    def __init__(self) -> None:
        self.tail = bytearray()
        self._position = 0  # up to here the tail was looked at
        self._depth = 0
        self._in_string = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The values that are now whole. DecodeError when something else stands between them."""
        self.tail += data
        start = 0
        try:
            while (end := self._value_end(start)) is not None:
                yield bytes(self.tail[start:end]).lstrip(_BLANKS)
                start = end
        finally:
            self._drop(start)
        if self.tail[:1].isspace():
            self._drop(len(self.tail) - len(self.tail.lstrip(_BLANKS)))
        if self.tail and not self._depth:
            raise DecodeError("malformed", f"not a JSON array: {bytes(self.tail[:16])!r}")

    def _drop(self, size: int) -> None:
        del self.tail[:size]
        self._position -= size

    def _value_end(self, start: int) -> int | None:
        """Where the value that begins at `start` ends, or None when it is not whole yet."""
        while True:
            if self._in_string and not self._leave_string():
                return None
            mark = _MARK.search(self.tail, self._position)
            if mark is None:
                self._position = len(self.tail)
                return None
            if not self._depth and (self.tail[start : mark.start()].strip(_BLANKS) or mark[0] not in b"[{"):
                raise DecodeError("malformed", f"not a JSON array: {bytes(self.tail[start : start + 16])!r}")
            self._position = mark.end()
            if self._step(mark[0]):
                return self._position

    def _leave_string(self) -> bool:
        rest = _STRING_REST.match(self.tail, self._position)
        self._position = rest.end() if rest else self._position
        if self.tail[self._position : self._position + 1] != b'"':
            return False
        self._position += 1
        self._in_string = False
        return True

    def _step(self, mark: bytes) -> bool:
        """Passes one bracket or quote; True when it ends the value."""
        if mark == b'"':
            self._in_string = True
            return False
        self._depth += 1 if mark in b"[{" else -1
        if self._depth > MAX_NESTING:
            raise DecodeError("malformed", f"JSON nested deeper than {MAX_NESTING} levels")
        return self._depth == 0


def packed_message(text: bytes) -> bytes:
    """One JSON message as msgpack. DecodeError when it is not a forward message."""
    try:
        value = loads(text)
    except ValueError as error:
        raise DecodeError("malformed", f"not JSON: {error}") from error
    if not isinstance(value, list) or not 2 <= len(value) <= 4 or not isinstance(value[0], str):
        raise DecodeError("not_forward", f"a message must be an array of 2 to 4 with a tag: {text[:32]!r}")
    packed: Any = msgpack.packb(value)
    return bytes(packed)
