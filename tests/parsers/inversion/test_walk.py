import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.inversion.patterns import (
    ANYTHING,
    HEX,
    WORD,
    Alt,
    Chars,
    Lit,
    Loop,
    Pattern,
    Quoted,
    Seq,
    Slot,
)
from parsers.inversion.terms import Fact
from parsers.inversion.walk import Walker, find_places, positions, single, turn

A, B, NAME = Lit(b"a"), Lit(b"b"), Chars(WORD, 1)


def x(shape: Pattern) -> Slot:
    return Slot(0, Fact("x"), shape)


def y(shape: Pattern) -> Slot:
    return Slot(1, Fact("y"), shape)


W = rb"([0-9a-zA-Z]+)"
# A pattern and the same as a regular expression, whose groups are its slots.
SAME: list[tuple[Pattern, bytes]] = [
    (Seq((x(NAME), Lit(b"."), y(NAME))), W + rb"\." + W),
    (Seq((x(ANYTHING), Lit(b"."), y(NAME))), rb"(?s:(.*))\." + W),
    (Seq((x(Chars(HEX, 2, 2)), y(Chars(HEX, 0, 3)))), rb"([0-9a-f]{2})([0-9a-f]{0,3})"),
    (Loop(Seq((A, x(Chars(HEX, 1, 2))))), rb"(?:a([0-9a-f]{1,2}))*"),
    (Alt(5, (Seq((A, x(NAME))), Seq((B, B, y(NAME))))), rb"a" + W + rb"|bb" + W),
    (Seq((x(Quoted()), Lit(b"."), y(ANYTHING))), rb'(?s:("(?:[^"\\]|\\.)*")\.(.*))'),
]


@given(st.text(alphabet='ab.1f"\\', max_size=9), st.sampled_from(SAME))
def test_a_pattern_takes_what_its_expression_takes(text: str, same: tuple[Pattern, bytes]) -> None:
    pattern, expression = same
    tag = text.encode()
    places, match = find_places(pattern, tag), re.fullmatch(expression, tag)
    assert (places is not None) == (match is not None)
    if places is None or match is None:
        return
    for number in range(match.re.groups):
        if match.start(number + 1) >= 0:  # the expression's own choice is among the places
            assert places.starts[number] >> match.start(number + 1) & 1
            assert places.ends[number] >> match.end(number + 1) & 1


def test_one_place_is_one_place() -> None:
    places = find_places(Seq((Slot(0, Fact("x"), NAME), Lit(b"/"), Slot(1, Fact("y"), NAME))), b"ab/c")
    assert places is not None
    assert [(single(places.starts[n]), single(places.ends[n])) for n in (0, 1)] == [(0, 2), (3, 4)]


def test_an_option_that_no_reading_takes_is_dead() -> None:
    pattern = Seq((Alt(7, (A, Seq((A, B)))), Lit(b"c")))
    places = find_places(pattern, b"abc")
    assert places is not None
    assert places.alive == {(7, 1)}


def test_a_known_text_stands_only_where_it_is() -> None:
    pattern = Seq((Slot(0, Fact("x"), ANYTHING), Lit(b"."), Slot(1, Fact("y"), ANYTHING)))
    places = find_places(pattern, b"a.b.c", {0: b"a.b"})
    assert places is not None
    assert single(places.ends[0]) == 3
    assert find_places(pattern, b"a.b.c", {0: b"b"}) is None


@given(st.text("ab", max_size=40), st.text("ab", min_size=2, max_size=5))
def test_overlapping_occurrences_are_found_both_ways(tag: str, text: str) -> None:
    walker = Walker(tag.encode())
    found = walker._occurrences(text.encode())
    assert found == walker._overlapping(text.encode())
    assert list(positions(found)) == [at for at in range(len(tag)) if tag.startswith(text, at)]


@pytest.mark.parametrize("bits", [0, 1, 5, 1 << 70, (1 << 70) | 6])
def test_positions_and_turns(bits: int) -> None:
    assert sum(1 << at for at in positions(bits)) == bits
    assert turn(turn(bits, 71), 71) == bits
    assert single(bits) == (bits.bit_length() - 1 if bits in (1, 1 << 70) else None)
