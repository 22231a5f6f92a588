"""The quarantine: what the store refused for good, and what an operator does with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from api.bodies import documented, json_body
from api.paths import BASE
from api.questions import QUARANTINE_PARAMETERS, asked_one, services_of
from api.render import answer, dumps, event_json
from api.schemas import answers
from api.services import Services
from storage.lists import refers
from storage.quarantine_file import Entry
from storage.quarantine_work import Chosen, Done, Worker
from storage.query import Query, QueryError, matches
from storage.times import parse_time, rfc3339

router = APIRouter(prefix=BASE + "/quarantine", tags=["quarantine"])

BODY_BYTES = 4 << 20  # of a POST: some 100,000 ids
OWN = ("reason", "cursor")  # parameters beside those of every question

_DONE = answers("QuarantineWork", 413, 415, 503)

_BODY = documented(
    {"oneOf": [{"required": ["ids"]}, {"required": ["reason"]}, {"required": ["all"]}]},
    ids={"type": "array", "items": {"type": "string"}},
    reason={"type": "string"},
    all={"const": True},
    before={"type": "string", "format": "date-time"},
)


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a POST: one of `ids`, `reason` and `all`."""

    ids: list[str] | None = None
    reason: str | None = None
    all: bool = False
    before: str | None = None


@router.get("", openapi_extra=QUARANTINE_PARAMETERS, responses=answers("Quarantined"))
async def listed(request: Request) -> Response:
    """What is in quarantine, in the order in which it came there."""
    services = services_of(request)
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in OWN]
    query = Query.from_params(pairs, services.clock())
    after, reason = _after(request), asked_one(request, "reason")
    if services.quarantine is None:
        return answer({"items": [], "next": None, "total": 0, "reasons": {}, "bytes": 0, "notes": []})
    quarantine, wanted = services.quarantine.quarantine, _wanted(query, reason)
    found = await asyncio.to_thread(quarantine.entries, wanted, after, query.limit + 1)
    entries = found[: query.limit]
    rest = {
        "next": str(entries[-1].quarantined) if len(found) > query.limit else None,
        "total": len(quarantine),
        "reasons": quarantine.reasons,
        "bytes": quarantine.bytes,
        "notes": services.notes(),
    }
    body = b'{"items":[' + b",".join(map(_item, entries)) + b"]," + dumps(rest)[1:]
    return Response(body, media_type="application/json")


@router.post("/retry", openapi_extra=_BODY, responses=_DONE)
async def retry(request: Request) -> Response:
    """Offer events to the store again; what it takes leaves the quarantine."""
    store = services_of(request).store
    return await _work(request, lambda worker, chosen: worker.retry(store, chosen))


@router.post("/drop", openapi_extra=_BODY, responses=_DONE)
async def drop(request: Request) -> Response:
    """Throw events away for good; that they were is written down and counted."""
    return await _work(request, lambda worker, chosen: worker.drop(chosen))


async def _work(request: Request, do: Callable[[Worker, Chosen], Awaitable[Done]]) -> Response:
    chosen, services = await _chosen(request), services_of(request)
    if services.quarantine is None:
        return _done(services, Done(missing=sorted(chosen.ids or ())))
    try:
        return _done(services, await do(services.quarantine, chosen))
    except OSError as error:
        raise _disk(error) from error


def _after(request: Request) -> int:
    text = asked_one(request, "cursor") or "0"
    if text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    raise QueryError("cursor", f"{text!r} is not the `next` of a page of the quarantine")


def _wanted(query: Query, reason: str | None) -> Callable[[Entry], bool]:
    """The filters of every question, with container references taken as they are: it is no question to the
    store, which may be away just now."""
    refs = [ref.removeprefix("/") for ref in query.container_refs]
    query = msgspec.structs.replace(query, container_refs=())

    def wanted(entry: Entry) -> bool:
        container = entry.event.origin.container
        if reason is not None and entry.reason != reason:
            return False
        return (not refs or any(refers(container, ref) for ref in refs)) and matches(query, entry.event)

    return wanted


def _item(entry: Entry) -> bytes:
    head = {
        "id": entry.event.id,
        "quarantined": rfc3339(entry.quarantined),
        "reason": entry.reason,
        "said": entry.said,
        "tries": entry.tries,
        "tried": rfc3339(entry.tried),
    }
    return dumps(head)[:-1] + b',"event":' + event_json(entry.event) + b"}"


async def _chosen(request: Request) -> Chosen:
    """Which events the body of a request means. Raises HTTPException, QueryError."""
    body = await json_body(request, BODY_BYTES, ": name fewer ids")
    try:
        asked = msgspec.json.decode(body, type=_Asked)
    except msgspec.DecodeError as error:
        raise QueryError("body", f"{error}: send one of ids, reason and all") from None
    if (asked.ids is not None) + (asked.reason is not None) + asked.all != 1:
        raise QueryError("body", "says not exactly one of ids, reason and all")
    ids = frozenset(asked.ids) if asked.ids is not None else None
    return Chosen(ids, asked.reason, _before(asked.before))


def _before(text: str | None) -> int | None:
    try:
        return parse_time(text, 0) if text is not None else None
    except ValueError as error:
        raise QueryError("before", str(error)) from None


def _done(services: Services, done: Done) -> Response:
    left = len(services.quarantine.quarantine) if services.quarantine is not None else 0
    said = msgspec.structs.asdict(done) | {"before": rfc3339(done.before), "left": left}
    return answer(said)


def _disk(error: OSError) -> HTTPException:
    text = f"the quarantine cannot be written: {error.strerror or error}; nothing is lost, ask again later"
    return HTTPException(503, text, {"Retry-After": "5"})


def quarantine_notes(services: Services, query: Query) -> list[str]:
    """What an answer to `query` should say about the quarantine."""
    return [] if services.quarantine is None else services.quarantine.quarantine.note(query)
