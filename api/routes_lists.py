"""What exists: containers, services, labels and their values, with counts and times."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.notes import explain_label, explain_list
from api.paths import BASE, decoded
from api.questions import LIST_PARAMETERS, Question, ask, services_of
from api.render import answer, service_detail
from api.schemas import answers
from storage.query import PARAMETERS
from storage.store import ContainerSummary, NameSummary
from storage.times import rfc3339

router = APIRouter(prefix=BASE, tags=["lists"])

_NAMES = answers("Names", 503)
_LOOKED_AT = ("container", "service", "host", "label", "tag")


@router.get("/containers", openapi_extra=LIST_PARAMETERS, responses=answers("Containers", 503))
async def containers(request: Request) -> Response:
    """Containers seen, living or gone, the latest first."""
    with _timed(request):
        question = await ask(request)
        found = await services_of(request).store.containers(question.query)
        return await _items(request, question, list(map(_container, found)))


@router.get("/services", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def services(request: Request) -> Response:
    """Services seen, by name."""
    with _timed(request):
        question = await ask(request)
        found = await services_of(request).store.services(question.query)
        return await _items(request, question, list(map(_name, found)))


@router.get("/labels", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def labels(request: Request) -> Response:
    """Label keys seen, by name."""
    with _timed(request):
        question = await ask(request)
        found = await services_of(request).store.labels(question.query)
        return await _items(request, question, list(map(_name, found)))


@router.get("/labels/{key:path}", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def label_values(request: Request, key: str) -> Response:
    """Values of one label. A slash in the key may be written as it is or as %2F."""
    with _timed(request):
        question, store = await ask(request), services_of(request).store
        found = await store.label_values(decoded(key), question.query)
        more = [] if found else await explain_label(store, decoded(key))
        return await _items(request, question, list(map(_name, found)), more)


def _timed(request: Request) -> AbstractContextManager[object]:
    return services_of(request).metrics.queries.labels("list").time()


async def _items(
    request: Request, question: Question, items: list[dict[str, Any]], more: Sequence[str] = ()
) -> Response:
    services, given = services_of(request), request.query_params
    notes = [*question.notes, *services.notes(), *more]
    if overlooked := [name for name in PARAMETERS if name in given and name not in _LOOKED_AT]:
        notes.append(f"a list is of everything kept: {', '.join(overlooked)} changed nothing")
    if not items and not more:
        notes += await explain_list(services.store, question.refs, question.query, question.notes)
    return answer({"items": items, "next": None, "notes": notes})


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
