"""The HTTP application: every route, guarded and with errors in one shape."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from api import (
    routes_counts,
    routes_health,
    routes_lists,
    routes_logs,
    routes_prune,
    routes_quarantine,
    routes_streams,
)
from api.docker.app import DockerApi, docker_app
from api.encoding import Utf8Addresses
from api.errors import Unexpected, add_handlers
from api.hosts import HostGuard
from api.paths import EncodedPaths
from api.schemas import problems, tidied
from api.services import Services
from api.streams import Streams

DESCRIPTION = "Log lines of Docker containers, by container, service and label."


class _App(FastAPI):
    """FastAPI that says of its answers what they are."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            tidied(super().openapi())
        assert self.openapi_schema is not None
        return self.openapi_schema


def create_app(services: Services) -> FastAPI:
    """The application around `services`.

    Before the server that runs it is told to stop, call `app.state.streams.close()`: live tails then end
    by themselves and exports break off, instead of holding up the shutdown for ever.
    """
    app = _App(
        title="logdock",
        description=DESCRIPTION,
        version=version("logdock"),
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere; ours is in routes_health
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.streams = Streams()
    app.state.pruning = asyncio.Lock()
    # in this order: /logs/tail and /logs/export are no event ids
    for router in (routes_streams.router, routes_logs.router, routes_lists.router, routes_health.router):
        app.include_router(router)
    app.include_router(routes_counts.router)
    app.include_router(routes_quarantine.router)
    app.include_router(routes_prune.router)
    for router in services.routers:
        app.include_router(router, responses=problems(404, 413, 415, 503))
    add_handlers(app)
    app.add_middleware(EncodedPaths)
    app.add_middleware(Utf8Addresses)
    app.add_middleware(DockerApi, docker=docker_app(app))
    app.add_middleware(HostGuard, loopback_only=services.settings.http.is_loopback)
    app.add_middleware(Unexpected)
    return app
