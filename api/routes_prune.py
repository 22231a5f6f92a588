"""Pruning: lines that go for good because somebody asked for it, and the record of all that has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.responses import Response

from api.bodies import documented, json_body
from api.errors import error_response
from api.notes import explain
from api.paths import BASE
from api.questions import no_parameters, services_of
from api.render import answer
from api.schemas import answers
from api.services import Services
from storage import params as read
from storage.prune import FILTERS, Part, Pruned, PruneResult, Selection, origin_query
from storage.query import Query, QueryError
from storage.resolve import resolve
from storage.times import rfc3339

router = APIRouter(prefix=BASE, tags=["prune"])

BODY_BYTES = 1 << 20  # of a POST: a thousand names
LAG_SECONDS = 5.0  # lines waiting longer than this are told of: a prune does not reach them
OWN = ("dry_run", "at")  # keys of the body beside the filters

_TEXTS = {"type": "array", "items": {"type": "string", "pattern": r"\S"}, "minItems": 1}
_BODY = documented(
    {"anyOf": [{"required": [name]} for name in FILTERS]},
    until={"type": "string", "format": "date-time"},  # or another form of time
    **{name: _TEXTS for name in FILTERS if name != "until"},
    dry_run={"type": "boolean", "default": False},
    at={"type": "string", "format": "date-time"},
)


@router.post("/prune", openapi_extra=_BODY, responses=answers("Prune", 409, 413, 415, 503))
async def prune(request: Request) -> Response:
    """Remove lines for good; with `dry_run` only say which. Filters as docker's prune commands take them."""
    body, services = await _body(request), services_of(request)
    now, dry_run = _moment(body, services.clock()), _flag(body, "dry_run")
    selection = Selection.from_filters(_filters(body), now)
    lock: asyncio.Lock = request.app.state.pruning
    if not dry_run and lock.locked():
        return error_response(409, "conflict", None, "a prune is running already: ask again when it is done")
    query, notes = await resolve(origin_query(selection), services.store)
    selection = replace(selection, containers=query.containers, container_refs=())
    if dry_run:
        result = await services.store.prune(selection, True)
    else:
        async with lock:
            result = await services.store.prune(selection, False)
    more = await _notes(services, query, _filters(body).get("container", ()), result, notes)
    head = {"dry_run": dry_run, "at": rfc3339(now), "until": rfc3339(selection.until or now)}
    return answer({**head, **_told(result), "notes": [*result.notes, *notes, *more]})


@router.get("/prune", responses=answers("Pruned"))
async def pruned(request: Request) -> Response:
    """What was removed on purpose, by prunes, by retention and by a full journal, the newest first."""
    no_parameters(request)
    services = services_of(request)
    items = [_record(record) for record in services.store.pruned()]
    return answer({"items": items, "next": None, "notes": services.notes()})


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises HTTPException, QueryError."""
    data = await json_body(request, BODY_BYTES)
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise QueryError("body", f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise QueryError("body", f"the body is no JSON object: send one with {', '.join((*FILTERS, *OWN))}")
    return body


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise QueryError(name, f"{name} is neither true nor false")
    return value


def _moment(body: Mapping[str, Any], now: int) -> int:
    """What durations count back from: a dry run's `at`, so that exactly what it showed goes, else now."""
    value = body.get("at")
    if value is None:
        return now
    if not isinstance(value, str):
        raise QueryError("at", "at is no text: send the `at` of a dry run")
    return min(read.time("at", value, now), now)


def _filters(body: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """The filters of a body, each with its values. Raises QueryError."""
    filters: dict[str, Sequence[str]] = {}
    for name, value in body.items():
        if name in OWN:
            continue
        if name not in FILTERS:
            raise read.unknown(name, (*FILTERS, *OWN))
        values = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(text, str) for text in values):
            raise QueryError(name, f"{name} is neither a text nor a list of texts")
        filters[name] = values
    return filters


async def _notes(
    services: Services, query: Query, refs: Sequence[str], result: PruneResult, known: Sequence[str]
) -> list[str]:
    """What else to say: names that nothing has, and lines that cannot have been reached."""
    notes: list[str] = []
    if not result.lines:
        notes += await explain(services.store, refs, query, known)
    elif query.services and not result.more:
        seen = {part.service for part in result.parts}
        if unseen := [name for name in query.services if name not in seen]:
            kept = {item.name for item in await services.store.services(Query())}
            notes += [f"no service {name!r} was ever seen" for name in unseen if name not in kept]
    seconds = float(services.readiness().details.get("lag_seconds", 0.0))
    if seconds > LAG_SECONDS:
        notes.append(f"lines of the last {seconds:.0f} s are on their way to the store: they are not reached")
    return notes


def _told(result: PruneResult) -> dict[str, Any]:
    return {
        "lines": result.lines,
        "bytes": result.bytes,
        "first": None if result.first is None else rfc3339(result.first),
        "last": None if result.last is None else rfc3339(result.last),
        "containers": [_part(part) for part in result.parts],
        "more_containers": result.more,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "id": part.id,
        "service": part.service,
        "lines": part.lines,
        "first": rfc3339(part.first),
        "last": rfc3339(part.last),
    }


def _record(record: Pruned) -> dict[str, Any]:
    return {
        "at": rfc3339(record.at),
        "reason": record.reason,
        "state": record.state,
        "selection": record.selection,
        "lines": record.lines,
        "bytes": record.bytes,
        "first": rfc3339(record.first),
        "last": rfc3339(record.last),
        "containers": [_part(part) for part in record.parts],
        "more_containers": record.more,
    }
