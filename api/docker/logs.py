"""`docker logs` and `docker service logs`: one streamed body of frames (moby daemon/logs.go)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import StreamingResponse

from api.docker.framing import Details, Framer, container_details, system_error
from api.docker.lines import FIRST_PAGE, Begin, Lane, Slice, moment, newest, stored, tailed
from api.docker.live import live
from api.docker.params import LogOptions
from api.docker.streaming import ClosingResponse
from api.docker.versions import version_of
from api.errors import InterruptedStreamError
from api.questions import services_of
from api.services import Services
from api.streams import Streams
from storage.query import Query
from storage.store import StoreUnavailable

RAW = "application/vnd.docker.raw-stream"
CHUNK = 2_000  # events framed at once, some 2 ms: nobody waits longer for his turn
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"


@dataclass(frozen=True)
class Reading:
    """Whose lines are read. `lanes`: what --tail counts for itself, each with its query.

    `may_go_on`: whether there is somebody to wait for, when lines are followed.
    """

    query: Query
    lanes: Mapping[object, Query]
    lane: Lane
    details: Details = container_details
    may_go_on: Callable[[], bool] = lambda: True


def one_stream(query: Query, may_go_on: Callable[[], bool]) -> Reading:
    """A container's: --tail counts all its lines together."""
    return Reading(query, {None: query}, lambda _: None, container_details, may_go_on)


async def log_response(request: Request, reading: Reading, options: LogOptions) -> StreamingResponse:
    """The answer. Raises DockerError and StoreUnavailable: nothing is sent before the first page is there."""
    services, streams = services_of(request), request.app.state.streams
    body = _body(services, streams, reading, options)
    first = await anext(body)
    # Whether a container had a terminal is not known, and no matter: its lines are all of one stream
    media = MULTIPLEXED if version_of(request) >= (1, 42) else RAW
    return ClosingResponse(_and_rest(first, body), media_type=media)


async def _and_rest(first: bytes, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A failure from here on is told in the stream, as dockerd does."""
    try:
        yield first
        async for chunk in body:
            yield chunk
    except (StoreUnavailable, InterruptedStreamError) as problem:
        yield system_error(str(problem))
    finally:
        await body.aclose()


async def _body(
    services: Services, streams: Streams, reading: Reading, options: LogOptions
) -> AsyncGenerator[bytes, None]:
    framer = Framer(options, reading.details)
    query = replace(reading.query, since=options.since, until=options.until)
    offset, slices = await _selected(services, reading, query, options.tail)
    async for events, skip in slices:
        for start in range(0, max(1, len(events)), CHUNK):
            yield framer.frames(events[start : start + CHUNK], 0 if start else skip)
            await asyncio.sleep(0)
        if streams.closing:
            raise InterruptedStreamError("the server stops")
    if options.follow:
        async for found in live(services, streams, query, offset, reading.may_go_on):
            yield framer.frames(found)
    yield framer.end()


async def _selected(
    services: Services, reading: Reading, query: Query, tail: int | None
) -> tuple[int, AsyncIterator[Slice]]:
    """The offset up to which stored lines are read, and those lines: at least one slice."""
    if tail and tail <= FIRST_PAGE and len(reading.lanes) == 1:
        offset, events, skip = await tailed(services, query, tail)
        return offset, _one((events, skip))
    offset = await moment(services, query)
    if tail == 0:
        return offset, _one(([], 0))
    begins = await _begins(services, reading, offset, tail)
    return offset, stored(services.store, query, offset, begins, reading.lane)


async def _one(alone: Slice) -> AsyncIterator[Slice]:
    yield alone


async def _begins(
    services: Services, reading: Reading, offset: int, tail: int | None
) -> dict[object, Begin] | None:
    if tail is None:
        return None
    return {key: await newest(services.store, query, offset, tail) for key, query in reading.lanes.items()}
