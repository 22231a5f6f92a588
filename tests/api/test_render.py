import json

import pytest

from api.render import MAX_ORIGINS, _origins, dumps, event_json, events_json, ndjson, service_detail
from parsers.event import Container, Event, make_origin
from storage.times import rfc3339

SECOND = 1_000_000_000
AT = 1_795_482_123 * SECOND + 123_456_789  # 2026-11-24T01:02:03.123456789Z

FULL = Event(
    journal="j1",
    position=26,
    index=3,
    timestamp=AT,
    observed=AT + 1,
    sequence=1,
    offset=7,
    message="boom\n\tat x",
    origin=make_origin(
        Container("ab" * 32, "shop-web-1", "nginx:1.27"),
        "node-a",
        service="web",
        service_source="label:com.docker.compose.service",
        labels={"com.docker.compose.service": "web"},
        tag="docker.web.0123456789ab",
        tag_fields={"Name": "web"},
    ),
    stream="stdout",
    level="error",
    fields={"status": 502},
    flags=("joined",),
)


def test_the_event_of_the_contract() -> None:
    assert json.loads(event_json(FULL)) == {
        "id": "j1.1a.3",
        "timestamp": "2026-11-24T01:02:03.123456789Z",
        "observed": "2026-11-24T01:02:03.123456790Z",
        "sequence": 1,
        "offset": 7,
        "message": "boom\n\tat x",
        "stream": "stdout",
        "level": "error",
        "container": {"id": "ab" * 32, "name": "shop-web-1", "image": "nginx:1.27"},
        "service": "web",
        "service_source": "label:com.docker.compose.service",
        "service_detail": {"project": "shop", "replica": "1", "kind": "service"},
        "host": "node-a",
        "labels": {"com.docker.compose.service": "web"},
        "tag": "docker.web.0123456789ab",
        "tag_fields": {"Name": "web"},
        "fields": {"status": 502},
        "flags": ["joined"],
    }


def test_what_is_unknown_is_null_or_empty() -> None:
    bare = Event("j1", 0, 0, 0, 0, 0, 0, "", make_origin(Container(), "h"))
    found = json.loads(event_json(bare))
    assert found["container"] == {"id": None, "name": None, "image": None}
    unknown = ("stream", "level", "service", "service_source", "service_detail", "tag")
    assert [found[k] for k in unknown] == [None] * 6
    assert [found[k] for k in ("labels", "tag_fields", "fields")] == [{}, {}, {}]
    assert found["flags"] == []


TASK = "l7vsr3kgrgbp6mi6oesythfim"


@pytest.mark.parametrize(
    ("name", "service", "labels", "detail"),
    [
        ("bare", "web", {}, None),
        ("shop-web-1", "api", {}, None),  # stored when the name was read otherwise
        ("shop-web-run-0123456789ab", "web", {}, {"project": "shop", "kind": "oneoff"}),
        (f"web.2.{TASK}", "web", {}, {"replica": "2", "task_id": TASK, "kind": "service"}),
        (None, None, {"com.docker.compose.project": "shop"}, {"project": "shop"}),
    ],
)
def test_which_of_a_services_containers(
    name: str | None, service: str | None, labels: dict[str, str], detail: object
) -> None:
    assert service_detail(Container(None, name), service, labels, {}) == detail


def test_a_label_in_the_tag_tells_too() -> None:
    fields = {
        "ContainerLabels.com.docker.compose.oneoff": "True",
        "ContainerLabels.com.docker.compose.service": "w",
    }
    origin = make_origin(Container(None, "x"), "h", service="w", tag_fields=fields)
    found = json.loads(event_json(Event("j1", 0, 0, 0, 0, 0, 0, "", origin)))
    assert found["service_detail"] == {"kind": "oneoff"}


@pytest.mark.parametrize(
    "message", ['"quoted" \\', "line\x00nul\x1b[0m", "grüße 日本 \U0001f600", "half \ud800 pair", "\u2028"]
)
def test_every_message_is_json(message: str) -> None:
    event = Event("j1", 0, 0, 0, 0, 0, 0, message, FULL.origin)
    line = event_json(event)
    assert json.loads(line)["message"] == message.encode("utf-8", "replace").decode()
    assert b"\n" not in line


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": b"\xff"}, {"a": "\ufffd"}),
        ({"a": 2**70}, {"a": str(2**70)}),
        ({"a": -(2**70)}, {"a": str(-(2**70))}),
        ({1: "x", b"k": [(1,)]}, {"1": "x", "k": [[1]]}),
        ({"a": "\udfff"}, {"a": "?"}),
        ({"a": object}, {"a": "<class 'object'>"}),
    ],
)
def test_what_senders_may_put_into_fields(value: object, shown: object) -> None:
    assert json.loads(dumps(value)) == shown


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (AT, "2026-11-24T01:02:03.123456789Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775807Z"),
        (10**22, "9999-12-31T23:59:59.000000000Z"),
        (-(10**22), "0001-01-01T00:00:00.000000000Z"),
    ],
)
def test_times(nanoseconds: int, text: str) -> None:
    assert rfc3339(nanoseconds) == text


def test_several_events() -> None:
    assert [json.loads(line)["id"] for line in ndjson([FULL, FULL]).splitlines()] == ["j1.1a.3"] * 2
    assert json.loads(b"[" + events_json([FULL, FULL]) + b"]")[1]["sequence"] == 1
    assert events_json([]) == ndjson([]) == b""


def test_encoded_origins_are_bounded() -> None:
    for number in range(MAX_ORIGINS + 10):
        origin = make_origin(Container(name=f"c{number}"), "h")
        found = json.loads(event_json(Event("j1", 0, 0, 0, 0, 0, 0, "", origin)))
        assert found["container"]["name"] == f"c{number}"
    assert len(_origins) <= MAX_ORIGINS
