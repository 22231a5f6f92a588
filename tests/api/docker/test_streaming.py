"""A streamed answer closes its source, however it ends."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from api.docker.streaming import ClosingResponse


@pytest.mark.parametrize("breaks", [False, True])
async def test_the_source_is_closed(breaks: bool) -> None:
    ended = []

    async def body() -> AsyncGenerator[bytes, None]:
        try:
            yield b"a"
            yield b"b"
        finally:
            ended.append(True)

    async def send(message: dict[str, Any]) -> None:
        if breaks and message.get("body") == b"a":
            raise OSError("gone")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    response = ClosingResponse(body(), "text/plain")
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    if breaks:
        with pytest.raises(Exception):  # noqa: B017 - Starlette's own: the client is gone
            await response(scope, receive, send)  # type: ignore[arg-type]
    else:
        await response(scope, receive, send)  # type: ignore[arg-type]
    assert ended == [True]
