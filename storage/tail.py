"""Live followers: what was just stored, to whoever asked for it; a slow one is told what it missed.

Everything here runs on the event loop. `publish` never waits: each follower has a bounded queue, and what
does not fit is counted and told in its place. Followers with the same question share one filtering.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence

import msgspec

from parsers.event import Event
from storage.metrics import Metrics
from storage.query import Query, matches_origin, matching
from storage.store import RUN_JUMP, Store, StoreUnavailable

CAPACITY = 10_000  # events waiting for one follower: seconds of a busy server, shared with other followers
MAX_WAITING = 8 * 2**20  # characters of message waiting for one follower; passed by at most one batch
STORED_SECONDS = 2.0  # a resuming follower waits so long for the store to have what was shown already
LOOK_SECONDS = 0.05  # between two looks meanwhile
PAGE = 1_000  # events read from the store at once by a resuming follower


class Dropped(msgspec.Struct, frozen=True):
    """So many matching events did not fit into the follower's queue, here."""

    count: int


class Gap(msgspec.Struct, frozen=True):
    """The place to resume from is not kept any more (retention), or is another journal's.

    `count`: emitted since that place and no longer there, matching or not; None when nobody can tell.
    """

    count: int | None


class Follower:
    """One live question: iterate over lists of events and Dropped marks. Only one task may iterate."""

    def __init__(self, tail: Tail, question: Query, capacity: int) -> None:
        self._tail, self._question, self._capacity = tail, question, capacity
        self._queue: deque[tuple[list[Event] | Dropped, int]] = deque()  # with the size of each
        self._events = self._size = self._missed = 0
        self._awake, self._closed = asyncio.Event(), False

    @property
    def question(self) -> Query:
        """The filters, and nothing else, of the query that is followed."""
        return self._question

    @property
    def missed(self) -> bool:
        """Whether anything that waits here has a hole in it."""
        return self._missed > 0 or any(isinstance(item, Dropped) for item, _ in self._queue)

    def offer(self, events: list[Event], size: int) -> int:
        """Queue what fits; returns how many did not. `size` is their characters together.

        The list is kept, and shared with others: nobody may change it.
        """
        room = self._capacity - self._events if self._size < MAX_WAITING else 0
        taken = events if len(events) <= room else events[:room]
        if taken:
            self._tell_missed()
            self._queue.append((taken, size))
            self._events, self._size = self._events + len(taken), self._size + size
        self._missed += len(events) - len(taken)
        self._awake.set()
        return len(events) - len(taken)

    def clear(self) -> None:
        """Forget what waits, untold: for a reader that gets it from the store instead."""
        self._queue.clear()
        self._events = self._size = self._missed = 0

    def close(self) -> None:
        """Follow no more: the iteration ends after what waits. May be called again."""
        if not self._closed:
            self._closed = True
            self._tail.forget(self)
            self._awake.set()

    def __aiter__(self) -> Follower:
        return self

    async def __anext__(self) -> list[Event] | Dropped:
        while True:
            if not self._queue:
                self._tell_missed()
            if self._queue:
                return self._next()
            if self._closed:
                raise StopAsyncIteration
            self._awake.clear()
            await self._awake.wait()

    def _next(self) -> list[Event] | Dropped:
        item, size = self._queue.popleft()
        self._size -= size
        if isinstance(item, list):
            self._events -= len(item)
        return item

    def _tell_missed(self) -> None:
        if self._missed:
            self._queue.append((Dropped(self._missed), 0))
            self._missed = 0


class Tail:
    """Hands stored events to followers.

    `offset` is the highest published so far, `stored` the highest that the store has taken; -1 before any.
    They differ while the store is away. After a start, `begin` sets them.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._followers: dict[Query, list[Follower]] = {}
        self.offset = self.stored = -1

    @property
    def followed(self) -> bool:
        """Whether anybody follows."""
        return bool(self._followers)

    @property
    def count(self) -> int:
        """How many follow."""
        return sum(map(len, self._followers.values()))

    def begin(self, offset: int) -> None:
        """The highest offset that was published before this process: the start's checkpoint.offset - 1."""
        self.offset = self.stored = max(self.offset, offset)

    def publish(self, events: Sequence[Event], *, stored: bool = True) -> None:
        """Called with new events in the order of offsets, mostly once the store has taken them. Never waits.

        Those that were shown before are left out.
        """
        if events and stored:
            self.stored = max(self.stored, events[-1].offset)
        if events and events[0].offset <= self.offset:
            events = [event for event in events if event.offset > self.offset]
        if not events:
            return
        self.offset = max(self.offset, events[-1].offset)
        if not self._followers:
            return
        by_origin = _by_origin(events)
        for question, followers in list(self._followers.items()):
            found = _matching(question, events, by_origin)
            if found:
                size = sum([len(event.message) for event in found])
                missed = sum([follower.offer(found, size) for follower in followers])
                if missed:
                    self._metrics.tail_dropped.inc(missed)

    def follow(self, query: Query, capacity: int = CAPACITY) -> Follower:
        """From now on: matching events as they are published. Limit, order and cursor do not count."""
        follower = Follower(self, _question(query), capacity)
        self._followers.setdefault(follower.question, []).append(follower)
        self._metrics.followers.inc()
        return follower

    def forget(self, follower: Follower) -> None:
        """What Follower.close calls."""
        followers = self._followers[follower.question]
        followers.remove(follower)
        if not followers:
            del self._followers[follower.question]
        self._metrics.followers.dec()

    def close(self) -> None:
        """End every follower."""
        for followers in list(self._followers.values()):
            for follower in list(followers):
                follower.close()


async def resume(
    tail: Tail, store: Store, query: Query, after_offset: int
) -> AsyncGenerator[list[Event] | Dropped | Gap, None]:
    """Matching events after an offset, in the order of offsets: first stored ones, then live, without end.

    Events come as they are found, a page or a published batch together; a list may be another follower's too.
    An empty list stands between the two: what was stored is shown, the rest comes as it is published.

    No gap and no double: it follows before it reads the store, and reads on from the store as long as the
    queue overflows meanwhile. A Gap comes first when the offset's successors are gone, or when the offset is
    above all there are (another journal's): then only new events follow. Ask after the replay of a start:
    before, offsets that will come again look like another journal's. Raises StoreUnavailable.
    """
    follower = tail.follow(query)
    try:
        await _all_stored(tail)
        place, gap = await _begin(tail, store, after_offset)
        if gap:
            yield gap
        while True:
            async for events in _stored(store, follower.question, place):
                place = events[-1].offset
                yield events
            if not follower.missed:
                break
            follower.clear()
        yield []
        async for item in follower:
            if isinstance(item, Dropped) or item[0].offset > place:
                yield item
            elif item[-1].offset > place:
                yield [event for event in item if event.offset > place]
    finally:
        follower.close()


async def _all_stored(tail: Tail) -> None:
    """Until the store has all that was published up to now: the rest waits at the follower."""
    mark, end = tail.offset, time.monotonic() + STORED_SECONDS
    while tail.stored < mark:
        if time.monotonic() > end:
            raise StoreUnavailable("the store is behind the live tail: lines in between cannot be read yet")
        await asyncio.sleep(LOOK_SECONDS)


async def _begin(tail: Tail, store: Store, after_offset: int) -> tuple[int, Gap | None]:
    """The offset to go on from, and what is known to be missing before it."""
    newest, after_offset = tail.offset, max(after_offset, -1)
    following = await anext(_stored(store, Query(limit=1), after_offset), None)
    if following is not None:
        return after_offset, _gap(following[0].offset - after_offset - 1)
    if after_offset <= newest:
        return after_offset, _gap(newest - after_offset)
    return newest, Gap(None)


def _gap(offsets: int) -> Gap | None:
    """What is missing among `offsets` that no stored event has: each start of the server jumps over some."""
    missing = offsets % RUN_JUMP
    return Gap(missing) if missing else None


async def _stored(store: Store, query: Query, after_offset: int) -> AsyncIterator[list[Event]]:
    """Stored events after an offset, by offset, up to the newest when it begins; never an empty list."""
    limit = min(query.limit, PAGE)
    query = msgspec.structs.replace(query, order="arrival", after_offset=after_offset, limit=limit)
    while True:
        page = await store.search(query)
        if page.events:
            yield page.events
        if page.next is None:
            return
        query = msgspec.structs.replace(query, cursor=page.next)


def _question(query: Query) -> Query:
    """Only the filters, so that followers of the same lines are one group."""
    return Query(
        containers=query.containers,
        services=query.services,
        hosts=query.hosts,
        streams=query.streams,
        levels=query.levels,
        labels=query.labels,
        tag=query.tag,
        text=query.text,
        since=query.since,
        until=query.until,
        limit=PAGE,
    )


def _by_origin(events: Iterable[Event]) -> list[list[Event]]:
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.origin.key, []).append(event)
    return list(groups.values())


def _matching(question: Query, events: Sequence[Event], by_origin: list[list[Event]]) -> list[Event]:
    """The events for a question; looks only at lines of origins that it lets through."""
    groups = [group for group in by_origin if matches_origin(question, group[0].origin)]
    if len(groups) == len(by_origin):
        return matching(question, events)
    found = [event for group in groups for event in matching(question, group)]
    if len(groups) > 1:
        found.sort(key=lambda event: event.offset)
    return found
