"""Which containers `docker ps` shows (moby daemon/list.go)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request

from api.docker import filters as by
from api.docker.errors import bad_request
from api.docker.params import boolean, integer, value
from api.docker.seen import Seen, everything, find
from api.docker.states import STATES, is_running, state
from api.questions import services_of
from api.services import Services
from storage.store import Store

KNOWN = ("ancestor", "before", "id", "is-task", "label", "name", "since", "status")
UNTOLD = ("exited", "expose", "health", "isolation", "network", "publish", "volume")
TASK = "com.docker.swarm.task.id"

_TRUE, _FALSE = ("1", "true"), ("0", "false")
_TAG = re.compile(r":[^/:]*$")


async def listing(request: Request) -> list[Seen]:
    """The rows of a request, the one seen first latest. Raises DockerError, StoreUnavailable."""
    services = services_of(request)
    filters = by.parse(value(request, "filters"), KNOWN, UNTOLD)
    _check_values(filters)
    limit = _limit(request)
    seen = await everything(services.store)
    seen = await _between(services.store, filters, seen)
    if not (boolean(request, "all") or limit or filters.get("status")):
        seen = [one for one in seen if is_running(services, one)]
    found = [one for one in seen if shown(filters, services, one)]
    return found[:limit] if limit else found


def shown(filters: by.Filters, services: Services, one: Seen) -> bool:
    """Whether the filters let a container through."""
    return (
        by.matches(filters, "name", one.name, f"/{one.name}")
        and by.matches(filters, "id", one.id)
        and by.labels(filters, "label", one.labels)
        and by.exact(filters, "status", state(services, one))
        and by.exact(filters, "ancestor", one.image, *_names(one.image))
        and by.exact(filters, "is-task", *(_TRUE if TASK in one.labels else _FALSE))
    )


def _names(image: str) -> tuple[str, ...]:
    """An image without its digest, and without its tag too: what people ask for it by."""
    tagged = image.partition("@")[0]
    return tagged, _TAG.sub("", tagged)


def _check_values(filters: by.Filters) -> None:
    tasks = filters.get("is-task") or ()
    if len(tasks) > 1 or any(wanted not in (*_TRUE, *_FALSE) for wanted in tasks):
        raise bad_request(f"invalid filter 'is-task=[{' '.join(tasks)}]'")
    for wanted in filters.get("status", ()):
        if wanted not in STATES:
            raise bad_request(f"invalid filter 'status={wanted}'")


def _limit(request: Request) -> int:
    text = value(request, "limit")
    limit = integer(text) if text else 0
    if limit is None:
        raise bad_request(f'invalid value for "limit": {text[:64]!r} is not a number')
    return max(limit, 0)


async def _between(store: Store, filters: by.Filters, seen: Sequence[Seen]) -> list[Seen]:
    """Only what was first seen before, or after, the containers that the filters name."""
    before = [(await find(store, name)).first_seen for name in filters.get("before", ())]
    since = [(await find(store, name)).first_seen for name in filters.get("since", ())]
    return [
        one
        for one in seen
        if all(one.first_seen < moment for moment in before)
        and all(one.first_seen > moment for moment in since)
    ]
