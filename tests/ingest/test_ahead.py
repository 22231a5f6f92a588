"""Followers of a pipeline whose store is away: they see every line, once, in order, and at once."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from ingest import ahead as ahead_module
from ingest import pipeline as pipeline_module
from ingest.ahead import Ahead
from ingest.making import Maker
from parsers.event import Event
from parsers.join import Joiner
from parsers.normalize import Normalizer
from storage import tail as tail_module
from storage.query import Query
from storage.store import StoreUnavailable
from storage.tail import Follower, resume
from tests.ingest.bench import Journals, frame, part, put, until
from tests.ingest.handing_on import House

AWAY = 1 << 30


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead_module, "AHEAD_SECONDS", 0.01)
    monkeypatch.setattr(pipeline_module, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(pipeline_module, "GATHER_SECONDS", 0.001)
    monkeypatch.setattr(tail_module, "STORED_SECONDS", 0.05)


@pytest.fixture
async def house(journals: Journals) -> AsyncIterator[House]:
    made = House(journals())
    made.pipeline._ahead = Ahead(made.journal, made.tail, maker(made))
    made.start()
    yield made
    await made.pipeline._ahead.close()
    await made.stop()


def maker(house: House) -> Callable[[], Maker]:
    return lambda: Maker(house.journal, Normalizer("here"), Joiner())


async def taken(follower: Follower, count: int) -> list[Event]:
    events: list[Event] = []
    while len(events) < count:
        some = await asyncio.wait_for(anext(follower), 10)
        assert isinstance(some, list), some
        events += some
    return events


async def test_followers_do_not_wait_for_the_store(house: House) -> None:
    follower = house.tail.follow(Query())
    house.store.problems = AWAY
    for number in range(30):
        put(house.journal, frame(f"line {number}"))
        if number % 7 == 0:
            await asyncio.sleep(0.02)
    shown = await taken(follower, 30)
    assert [event.message for event in shown] == [f"line {n}" for n in range(30)]
    assert house.store.events == []
    house.store.problems = 0
    put(house.journal, frame("after"))
    (after,) = await taken(follower, 1)
    assert after.message == "after", "nothing is shown twice once the store is back"
    await until(lambda: len(house.store.events) == 31)
    assert house.store.events == [*shown, after], "the store gets the very same events"
    assert house.pipeline._ahead is not None
    await until(lambda: house.pipeline._ahead._task is None)  # type: ignore[union-attr]


async def test_pieces_that_were_held_are_joined_for_followers_too(house: House) -> None:
    follower = house.tail.follow(Query())
    put(house.journal, part("a", 1))
    await until(lambda: house.pipeline.checkpoint.held)
    house.store.problems = AWAY
    put(house.journal, frame("between"))
    await taken(follower, 1)
    put(house.journal, part("b", 2, last=True))
    (joined,) = await taken(follower, 1)
    assert joined.message == "ab"
    assert "joined" in joined.flags
    house.store.problems = 0
    await until(lambda: len(house.store.events) == 2)
    assert house.store.events[1] == joined


async def test_who_comes_during_the_outage_sees_what_comes_from_then_on(house: House) -> None:
    house.store.problems = AWAY
    put(house.journal, frame("before"))
    await until(lambda: house.store.problems < AWAY)
    follower = house.tail.follow(Query())
    await asyncio.sleep(0.05)
    put(house.journal, frame("while away"))
    assert [event.message for event in await taken(follower, 2)] == ["before", "while away"]
    house.store.problems = 0
    await until(lambda: len(house.store.events) == 2)


async def test_resuming_waits_for_what_was_shown_and_not_stored(house: House) -> None:
    put(house.journal, frame("stored"))
    await until(lambda: len(house.store.events) == 1)
    place = house.tail.offset
    follower = house.tail.follow(Query())
    house.store.problems = AWAY
    put(house.journal, frame("shown"))
    await taken(follower, 1)
    assert house.tail.offset > house.tail.stored == place
    with pytest.raises(StoreUnavailable, match="behind the live tail"):
        await anext(resume(house.tail, house.store, Query(), place))
    house.store.problems = 0
    await until(lambda: house.tail.stored == house.tail.offset)
    item = await anext(resume(house.tail, house.store, Query(), place))
    assert isinstance(item, list)
    assert [event.message for event in item] == ["shown"]


async def test_nobody_follows_nothing_is_read_twice(house: House) -> None:
    house.store.problems = AWAY
    put(house.journal, frame("line"))
    await asyncio.sleep(0.05)
    assert house.pipeline._ahead is not None
    assert house.pipeline._ahead._task is None
    house.store.problems = 0
