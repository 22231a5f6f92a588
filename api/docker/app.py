"""Docker's API as an application of its own beside the REST one: its paths, its errors, its headers.

Whatever of Docker's paths (paths.py) is no reading is refused, so that nobody takes this for a Docker host.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.docker import containers, events, services, system
from api.docker.errors import HANDLERS, DockerError, message_response, not_found
from api.docker.paths import WORDS, docker_path
from api.docker.ready import when_ready
from api.docker.versions import API_VERSION, check

# What `docker inspect x` looks for next, after a 404 only: none of it is ever here.
ABSENT = {
    "/images/{name:path}/json": "No such image: {name}{tag}",
    "/networks/{name}": "network {name} not found",
    "/volumes/{name}": "get {name}: no such volume",
    "/plugins/{name:path}/json": 'plugin "{name}" not found',
    "/secrets/{name}": "secret {name} not found",
    "/configs/{name}": "config {name} not found",
}

_TAGGED = re.compile(r"[:@][^/]*$")

READ_ONLY = (
    "logdock answers for the logs of containers and is read only: {method} {path} is not among its answers"
)


def docker_app(main: FastAPI) -> Starlette:
    """The application; it works on the same services and streams as `main`."""
    app = Starlette(
        routes=[
            Route("/_ping", system.ping, methods=["GET", "HEAD"]),
            Route("/version", system.version_info),
            Route("/info", system.info),
            Route("/containers/json", when_ready(containers.list_all)),
            Route("/containers/{name:path}/json", when_ready(containers.inspect)),
            Route("/containers/{name:path}/logs", when_ready(containers.logs)),
            Route("/services", when_ready(services.list_services)),
            Route("/services/{id}", when_ready(services.inspect_service)),
            Route("/services/{id}/logs", when_ready(services.service_logs)),
            Route("/tasks", when_ready(services.list_tasks)),
            Route("/tasks/{id}", when_ready(services.inspect_task)),
            Route("/tasks/{id}/logs", when_ready(services.task_logs)),
            Route("/nodes", when_ready(services.list_nodes)),
            Route("/nodes/{id}", when_ready(services.inspect_node)),
            Route("/events", when_ready(events.events)),
            *(Route(path, absent(text)) for path, text in ABSENT.items()),
            Route(
                "/{path:path}", _refused, methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
            ),
        ],
        exception_handlers=HANDLERS,
    )
    app.router.redirect_slashes = False
    app.state = main.state
    return app


def absent(text: str) -> Callable[[Request], Awaitable[Response]]:
    """A 404 with the name in it."""

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        tag = "" if _TAGGED.search(name) else ":latest"
        raise not_found(text.format(name=name, tag=tag))

    return answer


async def _refused(request: Request) -> Response:
    path = request.path_params["path"]
    if path.partition("/")[0] not in WORDS:
        raise not_found("page not found")
    raise DockerError(403, READ_ONLY.format(method=request.method, path=f"/{path}"))


class DockerApi:
    """ASGI middleware in front of the REST application: hands Docker's paths to `docker`."""

    def __init__(self, app: ASGIApp, docker: ASGIApp) -> None:
        self._app, self._docker = app, docker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        asked = docker_path(scope["path"])
        if asked is None:
            return await self._app(scope, receive, send)
        version, path = asked
        scope = {**scope, "path": path, "raw_path": path.encode(), "docker.version": version}
        told = [(name.lower().encode(), text.encode()) for name, text in system.headers().items()]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *told]}
            await send(message)

        try:
            check(version or API_VERSION)
        except DockerError as problem:
            return await message_response(problem.status, str(problem))(scope, receive, with_headers)
        return await self._docker(scope, receive, with_headers)
