import itertools
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from parsers.clock import MAX_TIMESTAMP, MIN_TIMESTAMP
from parsers.event import Container, Event, Printed
from parsers.join import Part
from parsers.normalize import Normalizer, Source
from parsers.record import Ext, Record
from parsers.tag import TagTemplate

ID = "0123456789abcdef" * 4
SOURCE = Source("j", 5, 8_000_000_000, "10.0.0.1", 1)
LABELS = {"com.docker.compose.service": "web", "com.docker.compose.project": "shop"}


def docker(
    log: object = "line", *, time: object = 7, tag: str = ID[:12], option: object = None, **keys: object
) -> Record:
    record = {"container_id": ID, "container_name": "/web", "source": "stdout", "log": log, **keys}
    return Record(tag, time, record, option)  # type: ignore[arg-type]


def run(
    *records: Record, source: Source = SOURCE, normalizer: Normalizer | None = None
) -> list[Event | Part]:
    return list((normalizer or Normalizer("here")).forward(records, source, 100, 3))


def one(record: Record) -> Event:
    """The event of a record that is the first of its container; it is the same when it is not."""
    first = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=Record)
    normalizer = Normalizer("here")
    (event,) = run(first, normalizer=normalizer)
    _, again = run(docker("before"), record, normalizer=normalizer)
    assert isinstance(event, Event)
    assert isinstance(again, Event)
    moved = msgspec.structs.replace(again, sequence=event.sequence, index=event.index)
    assert moved == event
    return event


def test_a_docker_line_is_an_event() -> None:
    event = one(docker("2026-11-24 01:02:03 ERROR boom", **LABELS))
    assert (event.journal, event.position, event.index, event.sequence, event.offset) == ("j", 5, 3, 100, 0)
    assert (event.timestamp, event.observed) == (7_000_000_000, 8_000_000_000)
    assert (event.message, event.stream, event.level) == ("2026-11-24 01:02:03 ERROR boom", "stdout", "error")
    assert (event.fields, event.json_line, event.flags, event.printed) == (None, False, (), ())
    origin = event.origin
    assert (origin.container, origin.labels, origin.host) == (Container(ID, "web", None), LABELS, "10.0.0.1")
    assert (origin.service, origin.service_source) == ("web", "label:com.docker.compose.service")
    assert (origin.tag, origin.tag_fields) == (ID[:12], {"ID": ID[:12]})


def test_lines_of_one_container_share_one_origin_and_count_on() -> None:
    events = run(docker("a"), docker("b", source="stderr"), docker("c", time=8), docker("d", a="label"))
    assert [(e.message, e.stream, e.sequence, e.index) for e in events if isinstance(e, Event)] == [
        ("a", "stdout", 100, 3),
        ("b", "stderr", 101, 4),
        ("c", "stdout", 102, 5),
        ("d", "stdout", 103, 6),
    ]
    origins = [e.origin for e in events if isinstance(e, Event)]
    assert origins[0] is origins[1] is origins[2]
    assert origins[3].labels == {"a": "label"}


def test_interleaved_containers_keep_their_own() -> None:
    other = "f" * 64
    records = [
        docker(str(n), container_id=(ID, other)[n % 2], container_name=("/a", "/b")[n % 2]) for n in range(6)
    ]
    names = [e.origin.container.name for e in run(*records) if isinstance(e, Event)]
    assert names == ["a", "b"] * 3


def test_records_are_taken_as_they_are_asked_for() -> None:
    def endless() -> Iterator[Record]:
        return (docker(str(n)) for n in itertools.count())

    events = Normalizer("here").forward(endless(), SOURCE, 0)
    assert [e.message for e in itertools.islice(events, 3) if isinstance(e, Event)] == ["0", "1", "2"]


FUTURE, ANCIENT = ("clock_future",), ("clock_ancient",)


@pytest.mark.parametrize(
    ("time", "timestamp", "flags"),
    [
        (7, 7_000_000_000, ()),
        (Ext(0, struct.pack(">II", 7, 5)), 7_000_000_005, ()),
        (Ext(-1, struct.pack(">II", 5 << 2, 7)), 7_000_000_005, ()),
        (MAX_TIMESTAMP // 10**9, MAX_TIMESTAMP // 10**9 * 10**9, FUTURE),
        (MIN_TIMESTAMP // 10**9 + 1, (MIN_TIMESTAMP // 10**9 + 1) * 10**9, ANCIENT),
        (Ext(0, struct.pack(">II", 2**32 - 1, 0)), (2**32 - 1) * 10**9, FUTURE),
        (-1, -1_000_000_000, ()),
        (-(10**6), -(10**15), ANCIENT),
        (2**63, None, FUTURE),
        (1_700_000_000_000, None, FUTURE),
        (-(2**63), None, ANCIENT),
        (MAX_TIMESTAMP // 10**9 + 1, None, FUTURE),
        (0, None, ()),
        (None, None, ()),
        (Ext(1, b"12345678"), None, ()),
        (Ext(0, b"short"), None, ()),
        (Ext(0, bytes(8)), None, ()),
    ],
)
def test_a_time_is_kept_and_marked(time: object, timestamp: int | None, flags: tuple[str, ...]) -> None:
    """What says no time, or one that no store can hold, is replaced by when it was seen."""
    before = docker("before", time=MIN_TIMESTAMP // 10**9 + 1)
    _, again = run(before, docker(time=time))
    for event in (*run(docker(time=time)), again):
        assert isinstance(event, Event)
        if timestamp is None:
            assert (event.timestamp, event.flags) == (SOURCE.observed, ("no_timestamp", *flags))
        else:
            assert (event.timestamp, event.flags) == (timestamp, flags)


def test_a_line_before_an_earlier_line_of_its_stream_is_out_of_order() -> None:
    ticks = [5, 7, 6, 7, 8]
    lines = [docker(str(n), time=time) for n, time in enumerate(ticks)]
    lines[2:2] = [docker("e", time=6, source="stderr"), docker("o", time=5, container_id="f" * 64)]
    lines.append(docker("p", time=7, partial_message="true", partial_id="x", partial_ordinal="1",
                        partial_last="true"))  # fmt: skip
    items = run(*lines)
    events = [item.event if isinstance(item, Part) else item for item in items]
    assert [e.sequence - 100 for e in events if e.flags == ("out_of_order",)] == [4, 7]
    assert {e.flags for e in events} == {(), ("out_of_order",)}


def test_one_time_in_the_future_puts_no_line_out_of_order() -> None:
    events = run(docker("a", time=10**6), docker("b", time=7), docker("c", time=8))
    assert [e.flags for e in events if isinstance(e, Event)] == [("clock_future",), (), ()]


def test_order_is_a_containers_whatever_connection_its_lines_come_on() -> None:
    normalizer, other = Normalizer("here"), Source("j", 6, 8_000_000_000, "10.0.0.1", 2)
    run(docker("a", time=7), normalizer=normalizer)
    (event,) = run(docker("b", time=6, label="x"), source=other, normalizer=normalizer)
    assert isinstance(event, Event)
    assert event.flags == ("out_of_order",)


def test_lines_of_no_container_have_no_order() -> None:
    records = [Record("app", time, {"message": "m"}) for time in (7, 5, 10**6)]
    assert [e.flags for e in run(*records) if isinstance(e, Event)] == [(), (), ("clock_future",)]


@pytest.mark.parametrize(
    ("log", "message", "data"),
    [
        ("", "", None), ("nul\0", "nul\0", None), ("한국\u2028", "한국\u2028", None), ("a\rb", "a\rb", None),
        ("tty\r", "tty", b"tty\r"), ("\x1b[1mb\x1b[m", "b", b"\x1b[1mb\x1b[m"),
        (b"bad\xff", "bad\ufffd", b"bad\xff"),
        (b"\x1b[31m\xff\r", "\ufffd", b"\x1b[31m\xff\r"), (5, "5", None),
    ],
)  # fmt: skip
def test_the_message_is_clean_and_the_printed_bytes_are_kept(
    log: object, message: str, data: bytes | None
) -> None:
    event = one(docker(log))
    assert event.message == message
    assert event.printed == (() if data is None else (Printed(data, "stdout", 7_000_000_000),))


def test_no_lone_surrogate_passes() -> None:
    event = one(Record("t\ufffd", 7, {"container_id": ID, "source": "stdout", "log": "\ufffd"}))
    normalizer = Normalizer("here")
    for _ in range(2):  # as the first of its container, and as one like the last
        (event,) = run(docker("a\ud800b", tag="t\ud800", label="v\udc00"), normalizer=normalizer)  # type: ignore[assignment]
        assert event.message == "a\ufffdb"
        assert event.origin.tag == "t\ufffd"
        assert event.origin.labels == {"label": "v\ufffd"}
    (foreign,) = run(Record("t\ud800", 7, {"message": "\ud800", "k\ud800": {"\udc00": ["\ud800"]}}))
    assert isinstance(foreign, Event)
    assert (foreign.message, foreign.fields, foreign.origin.tag) == (
        "\ufffd",
        {"k\ufffd": {"\ufffd": ["\ufffd"]}},
        "t\ufffd",
    )


def test_a_json_line_is_its_own_fields() -> None:
    event = one(docker('{"level":"warn","n":1,"log":"x","container_id":"spoof"}'))
    assert (event.level, event.json_line) == ("warn", True)
    assert event.fields == {"level": "warn", "n": 1, "log": "x", "container_id": "spoof"}
    assert event.origin.container.id == ID
    coloured = one(docker('\x1b[32m{"n":1}\x1b[m'))
    assert (coloured.fields, coloured.json_line, coloured.message) == ({"n": 1}, True, '{"n":1}')


def test_a_record_that_had_not_the_protocols_shape_is_marked() -> None:
    option = {"logdock_malformed": True}
    assert one(docker(option=option)).flags == ("malformed",)
    (foreign,) = run(Record("", None, {"message": "[1]"}, option))
    assert isinstance(foreign, Event)
    assert foreign.flags == ("malformed", "no_timestamp")
    assert one(docker(option={"chunk": "x"})).flags == ()
    assert one(docker(option={})).flags == ()


def test_keys_that_labels_have_overwritten() -> None:
    event = one(docker("x", source="y", container_id="z", container_name="w"))
    assert event.stream is None
    assert event.origin.container == Container(None, "w", None)
    assert event.origin.labels == {"container_id": "z", "source": "y"}
    assert set(event.flags) == {"container_id_overwritten", "source_overwritten"}
    odd = one(docker("x", source={"a": ["b"]}, container_id=["z"]))
    assert odd.origin.labels == {"container_id": '["z"]', "source": '{"a":["b"]}'}


@pytest.mark.parametrize("missing", ["log", "source", "container_id"])
def test_only_all_three_keys_make_a_docker_record(missing: str) -> None:
    record = docker("line", a="b")
    del record.record[missing]
    event = one(record)
    assert event.origin.labels == {}
    expected = {"container_id": ID, "container_name": "/web", "source": "stdout", "log": "line", "a": "b"}
    del expected[missing]
    if missing == "log":
        assert event.json_line
    else:
        assert event.message == expected.pop("log")
    assert event.fields == expected
    assert event.origin.container.id == (None if missing == "container_id" else ID)
    assert event.origin.container.name == "web"


def test_another_senders_record() -> None:
    event = one(Record("app.access", 7, {"message": "GET /", "status": 200, "level": "warn"}))
    assert (event.message, event.fields, event.level) == ("GET /", {"status": 200, "level": "warn"}, "warn")
    assert (event.origin.tag, event.origin.container, event.stream) == ("app.access", Container(), None)


def test_the_operators_templates_are_used() -> None:
    templates = [TagTemplate.compile(text) for text in ("{{.Name}}", "docker.{{.ImageName}}.{{.Name}}")]
    normalizer = Normalizer("here", templates)
    (event,) = run(docker(tag="docker.nginx.web"), normalizer=normalizer)
    assert isinstance(event, Event)
    assert event.origin.tag_template == "docker.{{.ImageName}}.{{.Name}}"
    assert (event.origin.container.image, event.origin.service_source) == ("nginx", "image")


def test_every_flag_is_documented() -> None:
    root = Path(__file__).parents[2]
    code = "".join(path.read_text() for path in sorted((root / "parsers").glob("*.py")))
    by_name = re.findall(
        r'"(\w+_(?:overwritten|timestamp|future|ancient|order|truncated|ambiguous|dropped))"', code
    )
    flags = {*by_name, "joined", "unterminated", "incomplete", "truncated", "malformed"}
    rows = (root / "docs/api.md").read_text().split("| flag | meaning |\n|---|---|\n")[1].split("\n\n")[0]
    documented = [flag for row in rows.splitlines() for flag in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(documented) == sorted(flags)
