"""The texts that a template can make, as a tree. Every text of the template is one of the pattern's; the
pattern may have more (a branch taken whose condition cannot hold), never fewer.
"""

from __future__ import annotations

from typing import Final

import msgspec

from parsers.inversion.terms import Term

Bytes = frozenset[int]

# The number of an Alt within the shape of a term: no branch of the template, none is told from the others.
INNER: Final = -1

EVERY: Final[Bytes] = frozenset(range(256))
DIGITS: Final[Bytes] = frozenset(b"0123456789")
HEX: Final[Bytes] = frozenset(b"0123456789abcdef")
LOWER: Final[Bytes] = frozenset(b"abcdefghijklmnopqrstuvwxyz")
UPPER: Final[Bytes] = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
WORD: Final[Bytes] = LOWER | UPPER | DIGITS


class Lit(msgspec.Struct, frozen=True):
    """This text."""

    text: bytes


class Chars(msgspec.Struct, frozen=True):
    """`least` bytes out of `among` or more, up to `most` (None: any number)."""

    among: Bytes
    least: int = 0
    most: int | None = None


class Quoted(msgspec.Struct, frozen=True):
    """A JSON string with its quotes: it ends at the first quote that no backslash escapes."""


class Seq(msgspec.Struct, frozen=True):
    """One part after the other."""

    parts: tuple[Pattern, ...]


class Alt(msgspec.Struct, frozen=True):
    """One of the options. `number` is its own in the tree."""

    number: int
    options: tuple[Pattern, ...]


class Loop(msgspec.Struct, frozen=True):
    """The body any number of times."""

    body: Pattern


class Slot(msgspec.Struct, frozen=True):
    """Where a term is printed, and what its text can look like. `number` is its own in the tree."""

    number: int
    term: Term
    shape: Pattern


class Guard(msgspec.Struct, frozen=True):
    """No text: what must hold for the rest of the branch to be printed."""

    term: Term
    truth: bool


Pattern = Lit | Chars | Quoted | Seq | Alt | Loop | Slot | Guard

ANYTHING: Final = Chars(EVERY)
NOTHING: Final = Seq(())


def sequence(parts: list[Pattern]) -> Pattern:
    """The parts as one pattern: nested sequences opened, neighbouring literals joined."""
    flat: list[Pattern] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Seq) else (part,):
            if isinstance(piece, Lit) and flat and isinstance(flat[-1], Lit):
                flat[-1] = Lit(flat[-1].text + piece.text)
            elif piece != Lit(b""):
                flat.append(piece)
    return flat[0] if len(flat) == 1 else Seq(tuple(flat))


def alphabet(pattern: Pattern) -> Bytes:
    """Every byte that a text of the pattern can hold."""
    match pattern:
        case Lit(text):
            return frozenset(text)
        case Chars(among):
            return among
        case Quoted():
            return EVERY
        case Seq(inner) | Alt(_, inner):
            return frozenset().union(*map(alphabet, inner))
        case Loop(body) | Slot(_, _, body):
            return alphabet(body)
        case Guard():
            return frozenset()


def length(pattern: Pattern) -> tuple[int, int | None]:
    """The fewest and the most bytes of a text; None: no limit."""
    match pattern:
        case Lit(text):
            return len(text), len(text)
        case Chars(_, least, most):
            return least, most
        case Quoted():
            return 2, None
        case Seq(inner):
            return _total([length(part) for part in inner])
        case Alt(_, inner):
            sizes = [length(part) for part in inner]
            return min(size[0] for size in sizes), _largest([size[1] for size in sizes])
        case Loop(body):
            return 0, 0 if length(body)[1] == 0 else None
        case Slot(_, _, body):
            return length(body)
        case Guard():
            return 0, 0


def _total(sizes: list[tuple[int, int | None]]) -> tuple[int, int | None]:
    most = [size[1] for size in sizes]
    return sum(size[0] for size in sizes), None if None in most else sum(size or 0 for size in most)


def _largest(sizes: list[int | None]) -> int | None:
    return None if None in sizes else max(size or 0 for size in sizes)


def literal_length(pattern: Pattern) -> int:
    """The literal bytes that every text of the pattern has at least."""
    match pattern:
        case Lit(text):
            return len(text)
        case Seq(inner):
            return sum(map(literal_length, inner))
        case Alt(_, inner):
            return min(map(literal_length, inner), default=0)
    return 0


def slots(pattern: Pattern) -> list[Slot]:
    """The slots of the pattern, in order."""
    match pattern:
        case Slot():
            return [pattern]
        case Seq(inner) | Alt(_, inner):
            return [slot for part in inner for slot in slots(part)]
        case Loop(body):
            return slots(body)
    return []
