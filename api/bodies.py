"""The JSON bodies of POST requests: only what a form on another site cannot send, and of bounded size."""

from __future__ import annotations

from fastapi import HTTPException, Request


async def json_body(request: Request, most: int, hint: str = "") -> bytes:
    """The body as it was sent, at most `most` bytes; `hint` says what to do about a larger one.

    Raises HTTPException: 415 when it does not say that it is JSON, 413 when it is too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # a form on another site cannot send that without being let to
        raise HTTPException(415, "the body must be JSON: send content-type application/json")
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > most:
            raise HTTPException(413, f"the body is larger than {most} bytes{hint}")
    return bytes(body)
