"""Following, over a real socket: without gap and double, and its ends."""

import asyncio
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from api.docker import live as live_module
from api.docker.live import following, live, rest
from api.streams import Streams
from parsers.event import Event
from storage.query import ContainerRef, Query
from storage.tail import Tail
from tests.api.conftest import DB, NOW, WEB, WEB_ID, House, Running, not_ready
from tests.api.docker.test_framing import demultiplexed
from tests.ingest.bench import closing, saying

QUERY = Query(containers=(ContainerRef(id=WEB_ID),))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live_module, "READY_PAUSE", 0.01)


def connected(house: House) -> None:
    house.presence.spoke(saying(1), WEB.container)
    house.presence.apply()


class Reader(threading.Thread):
    """Reads `docker logs -f` until it ends."""

    def __init__(self, running: Running, **params: str) -> None:
        super().__init__(daemon=True)
        self.data, self.ended = b"", False
        self.url = f"{running.url}/containers/shop-web-1/logs"
        self.params = {"stdout": "1", "stderr": "1", "follow": "1", **params}

    def run(self) -> None:
        with httpx.stream("GET", self.url, params=self.params, timeout=20, trust_env=False) as answer:
            for data in answer.iter_raw():
                self.data += data
        self.ended = True

    def wait_for(self, *lines: str) -> None:
        wanted, end = [f"{line}\n" for line in lines], time.monotonic() + 10
        while self.lines() != wanted:
            assert time.monotonic() < end, (self.lines(), wanted)
            time.sleep(0.005)

    def lines(self) -> list[str]:
        return [payload.decode() for _, payload in demultiplexed(self.data)]


@pytest.fixture
def alive(house: House, running: Running) -> Iterator[Running]:
    connected(house)
    yield running


def test_stored_then_live_then_the_end(house: House, alive: Running) -> None:
    alive.add(WEB, "a", "b")
    reader = Reader(alive)
    reader.start()
    reader.wait_for("a", "b")
    alive.add(DB, "of another")
    alive.add(WEB, "c")
    reader.wait_for("a", "b", "c")
    alive.add(WEB, "d")
    alive.call(lambda: (house.presence.mark(closing(1)), house.presence.apply()))
    reader.join(10)
    assert reader.ended
    assert reader.lines() == ["a\n", "b\n", "c\n", "d\n"]


def test_tail_0_shows_only_what_comes(alive: Running) -> None:
    alive.add(WEB, "a")
    reader = Reader(alive, tail="0")
    reader.start()
    end = time.monotonic() + 10
    while not alive.house.tail.followed:
        assert time.monotonic() < end
        time.sleep(0.005)
    alive.add(WEB, "b")
    reader.wait_for("b")
    alive.stop()
    reader.join(10)
    assert reader.ended


def test_a_reader_that_goes_away_is_forgotten(alive: Running) -> None:
    alive.add(WEB, "a")
    params = {"stdout": "1", "follow": "1"}
    with httpx.stream(
        "GET", f"{alive.url}/containers/shop-web-1/logs", params=params, trust_env=False
    ) as answer:
        chunks = answer.iter_raw()  # kept: without its reader httpx closes the connection
        next(chunks)
        end = time.monotonic() + 10
        while not alive.house.tail.followed:
            assert time.monotonic() < end
            time.sleep(0.005)
    end = time.monotonic() + 10
    while alive.house.tail.followed:
        assert time.monotonic() < end
        time.sleep(0.005)


async def collect(house: House, query: Query = QUERY, offset: int = -1) -> list[str]:
    found: list[str] = []
    async for events in live(house.services(), Streams(), query, offset, lambda: False):
        found += [event.message for event in events]
    return found


async def test_of_whom_has_ended_all_is_read_from_the_store(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "PAGE", 2)
    await house.add(WEB, *"abcde")
    assert await collect(house) == list("abcde")
    assert await collect(house, offset=2) == ["d", "e"]
    assert [events async for events in rest(house.store, QUERY, 4)] == [[]]


async def test_until_ends_it(house: House) -> None:
    await house.add(WEB, "a")
    query = Query(containers=QUERY.containers, until=NOW - 2 * 10**9)
    found = [events async for events in live(house.services(), Streams(), query, -1, lambda: True)]
    assert found == []


async def test_a_slow_reader_misses_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into the tail's queue is read from the store."""
    follow = Tail.follow

    def narrow(self: Tail, query: Query, _capacity: int = 0) -> object:
        return follow(self, query, 2)

    monkeypatch.setattr(Tail, "follow", narrow)
    source = following(house.services(), QUERY, -1)
    first = asyncio.ensure_future(anext(source))
    await asyncio.sleep(0.01)
    await house.add(WEB, "0")
    assert (await first).message == "0"
    for number in range(1, 9):
        await house.add(WEB, str(number))
    found: list[Event] = [await asyncio.wait_for(anext(source), 5) for _ in range(8)]
    assert [event.message for event in found] == [str(number) for number in range(1, 9)]
    await source.aclose()
    assert not house.tail.followed


async def test_it_waits_for_the_replay(house: House) -> None:
    await house.add(WEB, "a")
    ready = house.readiness
    not_ready(house, "replaying")
    source = following(house.services(), QUERY, -1)
    first = asyncio.ensure_future(anext(source))
    await asyncio.sleep(0.05)
    assert not first.done()
    house.readiness = ready
    assert (await asyncio.wait_for(first, 5)).message == "a"
    await source.aclose()
