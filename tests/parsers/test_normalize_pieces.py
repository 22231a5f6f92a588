"""Pieces of lines through the normaliser and the joiner together."""

import msgspec
import pytest

from parsers.event import Event
from parsers.join import PIECE, Joiner, Part
from parsers.normalize import Normalizer, Source
from parsers.record import Record
from parsers.rests import Rest

ID = "0123456789abcdef" * 4
SOURCE = Source("j", 5, 8_000_000_000, "10.0.0.1", 1)


def docker(log: object = "line", *, time: object = 7, **keys: object) -> Record:
    record = {"container_id": ID, "container_name": "/web", "source": "stdout", "log": log, **keys}
    return Record(ID[:12], time, record)  # type: ignore[arg-type]


def run(
    *records: Record, source: Source = SOURCE, normalizer: Normalizer | None = None
) -> list[Event | Part]:
    return list((normalizer or Normalizer("here")).forward(records, source, 100, 3))


def parts(
    records: list[Record], normalizer: Normalizer | None = None, source: Source = SOURCE
) -> list[Event]:
    joiner, out = Joiner(), []
    for item in run(*records, normalizer=normalizer, source=source):
        out += joiner.add(item) if isinstance(item, Part) else [item]
    return out + joiner.close_all()


def marks(ordinal: int, last: bool, partial_id: str = "ab" * 32) -> dict[str, str]:
    return {"partial_message": "true", "partial_id": partial_id, "partial_ordinal": str(ordinal),
            "partial_last": "true" if last else "false"}  # fmt: skip


def test_pieces_are_joined_and_lines_in_between_pass() -> None:
    records = [
        docker(b"\xed\x95", **marks(1, False), a="b"),
        docker("between", a="b"),
        docker("other", source="stderr", a="b", **marks(1, False, "cd" * 32)),
        docker(b"\x9c", **marks(2, True), a="b"),
        docker("end", source="stderr", a="b", **marks(2, True, "cd" * 32)),
    ]
    events = parts(records)
    assert [(e.message, e.flags, e.sequence, e.index) for e in events] == [
        ("between", (), 101, 4),
        ("한", ("joined",), 100, 3),
        ("otherend", ("joined",), 102, 5),
    ]
    assert events[0].origin is events[1].origin is events[2].origin


def test_pieces_carry_the_flags_of_their_record() -> None:
    (event,) = parts([docker("a", time=0, **marks(1, False)), docker("b", time=0, **marks(2, True))])
    assert event.flags == ("no_timestamp", "joined")


def test_an_old_engines_line_is_joined() -> None:
    long = "x" * PIECE
    records = [
        docker(long, partial_message="true"),
        docker("err", source="stderr"),
        docker(long, partial_message="true"),
        docker("end"),
        docker("next"),
    ]
    normalizer = Normalizer("here")
    assert [(e.message, e.flags) for e in parts(records, normalizer)] == [
        ("err", ()),
        (long + long + "end", ("joined",)),
        ("next", ()),
    ]
    (event,) = parts([docker("later")], normalizer)
    assert (event.message, event.origin.labels) == ("later", {})


def test_an_old_engines_last_line_without_a_newline() -> None:
    records = [docker("x" * PIECE, partial_message="true"), docker("tail", partial_message="true")]
    (event,) = parts(records)
    assert (event.message, event.flags) == ("x" * PIECE + "tail", ("joined", "unterminated"))
    assert event.origin.labels == {}


def test_a_cut_line_that_an_unmarked_record_ends_is_known_after_a_restart() -> None:
    origin = {"container_id": ID, "container_name": "web", "stream": "stdout", "partial_id": ""}
    rest = Rest(connection=1, seen=65, last=0, idle=0, observed=0, **origin)
    for partial_id, kinds in (("", [Part, Event]), ("x", [Event, Event])):
        normalizer = Normalizer("here")
        normalizer.resume(msgspec.structs.replace(rest, partial_id=partial_id))
        assert [type(item) for item in run(docker("end"), docker("next"), normalizer=normalizer)] == kinds


def test_an_old_engines_pieces_are_those_of_one_connection() -> None:
    normalizer, other = Normalizer("here"), Source("j", 6, 8_000_000_000, "10.0.0.1", 2)
    (piece,) = run(docker("x" * PIECE, partial_message="true"), normalizer=normalizer)
    (line,) = run(docker("line"), normalizer=normalizer, source=other)
    assert isinstance(piece, Part)
    assert isinstance(line, Event)
    normalizer.forget(1)
    (line,) = run(docker("line"), normalizer=normalizer)
    assert isinstance(line, Event)


@pytest.mark.parametrize("value", ["false", "yes", "", "TRUE"])
def test_a_label_called_partial_message_is_a_label(value: str) -> None:
    events = parts([docker(str(n), partial_message=value) for n in range(3)])
    assert [(e.message, e.flags, e.origin.labels) for e in events] == [
        (str(n), (), {"partial_message": value}) for n in range(3)
    ]


def test_even_when_it_says_true() -> None:
    records = [docker(str(n), partial_message="true") for n in range(4)]
    records.insert(2, docker("x" * PIECE, **marks(1, False)))  # a real piece overwrites the label
    records.append(docker("y", **marks(2, True)))
    events = parts(records)
    assert [e.message for e in events] == ["0", "1", "2", "3", "x" * PIECE + "y"]
    assert [dict(e.origin.labels) for e in events] == [{"partial_message": "true"}] * 4 + [{}]
