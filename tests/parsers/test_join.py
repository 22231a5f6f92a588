from collections.abc import Iterable

import pytest

from parsers.clock import MAX_STEP_NS
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
    assert (joiner.held(), joiner.waiting, joiner.close_all()) == ((), False, [])


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


def test_a_piece_that_comes_twice_is_no_sign_of_life() -> None:
    """A replay is not fed with it, so it must not matter when it came."""
    joiner = Joiner(timeout_ns=10)
    joiner.add(part(0, b"a", 1, False, "x", observed=0))
    assert joiner.add(part(1, b"a", 1, False, "x", observed=9)) == []
    assert said(joiner.advance(10)) == [("a", ("incomplete",))]


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
    assert joiner.advance(114) == []
    assert said(joiner.advance(115)) == [("ab", ("joined", "incomplete"))]
    assert (joiner.waiting, joiner.advance(1000)) == (False, [])


HOURS = 3 * 3600 * 10**9
TICK = 500_000_000


def ticks_until_it_leaves(joiner: Joiner, now: int) -> int:
    for tick in range(1, 1000):
        if joiner.advance(now + tick * TICK):
            return tick
    raise AssertionError("it never leaves")


@pytest.mark.parametrize("set_by", [-HOURS, -1, 0])
def test_a_clock_that_is_set_back_holds_no_line_longer(set_by: int) -> None:
    joiner = Joiner()
    joiner.add(part(0, b"a", 1, False, "x", observed=HOURS))
    assert joiner.advance(HOURS + set_by) == []
    assert ticks_until_it_leaves(joiner, HOURS + set_by) == TIMEOUT_NS // TICK


def test_a_clock_that_is_set_back_again_and_again_only_costs_the_steps() -> None:
    joiner = Joiner()
    joiner.add(part(0, b"a", 1, False, "x", observed=HOURS))
    now = HOURS
    for tick in range(1, 200):
        now += TICK if tick % 10 else -HOURS
        if joiner.advance(now):
            break
    assert 60 < tick < 70


def test_a_clock_that_is_set_forward_does_not_tear_a_line() -> None:
    joiner = Joiner()
    joiner.add(part(0, b"a", 1, False, "x", observed=0))
    assert joiner.advance(HOURS) == []
    assert said(joiner.add(part(1, b"b", 2, True, "x", observed=HOURS + 1))) == [("ab", ("joined",))]
    joiner.add(part(2, b"a", 1, False, "y", observed=HOURS))
    assert joiner.advance(2 * HOURS) == []
    assert ticks_until_it_leaves(joiner, 2 * HOURS) == (TIMEOUT_NS - MAX_STEP_NS) // TICK


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
    assert joiner.held() == ()  # nothing of it is needed any more: an endless line must not hold the journal
    assert joiner.waiting
    assert feed(joiner, [part(3, b"3333", 4, False, "x"), part(4, b"4", 5, True, "x")]) == []
    assert joiner.dropped == {"truncated_part": 2, "truncated_bytes": 7}
    assert (joiner.rests(), joiner.waiting) == ((), False)
    assert said(feed(joiner, [part(5, b"new", 1, True, "x")])) == [("new", ())]


def test_after_a_restart_the_rest_of_a_truncated_line_is_swallowed_on() -> None:
    before = Joiner(max_bytes=10, timeout_ns=100)
    feed(before, [part(n, b"%d" % n * 4, n + 1, False, "x", observed=n) for n in range(3)])
    before.advance(40)
    after = Joiner(max_bytes=10, timeout_ns=100)
    after.restore(before.rests())
    for joiner in (before, after):
        assert joiner.advance(101) == []
        assert joiner.add(part(3, b"3", 4, False, "x", observed=101)) == []
        joiner.advance(200)
        assert len(joiner.rests()) == 1
        joiner.advance(201)
        assert joiner.rests() == ()
        assert said(joiner.add(part(4, b"late", 5, True, "x")) + joiner.close_all()) == [
            ("late", ("incomplete",))
        ]
    assert after.dropped == {"truncated_part": 1, "truncated_bytes": 1}


def test_a_rest_ends_with_its_connection() -> None:
    joiner = Joiner(max_bytes=1)
    feed(joiner, [part(0, b"aa", 1, False, "x"), part(1, b"aa", 1, False, "y", connection=2)])
    assert joiner.close(2) == []
    assert [rest.partial_id for rest in joiner.rests()] == ["x"]
    assert joiner.close_all() == []
    assert joiner.rests() == ()


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


def test_an_old_engines_last_line_without_a_newline() -> None:
    joiner = Joiner()
    events = feed(joiner, [part(0, b"x" * PIECE), part(1, b"tail", may_be_label=True)])
    assert said(events) == [("x" * PIECE + "tail", ("joined", "unterminated"))]
    assert events[0].origin is ORIGINS[0]


def test_a_short_piece_that_ends_no_line_is_a_line_with_such_a_label() -> None:
    joiner = Joiner()
    for sequence in range(3):
        (event,) = joiner.add(part(sequence, b"line", may_be_label=True))
        assert (event.message, event.flags, event.sequence) == ("line", (), sequence)
        assert event.origin is LABELLED
        assert joiner.held() == ()


def test_the_rest_of_an_old_engines_line_ends_with_a_short_piece_too() -> None:
    joiner = Joiner(max_bytes=PIECE)
    events = feed(joiner, [part(n, b"x" * PIECE) for n in range(3)] + [part(3, b"t", may_be_label=True)])
    assert [flags for _, flags in said(events)] == [("joined", "truncated")]
    assert said(joiner.add(part(4, b"line", may_be_label=True))) == [("line", ())]


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
