import pytest

from parsers.event import Container, Event, Printed
from parsers.gelf import GelfMessage
from parsers.normalize import Normalizer, Source

ID = "0123456789abcdef" * 4
SOURCE = Source("j", 5, 8_000_000_000, "10.0.0.1", 1)
GELF = {
    "command": "sh -c x", "created": "2026-11-24T03:42:29Z", "container_id": ID, "container_name": "web",
    "image_id": "sha256:" + ID, "image_name": "nginx:1.27", "tag": ID[:12],
}  # fmt: skip


def gelf(message: str = "line", level: int | None = 6, timestamp: int | None = 7, host: str = "node-a",
         full_message: str | None = None, **extra: object) -> GelfMessage:  # fmt: skip
    return GelfMessage(host, message, full_message, timestamp, level, extra)


def from_gelf(message: GelfMessage) -> Event:
    return Normalizer("here").gelf(message, SOURCE, 100, 3)


@pytest.mark.parametrize(
    ("level", "stream"), [(6, "stdout"), (3, "stderr"), (None, None), (4, None), (0, None)]
)
def test_dockers_gelf_level_is_the_stream_and_no_level(level: int | None, stream: str | None) -> None:
    event = from_gelf(gelf("[WARN] x", level, **GELF, a="b"))
    assert (event.stream, event.level, event.fields) == (stream, "warn", None)
    assert (event.origin.labels, event.origin.host) == ({"a": "b"}, "node-a")
    assert event.origin.container == Container(ID, "web", "nginx:1.27")
    assert (event.timestamp, event.sequence, event.index, event.position) == (7, 100, 3, 5)


def test_dockers_gelf_lines_are_cleaned_and_read() -> None:
    normalizer = Normalizer("here")
    events = [
        normalizer.gelf(gelf(text, **GELF), SOURCE, n, n)
        for n, text in enumerate(["\x1b[1mb\x1b[m\r", '{"a":1}', "\ud800"])
    ]
    assert [e.message for e in events] == ["b", '{"a":1}', "\ufffd"]
    assert events[0].printed == (Printed(b"\x1b[1mb\x1b[m\r", "stdout", 7),)
    assert (events[1].fields, events[1].json_line, events[1].printed) == ({"a": 1}, True, ())
    assert events[0].origin is events[1].origin is events[2].origin


def test_a_gelf_id_that_a_label_has_overwritten() -> None:
    event = from_gelf(gelf(**{**GELF, "container_id": "z"}))
    assert (event.origin.container, event.stream) == (Container(None, "web", "nginx:1.27"), "stdout")
    assert (event.origin.labels, event.flags) == ({"container_id": "z"}, ("container_id_overwritten",))


@pytest.mark.parametrize(
    ("number", "level"),
    [(0, "fatal"), (1, "fatal"), (2, "fatal"), (3, "error"), (4, "warn"), (5, "info"), (6, "info"),
    (7, "debug"),
     (8, "error"), (-1, "error"), (None, "error")],
)  # fmt: skip
def test_another_gelf_senders_level_is_its_own_word(number: int | None, level: str) -> None:
    event = from_gelf(gelf("[ERROR] x", number, user="kim"))
    assert (event.level, event.stream, event.fields) == (level, None, {"user": "kim"})
    assert event.origin.labels == {}


def test_another_gelf_senders_full_message_is_a_field_when_it_says_more() -> None:
    assert from_gelf(gelf("a", full_message="a\nb", facility="f")).fields == {
        "full_message": "a\nb",
        "facility": "f",
    }
    assert from_gelf(gelf("a", full_message="a")).fields is None
    assert from_gelf(gelf("a", full_message="")).fields is None


@pytest.mark.parametrize(
    ("timestamp", "kept", "flags"),
    [
        (None, None, ()),
        (0, None, ()),
        (2**70, None, ("clock_future",)),
        (-(2**70), None, ("clock_ancient",)),
        (-5, -5, ()),
        (-(10**18), -(10**18), ("clock_ancient",)),
        (10**18, 10**18, ("clock_future",)),
    ],
)
def test_a_gelf_time_is_kept_and_marked(
    timestamp: int | None, kept: int | None, flags: tuple[str, ...]
) -> None:
    event = from_gelf(gelf(timestamp=timestamp, **GELF))
    assert event.timestamp == (SOURCE.observed if kept is None else kept)
    assert event.flags == (("no_timestamp", *flags) if kept is None else flags)


def test_datagrams_overtake_each_other() -> None:
    normalizer = Normalizer("here")
    times = [(6, 7), (6, 5), (3, 6), (6, 7), (None, 5)]  # a level and a time
    events = [
        normalizer.gelf(gelf("line", level, time, **GELF), SOURCE, n, n)
        for n, (level, time) in enumerate(times)
    ]
    assert [event.flags for event in events] == [(), ("out_of_order",), (), (), ()]
    others = [normalizer.gelf(gelf("line", 6, time), SOURCE, 0, 0) for time in (7, 5)]
    assert [event.flags for event in others] == [(), ()]


def test_a_gelf_message_without_a_host_is_its_peers() -> None:
    assert from_gelf(gelf(host="", **GELF)).origin.host == "10.0.0.1"
