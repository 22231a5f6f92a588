"""What follows the stored lines of `docker logs -f`: batches of events, until the server stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from msgspec.structs import replace

from api.docker.lines import PAGE
from api.services import Services
from api.streams import Streams
from parsers.event import Event
from storage.query import Query
from storage.store import Store
from storage.tail import Dropped, resume

READY_PAUSE = 0.2  # seconds between looks at whether the replay of a start is done
MAX_WAITING = 500  # events taken from the tail before the reader has them; a slow one waits there, not here
LOOK_SECONDS = 0.5  # between looks at whether somebody is left to speak
LATE_SECONDS = 1.0  # a line printed just before `until` may take so long to get here

_Queue = asyncio.Queue[Event]


async def live(
    services: Services, streams: Streams, query: Query, offset: int, may_go_on: Callable[[], bool]
) -> AsyncIterator[list[Event]]:
    """Events after an offset as they come, until the server stops, `until` has passed, or nobody is left
    to speak. Raises StoreUnavailable.
    """
    queue: _Queue = asyncio.Queue(MAX_WAITING)
    pump = asyncio.create_task(_pump(following(services, query, offset), queue))
    closed = asyncio.create_task(streams.closed())
    try:
        while not closed.done() and (seconds := _left(services, query.until)) > 0 and may_go_on():
            if found := await _batch(queue, {pump, closed}, min(seconds, LOOK_SECONDS)):
                offset = found[-1].offset
                yield found
            elif pump.done():
                pump.result()  # raises what ended it
                return
    finally:
        for task in (pump, closed):
            task.cancel()
        await asyncio.gather(pump, closed, return_exceptions=True)
    if not streams.closing and not may_go_on():
        async for found in rest(services.store, query, offset):
            yield found


async def rest(store: Store, query: Query, offset: int) -> AsyncIterator[list[Event]]:
    """What is stored after an offset: of whom has ended, all (ingest/presence.py)."""
    query = replace(query, order="arrival", after_offset=offset, limit=PAGE)
    while True:
        page = await store.search(query)
        yield page.events
        if page.next is None:
            return
        query = replace(query, cursor=page.next)


async def following(services: Services, query: Query, offset: int) -> AsyncGenerator[Event, None]:
    """Events after an offset, without end. Raises StoreUnavailable.

    What a slow reader could not be given live is read from the store instead.
    """
    while services.readiness().is_replaying:  # noqa: ASYNC110 - readiness is asked, nobody announces it
        await asyncio.sleep(READY_PAUSE)
    while True:
        async with contextlib.aclosing(resume(services.tail, services.store, query, offset)) as items:
            async for item in items:
                if isinstance(item, Dropped):
                    break
                if isinstance(item, list):
                    for event in item:
                        offset = event.offset
                        yield event


def _left(services: Services, until: int | None) -> float:
    """Seconds until nothing can come any more; a long time when there is no end."""
    return 3600.0 if until is None else (until - services.clock()) / 1e9 + LATE_SECONDS


async def _pump(source: AsyncGenerator[Event, None], queue: _Queue) -> None:
    """Waiting for events and waiting for time must not mix: cancelling would end the source."""
    async with contextlib.aclosing(source):
        async for event in source:
            await queue.put(event)


async def _batch(queue: _Queue, ends: set[asyncio.Task[None]], seconds: float) -> list[Event]:
    """What is there; empty when nothing came before the time was over or something ended."""
    if queue.empty():
        first = asyncio.ensure_future(queue.get())
        await asyncio.wait({first, *ends}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()  # does nothing to what is done
        if not first.done() or first.cancelled():
            return []
        found = [first.result()]
    else:
        found = []
    while not queue.empty():
        found.append(queue.get_nowait())
    return found
