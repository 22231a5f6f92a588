"""Live followers: who gets what, what a slow one is told, and resuming without gap or double."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from parsers.event import Event
from storage import tail as tail_module
from storage.expression import Text
from storage.memory import MemoryStore
from storage.metrics import Metrics
from storage.query import Page, Query
from storage.store import RUN_JUMP
from storage.tail import Dropped, Follower, Gap, Tail, resume
from tests.storage.factories import ORIGIN, after, event, events, origin

API = origin("api", "aa" * 32, service="api")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def tail(metrics: Metrics) -> Tail:
    return Tail(metrics)


async def waiting(follower: Follower) -> list[Any]:
    """All that waits for a follower, which then is closed; lists of events as offsets."""
    follower.close()
    return [[e.offset for e in item] if isinstance(item, list) else item async for item in follower]


# Following


async def test_each_follower_gets_what_matches(tail: Tail) -> None:
    everything = tail.follow(Query())
    api = tail.follow(Query(services=("api",)))
    words = tail.follow(Query(text=Text("line 2"), since=0))
    nobody = tail.follow(Query(services=("x",)))
    tail.publish([event(0), event(1, origin=API), event(2), event(3, origin=API)])
    tail.publish([event(4)])
    assert await waiting(everything) == [[0, 1, 2, 3], [4]]
    assert await waiting(api) == [[1, 3]]
    assert await waiting(words) == [[2]]
    assert await waiting(nobody) == []


async def test_several_origins_keep_the_order_of_offsets(tail: Tail) -> None:
    third = origin("db", "bb" * 32, service="db")
    follower = tail.follow(Query(services=("web", "api")))
    origins = [ORIGIN, third, API, ORIGIN, API]
    tail.publish([event(n, origin=origin) for n, origin in enumerate(origins)])
    assert await waiting(follower) == [[0, 2, 3, 4]]


async def test_limit_order_cursor_and_offset_do_not_count(tail: Tail) -> None:
    follower = tail.follow(Query(limit=1, order="asc", after_offset=10, fingerprint="x"))
    tail.publish(events(0, 3))
    assert await waiting(follower) == [[0, 1, 2]]


async def test_what_was_before_is_not_followed(tail: Tail) -> None:
    tail.publish(events(0, 3))
    follower = tail.follow(Query())
    assert tail.offset == 2
    assert await waiting(follower) == []


async def test_a_follower_waits_for_news(tail: Tail) -> None:
    follower = tail.follow(Query())
    news = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    assert not news.done()
    tail.publish([event(0)])
    assert await news == [event(0)]


async def test_closing_ends_the_iteration_and_is_harmless_twice(tail: Tail, metrics: Metrics) -> None:
    follower, other = tail.follow(Query()), tail.follow(Query())
    assert metrics.registry.get_sample_value("logdock_tail_followers") == 2
    news = asyncio.ensure_future(anext(follower, None))
    await asyncio.sleep(0)
    follower.close()
    follower.close()
    assert await news is None
    assert metrics.registry.get_sample_value("logdock_tail_followers") == 1
    tail.close()
    assert metrics.registry.get_sample_value("logdock_tail_followers") == 0
    assert await waiting(other) == []


# Slow followers


async def test_a_slow_follower_is_told_where_it_missed_how_many(tail: Tail, metrics: Metrics) -> None:
    follower, quick = tail.follow(Query(), capacity=5), tail.follow(Query())
    tail.publish(events(0, 4))
    tail.publish(events(4, 4))
    tail.publish(events(8, 2))
    assert await anext(follower) == events(0, 4)
    tail.publish(events(10, 3))
    assert await waiting(follower) == [[4], Dropped(5), [10, 11, 12]]
    assert sum(map(len, await waiting(quick))) == 13
    assert metrics.registry.get_sample_value("logdock_tail_dropped_total") == 5


async def test_what_was_missed_last_is_told_when_the_queue_is_empty(tail: Tail) -> None:
    follower = tail.follow(Query(), capacity=2)
    tail.publish(events(0, 5))
    assert await waiting(follower) == [[0, 1], Dropped(3)]


async def test_long_lines_fill_the_queue_too(tail: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "MAX_WAITING", 1000)
    follower = tail.follow(Query())
    for number in range(4):
        tail.publish([event(number, "x" * 600)])
    assert await anext(follower) == [event(0, "x" * 600)]
    tail.publish([event(4, "short")])
    assert await waiting(follower) == [[1], Dropped(2), [4]]


# Resuming


class Slow(MemoryStore):
    """A memory store during whose every search something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Any] = []

    async def search(self, query: Query) -> Page:
        page = await super().search(query)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return page


async def emit(tail: Tail, store: MemoryStore, lines: Sequence[Event]) -> None:
    await store.append(lines, after(lines))
    tail.publish(lines)


async def take(stream: AsyncIterator[Any], count: int) -> list[Any]:
    """What comes next, exactly so many: events as offsets, and marks."""
    items: list[Any] = []
    while len(items) < count:
        items += plain(await asyncio.wait_for(anext(stream), 5))
    assert len(items) == count
    return items


def plain(item: Any) -> list[Any]:
    return [event.offset for event in item] if isinstance(item, list) else [item]


async def silent(stream: AsyncIterator[Any]) -> bool:
    following = asyncio.ensure_future(anext(stream))
    for _ in range(20):
        await asyncio.sleep(0)
    return not following.cancel() if following.done() else True


async def test_resuming_gives_what_is_stored_then_what_comes(
    tail: Tail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "PAGE", 3)
    store = MemoryStore()
    await emit(tail, store, events(0, 12))
    stream = resume(tail, store, Query(), 2)
    assert await take(stream, 9) == list(range(3, 12))
    following = asyncio.ensure_future(take(stream, 2))
    await asyncio.sleep(0)
    await emit(tail, store, events(12, 2))
    assert await following == [12, 13]


async def test_filters_apply_to_both_parts(tail: Tail) -> None:
    store = MemoryStore()
    await emit(tail, store, [event(n, origin=[ORIGIN, API][n % 2]) for n in range(6)])
    stream = resume(tail, store, Query(services=("api",)), -1)
    assert await take(stream, 3) == [1, 3, 5]
    following = asyncio.ensure_future(take(stream, 1))
    await asyncio.sleep(0)
    await emit(tail, store, [event(6), event(7, origin=API)])
    assert await following == [7]


async def test_what_comes_while_the_store_is_read_comes_once(
    tail: Tail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "PAGE", 2)
    store = Slow()
    await emit(tail, store, events(0, 5))
    for first in (5, 8, 11, 14, 17):
        store.meanwhile.append(lambda first=first: emit(tail, store, events(first, 3)))
    stream = resume(tail, store, Query(), -1)
    assert await take(stream, 20) == list(range(20))
    assert await silent(stream)


async def test_overflow_while_the_store_is_read_is_read_from_the_store(
    tail: Tail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "CAPACITY", 2)
    monkeypatch.setattr(Tail.follow, "__defaults__", (2,))
    store = Slow()
    await emit(tail, store, events(0, 3))
    store.meanwhile += [lambda: emit(tail, store, events(3, 5)), lambda: emit(tail, store, events(8, 9))]
    stream = resume(tail, store, Query(), -1)
    assert await take(stream, 17) == list(range(17))


async def test_once_live_an_overflow_is_told(tail: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tail.follow, "__defaults__", (2,))
    store = MemoryStore()
    await emit(tail, store, events(0, 1))
    stream = resume(tail, store, Query(), -1)
    assert await take(stream, 1) == [0]
    following = asyncio.ensure_future(take(stream, 3))
    for _ in range(5):
        await asyncio.sleep(0)
    await emit(tail, store, events(1, 6))
    assert await following == [1, 2, Dropped(4)]


async def test_pruned_lines_are_a_gap(tail: Tail) -> None:
    store = MemoryStore(max_events=3)
    await emit(tail, store, events(0, 10))
    assert await take(resume(tail, store, Query(), 4), 4) == [Gap(2), 7, 8, 9]
    assert await take(resume(tail, store, Query(), 6), 3) == [7, 8, 9]


async def test_the_jump_of_a_restart_is_no_gap(tail: Tail) -> None:
    store = MemoryStore()
    await emit(tail, store, events(0, 3))
    await emit(tail, store, events(3 + RUN_JUMP, 2))
    assert await take(resume(tail, store, Query(), 2), 2) == [3 + RUN_JUMP, 4 + RUN_JUMP]


async def test_everything_pruned_is_a_gap(tail: Tail) -> None:
    await emit(tail, MemoryStore(), events(0, 10))
    stream = resume(tail, MemoryStore(), Query(), 4)
    assert await take(stream, 1) == [Gap(5)]


async def test_resuming_at_the_newest_is_no_gap(tail: Tail) -> None:
    store = MemoryStore()
    await emit(tail, store, events(0, 3))
    assert await silent(resume(tail, store, Query(), 2))


async def test_an_offset_of_another_journal_is_a_gap_and_then_live(tail: Tail) -> None:
    store = MemoryStore()
    await emit(tail, store, events(0, 3))
    stream = resume(tail, store, Query(), 500)
    assert await take(stream, 1) == [Gap(None)]
    following = asyncio.ensure_future(take(stream, 2))
    for _ in range(5):
        await asyncio.sleep(0)
    await emit(tail, store, events(3, 2))
    assert await following == [3, 4]


async def test_after_a_start_the_checkpoint_says_where_offsets_are(tail: Tail) -> None:
    store = MemoryStore()
    await store.append(events(0, 3), after(events(0, 3)))
    tail.begin(2)
    assert tail.offset == 2
    assert await take(resume(tail, store, Query(), 0), 2) == [1, 2]


async def test_ending_the_iteration_ends_the_following(tail: Tail, metrics: Metrics) -> None:
    store = MemoryStore()
    await emit(tail, store, events(0, 3))
    stream = resume(tail, store, Query(), -1)
    await take(stream, 3)
    await stream.aclose()
    assert metrics.registry.get_sample_value("logdock_tail_followers") == 0


async def test_followers_of_one_question_are_given_the_same_lists(tail: Tail) -> None:
    """So that what is rendered for one need not be rendered for the others."""
    store = MemoryStore()
    await emit(tail, store, events(0, 3))
    streams = [resume(tail, store, Query(), 2) for _ in range(2)]
    assert [await anext(stream) for stream in streams] == [[], []]
    following = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.sleep(0)
    await emit(tail, store, events(3, 2))
    one, other = await asyncio.gather(*following)
    assert one is other
    assert [event.offset for event in one] == [3, 4]


@pytest.mark.parametrize("seed", range(20))
async def test_any_interleaving_has_no_gap_and_no_double(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, tail, store = random.Random(seed), Tail(Metrics()), Slow()
    monkeypatch.setattr(tail_module, "PAGE", chance.randint(1, 4))
    monkeypatch.setattr(Tail.follow, "__defaults__", (chance.randint(1, 6),))
    await emit(tail, store, events(0, 10))
    emitted = 10
    for _ in range(12):
        count = chance.randint(1, 5)
        store.meanwhile.append(lambda first=emitted, count=count: emit(tail, store, events(first, count)))
        emitted += count
    start = chance.randint(-1, 9)
    got: list[Any] = []
    async for item in resume(tail, store, Query(), start):
        got += range(got[-1] + 1, got[-1] + 1 + item.count) if isinstance(item, Dropped) else plain(item)
        if got[-1] >= emitted - 1 - 5 * len(store.meanwhile):
            break
    assert got == list(range(start + 1, start + 1 + len(got)))
    assert len(got) > 0
