"""While the journal is replayed after a start, Docker's API waits: its answers have no place for a note.

What is not in the store yet would be missing from a log, and a container that spoke lately would not exist.
Docker's clients wait for an answer without a limit, docker-py for 60 seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from api.docker.errors import unavailable
from api.questions import services_of

MAX_WAIT_SECONDS = 30.0  # half of docker-py's patience; a longer replay is told, by 503
LOOK_SECONDS = 0.1  # between looks: readiness is asked, nobody announces it
HURRY = "the journal is being replayed and lines may be missing: ask again in a moment"

Handler = Callable[[Request], Awaitable[Response]]


def when_ready(handler: Handler) -> Handler:
    """`handler`, once the replay is done. Raises DockerError (503) when that takes too long, or at a stop."""

    async def answer(request: Request) -> Response:
        services, streams = services_of(request), request.app.state.streams
        left = round(MAX_WAIT_SECONDS / LOOK_SECONDS)
        while services.readiness().is_replaying:
            if not left or streams.closing:
                raise unavailable(HURRY)
            left -= 1
            await asyncio.sleep(LOOK_SECONDS)
        return await handler(request)

    return answer
