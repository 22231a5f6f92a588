"""What exists: containers, services, labels and their values, with counts and times."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.paths import BASE, decoded
from api.questions import LIST_PARAMETERS, ask, services_of
from api.render import answer, service_detail
from api.schemas import answers
from storage.store import ContainerSummary, NameSummary
from storage.times import rfc3339

router = APIRouter(prefix=BASE, tags=["lists"])

_NAMES = answers("Names", 503)


@router.get("/containers", openapi_extra=LIST_PARAMETERS, responses=answers("Containers", 503))
async def containers(request: Request) -> Response:
    """Containers seen, living or gone, the latest first."""
    with _timed(request):
        found = await services_of(request).store.containers((await ask(request)).query)
    return _items(request, [_container(item) for item in found])


@router.get("/services", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def services(request: Request) -> Response:
    """Services seen, by name."""
    with _timed(request):
        found = await services_of(request).store.services((await ask(request)).query)
    return _names(request, found)


@router.get("/labels", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def labels(request: Request) -> Response:
    """Label keys seen, by name."""
    with _timed(request):
        found = await services_of(request).store.labels((await ask(request)).query)
    return _names(request, found)


@router.get("/labels/{key:path}", openapi_extra=LIST_PARAMETERS, responses=_NAMES)
async def label_values(request: Request, key: str) -> Response:
    """Values of one label. A slash in the key may be written as it is or as %2F."""
    with _timed(request):
        found = await services_of(request).store.label_values(decoded(key), (await ask(request)).query)
    return _names(request, found)


def _timed(request: Request) -> AbstractContextManager[object]:
    return services_of(request).metrics.queries.labels("list").time()


def _names(request: Request, found: Sequence[NameSummary]) -> Response:
    return _items(request, [_name(item) for item in found])


def _items(request: Request, items: list[dict[str, Any]]) -> Response:
    body = {"items": items, "next": None, "notes": services_of(request).notes()}
    return answer(body)


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
