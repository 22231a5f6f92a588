"""Answers without a last page: the live tail, and the export of everything that matches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial

from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.errors import RETRY_AFTER, InterruptedStreamError, RefusedError
from api.notes import explain
from api.paths import BASE
from api.questions import (
    EXPORT_PARAMETERS,
    TAIL_PARAMETERS,
    Question,
    ask,
    asked_count,
    asked_one,
    services_of,
)
from api.render import ndjson
from api.routes_quarantine import quarantine_notes
from api.schemas import answers
from api.services import Services
from api.sse import follow, follow_after
from api.streams import Streams
from storage.query import MAX_LIMIT, Page, Query, QueryError
from storage.store import Store

router = APIRouter(prefix=BASE, tags=["streams"])

MAX_FOLLOWERS = 1_000  # each may have 8 MiB waiting, and a write to each of them is 40 us of the event loop
NOTES_HEADER = "Logdock-Notes"
MAX_HEADER = 4096  # bytes of it: clients and proxies take 8 KiB of headers in all
EXPORT_PAGE = MAX_LIMIT  # events a search: the fewer searches, the less is done twice
EXPORT_CHUNK = 1_000  # events rendered at once, some 4 ms: nobody waits longer for his turn


@router.get(
    "/logs/tail",
    openapi_extra=TAIL_PARAMETERS,
    response_class=StreamingResponse,
    responses=answers("ServerSentEvent", 429, 503, media="text/event-stream"),
)
async def tail(request: Request) -> Response:
    """New lines as server-sent events; Last-Event-ID resumes exactly after that id."""
    place = _resume_place(request)
    question = await ask(request, without={"last_event_id"})
    services, streams = services_of(request), request.app.state.streams
    if services.tail.count >= MAX_FOLLOWERS:
        text = f"{MAX_FOLLOWERS} live tails are open already: close one, or come again later"
        raise RefusedError(429, None, text, {"Retry-After": str(RETRY_AFTER)})
    if place is None:
        return follow(services, streams, question.query)
    again = partial(ask, request, without={"last_event_id"})
    return follow_after(services, streams, question.query, again, place)


def _resume_place(request: Request) -> int | None:
    """The id to resume after. Browsers send the header; the parameter is for whoever cannot."""
    text = request.headers.get("last-event-id") or asked_one(request, "last_event_id")
    if not text:
        return None
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 17:
        return int(text)
    raise QueryError("last_event_id", f"{text!r} is not the id of a message of this stream")


@router.get(
    "/logs/export",
    openapi_extra=EXPORT_PARAMETERS,
    response_class=StreamingResponse,
    responses=answers("Lines", 503, media="application/x-ndjson"),
)
async def export(request: Request) -> Response:
    """Everything that matches as NDJSON, oldest first, streamed until its end or until the reader goes.

    A body that ends without its last chunk is not whole: the store failed or the server was stopped. What
    other answers say in `notes` is in the header `Logdock-Notes`, a JSON array, as far as known at the start.
    """
    limit = asked_count(request, "limit", None, None)
    question = await ask(request, without={"limit"}, default_order="asc")
    services = services_of(request)
    query = replace(question.query, limit=_page_size(limit))
    page = await services.store.search(query)  # before the first byte: its errors are still a status
    headers = {"Content-Disposition": 'attachment; filename="logs.ndjson"', "X-Accel-Buffering": "no"}
    if notes := await _notes(services, question, page):
        headers[NOTES_HEADER] = _header(notes)
    streams: Streams = request.app.state.streams
    return StreamingResponse(
        _lines(services.store, query, page, limit, streams),
        media_type="application/x-ndjson",
        headers=headers,
    )


async def _notes(services: Services, question: Question, page: Page) -> list[str]:
    notes = [*page.notes, *question.notes, *services.notes(), *quarantine_notes(services, question.query)]
    if page.events or question.query.cursor is not None or page.truncated_by is not None:
        return notes
    return notes + await explain(services.store, question.refs, question.query, question.notes)


def _header(notes: list[str]) -> str:
    """As many of the notes as fit."""
    text, left = json.dumps(notes), len(notes)
    while len(text) > MAX_HEADER:
        left -= 1
        text = json.dumps([*notes[:left], f"{len(notes) - left} more notes do not fit here"])
    return text


def _page_size(left: int | None) -> int:
    return EXPORT_PAGE if left is None else max(1, min(left, EXPORT_PAGE))


async def _lines(
    store: Store, query: Query, page: Page, left: int | None, streams: Streams
) -> AsyncIterator[bytes]:
    while True:
        events = page.events if left is None else page.events[:left]
        left = None if left is None else left - len(events)
        is_last = left == 0 or page.next is None
        following = replace(query, cursor=page.next, limit=_page_size(left))
        # Searched for while this one is written; a search is mostly another thread's work.
        ahead = None if is_last else asyncio.ensure_future(store.search(following))
        try:
            for start in range(0, len(events), EXPORT_CHUNK):
                yield ndjson(events[start : start + EXPORT_CHUNK])
                await asyncio.sleep(0)
            if ahead is None:
                break
            if streams.closing:
                raise InterruptedStreamError("the server stops")
            page = await ahead
        finally:
            if ahead is not None:
                ahead.cancel()
    if left != 0 and page.truncated_by is not None:
        raise InterruptedStreamError(f"not everything was searched: {page.truncated_by}")
