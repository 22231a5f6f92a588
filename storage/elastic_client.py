"""The official Elasticsearch client, set up so that bodies and replies pass through it as bytes.

Its own serializers copy a bulk body twice and parse a reply of thousands of items that is read only when
something failed. Its node writes every body and reply as text for a logger as soon as a program has any
log handler.
"""

import logging
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
from elastic_transport import AiohttpHttpNode, Serializer, TransportError
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch

from storage.store import StoreUnavailable

QUESTION_SECONDS = 30  # an answer that takes longer is no answer to a person
BULK_SECONDS = 120  # a body of 8 MB takes 0.2 s; a merging, cold or collecting server takes its time
PORT = 9200

JSON_TYPE = "application/json"


class BytesAsTheyAre(Serializer):
    """Passes bytes through; everything else becomes JSON."""

    mimetype = JSON_TYPE

    def dumps(self, data: Any) -> bytes:
        return data if isinstance(data, bytes) else orjson.dumps(data)

    def loads(self, data: bytes) -> Any:
        return data


class QuietNode(AiohttpHttpNode):
    """The default node without its wire log, which decodes 8 MB of body to decide that nobody reads it."""

    def _log_request(self, *_: Any, **__: Any) -> None:
        return


class Refused(Exception):  # noqa: N818 - the server answered, and this is its answer
    """An answer that is neither success nor "later": status, and what the server said."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


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
        self._client = AsyncElasticsearch(
            nodes,
            basic_auth=login if api_key is None else None,
            api_key=api_key,
            ca_certs=DEFAULT if ca_certs is None else ca_certs,
            request_timeout=QUESTION_SECONDS,
            node_class=QuietNode,
            serializers={JSON_TYPE: BytesAsTheyAre()},
            max_retries=len(nodes) - 1,
        )
        # No retry by the client itself: it must be known that a body may have arrived before it goes again.
        self._bulk = self._client.options(max_retries=0, request_timeout=BULK_SECONDS)

    async def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The reply to one small request."""
        return await self._perform(self._client, method, path, body)

    async def bulk(self, path: str, body: bytes) -> bytes:
        """The reply to one bulk body; it goes once, to one node."""
        return await self._perform(self._bulk, "POST", path, body)

    async def close(self) -> None:
        await self._client.close()

    async def _perform(self, client: AsyncElasticsearch, method: str, path: str, body: Any) -> bytes:
        headers = {"accept": JSON_TYPE, "content-type": JSON_TYPE}
        try:
            reply = await client.perform_request(method, path, headers=headers, body=body)
        except ApiError as error:
            raise self._verdict(error.status_code, error.body) from error
        except TransportError as error:
            raise StoreUnavailable(f"Elasticsearch at {self.where} does not answer: {error}") from error
        return bytes(reply.body or b"")

    def _verdict(self, status: int, body: Any) -> StoreUnavailable | Refused:
        message = said(body)
        if status in (401, 403):
            return StoreUnavailable(f"Elasticsearch at {self.where} does not let us in ({status}): {message}")
        if status == 429 or status >= 500:
            return StoreUnavailable(f"Elasticsearch at {self.where} is not able to ({status}): {message}")
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
