"""The HTTP inputs: POST /fluentd/{tag} as Fluentd's in_http, POST /gelf as Graylog's GELF HTTP input.

A body becomes what the same lines would be over their own protocol, so there is one way through the
journal. The answer is sent once the journal has it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException  # FastAPI's is one of these; so are those of a broken form
from xxhash import xxh3_128_digest

from ingest.bodies import (
    Refusal,
    check_values,
    event_time,
    forward_frame,
    from_form,
    from_json,
    from_lines,
    from_msgpack,
)
from ingest.entries import MAX_RAW_BYTES, Kind, Protocol, frame_payloads
from ingest.gate import UNANSWERED_SECONDS, Gate
from ingest.journal import Journal
from parsers.gelf import decode as decode_gelf
from parsers.gelf import inflate
from parsers.inflate import inflated
from parsers.record import DecodeError, Frames

BODY_BYTES = 32 << 20  # Fluentd's own default for in_http (body_size_limit)
ALL_BODIES_BYTES = 2 * BODY_BYTES  # of all requests at once, as sent and inflated
# Requests that were told to come again though the journal may yet take what they brought; each costs 300
# bytes, and one that is forgotten may cost a doubled body.
MAX_LATE = 10_000
# Content codings (RFC 9110, section 8.4.1) that senders use; "deflate" there means zlib's format.
ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "zlib", "zstd": "zstd"}
COME_AGAIN = {"Retry-After": "5"}

# What the routes say of themselves in OpenAPI.
_RECORDS: dict[str, Any] = {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
FLUENTD_BODY: dict[str, Any] = {
    "parameters": [
        {
            "name": "time",
            "in": "query",
            "description": "When the records happened, Unix seconds; now when left out.",
            "schema": {"type": "number"},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _RECORDS},
            "application/x-ndjson": {"schema": {"type": "string"}},
            "application/msgpack": {"schema": {"type": "string", "format": "binary"}},
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": {"json": {"type": "string"}}}
            },
        },
    },
}
GELF_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"host": {"type": "string"}, "short_message": {"type": "string"}},
                    "required": ["short_message"],
                }
            }
        },
    }
}


class Inputs:
    """What the requests of one server share. `held` is in bytes of bodies."""

    def __init__(self, gate: Gate, journal: Journal) -> None:
        self.held = 0
        self._gate = gate
        self._journal = journal
        self._late: dict[bytes, list[asyncio.Event]] = {}

    @contextmanager
    def request(self, label: str) -> Iterator["Hold"]:
        """Counts a refusal, and lets go of what the request held."""
        hold = Hold(self)
        try:
            yield hold
        except HTTPException as problem:
            self._gate.refuse(label, getattr(problem, "reason", "malformed"), str(problem.detail))
            raise
        finally:
            self.held -= hold.size

    async def journalled(self, protocol: Protocol, peer: bytes, frames: Frames) -> None:
        """Return when the journal has it. A sender that was told to come again may bring it again."""
        if self._journal.blocked:
            text = f"the journal takes nothing: {self._journal.blocked}"
            raise Refusal(503, "journal_blocked", text, COME_AGAIN)
        key = xxh3_128_digest(frames.raw)
        safe = self._brought_before(key) or self._append(protocol, peer, frames)
        try:
            async with asyncio.timeout(UNANSWERED_SECONDS):
                await safe.wait()
        except TimeoutError:
            self._late.setdefault(key, []).append(safe)
            if len(self._late) > MAX_LATE:
                self._late.pop(next(iter(self._late)))
            raise Refusal(503, "journal_slow", "the journal is slow: send it again", COME_AGAIN) from None

    def _brought_before(self, key: bytes) -> asyncio.Event | None:
        """When the same was told to come again: what its first copy waits for. Then each counts once."""
        if not (waiting := self._late.pop(key, None)):
            return None
        safe = waiting.pop()
        if waiting:
            self._late[key] = waiting
        self._gate.metrics.resends.inc()
        return safe

    def _append(self, protocol: Protocol, peer: bytes, frames: Frames) -> asyncio.Event:
        if len(frames.raw) > MAX_RAW_BYTES:  # JSON can grow when it is packed
            raise Refusal(413, "oversize", "the body does not fit into the journal: send it in parts")
        self._gate.count(protocol, frames)
        safe = asyncio.Event()
        self._journal.append(Kind.DATA, protocol, 0, peer, frames.raw, frames.count, done=safe.set)
        return safe


class Hold:
    """The bytes that one request holds in memory."""

    def __init__(self, inputs: Inputs) -> None:
        self.size = 0
        self._inputs = inputs

    def more(self, size: int) -> None:
        """Raises Refusal when that is too much beside what others hold."""
        if self._inputs.held + size > ALL_BODIES_BYTES:
            raise Refusal(503, "busy", "other requests fill the memory: send it again", COME_AGAIN)
        self._inputs.held += size
        self.size += size


def http_inputs(gate: Gate, journal: Journal) -> APIRouter:
    """The two routes, at the root."""
    router = APIRouter(tags=["inputs"])
    inputs = Inputs(gate, journal)

    @router.post(
        "/fluentd/{tag:path}", summary="Take records in, as Fluentd's in_http", openapi_extra=FLUENTD_BODY
    )
    async def fluentd(tag: str, request: Request) -> Response:
        """A JSON or msgpack object or array of objects, or a form with json= or msgpack=; ?time= seconds."""
        with inputs.request("forward_http") as hold:
            time = event_time(request.query_params.get("time"))
            raw = forward_frame(tag, time, await _records(request, hold))
            await inputs.journalled(Protocol.FORWARD, _peer(request), Frames(raw, 1))
        return Response(status_code=200)

    @router.post("/gelf", summary="Take one GELF message in", status_code=202, openapi_extra=GELF_BODY)
    async def gelf(request: Request) -> Response:
        """One GELF JSON object, plain, gzip or zlib."""
        with inputs.request(Protocol.GELF_HTTP.label) as hold:
            payload = _gelf_payload(await _body(request, hold))
            frames = Frames(frame_payloads([payload]), 1)
            await inputs.journalled(Protocol.GELF_HTTP, _peer(request), frames)
        return Response(status_code=202)

    return router


def _gelf_payload(body: bytes) -> bytes:
    try:
        payload = inflate(body)
        check_values(payload)
        decode_gelf(payload)
    except DecodeError as problem:
        raise Refusal(400, problem.reason, f"body: {problem}") from None
    return payload


def _peer(request: Request) -> bytes:
    return (request.client.host if request.client else "").encode()[:255]


async def _body(request: Request, hold: Hold) -> bytes:
    """The body, refused as soon as it is too large: if its sender says how large it is, before it comes."""
    body = bytearray()
    too_large = Refusal(413, "oversize", f"the body is larger than {BODY_BYTES} bytes: send it in parts")
    if int(request.headers.get("content-length", "0")) > BODY_BYTES:
        raise too_large
    async for block in request.stream():
        body += block
        if len(body) > BODY_BYTES:
            raise too_large
        hold.more(len(block))
    return bytes(body)


async def _content(request: Request, hold: Hold) -> bytes:
    """The body without its Content-Encoding, refused when it is too large with or without it."""
    body = await _body(request, hold)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ENCODINGS:
        text = f"content-encoding {encoding} is not known: send gzip, deflate or zstd"
        raise Refusal(415, "unknown_encoding", text, parameter="content-encoding")
    try:
        content = b"".join(inflated(body, ENCODINGS[encoding], BODY_BYTES))
    except DecodeError as problem:
        status = 413 if problem.reason == "inflated_too_big" else 400
        raise Refusal(status, problem.reason, f"body ({encoding}): {problem}") from None
    hold.more(len(content))
    return content


async def _records(request: Request, hold: Hold) -> list[bytes]:
    """The records of the body, each as msgpack."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return from_form(await _content(request, hold))
    if kind == "multipart/form-data":
        return await _from_multipart(request, await _content(request, hold))
    if kind in ("application/msgpack", "application/x-msgpack"):
        return from_msgpack(await _content(request, hold))
    if kind == "application/x-ndjson":
        return from_lines(await _content(request, hold))
    if kind in ("", "application/json", "text/plain"):
        return from_json(await _content(request, hold))
    text = f"content-type {kind} is not known: send application/json or application/msgpack"
    raise Refusal(415, "unknown_type", text, parameter="content-type")


async def _from_multipart(request: Request, body: bytes) -> list[bytes]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async with Request(request.scope, receive).form(max_files=0, max_part_size=BODY_BYTES) as form:
        if isinstance(text := form.get("json"), str):
            return from_json(text.encode())
    text = "form: needs a field named json (msgpack only where the form is urlencoded)"
    raise Refusal(400, "malformed", text)
