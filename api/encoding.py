"""Refuses addresses whose bytes are no text.

The web framework would put U+FFFD in the place of such bytes, and the answer would be about something else
than was asked. A `%` that begins no %XX stays a `%`, as browsers leave it.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import error_response
from api.paths import BASE


class Utf8Addresses:
    """ASGI middleware: below BASE, 400 for a path or parameter that is not UTF-8."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wrong = unreadable(scope) if scope["type"] == "http" and scope["path"].startswith(BASE) else None
        if wrong is None:
            return await self._app(scope, receive, send)
        text = "is not UTF-8: write each byte of the text as %XX"
        return await error_response(400, "not_utf8", wrong, text)(scope, receive, send)


def unreadable(scope: Scope) -> str | None:
    """The name of the first part of an address that is not UTF-8: `path`, or a parameter; None: all is."""
    if not _is_utf8(scope.get("raw_path") or b""):
        return "path"
    for pair in scope["query_string"].split(b"&"):
        if not _is_utf8(pair):
            return unquote_to_bytes(pair.partition(b"=")[0]).decode("utf-8", "replace")
    return None


def _is_utf8(encoded: bytes) -> bool:
    try:
        unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return False
    return True
