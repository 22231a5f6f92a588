"""The official Elasticsearch client, set up so that bodies and replies pass through it as bytes.

Its own serializers copy a bulk body twice and parse a reply of thousands of items that is read only when
something failed. Its node has a wire log that decodes bodies, waits for a host that is switched off as long
as for a slow answer, and asks for the media type of version 9, which a server of version 8 refuses.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import orjson
from elastic_transport import (
    AiohttpHttpNode,
    ApiResponseMeta,
    ConnectionError,
    ConnectionTimeout,
    HttpHeaders,
    Serializer,
    TransportError,
)
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch

from storage.store import StoreUnavailable

CONNECT_SECONDS = 5  # TCP and TLS, with two repeats of a lost SYN (after 1 and 3 s); then the next host
QUESTION_SECONDS = 30  # an answer that takes longer is no answer to a person
BULK_SECONDS = 120  # a body of 8 MB takes 0.2 s; a merging, cold or collecting server takes its time
PORT = 9200

JSON_TYPE = "application/json"
HEADERS = {"accept": JSON_TYPE, "content-type": JSON_TYPE}


class BytesAsTheyAre(Serializer):
    """Passes bytes through; everything else becomes JSON."""

    mimetype = JSON_TYPE

    def dumps(self, data: Any) -> bytes:
        return data if isinstance(data, bytes) else orjson.dumps(data)

    def loads(self, data: bytes) -> Any:
        return data


class NotConnectedError(ConnectionError):
    """No connection came about, so nothing can have been sent."""


class Host(AiohttpHttpNode):
    """One host, asked over aiohttp."""

    async def perform_request(  # type: ignore[override]
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: Any = DEFAULT,
    ) -> NodeApiResponse:
        """One request and its answer. Raises ConnectionError or ConnectionTimeout."""
        begun = time.monotonic()
        total = self.config.request_timeout if request_timeout is DEFAULT else request_timeout
        limits = aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS)
        try:
            status, found, data = await self._exchange(method, target, body, headers or {}, limits)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotConnectedError(str(error), errors=(error,)) from error
        except TimeoutError as error:
            raise ConnectionTimeout(f"no answer within {total} s", errors=(error,)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionError(str(error) or type(error).__name__, errors=(error,)) from error
        meta = ApiResponseMeta(status, "1.1", found, time.monotonic() - begun, self.config)
        return NodeApiResponse(meta, data)

    async def _exchange(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        limits: aiohttp.ClientTimeout,
    ) -> tuple[int, HttpHeaders, bytes]:
        if self.session is None:
            self._create_aiohttp_session()
        assert self.session is not None
        async with self.session.request(
            method,
            self.base_url + target,
            data=body,
            headers={**headers, **HEADERS},
            timeout=limits,
            allow_redirects=False,  # a POST would become a GET, and the password go somewhere else
        ) as answer:
            return answer.status, HttpHeaders(answer.headers), await answer.read()


class Refused(Exception):  # noqa: N818 - the server answered, and this is its answer
    """An answer that is neither success nor "later": status, and what the server said."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Unreachable(StoreUnavailable):
    """The host that was tried takes no connections: what was meant for it is certainly not stored."""


class TimedOut(StoreUnavailable):
    """No answer came in time; the server may be at it still."""


class Busy(StoreUnavailable):
    """The server has too much to do (429)."""


def hosts(url: str) -> tuple[list[str], tuple[str, str] | None]:
    """(node URLs with ports, (user, password) or None) of `http(s)://[user:password@]host[:port],host...`.

    User and password are percent-encoded; every host has the scheme and the path of the first. Raises
    ValueError on anything else.
    """
    first = urlsplit(url.split(",")[0])
    if first.scheme not in ("http", "https"):
        raise ValueError(f"not an http:// or https:// address: {first.scheme or url}")
    login = (unquote(first.username), unquote(first.password or "")) if first.username else None
    parts = [urlsplit(part if "://" in part else f"{first.scheme}://{part}") for part in url.split(",")]
    if not all(part.hostname for part in parts):
        raise ValueError("an Elasticsearch address without a host")
    if any(part.username and part.username != first.username for part in parts):
        raise ValueError("an Elasticsearch address with several users: the first host's counts for all")
    nodes = [_node(part.scheme, part.hostname or "", part.port, part.path) for part in parts]
    return nodes, login


def _node(scheme: str, host: str, port: int | None, path: str) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port or PORT}{path.rstrip('/')}"


class Client:
    """Requests to one cluster. Every method raises StoreUnavailable (later) or Refused (never)."""

    def __init__(self, url: str, ca_certs: str | None = None, api_key: str | None = None) -> None:
        nodes, login = hosts(url)
        logging.getLogger("elastic_transport").setLevel(logging.ERROR)  # it warns at every attempt; we once
        self.where = ", ".join(nodes)  # without the password
        self._others = len(nodes) - 1
        self._client = AsyncElasticsearch(
            nodes,
            basic_auth=login if api_key is None else None,
            api_key=api_key,
            ca_certs=DEFAULT if ca_certs is None else ca_certs,
            request_timeout=QUESTION_SECONDS,
            node_class=Host,
            serializers={JSON_TYPE: BytesAsTheyAre()},
            max_retries=self._others,
        )
        # No retry by the client itself: it must be known that a body may have arrived before it goes again.
        self._bulk = self._client.options(max_retries=0, request_timeout=BULK_SECONDS)

    async def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The reply to one small request; the next host is asked when one does not answer."""
        return await self._perform(self._client, method, path, body)

    async def bulk(self, path: str, body: bytes, packed: bool = False) -> bytes:
        """The reply to one bulk body, `packed` if it is gzip; it goes once, to the first host in reach."""
        headers = {**HEADERS, "content-encoding": "gzip"} if packed else HEADERS
        for _ in range(self._others):
            try:
                return await self._perform(self._bulk, "POST", path, body, headers)
            except Unreachable:
                continue
        return await self._perform(self._bulk, "POST", path, body, headers)

    async def close(self) -> None:
        await self._client.close()

    async def _perform(
        self,
        client: AsyncElasticsearch,
        method: str,
        path: str,
        body: Any,
        headers: Mapping[str, str] = HEADERS,
    ) -> bytes:
        try:
            reply = await client.perform_request(method, path, headers=headers, body=body)
        except ApiError as error:
            raise self._verdict(error.status_code, error.body) from error
        except TransportError as error:
            kinds = {NotConnectedError: Unreachable, ConnectionTimeout: TimedOut}
            kind = kinds.get(type(error), StoreUnavailable)
            raise kind(f"Elasticsearch at {self.where} does not answer: {error}") from error
        return bytes(reply.body or b"")

    def _verdict(self, status: int, body: Any) -> StoreUnavailable | Refused:
        message = said(body)
        if status in (401, 403):
            return StoreUnavailable(f"Elasticsearch at {self.where} does not let us in ({status}): {message}")
        if status == 429 or status >= 500:
            kind = Busy if status == 429 else StoreUnavailable
            return kind(f"Elasticsearch at {self.where} is not able to ({status}): {message}")
        return Refused(status, message)


def said(body: Any) -> str:
    """The reason inside an error reply, in one line of at most 500 characters."""
    try:
        error = orjson.loads(body)["error"]
        causes = error.get("root_cause") or [error]
        text = f"{causes[0].get('type')}: {causes[0].get('reason')}"
    except (TypeError, ValueError, KeyError, AttributeError, IndexError):
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    return " ".join(text.split())[:500]
