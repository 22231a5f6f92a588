from collections.abc import Iterable

import pytest

from parsers.event import Container, Event, make_origin
from parsers.join import PIECE, TIMEOUT_NS, Joiner, Part, message_of

ORIGINS = [make_origin(Container(f"{n:064x}", f"c{n}"), "h") for n in range(3)]
LABELLED = make_origin(Container(f"{0:064x}", "c0"), "h", labels={"partial_message": "true"})


def part(
    sequence: int,
    data: bytes,
    ordinal: int = 0,
    last: bool = False,
    partial_id: str = "",
    origin: int = 0,
    stream: str = "stdout",
    observed: int | None = None,
    connection: int = 1,
    may_be_label: bool = False,
) -> Part:
    at = sequence if observed is None else observed
    event = Event("j", sequence // 2, sequence % 2, 7, at, sequence, 0, "", ORIGINS[origin], stream)
    return Part(event, data, connection, partial_id, ordinal, last, LABELLED if may_be_label else None)


def feed(joiner: Joiner, parts: Iterable[Part]) -> list[Event]:
    return [event for piece in parts for event in joiner.add(piece)]


def said(events: Iterable[Event]) -> list[tuple[str, tuple[str, ...]]]:
    return [(event.message, event.flags) for event in events]


def test_pieces_become_one_event_with_the_identity_of_the_first_that_arrived() -> None:
    joiner = Joiner()
    assert feed(joiner, [part(3, b"b", 2, partial_id="x"), part(5, b"c", 3, True, "x")]) == []
    assert joiner.held() == ((1, 1, 3), (2, 1, 5))
    (event,) = joiner.add(part(8, b"a", 1, partial_id="x"))
    assert (event.message, event.flags) == ("abc", ("joined",))
    assert (event.position, event.index, event.sequence, event.observed, event.timestamp) == (1, 1, 3, 3, 7)
    assert (event.origin, event.stream, event.offset) == (ORIGINS[0], "stdout", 0)
    assert (joiner.held(), joiner.deadline, joiner.close_all()) == ((), None, [])


def test_an_empty_last_piece_ends_a_line_of_exactly_one_buffer() -> None:
    joiner = Joiner()
    events = feed(joiner, [part(0, b"x" * PIECE, 1, partial_id="x"), part(1, b"", 2, True, "x")])
    assert said(events) == [("x" * PIECE, ("joined",))]


def test_a_character_may_be_cut_and_the_level_is_read_from_the_whole() -> None:
    data = "[ERROR] 한국\r".encode()
    for cut in range(1, len(data)):
        joiner = Joiner()
        (event,) = feed(joiner, [part(0, data[:cut], 1, False, "x"), part(1, data[cut:], 2, True, "x")])
        assert (event.message, event.level) == ("[ERROR] 한국", "error")
        assert [p.data for p in event.printed] == [data]
    joiner = Joiner()
    (event,) = feed(joiner, [part(0, b'{"a"', 1, False, "x"), part(1, b":1}", 2, True, "x")])
    assert (event.fields, event.json_line) == ({"a": 1}, True)


def test_a_piece_that_comes_twice_is_counted_and_left_out() -> None:
    joiner = Joiner()
    pieces = [part(0, b"a", 1, False, "x"), part(1, b"a", 1, False, "x"), part(2, b"b", 2, True, "x")]
    assert said(feed(joiner, pieces)) == [("ab", ("joined",))]
    assert joiner.dropped == {"duplicate_part": 1}


@pytest.mark.parametrize(
    "second",
    [part(2, b"other", 1, False, "x"), part(2, b"beyond", 9, False, "x"), part(2, b"end", 1, True, "x")],
)
def test_a_piece_that_cannot_belong_to_the_line_begins_another(second: Part) -> None:
    joiner = Joiner()
    feed(joiner, [part(0, b"a", 1, False, "x"), part(1, b"c", 3, True, "x")])
    (event, *rest) = joiner.add(second) + joiner.close_all()
    assert (event.message, event.flags) == ("ac", ("joined", "incomplete"))
    assert [e.message for e in rest] == [second.data.decode()]
    assert joiner.dropped == {}


@pytest.mark.parametrize(
    ("pieces", "flags"),
    [
        ([(1, False)], ("unterminated",)),
        ([(1, False), (2, False)], ("joined", "unterminated")),
        ([(2, False)], ("incomplete",)),
        ([(1, False), (3, False)], ("joined", "incomplete")),
        ([(1, False), (3, True)], ("joined", "incomplete")),
        ([(2, True)], ("incomplete",)),
    ],
)
def test_the_end_of_a_connection_ends_its_lines(
    pieces: list[tuple[int, bool]], flags: tuple[str, ...]
) -> None:
    joiner = Joiner()
    feed(joiner, [part(n, b"p", ordinal, last, "x") for n, (ordinal, last) in enumerate(pieces)])
    assert joiner.close(2) == []
    assert said(joiner.close(1)) == [("p" * len(pieces), flags)]
    assert joiner.held() == ()


def test_a_line_that_waits_too_long_leaves_by_the_journals_clock() -> None:
    joiner = Joiner(timeout_ns=10)
    feed(joiner, [part(0, b"a", 1, False, "x", observed=100), part(1, b"b", 2, False, "x", observed=105)])
    assert joiner.deadline == 115
    assert joiner.advance(114) == []
    assert joiner.advance(50) == []  # a clock that is set back lets nothing go
    assert said(joiner.advance(115)) == [("ab", ("joined", "incomplete"))]
    assert (joiner.deadline, joiner.advance(1000)) == (None, [])


def test_a_piece_that_comes_too_late_does_not_revive_its_line() -> None:
    joiner = Joiner(timeout_ns=10)
    joiner.add(part(0, b"a", 1, False, "x", observed=0))
    assert said(joiner.add(part(1, b"b", 2, True, "x", observed=10))) == [("a", ("incomplete",))]
    assert said(joiner.close_all()) == [("b", ("incomplete",))]


def test_lines_that_leave_together_leave_in_the_order_they_began() -> None:
    joiner = Joiner(timeout_ns=10)
    feed(joiner, [part(n, b"%d" % n, 1, False, f"x{n}") for n in range(4)])
    feed(joiner, [part(4, b"+", 2, False, "x0")])
    assert [event.message for event in joiner.advance(50)] == ["0+", "1", "2", "3"]


def test_a_line_beyond_the_limit_leaves_and_its_rest_is_swallowed() -> None:
    joiner = Joiner(max_bytes=10)
    events = feed(joiner, [part(n, b"%d" % n * 4, n + 1, False, "x") for n in range(3)])
    assert said(events) == [("0000111122", ("joined", "truncated"))]
    assert joiner.held() == ((0, 0, 0),)
    assert feed(joiner, [part(3, b"3333", 4, False, "x"), part(4, b"4", 5, True, "x")]) == []
    assert joiner.dropped == {"truncated_part": 2, "truncated_bytes": 7}
    assert (joiner.held(), joiner.deadline) == ((), None)
    assert said(feed(joiner, [part(5, b"new", 1, True, "x")])) == [("new", ())]


def test_after_a_restart_the_rest_of_a_truncated_line_keeps_its_identity() -> None:
    """The store knows the event already: the same id is not doubled."""
    before = Joiner(max_bytes=10)
    (event,) = feed(before, [part(n, b"%d" % n * 4, n + 1, False, "x") for n in range(3)])
    after = Joiner(max_bytes=10)
    again = feed(after, [part(0, b"0000", 1, False, "x"), part(3, b"3", 4, True, "x")]) + after.close_all()
    assert [e.id for e in again] == [event.id]


def test_a_line_without_an_end_does_not_hold_the_journal_for_ever() -> None:
    joiner = Joiner(max_bytes=1)
    feed(joiner, [part(0, b"aa", 1, False, "x", observed=0)])
    step, position = TIMEOUT_NS - 1, 1
    while joiner.held():
        joiner.add(part(position, b"a", position + 1, False, "x", observed=step * position))
        position += 1
    assert 20 < position < 25
    assert joiner.dropped["truncated_part"] == position - 1


def test_the_rest_is_forgotten_when_it_does_not_come() -> None:
    joiner = Joiner(max_bytes=1, timeout_ns=10)
    feed(joiner, [part(0, b"aa", 1, False, "x"), part(1, b"aa", 1, False, "y", connection=2)])
    assert joiner.close(2) == []
    assert joiner.advance(10) == []
    assert joiner.held() == ()


def test_too_many_open_lines_push_out_the_least_recent() -> None:
    joiner = Joiner(max_open=2)
    feed(joiner, [part(0, b"a", 1, False, "a"), part(1, b"b", 1, False, "b"), part(2, b"A", 2, False, "a")])
    assert said(joiner.add(part(3, b"c", 1, False, "c"))) == [("b", ("incomplete",))]
    assert len(joiner.held()) == 3


def test_too_many_bytes_push_out_the_least_recent() -> None:
    joiner = Joiner(max_held=10)
    feed(joiner, [part(0, b"a" * 5, 1, False, "a"), part(1, b"b" * 5, 1, False, "b")])
    assert said(joiner.add(part(2, b"c", 1, False, "c"))) == [("aaaaa", ("incomplete",))]
    assert said(joiner.close_all()) == [("bbbbb", ("unterminated",)), ("c", ("unterminated",))]


def test_lines_of_other_streams_containers_and_connections_are_other_lines() -> None:
    joiner = Joiner()
    pieces = [
        part(0, b"a", 1, False, "x"),
        part(1, b"b", 1, False, "x", stream="stderr"),
        part(2, b"c", 1, False, "x", origin=1),
        part(3, b"d", 1, False, "x", connection=2),
    ]
    assert feed(joiner, pieces) == []
    ends = [
        part(4, b"D", 2, True, "x", connection=2),
        part(5, b"C", 2, True, "x", origin=1),
        part(6, b"B", 2, True, "x", stream="stderr"),
        part(7, b"A", 2, True, "x"),
    ]
    assert [event.message for event in feed(joiner, ends)] == ["dD", "cC", "bB", "aA"]


def test_an_old_engines_pieces_follow_each_other_until_an_unmarked_one() -> None:
    joiner = Joiner()
    long = b"x" * PIECE
    pieces = [part(0, long), part(1, long, stream="stderr"), part(2, long), part(3, b"end", last=True)]
    (event,) = feed(joiner, pieces)
    assert event.message == (long + long + b"end").decode()
    assert event.sequence == 0
    assert said(joiner.close_all()) == [(long.decode(), ("unterminated",))]


def test_an_old_engines_equal_pieces_are_no_duplicates() -> None:
    joiner = Joiner()
    events = feed(joiner, [part(n, b"same" * 4096) for n in range(3)] + [part(3, b"", last=True)])
    assert said(events) == [("same" * 4096 * 3, ("joined",))]


def test_an_old_engines_line_beyond_the_limit_is_swallowed_to_its_end() -> None:
    joiner = Joiner(max_bytes=PIECE)
    events = feed(joiner, [part(n, b"x" * PIECE) for n in range(4)] + [part(4, b"end", last=True)])
    assert said(events) == [("x" * PIECE, ("joined", "truncated"))]
    assert joiner.dropped["truncated_bytes"] == 3 * PIECE + 3
    assert joiner.held() == ()


def test_a_short_piece_of_an_old_engine_is_ended_by_an_unmarked_record() -> None:
    joiner = Joiner()
    events = feed(joiner, [part(0, b"one ", may_be_label=True), part(1, b"two", last=True)])
    assert said(events) == [("one two", ("joined",))]
    assert events[0].origin is ORIGINS[0]


def test_an_old_engines_last_line_without_a_newline() -> None:
    joiner = Joiner()
    feed(joiner, [part(0, b"x" * PIECE), part(1, b"tail", may_be_label=True)])
    assert said(joiner.close(1)) == [("x" * PIECE + "tail", ("joined", "unterminated"))]
    feed(joiner, [part(2, b"alone", may_be_label=True)])
    assert said(joiner.close(1)) == [("alone", ("unterminated",))]


def test_short_pieces_one_after_the_other_are_lines_with_such_a_label() -> None:
    joiner = Joiner()
    assert joiner.add(part(0, b"one", may_be_label=True)) == []
    events = feed(joiner, [part(n, b"more", may_be_label=True) for n in (1, 2)])
    assert said(events) == [("one", ()), ("more", ()), ("more", ())]
    assert [event.sequence for event in events] == [0, 1, 2]
    assert {event.origin.key for event in events} == {LABELLED.key}
    assert joiner.held() == ()


def test_a_single_line_with_such_a_label_leaves_when_nothing_follows() -> None:
    joiner = Joiner(timeout_ns=10)
    joiner.add(part(0, b"one", may_be_label=True))
    (event,) = joiner.advance(10)
    assert (event.message, event.flags, event.origin) == ("one", (), LABELLED)


def test_a_label_after_an_open_line_ends_that() -> None:
    joiner = Joiner()
    feed(joiner, [part(0, b"x" * PIECE), part(1, b"tail", may_be_label=True)])
    events = joiner.add(part(2, b"line", may_be_label=True))
    assert said(events) == [("x" * PIECE + "tail", ("joined", "unterminated")), ("line", ())]


@pytest.mark.parametrize(
    ("data", "message", "kept"),
    [
        (b"plain", "plain", False),
        (b"", "", False),
        ("\ufffd".encode(), "\ufffd", False),
        (b"a\0b", "a\0b", False),
        (b"bad \xff\xfe", "bad \ufffd\ufffd", True),
        (b"tty\r", "tty", True),
        (b"\x1b[1mbold\x1b[m", "bold", True),
    ],
)
def test_printed_bytes_are_kept_where_the_message_does_not_say_them(
    data: bytes, message: str, kept: bool
) -> None:
    text, printed = message_of(data, "stdout", 5)
    assert text == message
    assert [(p.data, p.stream, p.timestamp) for p in printed] == ([(data, "stdout", 5)] if kept else [])
