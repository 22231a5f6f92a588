"""Paths whose parts may hold slashes: container names, label keys and values, percent-encoded.

Web frameworks match routes on the decoded path, where `app%2Fname` has become two parts. Below /api/v1
routes are matched on the path as it was sent, and each handler decodes its own parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:  # the command line reads BASE from here and starts faster without the web framework
    from starlette.types import ASGIApp, Receive, Scope, Send

BASE = "/api/v1"


class EncodedPaths:
    """ASGI middleware: below BASE, match routes on the still encoded path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw and raw.startswith(BASE.encode() + b"/"):
            scope = {**scope, "path": raw.partition(b"?")[0].decode("latin-1")}
        await self._app(scope, receive, send)


def decoded(part: str) -> str:
    """A part of an encoded path as it was meant."""
    return unquote(part)  # it is UTF-8 (encoding.py)


def label_splits(path: str) -> list[tuple[str, str]]:
    """Every (key, value) that `key/value` can mean when its slashes were not encoded, longest key first.

    A label without a value cannot be asked for so.
    """
    parts = [decoded(part) for part in path.split("/")]
    return [
        ("/".join(parts[:cut]), "/".join(parts[cut:]))
        for cut in range(len(parts) - 1, 0, -1)
        if any(parts[cut:])
    ]
