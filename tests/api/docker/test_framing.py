"""Frames: the printed bytes, entry by entry."""

from collections.abc import Sequence
from typing import Any

import pytest

from api.docker.framing import Framer, attributes, container_details, count_entries, entries, system_error
from api.docker.params import LogOptions
from parsers.event import Container, Event, Origin, Printed, make_origin
from parsers.join import PIECE

AT = 1_795_482_000_000_000_005
TIME = b"2026-11-24T01:00:00.000000005Z "
ID = "ab" * 32
WEB = make_origin(Container(ID, "web", "bb:1"), "node-a", labels={"b": "2", "a b": "c&d"}, tag=ID[:12])


def event(message: str, stream: str | None = "stdout", origin: Origin = WEB, **more: Any) -> Event:
    return Event("j", 1, 0, AT, AT, 1, 1, message, origin, stream, **more)


def long(data: bytes, *flags: str) -> Event:
    return event(data.decode(), flags=flags)


def demultiplexed(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        stream, size = data[0], int.from_bytes(data[4:8], "big")
        assert data[1:4] == b"\0\0\0"
        assert len(data) >= 8 + size
        found.append((stream, data[8 : 8 + size]))
        data = data[8 + size :]
    return found


def framed(events: Sequence[Event], skip: int = 0, **options: Any) -> list[tuple[int, bytes]]:
    framer = Framer(LogOptions(**options), container_details)
    return demultiplexed(framer.frames(events, skip) + framer.end())


def test_one_frame_a_line_with_its_newline() -> None:
    lines = [event("out"), event("err", "stderr"), event(""), event("끝", None)]
    assert framed(lines) == [(1, b"out\n"), (2, b"err\n"), (1, b"\n"), (1, "끝\n".encode())]


def test_the_bytes_of_a_frame() -> None:
    assert Framer(LogOptions(), container_details).frames([event("hi", "stderr")]) == (
        b"\x02\0\0\0\0\0\0\x03hi\n"
    )


def test_only_the_streams_that_are_wanted() -> None:
    lines = [event("out"), event("err", "stderr"), event("x", "stderr", flags=("unterminated",))]
    assert framed(lines, stderr=False) == [(1, b"out\n")]
    assert framed(lines, stdout=False) == [(2, b"err\n"), (2, b"x")]


def test_what_was_printed_and_not_what_was_made_of_it() -> None:
    printed = (Printed(b"\x1b[31mred\xff\x1b[0m\r", "stderr", AT + 1),)
    assert framed([event("red", printed=printed)]) == [(2, b"\x1b[31mred\xff\x1b[0m\r\n")]
    assert framed([event("red", printed=printed)], timestamps=True)[0][1].startswith(
        TIME.replace(b"5Z", b"6Z")
    )


def test_several_printed_lines_of_one_event() -> None:
    printed = (
        Printed(b"Traceback", "stderr", AT),
        Printed(b"", "stderr", AT),
        Printed(b"  at", "stderr", AT),
    )
    trace = event("Traceback\n\n  at", printed=printed, flags=("unterminated",))
    assert framed([trace]) == [(2, b"Traceback\n"), (2, b"\n"), (2, b"  at")]
    assert count_entries(trace) == 3


@pytest.mark.parametrize(
    ("size", "flags", "sizes", "ended"),
    [
        (40_000, ("joined",), [PIECE, PIECE, 40_000 - 2 * PIECE], True),
        (PIECE, ("joined",), [PIECE, 0], True),  # Docker's second piece is empty: it brings the newline
        (2 * PIECE, ("joined",), [PIECE, PIECE, 0], True),
        (PIECE, ("unterminated",), [PIECE], False),
        (2 * PIECE, ("joined", "unterminated"), [PIECE, PIECE], False),
        (20_000, ("joined", "unterminated"), [PIECE, 20_000 - PIECE], False),
        (5, ("unterminated",), [5], False),
        (2 * PIECE, ("joined", "incomplete"), [PIECE, PIECE], False),  # its end is still to come
        (20_000, ("joined", "incomplete"), [PIECE, 20_000 - PIECE], True),
        (0, (), [0], True),
    ],
)
def test_pieces_of_long_lines(size: int, flags: tuple[str, ...], sizes: list[int], ended: bool) -> None:
    line = long(b"x" * size, *flags)
    payloads = [payload for _, _, payload in entries(line)]
    assert b"".join(payloads) == b"x" * size + (b"\n" if ended else b"")
    assert [len(payload.rstrip(b"\n")) for payload in payloads] == sizes
    assert count_entries(line) == len(sizes)
    assert framed([line]) == [(1, payload) for payload in payloads]


def at(message: str, milliseconds: int, stream: str = "stdout", origin: Origin = WEB, **more: Any) -> Event:
    time = AT + milliseconds * 1_000_000
    return Event("j", 1, 0, time, time, 1, 1, message, origin, stream, **more)


def test_pieces_over_gelf_are_not_marked() -> None:
    """They have one time, their line's; a line of just a piece's size is followed by another."""
    big, other = "x" * PIECE, make_origin(Container("cd" * 32, "db"), "node-a")
    lines = [
        at(big, 0), at(big, 0), at("err", 0, "stderr"), at("x", 0), at("y", 0),  # a line of 2 * PIECE + 1
        at(big, 1), at("z", 2),  # two lines
        at(big, 3, "stderr"), at(big, 3, origin=other), at("end", 3), at("e", 3, "stderr"), at(big, 4),
    ]  # fmt: skip
    piece = big.encode()
    assert framed(lines) == [
        (1, piece), (1, piece), (2, b"err\n"), (1, b"x\n"), (1, b"y\n"),
        (1, piece), (1, b"\n"), (1, b"z\n"),
        (2, piece), (1, piece), (1, b"end\n"), (2, b"e\n"), (1, piece), (1, b"\n"), (1, b"\n"),
    ]  # fmt: skip
    assert framed(lines[:4], stdout=False) == [(2, b"err\n")]
    assert framed(lines[:2], timestamps=True) == [(1, TIME + piece), (1, TIME + piece), (1, b"\n")]


def test_pieces_over_gelf_with_colours_and_replaced_bytes() -> None:
    raw = "\x1b[31m" + "\ufffd" * (PIECE - 5)
    coloured = at(raw[5:], 0, printed=(Printed(raw.encode(), "stdout", AT),))
    assert framed([coloured, at("end", 0)]) == [(1, raw.encode()), (1, b"end\n")]


def test_long_lines_of_who_is_no_container_are_whole() -> None:
    nobody = make_origin(Container(None, "app"), "node-a")
    lines = [at("x" * 20_000, 0, origin=nobody), at("y", 0, origin=nobody)]
    assert framed(lines) == [(1, b"x" * 20_000 + b"\n"), (1, b"y\n")]


def test_every_piece_has_its_time_and_details() -> None:
    line = long(b"x" * PIECE, "joined")
    assert framed([line], timestamps=True) == [(1, TIME + b"x" * PIECE), (1, TIME + b"\n")]
    assert framed([event("a")], timestamps=True, details=True) == [(1, TIME + b"a+b=c%26d,b=2 a\n")]


def test_skipping_the_older_pieces_of_the_first_line() -> None:
    lines = [long(b"x" * PIECE + b"y", "joined"), event("z")]
    assert framed(lines, skip=1) == [(1, b"y\n"), (1, b"z\n")]
    assert framed([], skip=0) == []


def test_details_without_any_label_are_a_space() -> None:
    bare = make_origin(Container(ID, "web"), "node-a", tag=ID[:12])
    assert framed([event("a", origin=bare)], details=True) == [(1, b" a\n")]


def test_a_tag_that_was_set_is_a_detail() -> None:
    tagged = make_origin(Container(ID, "web"), "node-a", tag="docker/web")
    assert container_details(tagged) == b"tag=docker%2Fweb"


def test_attributes_are_sorted_and_query_escaped() -> None:
    assert attributes([("z", "é"), ("a/b", "~x y"), ("e", "")]) == b"a%2Fb=~x+y,e=,z=%C3%A9"


def test_an_error_in_the_stream() -> None:
    assert demultiplexed(system_error("gone")) == [(3, b"Error grabbing logs: gone\n")]
