"""Counts: lines over time, and the values of most lines, for the same questions as lines."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.notes import explain, explain_label
from api.paths import BASE
from api.questions import FACET_PARAMETERS, HISTOGRAM_PARAMETERS, Question, ask, asked_one, services_of
from api.render import answer
from api.routes_quarantine import quarantine_notes
from api.schemas import answers
from storage.by import LABEL, NONE, WORDS, By, parse_by
from storage.counts import DEFAULT_FACETS, MAX_FACETS
from storage.grid import DEFAULT_BUCKETS, MAX_BUCKETS, interval_text
from storage.query import Query, QueryError
from storage.store import Store
from storage.times import rfc3339

router = APIRouter(prefix=BASE, tags=["counts"])


@router.get("/histogram", openapi_extra=HISTOGRAM_PARAMETERS, responses=answers("Histogram", 503))
async def histogram(request: Request) -> Response:
    """Lines over time, in buckets of a round length; `by` parts each by level, service, label or field."""
    services = services_of(request)
    with services.metrics.queries.labels("histogram").time():
        by = _by(request, "by")
        buckets = _number(request, "buckets", DEFAULT_BUCKETS, MAX_BUCKETS)
        question = await ask(request, without={"by", "buckets"})
        found = await services.store.histogram(question.query, by, buckets)
        values = (value for bucket in found.buckets for value in bucket.by)
        body = {
            "interval": interval_text(found.interval),
            "buckets": [{"start": rfc3339(b.start), "count": b.count, "by": b.by} for b in found.buckets],
            "exact": found.exact,
            "notes": [
                *found.notes,
                *await _notes(request, question, by, values, found.lines or not found.exact),
            ],
        }
        return answer(body)


@router.get("/facets", openapi_extra=FACET_PARAMETERS, responses=answers("Facets", 503))
async def facets(request: Request) -> Response:
    """The values with the most lines of a level, service, container, host, stream, tag, label or field."""
    services = services_of(request)
    with services.metrics.queries.labels("facets").time():
        field = _by(request, "field")
        if field is None:
            raise QueryError("field", f"is missing: {', '.join(WORDS)}, label.KEY, or a parsed field")
        limit = _number(request, "limit", DEFAULT_FACETS, MAX_FACETS)
        question = await ask(request, without={"field", "limit"})
        found = await services.store.facets(question.query, field, limit)
        values = [value.value for value in found.values]
        body = {
            "values": [{"value": value.value, "count": value.count} for value in found.values],
            "exact": found.exact,
            "notes": [
                *found.notes,
                *await _notes(request, question, field, values, values or not found.exact),
            ],
        }
        return answer(body)


def _by(request: Request, name: str) -> By | None:
    text = asked_one(request, name)
    return None if text is None else parse_by(name, text)


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = asked_one(request, name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 16 and 1 <= int(text) <= most:
        return int(text)
    raise QueryError(name, f"{text!r} is not a whole number from 1 to {most}")


async def _notes(
    request: Request, question: Question, by: By | None, values: Iterable[str], some: object
) -> list[str]:
    """What every answer says, why there is nothing, and that nothing has what was asked for.

    `some`: whether there is something, or may be.
    """
    services = services_of(request)
    notes = [*question.notes, *services.notes(), *quarantine_notes(services, question.query)]
    if not some:
        return notes + await explain(services.store, question.refs, question.query, question.notes)
    if by is None or set(values) != {NONE}:
        return notes
    if by.kind == "label":
        return notes + await explain_label(services.store, by.key)
    if by.kind == "field":
        notes.append(f"no line of these has a parsed field {by.key!r}{await _meant(services.store, by.key)}")
    return notes


async def _meant(store: Store, key: str) -> str:
    """What may have been meant by a field that no line has: a label of that name, or a word nearly so."""
    labelled = any(item.name == key for item in await store.labels(Query()))
    close = [LABEL + key] if labelled else get_close_matches(key.lower(), WORDS, 1, 0.6)
    return f": did you mean {close[0]}?" if close else ""
