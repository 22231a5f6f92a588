"""The HTTP inputs: POST /fluentd/{tag} as Fluentd's in_http, POST /gelf as Graylog's GELF HTTP input.

A body becomes what the same lines would be over their own protocol, so there is one way through the
journal. The answer is sent once the journal has it.
"""

import asyncio
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs

import msgpack
from fastapi import APIRouter, HTTPException, Request, Response

from ingest.entries import MAX_RAW_BYTES, Kind, Protocol, frame_payloads
from ingest.gate import Gate
from ingest.journal import Journal
from parsers.gelf import decode as decode_gelf
from parsers.gelf import inflate
from parsers.inflate import inflated
from parsers.jsontext import loads
from parsers.record import NANOSECONDS, DecodeError, Frames

BODY_BYTES = 32 << 20  # Fluentd's own default for in_http (body_size_limit)
BYTES_TOO = "surrogateescape"  # a line that is no UTF-8 arrives as it was sent
# Content codings (RFC 9110, section 8.4.1) that senders use; "deflate" there means zlib's format.
ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "zlib", "zstd": "zstd"}
SECONDS_MAX = 2**32 - 1  # EventTime holds unsigned 32-bit seconds


def http_inputs(gate: Gate, journal: Journal) -> APIRouter:
    """The two routes, at the root."""
    router = APIRouter(tags=["inputs"])

    @router.post("/fluentd/{tag:path}", summary="Take records in, as Fluentd's in_http")
    async def fluentd(tag: str, request: Request) -> Response:
        """A JSON or msgpack object or array of objects, or a form with json= or msgpack=; ?time= seconds."""
        records = await _records(request)
        raw = _forward_frame(tag, _time(request.query_params.get("time")), records)
        await _journalled(gate, journal, Protocol.FORWARD, _peer(request), Frames(raw, 1))
        return Response(status_code=200)

    @router.post("/gelf", summary="Take one GELF message in", status_code=202)
    async def gelf(request: Request) -> Response:
        """One GELF JSON object, plain, gzip or zlib."""
        try:
            payload = inflate(await _body(request))
            decode_gelf(payload)
        except DecodeError as problem:
            gate.refuse("gelf_http", problem.reason, str(problem))
            raise HTTPException(400, f"body: {problem}") from None
        frames = Frames(frame_payloads([payload]), 1)
        await _journalled(gate, journal, Protocol.GELF_HTTP, _peer(request), frames)
        return Response(status_code=202)

    return router


async def _journalled(gate: Gate, journal: Journal, protocol: Protocol, peer: bytes, frames: Frames) -> None:
    if journal.blocked:
        raise HTTPException(503, f"the journal takes nothing: {journal.blocked}", {"Retry-After": "5"})
    if len(frames.raw) > MAX_RAW_BYTES:  # JSON can grow when it is packed
        raise HTTPException(413, "the body does not fit into the journal: send it in parts")
    gate.count(protocol, frames)
    safe = asyncio.Event()
    journal.append(Kind.DATA, protocol, 0, peer, frames.raw, frames.count, done=safe.set)
    await safe.wait()


def _peer(request: Request) -> bytes:
    return (request.client.host if request.client else "").encode()[:255]


async def _body(request: Request) -> bytes:
    """The body, refused as soon as it is too large."""
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > BODY_BYTES:
            raise HTTPException(413, f"the body is larger than {BODY_BYTES} bytes: send it in parts")
    return bytes(body)


async def _content(request: Request) -> bytes:
    """The body without its Content-Encoding, refused when it is too large with or without it."""
    body = await _body(request)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ENCODINGS:
        raise HTTPException(415, f"content-encoding {encoding} is not known: send gzip, deflate or zstd")
    try:
        return b"".join(inflated(body, ENCODINGS[encoding], BODY_BYTES))
    except DecodeError as problem:
        status = 413 if problem.reason == "inflated_too_big" else 400
        raise HTTPException(status, f"body ({encoding}): {problem}") from None


async def _records(request: Request) -> list[dict[str, Any]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        value = _form_value(await _content(request))
    elif kind == "multipart/form-data":
        value = await _multipart_value(request)
    elif kind in ("application/msgpack", "application/x-msgpack"):
        value = _from_msgpack(await _content(request))
    elif kind == "application/x-ndjson":
        value = [_from_json(line) for line in (await _content(request)).splitlines() if line.strip()]
    elif kind in ("", "application/json", "text/plain"):
        value = _from_json(await _content(request))
    else:
        raise HTTPException(
            415, f"content-type {kind} is not known: send application/json or application/msgpack"
        )
    records = value if isinstance(value, list) else [value]
    if not all(isinstance(record, dict) for record in records):
        raise HTTPException(400, "body: a record must be an object; send one object or an array of objects")
    return records


def _form_value(body: bytes) -> Any:
    # latin-1 there and back: percent-encoded msgpack is no UTF-8
    form = parse_qs(body.decode("latin-1"), encoding="latin-1", keep_blank_values=True)
    if "json" in form:
        return _from_json(form["json"][0].encode("latin-1"))
    if "msgpack" in form:
        return _from_msgpack(form["msgpack"][0].encode("latin-1"))
    raise HTTPException(400, "form: needs a field named json or msgpack")


async def _multipart_value(request: Request) -> Any:
    body = await _content(request)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async with Request(request.scope, receive).form(max_files=0, max_part_size=BODY_BYTES) as form:
        if isinstance(text := form.get("json"), str):
            return _from_json(text.encode())
    raise HTTPException(400, "form: needs a field named json (msgpack only where the form is urlencoded)")


def _from_json(body: bytes) -> Any:
    try:
        return loads(body)
    except ValueError as problem:
        raise HTTPException(400, f"body is not JSON: {problem}") from None


def _from_msgpack(body: bytes) -> Any:
    try:
        return msgpack.unpackb(body, raw=False, unicode_errors=BYTES_TOO, strict_map_key=False)
    except Exception as problem:  # msgpack raises ValueError, its own errors and, for nesting, StackError
        raise HTTPException(400, f"body is not msgpack: {problem or type(problem).__name__}") from None


def _time(text: str | None) -> msgpack.ExtType | None:
    """?time= as EventTime: Unix seconds with a fraction, exactly as written."""
    if not text:
        return None
    try:
        time = Decimal(text)
    except InvalidOperation:
        time = Decimal(-1)
    if not (time.is_finite() and 0 <= time <= SECONDS_MAX):
        raise HTTPException(400, "time: must be Unix seconds, such as 1700000000.123")
    seconds, rest = divmod(int(time * NANOSECONDS), NANOSECONDS)
    return msgpack.ExtType(0, seconds.to_bytes(4, "big") + rest.to_bytes(4, "big"))


def _forward_frame(tag: str, time: msgpack.ExtType | None, records: list[dict[str, Any]]) -> bytes:
    entries = [[time or 0, record] for record in records]
    try:
        return bytes(msgpack.packb([tag, entries], unicode_errors=BYTES_TOO))
    except (OverflowError, ValueError) as problem:
        raise HTTPException(400, f"body: a value does not fit the forward protocol: {problem}") from None
