"""Streamed answers of Docker's API."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class ClosingResponse(StreamingResponse):
    """A stream whose source is closed at once, however it ends."""

    def __init__(self, body: AsyncGenerator[bytes, None], media_type: str) -> None:
        # nginx must not collect what is to be seen now
        super().__init__(body, media_type=media_type, headers={"X-Accel-Buffering": "no"})
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._body.aclose()
