"""All the places of a tag where each part of a pattern can stand, in time linear in the tag.

A set of positions is one big integer, bit p for position p: one step of a pattern is a few integer
operations however many readings there are. Walking forwards gives the ends that can be reached, walking
backwards (over the tag and the pattern turned round) those that can still succeed; what is in both lies on a
whole reading. Nothing is tried twice, so there is nothing to backtrack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from parsers.inversion.patterns import EVERY, Alt, Bytes, Chars, Guard, Lit, Loop, Pattern, Quoted, Seq, Slot

# Rounds of one loop over a tag. Docker's loops are over labels, arguments or environment, of which a
# container has tens; each round costs time, so without a limit the time would be the tag's length squared.
MAX_ROUNDS = 512
# Bytes of overlapping occurrences that are compared one after the other.
_MAX_COMPARED = 1 << 20
# With so few starts each is looked at by itself, instead of finding every occurrence of a literal.
_FEW = 4


class Walker:
    """Steps over one tag in one direction, remembering where slots and options began and ended.

    `known` are the texts of slots, by their number, that are settled already.
    """

    def __init__(self, tag: bytes, *, backwards: bool = False, known: Mapping[int, bytes] | None = None):
        self._tag = tag[::-1] if backwards else tag
        self._backwards = backwards
        self._known = known or {}
        self._where: dict[Bytes, int] = {}
        self._quotes: tuple[int, int] | None = None
        self.starts: dict[int, int] = {}  # of a slot or an Alt, by number
        self.ends: dict[int, int] = {}
        self.options: dict[tuple[int, int], int] = {}  # where an option of an Alt ended

    def step(self, pattern: Pattern, starts: int) -> int:
        """The positions after `pattern` when it begins at one of `starts`."""
        if not starts:
            return 0
        match pattern:
            case Lit(text):
                return self._literal(text, starts)
            case Chars(among, least, most):
                return self._chars(among, least, most, starts)
            case Seq(parts):
                for part in reversed(parts) if self._backwards else parts:
                    starts = self.step(part, starts)
                return starts
            case Slot():
                return self._slot(pattern, starts)
            case Alt():
                return self._alt(pattern, starts)
            case Loop(body):
                return self._loop(body, starts)
            case Quoted():
                return self._quoted(starts)
            case Guard():
                return starts

    def _slot(self, slot: Slot, starts: int) -> int:
        text = self._known.get(slot.number)
        ends = self.step(slot.shape, starts) if text is None else self._literal(text, starts)
        self.starts[slot.number] = self.starts.get(slot.number, 0) | starts
        self.ends[slot.number] = self.ends.get(slot.number, 0) | ends
        return ends

    def _alt(self, alt: Alt, starts: int) -> int:
        self.starts[alt.number] = self.starts.get(alt.number, 0) | starts
        ends = 0
        for option, pattern in enumerate(alt.options):
            here = self.step(pattern, starts)
            key = alt.number, option
            self.options[key] = self.options.get(key, 0) | here
            ends |= here
        return ends

    def _loop(self, body: Pattern, starts: int) -> int:
        reached = fresh = starts
        for _ in range(MAX_ROUNDS):
            fresh = self.step(body, fresh) & ~reached
            if not fresh:
                return reached
            reached |= fresh
        # Too many rounds to follow: everything from the first start on, which is more than can be true.
        return (2 << len(self._tag)) - (reached & -reached)

    def _literal(self, text: bytes, starts: int) -> int:
        if not text:
            return starts
        text = text[::-1] if self._backwards else text
        if starts.bit_count() <= _FEW:
            return sum(1 << at + len(text) for at in positions(starts) if self._tag.startswith(text, at))
        return (starts & self._occurrences(text)) << len(text)

    def _occurrences(self, text: bytes) -> int:
        if len(text) == 1:
            return self.where(frozenset(text))
        found = bytearray(b"0" * (len(self._tag) + 1))
        at, compared = self._tag.find(text), 0
        while at >= 0:
            found[-1 - at] = 49
            compared += len(text)
            if compared > _MAX_COMPARED:
                return self._overlapping(text)
            at = self._tag.find(text, at + 1)
        return int(found, 2)

    def _overlapping(self, text: bytes) -> int:
        """The same for a long text that stands at nearly every place: byte by byte, all places at once."""
        found = (1 << len(self._tag)) - 1
        for offset, byte in enumerate(text):
            found &= self.where(frozenset((byte,))) >> offset
        return found

    def _chars(self, among: Bytes, least: int, most: int | None, starts: int) -> int:
        where = self.where(among)
        if least:
            starts = (starts & runs(where, least)) << least
        return star(starts, where) if most is None else up_to(starts, where, most - least)

    def _quoted(self, starts: int) -> int:
        """A quote, what is no closing quote, and the closing quote; the same backwards."""
        closing, quote = self._closing(), self.where(frozenset(b'"'))
        inside = ((1 << len(self._tag)) - 1) & ~closing
        if self._backwards:
            # Only the closing quote is told from the others; what is left of it may hold escaped ones.
            return (star((starts & closing) << 1, inside) & quote) << 1
        return (star((starts & quote) << 1, inside) & closing) << 1

    def _closing(self) -> int:
        """The quotes that an even number of backslashes stands before."""
        if self._quotes is None:
            tag = self._tag[::-1] if self._backwards else self._tag
            self._quotes = _closing_quotes(tag)
        return self._quotes[self._backwards]

    def where(self, among: Bytes) -> int:
        """The positions that hold one of these bytes."""
        if among not in self._where:
            table = bytes(49 if byte in among else 48 for byte in range(256))
            self._where[among] = (
                (1 << len(self._tag)) - 1
                if among == EVERY
                else int(self._tag[::-1].translate(table) or b"0", 2)
            )
        return self._where[among]


class Places(msgspec.Struct, frozen=True):
    """Where the parts of a pattern stand in all whole readings of a tag together."""

    starts: Mapping[int, int]  # by the number of a slot
    ends: Mapping[int, int]
    alive: frozenset[tuple[int, int]]  # the options of each Alt that some reading takes


def find_places(pattern: Pattern, tag: bytes, known: Mapping[int, bytes] | None = None) -> Places | None:
    """None when the pattern cannot have made the tag."""
    forward = Walker(tag, known=known)
    if not forward.step(pattern, 1) >> len(tag) & 1:
        return None
    backward = Walker(tag, backwards=True, known=known)
    backward.step(pattern, 1)
    size = len(tag) + 1
    turned = {number: turn(ends, size) for number, ends in backward.ends.items()}
    starts = {number: forward.starts.get(number, 0) & there for number, there in turned.items()}
    ends = {
        number: forward.ends.get(number, 0) & turn(there, size) for number, there in backward.starts.items()
    }
    alive = frozenset(
        key
        for key, there in backward.options.items()
        if forward.starts.get(key[0], 0) & turn(there, size)
    )  # fmt: skip
    return Places(starts, ends, alive)


def _closing_quotes(tag: bytes) -> tuple[int, int]:
    """The quotes after an even number of backslashes, as positions from the front and from the back."""
    found = bytearray(b"0" * len(tag))
    backslashes = 0
    for at, byte in enumerate(tag):
        if byte == 34 and backslashes % 2 == 0:
            found[at] = 49
        backslashes = backslashes + 1 if byte == 92 else 0
    return int(found[::-1] or b"0", 2), int(found or b"0", 2)


def turn(bits: int, size: int) -> int:
    """Positions counted from the other end."""
    return int(format(bits, f"0{size}b")[::-1], 2)


def star(starts: int, where: int) -> int:
    """`starts` and all that follows them over positions in `where`: the carry of an addition runs along
    each run of ones (Cameron et al., "Bitwise Data Parallelism in Regular Expression Matching", MatchStar).
    """
    return (((starts & where) + where) ^ where) | starts


def runs(where: int, size: int) -> int:
    """Where runs of `size` ones begin: runs of twice a length are two such runs, so it takes few steps."""
    found, have = where, 1
    while have < size and found:
        step = min(have, size - have)
        found &= found >> step
        have += step
    return found


def up_to(starts: int, where: int, most: int) -> int:
    """`starts` and at most so many positions in `where` after each."""
    done = 0
    while done < most:
        step = min(done + 1, most - done)
        reached = starts | (starts & runs(where, step)) << step
        if reached == starts:
            break
        starts, done = reached, done + step
    return starts


def positions(bits: int) -> Iterator[int]:
    """The set's members, in order."""
    digits = format(bits, "b")[::-1]
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)


def single(bits: int) -> int | None:
    """The only member of a set, None when there is not exactly one."""
    return bits.bit_length() - 1 if bits and bits & (bits - 1) == 0 else None
