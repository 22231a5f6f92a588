"""The JSON bodies of POST requests: only what a form on another site cannot send, and of bounded size."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from api.errors import RefusedError


def documented(rules: dict[str, Any], /, **properties: Any) -> dict[str, Any]:
    """What a route says of its body in OpenAPI: a JSON object with these properties and no others.

    `rules` are of the object as a whole: JSON Schema's anyOf and the like.
    """
    schema = {"type": "object", "properties": properties, "additionalProperties": False, **rules}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def json_body(request: Request, most: int, hint: str = "") -> bytes:
    """The body as it was sent, at most `most` bytes; `hint` says what to do about a larger one.

    Raises RefusedError: 415 when it does not say that it is JSON, 413 when it is too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # a form on another site cannot send that without being let to
        raise RefusedError(415, "content-type", "the body must be JSON: send content-type application/json")
    body = bytearray()
    too_large = RefusedError(413, "body", f"the body is larger than {most} bytes{hint}")
    if int(request.headers.get("content-length", "0")) > most:  # its sender may wait to be told so
        raise too_large
    async for block in request.stream():
        body += block
        if len(body) > most:
            raise too_large
    return bytes(body)
