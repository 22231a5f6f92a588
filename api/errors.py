"""Every problem in one shape: {"error": {"code", "parameter", "message"}}.

`code` is short and stable, for programs; `message` says what to do, for people; `parameter` names what to
change and is null when nothing in the request would help.
"""

from __future__ import annotations

import logging

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.errors import QueryError
from storage.store import StoreUnavailable

log = logging.getLogger("logdock.api")

RETRY_AFTER = 5  # seconds: longer than a restart of Elasticsearch's HTTP layer, short for a person

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "unavailable",
}


class NotFoundError(Exception):
    """What was asked for by its exact identity is not there (HTTP 404)."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class RefusedError(HTTPException):
    """A request that is refused with another status than those above; `parameter` names what to change."""

    def __init__(
        self, status: int, parameter: str | None, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, message, headers)
        self.parameter = parameter


class InterruptedStreamError(Exception):
    """An answer that is already under way cannot be finished; its reader must see that it is not whole."""


def error_response(
    status: int, code: str, parameter: str | None, message: str, headers: dict[str, str] | None = None
) -> Response:
    """A problem as JSON."""
    body = {"error": {"code": code, "parameter": parameter, "message": message}}
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def add_handlers(app: FastAPI) -> None:
    """Answer the exceptions of every route in the one shape."""
    app.add_exception_handler(QueryError, _query_error)
    app.add_exception_handler(NotFoundError, _not_found)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _query_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, QueryError)
    return error_response(400, error.code, error.parameter, str(error))


async def _not_found(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotFoundError)
    return error_response(404, "not_found", error.parameter, str(error))


async def _unavailable(_request: Request, error: Exception) -> Response:
    message = f"the store cannot answer now: {error}; lines are still taken in, ask again later"
    return error_response(503, "store_unavailable", None, message, {"Retry-After": str(RETRY_AFTER)})


async def _validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    parameter = str(first["loc"][-1])
    return error_response(400, "bad_parameter", parameter, f"{parameter}: {first['msg']}")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "error")
    message = str(error.detail)
    if error.status_code == 404:
        message = f"there is nothing at {request.url.path}: /docs lists what there is"
    elif error.status_code == 405:
        message = f"{request.method} is not possible at {request.url.path}: /docs says what is"
    headers = dict(error.headers) if error.headers else None
    return error_response(error.status_code, code, getattr(error, "parameter", None), message, headers)


class Unexpected:
    """ASGI middleware around everything: a defect becomes a 500 without internals, and a log entry with them.

    When the answer is already under way it is broken off instead: the server closes the connection before
    the body's end, so that no reader takes half an export for the whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:  # it went while it sent its body: nobody is left to answer
            return None
        except Exception as error:
            _log(scope, error)
            if not started:
                text = "this is a defect of the server: its log says more"
                await error_response(500, "internal", None, text)(scope, receive, send)
        return None


def _log(scope: Scope, error: Exception) -> None:
    cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
    if isinstance(cause, StoreUnavailable | InterruptedStreamError):
        log.warning("%s %s was broken off: %s", scope["method"], scope["path"], cause)
    else:
        log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
