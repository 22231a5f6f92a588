"""Events as JSON bytes, exactly as the REST contract shows them.

An event's JSON is put together from pieces: what all lines of one container share is encoded once and
kept, so a line costs only its own message, times and fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from starlette.responses import Response

from parsers.event import LEVELS, Container, Event, Origin
from parsers.service import identify
from storage.times import rfc3339_bytes

MAX_ORIGINS = 4096  # encoded origins kept, about 1 kB each; more containers than that only cost time

_origins: dict[str, bytes] = {}


def dumps(value: Any) -> bytes:
    """JSON of anything a sender may have put into a record: nothing it holds can fail."""
    try:
        return orjson.dumps(value)
    except TypeError:  # bytes, lone surrogates, integers beyond 64 bits, keys that are no strings
        return orjson.dumps(_plain(value))


def answer(body: Mapping[str, Any]) -> Response:
    """A JSON object as the answer to a request."""
    return Response(dumps(body), media_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    return str(value)


def service_detail(
    container: Container, service: str | None, labels: Mapping[str, str], tag_fields: Mapping[str, str]
) -> dict[str, str] | None:
    """Which of a service's containers this is, as far as name, labels and tag say; None when they say
    nothing, or mean another service than the one that the line was stored under.
    """
    found = identify(container, labels, tag_fields)
    if found.service != service:
        return None
    parts = {
        "project": found.project, "replica": found.replica, "task_id": found.task_id, "kind": found.kind
    }  # fmt: skip
    return {name: value for name, value in parts.items() if value is not None} or None


def _origin(origin: Origin) -> bytes:
    known = _origins.get(origin.key)
    if known is not None:
        return known
    if len(_origins) >= MAX_ORIGINS:
        _origins.clear()
    container = origin.container
    encoded = dumps(
        {
            "container": {"id": container.id, "name": container.name, "image": container.image},
            "service": origin.service,
            "service_source": origin.service_source,
            "service_detail": service_detail(container, origin.service, origin.labels, origin.tag_fields),
            "host": origin.host,
            "labels": dict(origin.labels),
            "tag": origin.tag,
            "tag_fields": dict(origin.tag_fields),
        }
    )[1:-1]
    _origins[origin.key] = encoded
    return encoded


_WORDS = {value: dumps(value) for value in (None, "stdout", "stderr", *LEVELS)}


def event_json(event: Event) -> bytes:
    """One event as the JSON object of the REST contract."""
    return _EVENT % (
        _journal(event.journal),
        event.position,
        event.index,
        rfc3339_bytes(event.timestamp),
        rfc3339_bytes(event.observed),
        event.sequence,
        event.offset,
        dumps(event.message),
        _WORDS.get(event.stream) or dumps(event.stream),
        _WORDS.get(event.level) or dumps(event.level),
        _origin(event.origin),
        dumps(event.fields) if event.fields else b"{}",
        dumps(event.flags) if event.flags else b"[]",
    )


_EVENT = (
    b'{"id":"%b.%x.%x","timestamp":"%b","observed":"%b","sequence":%d,"offset":%d,"message":%b,'
    b'"stream":%b,"level":%b,%b,"fields":%b,"flags":%b}'
)


@lru_cache(maxsize=64)
def _journal(name: str) -> bytes:
    return dumps(name)[1:-1]


def ndjson(events: Iterable[Event]) -> bytes:
    """One event a line, each line ended."""
    return b"".join([event_json(event) + b"\n" for event in events])


def events_json(events: Iterable[Event]) -> bytes:
    """Events with commas between them: the inside of a JSON array."""
    return b",".join([event_json(event) for event in events])
