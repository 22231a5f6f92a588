"""HTTP/1 below the routes: what is refused before there is a request, and answers to HTTP/1.0.

uvicorn answers what it cannot parse in plain text, reads request headers of any size, and sends chunks to
clients of HTTP/1.0, which do not know them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.errors import error_response

MAX_ADDRESS = 2**16 - 1  # bytes of a request's address: the parser counts with 16 bits
MAX_HEAD = 128 << 10  # bytes of address and headers: the longest address, and headers of that size

NOT_HTTP = "this is no HTTP/1 request: spaces, quotes and letters beyond ASCII in its address must be %XX"
LONG_ADDRESS = f"the address is longer than {MAX_ADDRESS} bytes: ask for less at once"
LONG_HEAD = f"the address and headers are larger than {MAX_HEAD} bytes: send less"


class HttpServer(uvicorn.Server):
    """uvicorn without its own signal handlers: serve.py decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def http_server(app: ASGIApp, close_seconds: int) -> HttpServer:
    """What serves `app`; told to exit, it waits so long for answers that are under way."""
    config = uvicorn.Config(
        app, http=HttpProtocol, ws="none", lifespan="off", log_level="warning", access_log=False,
        server_header=False, timeout_graceful_shutdown=close_seconds,
    )  # fmt: skip
    return HttpServer(config)


class HttpProtocol(HttpToolsProtocol):
    """One connection of a client."""

    _head = 0  # bytes of a request whose headers have not ended
    _in_head = True
    url = b""  # nothing yet

    def data_received(self, data: bytes) -> None:
        """Refuse headers without end; what came with their end was read anyway."""
        self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > MAX_HEAD and not self.transport.is_closing():
            self._refuse(431, "headers_too_large", LONG_HEAD)

    def on_headers_complete(self) -> None:
        """A request begins to be answered."""
        self._in_head, self._head = False, 0
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0":
            self.cycle.__class__ = _UntilClosed

    def on_message_complete(self) -> None:
        """The next one may begin."""
        self._in_head, self._head = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words for all of it
        """What uvicorn calls for anything it cannot parse."""
        if len(self.url) > MAX_ADDRESS:
            return self._refuse(414, "address_too_long", LONG_ADDRESS)
        return self._refuse(400, "bad_request", NOT_HTTP)

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that is not taken is left aside (RFC 9110, section 7.8): nothing to log of strangers."""

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer by hand, and close."""
        answer = error_response(status, code, None, message, {"Connection": "close"})
        head = [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
        self.transport.write(b"".join([STATUS_LINE[status], *head, b"\r\n", answer.body]))
        self.transport.close()


class _UntilClosed(RequestResponseCycle):
    """An answer whose end is that of its connection (RFC 9112, section 6.3, rule 8)."""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.chunked_encoding = False
        else:
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)
