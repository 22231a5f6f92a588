"""The REST API from a program: plain functions' results, typed errors.

with Client("http://127.0.0.1:8080") as client:
    for event in client.events("/services/web/logs", {"since": "1h"}):
        print(event["message"])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import orjson

from api.address import is_loopback_host
from api.paths import BASE

DEFAULT_SERVER = "http://127.0.0.1:8080"
FIRST_PAGE = 1_000  # events of the first request, so that the first lines show at once ...
LARGEST_PAGE = 10_000  # ... and of the later ones: the most a server gives, some 5 MB of JSON
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0  # a scan over everything kept may take a while
SILENCE_SECONDS = 45.0  # a live tail has a heartbeat every 15 s: three missed ones mean a dead connection
MAX_MESSAGE = 64 * 1024 * 1024  # bytes of one server-sent event, far above the largest line taken in

Params = Mapping[str, str | int | Sequence[str]]


class ClientError(Exception):
    """No answer, or not the one hoped for; the text is one line that says what to do."""


class ServerDownError(ClientError):
    """Nothing answers at that address, or the connection broke."""


class RefusedError(ClientError):
    """The server answered with a problem; `parameter` names what to change when the request was wrong."""

    def __init__(self, status: int, code: str, parameter: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.parameter = parameter


class WrongUseError(ClientError):
    """This cannot be asked: the server's address, or the question, is none."""


class NotFoundError(RefusedError):
    """The server has nothing under this exact identity."""


@dataclass(frozen=True)
class Message:
    """One server-sent event: `kind` is log, dropped, gap, end ...; `id` resumes after it."""

    kind: str
    data: Any
    id: str | None = None


def server_url(server: str) -> str:
    """A base URL from what people write: host:port or a URL. Raises WrongUseError."""
    url = (server if "://" in server else f"http://{server}").rstrip("/")
    try:
        is_known = urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname
    except ValueError:  # brackets without an address of IPv6
        is_known = False
    if not is_known:
        raise WrongUseError(f"{server!r} is not an address of a server: write host:port, or http://...")
    return url


def part(text: str) -> str:
    """Text as one part of a path: its slashes and dots stay its own."""
    return quote(text, safe="")


class Client:
    """One server, whose answers take `seconds` at most. All methods raise ClientError; nothing is cached."""

    def __init__(
        self,
        server: str = DEFAULT_SERVER,
        transport: httpx.BaseTransport | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.server = server_url(server)
        loopback = is_loopback_host(urlsplit(self.server).hostname or "")
        self._http = httpx.Client(
            base_url=self.server,
            transport=transport,
            timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            trust_env=not loopback,  # a proxy cannot reach this machine's loopback
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """The JSON answer of a path below /api/v1."""
        with self._errors():
            response = self._http.get(BASE + path, params=_pairs(params))
        answer = self._answer(response)
        if "notes" not in answer:  # every one of ours has them
            raise self._another()
        return answer

    def post(self, path: str, body: dict[str, Any], seconds: float | None = ANSWER_SECONDS) -> dict[str, Any]:
        """The JSON answer of a path below /api/v1 to a JSON body; it may take `seconds`, None: for ever."""
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        with self._errors():
            headers = {"content-type": "application/json"}
            content = orjson.dumps(body)
            response = self._http.post(BASE + path, content=content, headers=headers, timeout=timeout)
        return self._answer(response)

    def pages(self, path: str, params: Params, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Every page of a keyed query, at most `limit` events in all."""
        cursor: dict[str, str] = {}
        size = FIRST_PAGE
        while limit is None or limit > 0:
            page = self.get(path, {**params, **cursor, "limit": size if limit is None else min(size, limit)})
            yield page
            size = min(size * 2, LARGEST_PAGE)
            if page["next"] is None:
                return
            limit = None if limit is None else limit - len(page["events"])
            cursor = {"cursor": page["next"]}

    def events(self, path: str, params: Params, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Every event of a keyed query."""
        for page in self.pages(path, params, limit):
            yield from page["events"]

    def export(self, params: Params, note: Callable[[str], None] = lambda _: None) -> Iterator[bytes]:
        """The chunks of an NDJSON export; ServerDownError when it ends before it is whole.

        `note` is told what the server says of it.
        """
        with (
            self._errors(),
            self._http.stream("GET", f"{BASE}/logs/export", params=_pairs(params)) as response,
        ):
            self._expect(response, "application/x-ndjson")
            for text in orjson.loads(response.headers.get("logdock-notes", "[]")):
                note(text)
            yield from response.iter_bytes()

    def tail(self, params: Params, resume: str | None = None) -> Iterator[Message]:
        """Live events after `resume` (the id of the last message seen; None: from now on)."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": resume} if resume is not None else {})
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
        request = self._http.build_request(
            "GET", f"{BASE}/logs/tail", params=_pairs(params), headers=headers, timeout=timeout
        )
        with self._errors():
            response = self._http.send(request, stream=True)
            try:
                self._expect(response, "text/event-stream")
                yield from messages(response.iter_bytes())
            finally:
                response.close()

    def _answer(self, response: httpx.Response) -> dict[str, Any]:
        self._expect(response, "application/json")
        with suppress(ValueError):
            answer = orjson.loads(response.content)
            if isinstance(answer, dict):
                return answer
        raise self._another()

    def _expect(self, response: httpx.Response, media: str) -> None:
        """Raise what was answered if it is a problem, or not of this kind."""
        _raise_for(response)
        if response.status_code >= 300 or not response.headers.get("content-type", "").startswith(media):
            raise self._another()

    def _another(self) -> ClientError:
        return ClientError(f"what answers at {self.server} is no logdock server: name another with --server")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError:
            raise WrongUseError("the question is not UTF-8: its bytes cannot be asked for") from None
        except httpx.InvalidURL as error:
            if "too long" in str(error):
                raise WrongUseError("the question is too long: ask for less at once") from None
            raise WrongUseError(f"{self.server} is not an address of a server: {error}") from None
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise ServerDownError(
                f"no server answers at {self.server}: start one with `logdock serve`, "
                "or name another with --server"
            ) from None
        except httpx.HTTPError as error:
            text = str(error) or type(error).__name__
            raise ServerDownError(f"the connection to {self.server} broke: {text}; ask again") from None


def _pairs(params: Params | None) -> list[tuple[str, str | int | float | bool | None]]:
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in (params or {}).items():
        values = [value] if isinstance(value, str | int) else value
        pairs += [(name, item) for item in values]
    return pairs


def _raise_for(response: httpx.Response) -> None:
    if response.status_code < 400:
        return
    try:
        error = orjson.loads(response.read())["error"]
        code, parameter, message = error["code"], error["parameter"], error["message"]
    except (ValueError, LookupError, TypeError):
        code, parameter, message = "unknown", None, f"{response.url} answered {response.status_code}"
    kind = NotFoundError if response.status_code == 404 else RefusedError
    raise kind(response.status_code, code, parameter, message)


def messages(chunks: Iterator[bytes]) -> Iterator[Message]:
    """The messages of a server-sent event stream (HTML Standard, section 9.2.6), lines ended by \\n."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while (end := buffer.find(b"\n\n")) >= 0:
            block = bytes(buffer[:end])
            del buffer[: end + 2]
            message = _message(block)
            if message is not None:
                yield message
        if len(buffer) > MAX_MESSAGE:
            raise ClientError("the server sent an event without end: is this a logdock server?")


def _message(block: bytes) -> Message | None:
    fields: dict[bytes, bytes] = {}
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if name:
            fields[name] = value.removeprefix(b" ")
    if not fields:
        return None  # a comment: the heartbeat
    number = fields.get(b"id")
    data = orjson.loads(fields[b"data"]) if fields.get(b"data") else None
    return Message(fields.get(b"event", b"message").decode(), data, number.decode() if number else None)
