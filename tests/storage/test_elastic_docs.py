import json
from typing import Any

import msgspec
import pytest

from parsers.event import Container, Event, Printed, make_origin
from storage.elastic_docs import LAST_TIME, Writer, digest, time_text
from storage.elastic_hits import Hit, Reader
from storage.elastic_template import IGNORE_ABOVE, MAX_TOKEN, PROPERTIES
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
    assert doc["event"] == {"created": "2026-11-24T06:00:00.128456789Z", "sequence": 0}
    assert doc["log"] == {"level": "info", "iostream": "stdout"}
    assert doc["container"]["id"] == "ab" * 32
    assert (doc["container"]["name"], doc["container"]["image"]) == ("shop-web-1", {"name": "nginx:1.27"})
    assert doc["container"]["labels"] == dict(ORIGIN.labels)
    assert (doc["service"], doc["host"], doc["tags"]) == ({"name": "web"}, {"name": "node-a"}, ["joined"])
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
    doc = lines(Writer().line(event(stream="stdout", level="info", flags=("a",), fields={"a": 1})))[1]
    only_kept = {"logdock.service_source", "logdock.tag_template"}
    assert {name for name in _names(doc, PROPERTIES) if not name.startswith(("event.", "@"))} == only_kept


def _names(doc: dict[str, Any], properties: dict[str, Any], path: str = "") -> list[str]:
    missing = []
    for name, value in doc.items():
        found = properties.get(name)
        if found is None:
            missing.append(path + name)
        elif isinstance(value, dict) and "properties" in found:
            missing += _names(value, found["properties"], f"{path}{name}.")
    return missing


def test_the_limit_of_keywords_is_the_one_that_marks_follow() -> None:
    assert PROPERTIES["docker"]["properties"]["fields"]["ignore_above"] == IGNORE_ABOVE
