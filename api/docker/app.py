"""Docker's API as an application of its own beside the REST one: its paths, its errors, its headers.

A request belongs to it when its path begins with a version (/v1.45/...) or with one of Docker's own first
words. Whatever of these is no reading is refused, so that nobody takes this for a Docker host.
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
from api.docker.versions import API_VERSION, check, split_version

# moby api/server/router: the first words of all its routes.
WORDS = frozenset(
    (
        "_ping", "auth", "build", "commit", "configs", "containers", "distribution", "events", "exec",
        "grpc", "images", "info", "networks", "nodes", "plugins", "secrets", "services", "session", "swarm",
        "system", "tasks", "version", "volumes",
    )
)  # fmt: skip
_SLASHES = re.compile("/{2,}")  # `docker logs /web` asks for /containers//web/logs

# What `docker inspect x` looks for next, after a 404 only: none of it is ever here.
ABSENT = {
    "/images/{name:path}/json": "No such image: {name}",
    "/networks/{name}": "network {name} not found",
    "/volumes/{name}": "get {name}: no such volume",
    "/plugins/{name:path}/json": "plugin {name} not found",
    "/secrets/{name}": "secret {name} not found",
    "/configs/{name}": "config {name} not found",
}

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
            Route("/containers/json", containers.list_all),
            Route("/containers/{name:path}/json", containers.inspect),
            Route("/containers/{name:path}/logs", containers.logs),
            Route("/services", services.list_services),
            Route("/services/{id}", services.inspect_service),
            Route("/services/{id}/logs", services.service_logs),
            Route("/tasks", services.list_tasks),
            Route("/tasks/{id}", services.inspect_task),
            Route("/tasks/{id}/logs", services.task_logs),
            Route("/nodes", services.list_nodes),
            Route("/nodes/{id}", services.inspect_node),
            Route("/events", events.events),
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
        raise not_found(text.format(name=request.path_params["name"]))

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
        version, path = split_version(_SLASHES.sub("/", scope["path"]))
        if version is None and path[1:].partition("/")[0] not in WORDS:
            return await self._app(scope, receive, send)
        scope = {**scope, "path": path or "/", "raw_path": (path or "/").encode(), "docker.version": version}
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
