"""Problems as Docker tells them: {"message": "..."} and the status that its errdefs package gives."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.errors import RETRY_AFTER
from storage.store import StoreUnavailable


class DockerError(Exception):
    """What a client is told: it prints "Error response from daemon: " and the message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def bad_request(message: str) -> DockerError:
    """The request is wrong (400)."""
    return DockerError(400, message)


def not_found(message: str) -> DockerError:
    """There is no such thing here (404)."""
    return DockerError(404, message)


def unavailable(message: str) -> DockerError:
    """It cannot be answered now, later perhaps (503)."""
    return DockerError(503, message)


def message_response(status: int, message: str) -> Response:
    """A problem as Docker's ErrorResponse."""
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return JSONResponse({"message": message}, status, headers)


async def _told(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DockerError)
    return message_response(error.status, str(error))


async def _store(_request: Request, error: Exception) -> Response:
    return message_response(503, f"the store cannot answer now: {error}; ask again later")


async def _http(request: Request, error: Exception) -> Response:
    """What the router refuses by itself: a method (TRACE) that Docker has nowhere."""
    assert isinstance(error, HTTPException)
    return message_response(error.status_code, f"{request.method} {request.url.path}: {error.detail}")


async def _defect(_request: Request, _error: Exception) -> Response:
    return message_response(500, "this is a defect of the server: its log says more")


HANDLERS: dict[Any, Any] = {
    DockerError: _told,
    StoreUnavailable: _store,
    HTTPException: _http,
    Exception: _defect,
}
