"""A daemon.json as text and as JSON at once: every part knows where it stands.

It is read tolerantly (`api.doctor.reader`), because a file with a trailing comma still says what its author
wanted; each repair is a Problem. Positions are indices into the text; people get lines and columns from 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

MAX_BYTES = 1 << 18  # of a file; a daemon.json has hundreds, and every round of fixes reads it again
MAX_DEPTH = 100  # of nesting; dockerd needs four levels, Python's stack allows some hundred
MAX_REPAIRS = 1000  # of a text; each is a finding, and nobody reads more
MAX_PARTS = 1000  # of an object or a list; dockerd knows 90 keys and a driver 20 options

Kind = Literal["object", "array", "string", "number", "bool", "null"]

# encoding/json says these in its errors; people know them by the same names
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True)
class Replacement:
    """Text to put in place of text[start:end]."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Problem:
    """Where the text is not JSON. `repair` is None when nobody can know what was meant."""

    code: str
    start: int
    message: str
    repair: Replacement | None


@dataclass(frozen=True)
class Node:
    """One value. `value` is a str, bool, None, or a number as it is written."""

    kind: Kind
    start: int
    end: int
    value: str | bool | None = None
    members: tuple[Member, ...] = ()
    items: tuple[Node, ...] = ()

    def get(self, key: str) -> Node | None:
        """The value of a key; of the last one when there are several, as for dockerd."""
        member = self.member(key)
        return None if member is None else member.node

    def member(self, key: str) -> Member | None:
        return self._last.get(key)

    def index(self, member: Member) -> int:
        """Where one of its members stands among them."""
        return self._indices[member.start]

    @cached_property
    def _last(self) -> dict[str, Member]:
        return {member.key: member for member in self.members}

    @cached_property
    def _indices(self) -> dict[int, int]:
        return {member.start: number for number, member in enumerate(self.members)}


@dataclass(frozen=True)
class Member:
    """`"key": value` of an object."""

    key: str
    start: int
    key_end: int
    node: Node

    @property
    def end(self) -> int:
        return self.node.end


@dataclass(frozen=True)
class Document:
    """`root` is None when the text is empty, or when it could not be understood (`problems` says why)."""

    text: str
    root: Node | None
    problems: tuple[Problem, ...] = ()
    encoding: str = "utf-8"
    bom: bool = False

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, character in enumerate(self.text) if character == "\n")]

    def place(self, position: int) -> tuple[int, int]:
        """(line, column), both from 1."""
        line = bisect_right(self._line_starts, position)
        return line, position - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    @property
    def object(self) -> Node | None:
        return self.root if self.root is not None and self.root.kind == "object" else None

    @property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @property
    def broken(self) -> bool:
        """Something is wrong that cannot be repaired."""
        return any(problem.repair is None for problem in self.problems)


def decode(data: bytes) -> tuple[str, str, bool]:
    """(text, encoding, whether a byte order mark stood before it), as dockerd decodes since 23.0.

    Raises UnicodeDecodeError.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding), encoding, True
    return data.decode("utf-8"), "utf-8", False


def apply(text: str, replacements: Sequence[Replacement]) -> str:
    """The text with all of them, which must not overlap; at one place they follow each other as given."""
    ordered = sorted(replacements, key=lambda change: (change.start, change.end))
    parts, at = [], 0
    for change in ordered:
        assert change.start >= at, "replacements overlap"
        parts += [text[at : change.start], change.text]
        at = change.end
    return "".join([*parts, text[at:]])


def duplicates(node: Node) -> Iterator[tuple[Member, Member]]:
    """(an earlier member, the last one of the same key)."""
    for member in node.members:
        last = node.member(member.key)
        if last is not None and last is not member:
            yield member, last
