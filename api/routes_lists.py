"""What exists: containers, services, labels and their values, with counts and times."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.notes import explain_label, explain_list
from api.paths import BASE, decoded
from api.questions import LIST_PARAMETERS, Question, ask, services_of, without_effect
from api.render import answer, service_detail
from api.schemas import answers
from storage.store import ContainerSummary, NameSummary, Store
from storage.times import rfc3339

router = APIRouter(prefix=BASE, tags=["lists"])

_NAMES = answers("Names", 503)


# a list is whole, and about who printed lines
NO_FILTERS = ("stream", "level", "q", "since", "until", "limit", "order", "cursor")


@router.get("/containers", openapi_extra=LIST_PARAMETERS, responses=answers("Containers", 503))
async def containers(request: Request) -> Response:
    """Containers seen, living or gone, the latest first."""
    with _timed(request):
        question = await ask(request)
        found = await services_of(request).store.containers(question.query)
    return await _items(request, question, [_container(item) for item in found], "")


@router.get("/services", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def services(request: Request) -> Response:
    """Services seen, by name."""
    with _timed(request):
        question = await ask(request)
        found = await services_of(request).store.services(question.query)
    return await _items(request, question, [_name(item) for item in found], "a service")


@router.get("/labels", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def labels(request: Request) -> Response:
    """Label keys seen, by name."""
    with _timed(request):
        question = await ask(request)
        found = await services_of(request).store.labels(question.query)
    return await _items(request, question, [_name(item) for item in found], "a label")


@router.get("/labels/{key:path}", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def label_values(request: Request, key: str) -> Response:
    """Values of one label. A slash in the key may be written as it is or as %2F."""
    with _timed(request):
        question, store = await ask(request), services_of(request).store
        found = await store.label_values(decoded(key), question.query)
        unknown = [] if found else await explain_label(store, decoded(key))
    items = [_name(item) for item in found]
    return await _items(request, question, items, f"the label {decoded(key)!r}", unknown)


def _timed(request: Request) -> AbstractContextManager[object]:
    return services_of(request).metrics.queries.labels("list").time()


async def _items(
    request: Request, question: Question, items: list[dict[str, Any]], has: str, unknown: Sequence[str] = ()
) -> Response:
    """The answer; `has`: what a container must have to be in it; `unknown`: why it is empty, if known."""
    services = services_of(request)
    notes = [*question.notes, *services.notes(), *without_effect(request, *NO_FILTERS), *unknown]
    if not items and not unknown:
        notes += await _nothing(services.store, question, has)
    return answer({"items": items, "next": None, "notes": notes})


async def _nothing(store: Store, question: Question, has: str) -> list[str]:
    """Why a list is empty: there is nobody to ask about, or they have none of it."""
    if has and (seen := len(await store.containers(question.query))):
        return [f"none of these has {has}: {seen} container{'s' * (seen != 1)}"]
    return await explain_list(store, question.refs, question.query, question.notes)


def _container(item: ContainerSummary) -> dict[str, Any]:
    return {
        "name": item.container.name,
        "id": item.container.id,
        "service": item.service,
        "service_source": item.service_source,
        "service_detail": service_detail(item.container, item.service, item.labels, item.tag_fields),
        "image": item.container.image,
        "host": item.host,
        "labels": dict(item.labels),
        "lines": item.lines,
        "first_seen": rfc3339(item.first_seen),
        "last_seen": rfc3339(item.last_seen),
    }


def _name(item: NameSummary) -> dict[str, Any]:
    return {
        "name": item.name,
        "lines": item.lines,
        "first_seen": rfc3339(item.first_seen),
        "last_seen": rfc3339(item.last_seen),
        "containers": item.containers,
    }
