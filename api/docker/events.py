"""`docker events`: a container starts with its first line and dies with its last, as far as lines can tell.

Looking for new containers and for such that fell silent costs one list of containers each time, so events
come a few seconds late. As in Docker, only so many past ones are told (moby daemon/events/events.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from api.docker import filters as by
from api.docker.errors import bad_request
from api.docker.params import time, value
from api.docker.seen import Seen, everything
from api.docker.states import is_running
from api.docker.streaming import ClosingResponse
from api.questions import services_of
from api.render import dumps
from api.services import Services
from api.streams import Streams
from storage.times import SECOND

MAX_PAST = 256  # as many as dockerd keeps
LOOK_SECONDS = 2.0  # between two looks at what there is
# Docker's kinds of objects. There are no events of any but containers here, but nobody is wrong to ask.
KNOWN = (
    "config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope",
    "secret", "service", "type", "volume",
)  # fmt: skip
_OTHERS = ("config", "daemon", "network", "node", "plugin", "secret", "service", "volume")

Happening = tuple[int, str, Seen]  # when (nanoseconds), "start" or "die", of whom


async def events(request: Request) -> StreamingResponse:
    """One JSON object a line. Raises DockerError, StoreUnavailable."""
    services, streams = services_of(request), request.app.state.streams
    since, until = (time(name, value(request, name)) for name in ("since", "until"))
    if since is not None and until is not None and since > until:
        told = value(request, "since"), value(request, "until")
        raise bad_request("`since` time ({}) cannot be after `until` time ({})".format(*told))
    filters = by.parse(value(request, "filters"), KNOWN)
    seen = await everything(services.store)
    past = _past(services, seen, (since, until), filters) if (since, until) != (None, None) else []
    body = _lines(services, streams, filters, until, past, _alive(services, seen))
    return ClosingResponse(body, "application/json")


async def _lines(
    services: Services, streams: Streams, filters: by.Filters, until: int | None,
    past: Iterable[Happening], told: Mapping[str, tuple[Seen, bool]],
) -> AsyncGenerator[bytes, None]:  # fmt: skip
    yield _rendered(past)
    while not streams.closing and (until is None or services.clock() < until):
        await _pause(streams, services, until)
        found = _alive(services, await everything(services.store))
        yield _rendered(_chosen(_changes(told, found), filters))
        told = found


def _past(
    services: Services, seen: Iterable[Seen], ends: tuple[int | None, int | None], filters: by.Filters
) -> list[Happening]:
    since, until = ends
    happened = [(one.first_seen, "start", one) for one in seen]
    happened += [(one.last_seen, "die", one) for one in seen if not is_running(services, one)]
    within = [
        event
        for event in happened
        if (since is None or event[0] >= since) and (until is None or event[0] <= until)
    ]
    return _chosen(within, filters)[-MAX_PAST:]


def _alive(services: Services, seen: Iterable[Seen]) -> dict[str, tuple[Seen, bool]]:
    return {one.id: (one, is_running(services, one)) for one in seen}


def _changes(
    told: Mapping[str, tuple[Seen, bool]], found: Mapping[str, tuple[Seen, bool]]
) -> list[Happening]:
    """What happened between two looks. One that speaks again after it was told to be dead starts again."""
    happened = []
    for identity, (one, alive) in found.items():
        was = told.get(identity)
        if was is None or (alive and not was[1]):
            happened.append((one.first_seen if was is None else one.last_seen, "start", one))
        if not alive and (was is None or was[1]):
            happened.append((one.last_seen, "die", one))
    return happened


def _chosen(happened: Iterable[Happening], filters: by.Filters) -> list[Happening]:
    return sorted((event for event in happened if _included(event, filters)), key=lambda event: event[0])


def _included(event: Happening, filters: by.Filters) -> bool:
    """moby daemon/events/filter.go, Include."""
    _, action, one = event
    image = one.image.partition("@")[0]
    return (
        by.exact(filters, "event", action)
        and by.exact(filters, "type", "container")
        and by.exact(filters, "scope", "local")
        and by.begins(filters, "container", one.id, one.name)
        and by.exact(filters, "image", one.image, image, image.rpartition(":")[0] or image)
        and by.labels(filters, "label", one.labels)
        and not any(filters.get(kind) for kind in _OTHERS)
    )


def _rendered(happened: Iterable[Happening]) -> bytes:
    return b"".join([dumps(message(*event)) + b"\n" for event in happened])


def message(moment: int, action: str, one: Seen) -> dict[str, Any]:
    """moby api/types/events/events.go, Message. There is no exit code: how a container ended is not known."""
    return {
        "status": action, "id": one.id, "from": one.image, "Type": "container", "Action": action,
        "Actor": {"ID": one.id, "Attributes": {**one.labels, "image": one.image, "name": one.name}},
        "scope": "local", "time": moment // SECOND, "timeNano": moment,
    }  # fmt: skip


async def _pause(streams: Streams, services: Services, until: int | None) -> None:
    """Until the next look, the end, or the server's stop."""
    left = LOOK_SECONDS if until is None else min(LOOK_SECONDS, max(0.0, (until - services.clock()) / SECOND))
    try:
        async with asyncio.timeout(left):
            await streams.closed()
    except TimeoutError:
        return
