import json
from typing import Any

import msgspec
import pytest

from storage.elastic.docs import Writer
from storage.elastic.ecs import digest
from storage.elastic.hits import Hit, Reader, nanoseconds
from tests.storage.elastic_events import ORIGIN, event


def document(**changes: Any) -> msgspec.Raw:
    made = json.loads(Writer().line(event()).splitlines()[1])
    return msgspec.Raw(json.dumps(made | changes).encode())


def test_events_of_one_origin_share_it() -> None:
    reader = Reader()
    hits = [Hit(event(n).id, msgspec.Raw(Writer().line(event(n)).splitlines()[1])) for n in range(2)]
    first, second = map(reader.event, hits)
    assert first is not None
    assert second is not None
    assert first.origin is second.origin
    assert reader.origin(hits[0]) == (digest(ORIGIN), ORIGIN)


@pytest.mark.parametrize(
    "hit",
    [
        Hit("AX7-auto", document()),
        Hit("j.1.0", msgspec.Raw(b'{"@timestamp":"2026-11-24T06:00:00Z","message":"of somebody else"}')),
        Hit("j.1.0", document(message=None)),
        Hit("j.1.0", document(**{"@timestamp": 1_795_500_000_000})),
        Hit("j.1.0", document(**{"@timestamp": "yesterday"})),
        Hit("j.1.0", document(logdock={"origin": "0", "offset": 1, "printed": [["?", None, 1]]})),
        Hit("j.1.0", document(logdock={"origin": "0", "offset": 1, "labels": "no JSON"})),
        Hit("j.1.0", document(logdock={"origin": "0", "offset": 1, "json_line": True})),
    ],
)
def test_a_document_of_somebody_else_is_no_event(hit: Hit) -> None:
    assert Reader().event(hit) is None


def test_names_that_somebody_added_do_no_harm() -> None:
    assert Reader().event(Hit(event().id, document(agent={"name": "x"}, labels=[1]))) == event()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:00.000000000Z", 0),
        ("2026-11-24T06:00:00.000000001Z", 1_795_500_000_000_000_001),
        ("2262-04-11T23:47:16.854775807Z", (1 << 63) - 1),
    ],
)
def test_times(text: str, time: int) -> None:
    assert nanoseconds(text) == time
