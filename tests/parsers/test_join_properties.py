"""Whatever Docker cuts comes back whole: in any order, interleaved, and over a restart."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.event import Container, Event, make_origin
from parsers.join import PIECE, Joiner, Part, message_of

ORIGINS = [make_origin(Container(f"{n:064x}", f"c{n}"), "h") for n in range(3)]


def part(
    sequence: int,
    data: bytes,
    ordinal: int,
    last: bool,
    partial_id: str,
    origin: int,
    stream: str,
    observed: int | None = None,
) -> Part:
    at = sequence if observed is None else observed
    event = Event("j", sequence // 2, sequence % 2, 7, at, sequence, 0, "", ORIGINS[origin], stream)
    return Part(event, data, 1, partial_id, ordinal, last)


def feed(joiner: Joiner, parts: Iterable[Part]) -> list[Event]:
    return [event for piece in parts for event in joiner.add(piece)]


Line = tuple[int, str, bytes]
lines = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["stdout", "stderr"]), st.binary(max_size=40)), max_size=6
)


def docker_pieces(lines: list[Line], size: int, dice: random.Random) -> list[Part]:
    """Each line cut every `size` bytes as Docker cuts; the pieces of all lines shuffled."""
    pieces = []
    for number, (origin, stream, data) in enumerate(lines):
        cuts = [data[start : start + size] for start in range(0, len(data) + 1, size)]
        for n, cut in enumerate(cuts):
            pieces.append((cut, n + 1, n + 1 == len(cuts), f"id{number}", origin, stream))
    dice.shuffle(pieces)
    return [part(sequence, *piece) for sequence, piece in enumerate(pieces)]


@settings(max_examples=200)
@given(lines, st.integers(1, 12), st.randoms(use_true_random=False))
def test_whatever_is_cut_and_shuffled_comes_back_whole(
    lines: list[Line], size: int, dice: random.Random
) -> None:
    joiner = Joiner()
    events = feed(joiner, docker_pieces(lines, size, dice))
    assert joiner.held() == ()
    assert joiner.close_all() == []
    expected = [(ORIGINS[o].key, s, *message_of(data, s, 7)) for o, s, data in lines]
    got = [(e.origin.key, e.stream, e.message, e.printed) for e in events]
    assert sorted(map(repr, got)) == sorted(map(repr, expected))
    assert all(event.flags in ((), ("joined",)) for event in events)


@pytest.mark.parametrize("size", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7])
def test_dockers_own_size_too(size: int) -> None:
    dice = random.Random(size)
    data = "한".encode() * (size // 3) + b"x" * (size % 3)
    (event,) = feed(Joiner(), docker_pieces([(0, "stdout", data)], PIECE, dice))
    assert event.message.encode() == data
    assert event.printed == ()


@settings(max_examples=200)
@given(
    lines, st.integers(1, 12), st.randoms(use_true_random=False), st.lists(st.integers(0, 30), max_size=40)
)
def test_a_replay_of_what_is_held_gives_the_same_events(
    lines: list[Line], size: int, dice: random.Random, pauses: list[int]
) -> None:
    """Stop anywhere; a new joiner that gets the held records and then the rest ends in the same events."""
    now, pieces = 0, []
    for sequence, piece in enumerate(docker_pieces(lines, size, dice)):
        now += pauses[sequence] if sequence < len(pauses) else 1
        event = piece.event
        pieces.append(part(sequence, piece.data, piece.ordinal, piece.last, piece.partial_id,
                           int(event.origin.container.id or "0", 16), event.stream or "", now))  # fmt: skip
    whole = Joiner(timeout_ns=40)
    expected = feed(whole, pieces) + whole.close_all()
    stop = dice.randrange(len(pieces) + 1)
    first, second = Joiner(timeout_ns=40), Joiner(timeout_ns=40)
    got = feed(first, pieces[:stop])
    held = {sequence for _, _, sequence in first.held()}
    got += feed(second, [p for p in pieces[:stop] if p.event.sequence in held] + pieces[stop:])
    assert got + second.close_all() == expected
