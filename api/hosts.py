"""Refuses requests that a web page on another site could make a browser send here (DNS rebinding).

A page on evil.example can point its own name at 127.0.0.1 and read this server through the visitor's
browser; the browser still sends `Host: evil.example`. So while only loopback is bound, only loopback
names are answered. A Host header is required by HTTP/1.1 (RFC 9112, section 3.2).
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.address import is_loopback_host
from api.docker.errors import message_response
from api.docker.paths import docker_path
from api.errors import error_response


class HostGuard:
    """ASGI middleware: 400 without a Host header, 403 for a Host that is not a loopback name."""

    def __init__(self, app: ASGIApp, loopback_only: bool) -> None:
        self._app = app
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not self._loopback_only:
            return await self._app(scope, receive, send)
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 and (hosts or scope.get("http_version", "1.1") != "1.0"):
            response = _refused(scope, 400, "bad_host", "send exactly one Host header")
        elif hosts and not is_loopback_host(host_name(hosts[0])):
            response = _refused(scope, 403, "forbidden_host", _refusal(hosts[0]))
        else:
            return await self._app(scope, receive, send)
        return await response(scope, receive, send)


def _refused(scope: Scope, status: int, code: str, message: str) -> Response:
    """In the shape that the client of the path understands."""
    if docker_path(scope["path"]) is not None:
        return message_response(status, message)
    return error_response(status, code, "Host", message)


def host_name(header: str) -> str:
    """The name in a Host header: without its port, without the brackets of an IPv6 address."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    name, separator, port = header.rpartition(":")
    return name if separator and port.isdigit() else header


def _refusal(host: str) -> str:
    return (
        f"this server is bound to loopback and answers only to localhost names, not to {host[:100]!r}: "
        "ask it as 127.0.0.1, or start it with --insecure"
    )
