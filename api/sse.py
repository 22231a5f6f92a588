"""The live tail as server-sent events (HTML Standard, section 9.2).

id: 41                      first of all and without data: a reader that loses the connection before
                            its first line resumes from here

id: 42
event: log
data: {one event as everywhere}

event: dropped              so many lines came faster than this reader took them, here
data: {"dropped": 12}

event: gap                  what followed the resumed id is not kept any more (count may be null)
data: {"missing": 3}

event: end                  `until` has passed
data: {}

: beat                      a comment, when nothing else was sent for 15 s
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from msgspec import structs
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.errors import InterruptedStreamError
from api.questions import Question
from api.render import dumps, event_json
from api.services import Services
from api.streams import Streams
from parsers.event import Event
from storage.query import Query
from storage.tail import Dropped, Follower, Gap, resume

HEARTBEAT = 15.0  # seconds: proxies commonly close what is silent for 60
READY_PAUSE = 0.2  # seconds between looks at whether the replay is done
LATE_SECONDS = 1.0  # a line printed just before `until` may take so long to get here
LAST_LOOK = 0.05  # seconds for what the tail holds by then to come over: some turns of the loop
MAX_BATCHES = 4  # taken from the tail before the reader has them; a slow one waits there, not here
BEAT = b": beat\n\n"
END = b"event: end\ndata: {}\n\n"

Item = list[Event] | Dropped | Gap
Ask = Callable[[], Awaitable[Question]]
_Ended = BaseException | None  # how the source ended: by an error or by itself
_Entry = tuple[Item] | _Ended
_Queue = asyncio.Queue[_Entry]

# What several followers are shown is rendered once: (event, message) by offset, about the last so many bytes.
RENDERED_BYTES = 8 << 20
_rendered: dict[int, tuple[Event, bytes]] = {}
_rendered_bytes = 0


class TailResponse(StreamingResponse):
    """A stream of events that calls `on_end` once, however it ends."""

    def __init__(self, body: AsyncGenerator[bytes, None], on_end: Callable[[], None]) -> None:
        headers = {
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }  # the latter: nginx must not collect
        super().__init__(body, media_type="text/event-stream", headers=headers)
        self._body = body
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._body.aclose()
            self._on_end()


def follow(services: Services, streams: Streams, query: Query) -> TailResponse:
    """New events from this moment on."""
    place = services.tail.offset
    follower = services.tail.follow(query)
    body = _stream(_live(follower), b"id: %d\n\n" % place, services, streams, query.until)
    return TailResponse(body, follower.close)


def follow_after(services: Services, streams: Streams, query: Query, again: Ask, offset: int) -> TailResponse:
    """Everything after an offset, stored or new, without gap and double; `again` asks the question anew."""
    source = _resumed(services, query, again, offset)
    body = _stream(source, BEAT, services, streams, query.until)
    return TailResponse(body, lambda: None)


async def _live(follower: Follower) -> AsyncGenerator[Item, None]:
    yield []
    async for item in follower:
        yield item


async def _resumed(services: Services, query: Query, again: Ask, offset: int) -> AsyncGenerator[Item, None]:
    """Before the replay of a start is done, offsets that are still to come would look unknown, and so would
    the container that the start of an id means.
    """
    if services.readiness().is_replaying:
        while services.readiness().is_replaying:  # noqa: ASYNC110 - readiness is asked, nobody announces it
            await asyncio.sleep(READY_PAUSE)
        query = structs.replace(query, containers=(await again()).query.containers)
    async with contextlib.aclosing(resume(services.tail, services.store, query, offset)) as items:
        async for item in items:
            yield item


async def _stream(
    source: AsyncGenerator[Item, None], first: bytes, services: Services, streams: Streams, until: int | None
) -> AsyncGenerator[bytes, None]:
    """The bytes of `source` until it ends, the server stops or `until` passes.

    `until` is about lines: those before it are shown however late, so it ends nothing before the empty list
    with which a source says that it has shown what was stored.
    """
    queue: _Queue = asyncio.Queue(MAX_BATCHES)
    is_live = False
    pump = asyncio.create_task(_pump(source, queue))
    closed = asyncio.create_task(streams.closed())
    closed.add_done_callback(lambda _: _wake(queue))
    try:
        yield first
        while True:
            seconds = _left(services, until) if is_live else HEARTBEAT
            entries = await _entries(queue, seconds or LAST_LOOK)
            if not entries and not seconds:
                yield END
                return
            is_live = is_live or ([],) in entries
            if shown := b"".join([_message(entry[0]) for entry in entries if isinstance(entry, tuple)]):
                yield shown
            elif not entries:
                yield BEAT
            if entries and not isinstance(entries[-1], tuple):
                _raise(entries[-1])
                return
            if closed.done():
                return
    finally:
        for task in (pump, closed):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump


def _left(services: Services, until: int | None) -> float:
    """Seconds to the next heartbeat or the end; 0: it is over."""
    if until is None:
        return HEARTBEAT
    return max(0.0, min(HEARTBEAT, (until - services.clock()) / 1e9 + LATE_SECONDS))


async def _pump(source: AsyncGenerator[Item, None], queue: _Queue) -> None:
    """Moves items into the queue, then how it ended. Waiting for items and for time must not mix."""
    try:
        async with contextlib.aclosing(source):
            async for item in source:
                await queue.put((item,))
        await queue.put(None)
    except Exception as error:
        await queue.put(error)


def _wake(queue: _Queue) -> None:
    """Whoever waits for the queue finds its end; whoever does not will look by itself."""
    if queue.empty():
        queue.put_nowait(None)


async def _entries(queue: _Queue, seconds: float) -> list[_Entry]:
    """What is there; empty when nothing came in time."""
    entries: list[_Entry] = []
    if queue.empty():
        try:
            async with asyncio.timeout(seconds):
                entries.append(await queue.get())
        except TimeoutError:
            return entries
    while not queue.empty():
        entries.append(queue.get_nowait())
    return entries


def _raise(how: _Ended) -> None:
    if how is not None:
        raise InterruptedStreamError(str(how)) from how


def _message(item: Item) -> bytes:
    if isinstance(item, list):
        return b"".join([_log(event) for event in item])
    if isinstance(item, Dropped):
        return b"event: dropped\ndata: %s\n\n" % dumps({"dropped": item.count})
    return b"event: gap\ndata: %s\n\n" % dumps({"missing": item.count})


def _log(event: Event) -> bytes:
    """The message of one line; `is`, because an offset is one of one journal only."""
    global _rendered_bytes
    known = _rendered.get(event.offset)
    if known is not None and known[0] is event:
        return known[1]
    if _rendered_bytes > RENDERED_BYTES:
        _rendered.clear()
        _rendered_bytes = 0
    message = b"id: %d\nevent: log\ndata: %s\n\n" % (event.offset, event_json(event))
    _rendered[event.offset] = (event, message)
    _rendered_bytes += len(message)
    return message
