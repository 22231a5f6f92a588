"""Lines: keyed queries, one event, and what stands around it."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.responses import Response

from api.errors import NotFoundError
from api.notes import explain
from api.paths import BASE, decoded, label_splits
from api.questions import (
    CONTEXT_PARAMETERS,
    LOG_PARAMETERS,
    Keys,
    ask,
    asked_count,
    asked_one,
    keyed,
    next_token,
    no_parameters,
    services_of,
    without_effect,
)
from api.render import dumps, event_json, events_json
from api.routes_quarantine import quarantine_notes
from api.schemas import answers
from parsers.event import Event
from storage.query import ContainerRef, Cursor, Page, Query, QueryError, matches_origin
from storage.store import Store

router = APIRouter(prefix=BASE, tags=["logs"])

_PAGE = answers("Page", 503)

RENDER_AT_ONCE = 500  # events: some 3 ms, then whoever waits for an acknowledgement has its turn

DEFAULT_CONTEXT = 20
MAX_CONTEXT = 1000  # events on either side; beyond that a query is the better tool
NO_CEILING = 2**53 - 1  # above every offset
ELSEWHERE = ("since", "until", "limit", "order", "cursor")  # parameters of a question that have no sense here
SCOPES = ("container", "service", "host", "all")


@router.get("/logs", openapi_extra=LOG_PARAMETERS, responses=_PAGE)
async def logs(request: Request) -> Response:
    """Lines that match, newest first; `next` is the cursor of the next page."""
    return await _answer(request)


@router.get("/containers/{ref}/logs", openapi_extra=keyed("container"), responses=_PAGE)
async def container_logs(request: Request, ref: str) -> Response:
    """Lines of one container: exact name, exact id or the start of an id."""
    return await _answer(request, [("container", decoded(ref))])


@router.get("/services/{name}/logs", openapi_extra=keyed("service"), responses=_PAGE)
async def service_logs(request: Request, name: str) -> Response:
    """Lines of every container of one service."""
    return await _answer(request, [("service", decoded(name))])


@router.get("/labels/{key}/{value}/logs", openapi_extra=LOG_PARAMETERS, responses=_PAGE)
async def label_logs(request: Request, key: str, value: str) -> Response:
    """Lines of every container with this label. Slashes in either part are best written as %2F."""
    return await _answer(request, [("label", f"{decoded(key)}={decoded(value)}")])


@router.get("/labels/{path:path}/logs", openapi_extra=LOG_PARAMETERS, include_in_schema=False)
async def slashed_label_logs(request: Request, path: str) -> Response:
    """As above when key or value have slashes that were not encoded: the longest known key is meant."""
    splits = label_splits(path)
    if not splits:
        raise NotFoundError("key", f"there is nothing at {request.url.path}: write /labels/KEY/VALUE/logs")
    known = {item.name for item in await services_of(request).store.labels(Query())}
    key, value = next((split for split in splits if split[0] in known), splits[-1])
    return await _answer(request, [("label", f"{key}={value}")])


@router.get("/logs/{event_id}", responses=answers("Event", 404, 503))
async def event(request: Request, event_id: str) -> Response:
    """One line by its id."""
    no_parameters(request)
    found = await _event(services_of(request).store, decoded(event_id))
    return Response(event_json(found), media_type="application/json")


@router.get(
    "/logs/{event_id}/context",
    openapi_extra=CONTEXT_PARAMETERS,
    responses=answers("Context", 404, 503),
)
async def context(request: Request, event_id: str) -> Response:
    """The lines around one line, oldest first, of the same container unless `scope` says otherwise."""
    services = services_of(request)
    with services.metrics.queries.labels("context").time():
        scope = asked_one(request, "scope") or "container"
        if scope not in SCOPES:
            raise QueryError("scope", f"{scope!r} is not a scope: use {', '.join(SCOPES)}")
        before = asked_count(request, "before", DEFAULT_CONTEXT, MAX_CONTEXT)
        after = asked_count(request, "after", DEFAULT_CONTEXT, MAX_CONTEXT)
        question = await ask(request, without={"scope", "before", "after"})
        found = await _event(services.store, decoded(event_id))
        query = _scoped(question.query, found, scope)
        if _left_out(question.query, found, scope):
            before = after = 0
        older, newer = await asyncio.gather(
            _beside(services.store, query, found, "desc", before),
            _beside(services.store, query, found, "asc", after),
        )
        events = [*reversed(older.events), found, *newer.events]
        truncated = older.truncated_by or newer.truncated_by
        page = Page(events, None, truncated, (*older.notes, *newer.notes))
        notes = [*question.notes, *services.notes(), *without_effect(request, *ELSEWHERE)]
        return await _page(page, None, notes, {})


async def _event(store: Store, event_id: str) -> Event:
    found = await store.get(event_id)
    if found is None:
        raise NotFoundError("id", f"no line has the id {event_id!r}, or it is no longer kept")
    return found


def _left_out(query: Query, event: Event, scope: str) -> bool:
    """Whether the asker's own filter on what the scope is about leaves out all lines of the event's scope."""
    own = {"container": "containers", "service": "services", "host": "hosts"}.get(scope)
    return own is not None and not matches_origin(Query(**{own: getattr(query, own)}), event.origin)


def _scoped(query: Query, event: Event, scope: str) -> Query:
    """`query` narrowed to where the event comes from. An event without a service stays with its container."""
    origin = event.origin
    if scope == "all":
        return query
    if scope == "host":
        return replace(query, hosts=(origin.host,))
    if scope == "service" and origin.service is not None:
        return replace(query, services=(origin.service,))
    container = origin.container
    if container.id is None and container.name is None:
        return replace(query, hosts=(origin.host,), tag=origin.tag)
    ref = ContainerRef(id=container.id) if container.id else ContainerRef(name=container.name)
    return replace(query, containers=(ref,))


async def _beside(
    store: Store, query: Query, event: Event, order: Literal["asc", "desc"], count: int | None
) -> Page:
    """The `count` events right before ("desc") or after ("asc") the event, in the order of every sort.

    The cursor is the event's own place, so lines with the same timestamp are on the right side too.
    """
    if not count:
        return Page([])
    place = Cursor(event.timestamp, event.sequence, event.id, event.offset, NO_CEILING, order)
    return await store.search(replace(query, limit=count, order=order, cursor=place))


async def _answer(request: Request, keys: Keys = ()) -> Response:
    services = services_of(request)
    with services.metrics.queries.labels("search").time():
        # Read before the search: a live tail resumed from here misses nothing that the search did not see.
        resume = services.tail.stored
        question = await ask(request, keys)
        page = await services.store.search(question.query)
        if page.complete_to is not None:
            resume = min(resume, page.complete_to)
        notes = [*question.notes, *services.notes(), *quarantine_notes(services, question.query)]
        if not page.events and question.query.cursor is None and page.truncated_by is None:
            notes += await explain(services.store, question.refs, question.query, question.notes)
        return await _page(page, next_token(question, page), notes, {"resume": resume})


async def _page(page: Page, cursor: str | None, notes: list[str], more: dict[str, int]) -> Response:
    rest = {"next": cursor, "truncated_by": page.truncated_by, "notes": [*page.notes, *notes], **more}
    parts = []
    for start in range(0, len(page.events), RENDER_AT_ONCE):
        parts.append(events_json(page.events[start : start + RENDER_AT_ONCE]))
        await asyncio.sleep(0)
    body = b'{"events":[' + b",".join(parts) + b"]," + dumps(rest)[1:]
    return Response(body, media_type="application/json")
