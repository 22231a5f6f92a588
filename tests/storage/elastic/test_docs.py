import json
from typing import Any

import msgspec
import pytest

from parsers.event import Container, Event, Printed, make_origin
from storage.elastic.docs import LAST_TIME, Writer, time_text
from storage.elastic.ecs import digest
from storage.elastic.hits import Hit, Reader
from storage.elastic.template import IGNORE_ABOVE, MAX_TOKEN, PROPERTIES
from tests.storage.elastic_events import BARE, ORIGIN, TIME, deep, event


def json_event(message: str) -> Event:
    return event(message=message, fields=json.loads(message), json_line=True)


ODD_ORIGIN = make_origin(
    Container(None, "x\0y"),
    "",
    labels={"nul\0key": "1", "": "empty", "long": "v" * 40_000, "k" * 33_000: "", "a=b": "c=d"},
    tag="t" * 3000,
    tag_fields={"%d": "100%"},
)

EVENTS = {
    "plain": event(),
    "everything said": event(stream="stderr", level="error", flags=("joined", "truncated")),
    "no container": event(origin=BARE),
    "odd origin": event(origin=ODD_ORIGIN),
    "odd text": event(message='a "q" \\ \n\r\t\x00\x1b[0m \u2028 한글 \U0001f600 %d %b'),
    "empty": event(message=""),
    "large numbers": event(position=2**53 - 1, index=2**31, sequence=2**53 - 1, offset=2**53 - 1),
    "before 1970": event(timestamp=-1),
    "1970": event(timestamp=0),
    "the last nanosecond": event(timestamp=LAST_TIME),
    "the first second": event(timestamp=1),
    "observed in no year": event(observed=0),
    "fields": event(fields={"status": 502, "took": 1.5, "ok": None, "list": [1, {"a": "b"}], "a.b": {"": 0}}),
    "no fields": event(fields={}),
    "an integer beyond 64 bits": event(fields={"n": 10**40, "m": -(10**40), "s": "x"}),
    "a NUL in a key": event(fields={"a\0b": 1}),
    "a Kelvin sign": event(fields={"unit": "\u212a"}),
    "a long s": event(message="\u017f", fields={"unit": "\u017f"}),
    "long value": event(fields={"v": "x" * 5000}),
    "deep": event(fields=deep(30)),
    "JSON line": json_event('{"level":"info","n":1.50,"s":"\\u00e9"}'),
    "JSON line over several lines": json_event('{\n  "a": 1,\r\n  "b": "c\\nd"\n}'),
    "JSON line with a NUL in a key": json_event('{"a\\u0000b":1}'),
    "JSON line with a key twice": json_event('{"a":1,"a":2}'),
    "JSON line with a long value": json_event('{"a":"' + "x" * 5000 + '"}'),
    "long word": event(message="x" * (MAX_TOKEN + 1)),
    "long line": event(message="word " * 4000),
    "printed": event(
        flags=("joined",), printed=(Printed(b"\xff\0\n", "stdout", TIME), Printed(b"", None, -1))
    ),
    "one printed line": event(printed=(Printed("\x1b[31mr\xe9d\n\0".encode(), "stdout", TIME + 1),)),
    "one printed line without text": event(printed=(Printed(b"", None, TIME),)),
    "one printed line that is no text": event(printed=(Printed(b"\xff", None, TIME),)),
}


def lines(made: bytes) -> tuple[str, dict[str, Any]]:
    action, document, rest = made.split(b"\n")
    assert rest == b""
    return json.loads(action)["create"]["_id"], json.loads(document)


def read(made: bytes) -> Event | None:
    action, document, _ = made.split(b"\n")
    return Reader().event(Hit(json.loads(action)["create"]["_id"], msgspec.Raw(document)))


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_comes_back_exactly(name: str) -> None:
    sent = EVENTS[name]
    writer = Writer()
    assert read(writer.line(sent)) == sent
    assert read(writer.degraded(sent)) == sent
    assert read(writer.line(sent)) == sent  # with what the writer remembers by now


@pytest.mark.parametrize("name", EVENTS)
def test_the_origin_has_its_key_again(name: str) -> None:
    back = read(Writer().line(EVENTS[name]))
    assert back is not None
    assert back.origin.key == EVENTS[name].origin.key


def test_a_document_has_the_common_names() -> None:
    name, doc = lines(Writer().line(event(stream="stdout", level="info", flags=("joined",), fields={"a": 1})))
    assert name == event().id
    assert doc["@timestamp"] == "2026-11-24T06:00:00.123456789Z"
    assert doc["event"] == {
        "created": "2026-11-24T06:00:00.128456789Z", "sequence": 0,
        "kind": "event", "module": "docker", "dataset": "docker",
    }  # fmt: skip
    assert doc["data_stream"] == {"type": "logs", "dataset": "docker", "namespace": "default"}
    assert doc["ecs"] == {"version": "8.11.0"}
    assert doc["log"] == {"level": "info", "iostream": "stdout"}
    assert doc["container"]["id"] == "ab" * 32
    assert doc["container"]["name"] == "shop-web-1"
    assert doc["container"]["image"] == {"name": "nginx", "tag": ["1.27"]}
    assert doc["container"]["runtime"] == "docker"
    assert doc["container"]["labels"] == dict(ORIGIN.labels)
    assert doc["service"] == {"name": "web", "node": {"name": "1"}}
    assert (doc["host"], doc["tags"]) == ({"name": "node-a", "hostname": "node-a"}, ["joined"])
    assert doc["docker"] == {
        "tag": "docker.web.abababababab", "tag_fields": {"Name": "shop-web-1"}, "fields": {"a": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "marks"),
    {
        "plain": None,
        "odd origin": ["origin"],
        "fields": None,
        "a NUL in a key": ["fields"],
        "a Kelvin sign": ["fields"],
        "a long s": ["tokens", "fields"],
        "long value": ["fields"],
        "JSON line": None,
        "JSON line with a NUL in a key": ["fields"],
        "JSON line with a long value": ["fields"],
        "long word": ["tokens"],
        "long line": None,
    }.items(),
)
def test_what_is_not_indexed_is_marked(name: str, marks: list[str] | None) -> None:
    assert lines(Writer().line(EVENTS[name]))[1]["logdock"].get("marks") == marks


def test_what_elasticsearch_would_refuse_is_not_sent_as_a_field() -> None:
    for name in ("a NUL in a key", "JSON line with a NUL in a key"):
        assert "fields" not in lines(Writer().line(EVENTS[name]))[1]["docker"]
    assert "labels" not in lines(Writer().line(EVENTS["odd origin"]))[1].get("container", {})
    degraded = lines(Writer().degraded(EVENTS["fields"]))[1]
    assert "fields" not in degraded["docker"]
    assert "tag_fields" not in degraded["docker"]
    assert "labels" not in degraded["container"]
    assert degraded["logdock"]["marks"] == ["origin", "fields"]


def test_a_printed_line_that_is_text_can_be_read_by_people() -> None:
    doc = lines(Writer().line(EVENTS["one printed line"]))[1]
    assert doc["event"]["original"] == "\x1b[31mr\xe9d\n\0"
    assert doc["logdock"]["printed"] == [[None, "stdout", TIME + 1]]
    doc = lines(Writer().line(EVENTS["one printed line that is no text"]))[1]
    assert "original" not in doc["event"]
    assert doc["logdock"]["printed"] == [["/w==", None, TIME]]


def test_a_writer_names_its_data_stream() -> None:
    doc = lines(Writer("logs-docker.shop-prod").line(event()))[1]
    assert doc["event"]["dataset"] == "docker.shop"
    assert doc["data_stream"] == {"type": "logs", "dataset": "docker.shop", "namespace": "prod"}


def test_times_outside_date_nanos_are_clamped_and_kept() -> None:
    before = lines(Writer().line(event(timestamp=-7)))[1]
    assert (before["@timestamp"], before["logdock"]["timestamp"]) == ("1970-01-01T00:00:00.000000000Z", -7)
    assert "timestamp" not in lines(Writer().line(event()))[1]["logdock"]
    assert time_text(LAST_TIME + 1) == "2262-04-11T23:47:16.854775807Z"


def test_lone_surrogates_become_question_marks() -> None:
    back = read(Writer().line(event(message="a\ud800b")))
    assert back is not None
    assert back.message == "a?b"


def test_a_body_ends_at_its_size_and_takes_at_least_one_event() -> None:
    events, writer = [event(n) for n in range(10)], Writer()
    size = len(writer.line(events[0]))
    body, end = writer.body(events, 0, size * 3 - 1)
    assert (end, body) == (3, b"".join(map(writer.line, events[:3])))
    assert writer.body(events, 9, 1)[1] == 10
    assert writer.body(events, 3, 1 << 20)[1] == 10


def test_one_writer_keeps_journals_and_origins_apart() -> None:
    writer = Writer()
    mixed = [event(n, journal=f"{n % 2:016x}", origin=(ORIGIN, BARE)[n // 2 % 2]) for n in range(8)]
    assert [read(writer.line(each)) for each in mixed] == mixed


def test_digests_tell_origins_apart() -> None:
    assert digest(ORIGIN) != digest(BARE)
    assert digest(ORIGIN) == digest(msgspec.structs.replace(ORIGIN))


def test_every_name_is_mapped_or_is_only_kept() -> None:
    """Fields that people may look for are in the mapping; the others are there for reading back."""
    origin = make_origin(
        Container("ab" * 32, "web-1", "r:5000/nginx:1@sha256:" + "ab" * 32), "h", service="web",
        service_source="image", labels={"DD_VERSION": "3", "DD_ENV": "prod"}, tag="t", tag_template="{{.ID}}",
        tag_fields={"ID": "t"},
    )  # fmt: skip
    printed = (Printed(b"\x1b[0m", None, TIME),)
    full = event(origin=origin, stream="stdout", level="info", flags=("a",), fields={"a": 1}, printed=printed)
    doc = lines(Writer().line(full))[1]
    only_kept = {"logdock.service_source", "logdock.tag_template", "logdock.printed"}
    assert set(_names(doc, PROPERTIES)) == only_kept
    unsaid = {"logdock.timestamp", "logdock.marks", "service.node.name"}
    assert _leaves(PROPERTIES) - _leaves(doc, "") == unsaid


def _names(doc: dict[str, Any], properties: dict[str, Any], path: str = "") -> list[str]:
    missing = []
    for name, value in doc.items():
        found = properties.get(name)
        if found is None:
            missing.append(path + name)
        elif isinstance(value, dict) and "properties" in found:
            missing += _names(value, found["properties"], f"{path}{name}.")
    return missing


def _leaves(tree: dict[str, Any], inside: str = "properties", path: str = "") -> set[str]:
    """Dotted names of what holds nothing more; a `flattened` field and what is in it count as one."""
    found = set()
    for name, value in tree.items():
        below = value.get(inside) if inside and isinstance(value, dict) else value
        flat = f"{path}{name}" in ("container.labels", "docker.fields", "docker.tag_fields")
        if isinstance(below, dict) and not flat:
            found |= _leaves(below, inside, f"{path}{name}.")
        else:
            found.add(path + name)
    return found


def test_the_limit_of_keywords_is_the_one_that_marks_follow() -> None:
    assert PROPERTIES["docker"]["properties"]["fields"]["ignore_above"] == IGNORE_ABOVE
