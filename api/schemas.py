"""What every answer looks like, for OpenAPI: components by name, and what a route says of itself.

Answers are put together from bytes where that is quick (render.py), so nothing here makes them: a test asks a
real server and compares. JSON Schema as in OpenAPI 3.1.
"""

from __future__ import annotations

from typing import Any, Final

from parsers.event import LEVELS

Schema = dict[str, Any]

_ERRORS: Final = {
    400: "`parameter` names what to change",
    403: "a Host header that is not this machine's, while only loopback is bound",
    404: "there is no such thing",
    409: "another one is running",
    413: "the body is too large",
    415: "the body is of another kind than is taken here",
    429: "too many at once: ask again after Retry-After seconds",
    503: "cannot answer now: ask again after Retry-After seconds",
}
ALWAYS: Final = (400, 403)  # the guard of the Host header, in front of every route (hosts.py)


def answers(name: str, *errors: int, media: str = "application/json") -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: a component's name, and the problems it may answer."""
    content = {media: {"schema": _ref(name)}}
    return {200: {"description": "as asked", "content": content}, **problems(*errors)}


def problems(*errors: int) -> dict[int | str, dict[str, Any]]:
    """The part of `responses` that is about problems, those of every route included."""
    content = {"application/json": {"schema": _ref("Problem")}}
    return {
        error: {"description": _ERRORS[error], "content": content} for error in sorted({*ALWAYS, *errors})
    }


def tidied(document: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with our components, and without the 422 that no route answers (errors.py)."""
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            for response in operation["responses"].values():
                if response.get("content") == {"application/json": {"schema": {}}}:
                    del response["content"]  # FastAPI's guess for a route that answers without a body
    document["components"] = {"schemas": COMPONENTS}
    return document


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(optional: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object that has all these keys but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _maybe(schema: Schema) -> Schema:
    """Or null."""
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: Schema, **more: Schema) -> Schema:
    return _object(items=_array(items), next=_maybe(_TEXT), notes=_NOTES, **more)


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_TIME: Schema = {"type": "string", "format": "date-time"}  # nine digits of a second, UTC
_TEXTS: Schema = _array(_TEXT)
_NOTES: Schema = {**_TEXTS, "description": "what explains a thin answer, and standing warnings"}
_MAP: Schema = {"type": "object", "additionalProperties": _TEXT}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}
_DETAIL: Schema = {
    "type": ["object", "null"],
    "properties": {"project": _TEXT, "replica": _TEXT, "task_id": _TEXT, "kind": _TEXT},
}
_LEVEL: Schema = {"enum": [*LEVELS, None]}

_PAGE: Final[Schema] = {
    "events": _array(_ref("Event")),
    "next": _maybe(_TEXT),
    "truncated_by": _maybe(_TEXT),
    "notes": _NOTES,
}
_ENDED: Final[Schema] = {"lines": _COUNT, "bytes": _maybe(_COUNT)}

COMPONENTS: Final[dict[str, Schema]] = {
    "Problem": _object(error=_object(code=_TEXT, parameter=_maybe(_TEXT), message=_TEXT)),
    "Event": _object(
        id=_TEXT,
        timestamp=_TIME,
        observed=_TIME,
        sequence=_WHOLE,
        offset=_WHOLE,
        message=_TEXT,
        stream=_maybe(_TEXT),
        level=_LEVEL,
        container=_object(id=_maybe(_TEXT), name=_maybe(_TEXT), image=_maybe(_TEXT)),
        service=_maybe(_TEXT),
        service_source=_maybe(_TEXT),
        service_detail=_DETAIL,
        host=_TEXT,
        labels=_MAP,
        tag=_maybe(_TEXT),
        tag_fields=_MAP,
        fields={"type": "object"},
        flags=_TEXTS,
    ),
    "Page": _object(**_PAGE, resume=_WHOLE),
    "Context": _object(**_PAGE),
    "Containers": _list(
        _object(
            name=_maybe(_TEXT),
            id=_maybe(_TEXT),
            service=_maybe(_TEXT),
            service_source=_maybe(_TEXT),
            service_detail=_DETAIL,
            image=_maybe(_TEXT),
            host=_TEXT,
            labels=_MAP,
            lines=_COUNT,
            first_seen=_TIME,
            last_seen=_TIME,
        )
    ),
    "Names": _list(_object(name=_TEXT, lines=_COUNT, first_seen=_TIME, last_seen=_TIME, containers=_COUNT)),
    "Histogram": _object(
        interval=_TEXT,
        buckets=_array(_object(start=_TIME, count=_COUNT, by=_COUNTS)),
        exact=_FLAG,
        notes=_NOTES,
    ),
    "Facets": _object(values=_array(_object(value=_TEXT, count=_COUNT)), exact=_FLAG, notes=_NOTES),
    "Part": _object(
        name=_maybe(_TEXT), id=_maybe(_TEXT), service=_maybe(_TEXT), lines=_COUNT, first=_TIME, last=_TIME
    ),
    "Prune": _object(
        dry_run=_FLAG,
        at=_TIME,
        until=_TIME,
        **_ENDED,
        first=_maybe(_TIME),
        last=_maybe(_TIME),
        containers=_array(_ref("Part")),
        more_containers=_COUNT,
        notes=_NOTES,
    ),
    "Pruned": _list(
        _object(
            at=_TIME,
            reason=_TEXT,
            state={"enum": ["done", "running", "partial", "unknown"]},
            selection=_TEXT,
            **_ENDED,
            first=_TIME,
            last=_TIME,
            containers=_array(_ref("Part")),
            more_containers=_COUNT,
        )
    ),
    "Quarantined": _list(
        _object(
            id=_TEXT,
            quarantined=_TIME,
            reason=_TEXT,
            said=_TEXT,
            tries=_COUNT,
            tried=_TIME,
            event=_ref("Event"),
        ),
        total=_COUNT,
        reasons=_COUNTS,
        bytes=_COUNT,
    ),
    "QuarantineWork": _object(
        taken=_COUNT,
        refused=_COUNT,
        dropped=_COUNT,
        missing=_TEXTS,
        more=_FLAG,
        before=_TIME,
        left=_COUNT,
    ),
    "Health": _object(status=_TEXT),
    "Readiness": _object(
        (
            "store",
            "store_problem",
            "lag_bytes",
            "lag_seconds",
            "replayed_records",
            "journal_bytes",
            "damaged",
        ),
        ready=_FLAG,
        reasons=_TEXTS,
        store=_TEXT,
        store_problem=_maybe(_TEXT),
        lag_bytes=_COUNT,
        lag_seconds=_NUMBER,
        replayed_records=_COUNT,
        journal_bytes=_COUNT,
        damaged=_TEXTS,
    ),
    "ServerSentEvent": _object(
        ("event", "data", "id"), event={"enum": ["log", "dropped", "gap", "end"]}, data=_TEXT, id=_TEXT
    ),
    "Lines": {"type": "string", "description": "NDJSON: an Event a line"},
    "Metrics": {"type": "string", "description": "Prometheus' text format"},
}
