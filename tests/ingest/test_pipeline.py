"""From the journal to the store: the same events again from any checkpoint, and nothing lost on the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgpack
import pytest

from ingest import journal as journal_module
from ingest import making as making_module
from ingest import pipeline as pipeline_module
from ingest.entries import Kind
from ingest.journal import Journal
from parsers.event import Event
from parsers.normalize import Normalizer
from storage.query import Query
from storage.store import StoreUnavailable
from tests.ingest.bench import (
    Journals,
    counted,
    entries,
    frame,
    part,
    put,
    until,
)
from tests.ingest.handing_on import House


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(pipeline_module, "FLUSH_RETRY_SECONDS", 0.005)
    monkeypatch.setattr(pipeline_module, "GATHER_SECONDS", 0.001)
    monkeypatch.setattr(pipeline_module, "TICK_NS", 10_000_000)
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.005)


@pytest.fixture
async def house(journals: Journals) -> AsyncIterator[House]:
    made = House(journals())
    yield made
    if made.task is not None:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


# -- living --------------------------------------------------------------------------------------------


async def test_lines_reach_store_and_followers_at_once(house: House) -> None:
    follower = house.tail.follow(Query())
    house.start()
    for number in range(3):
        put(house.journal, frame(f"line {number}"))
        (event,) = await asyncio.wait_for(anext(follower), 10)  # type: ignore[misc]
        assert event.message == f"line {number}"
        assert house.store.messages[-1] == f"line {number}"
    assert (house.pipeline.lag_bytes, house.pipeline.lag_seconds) == (0, 0.0)
    await house.stop()


async def test_a_mistake_of_the_store_does_not_end_the_pipeline(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, calls = house.store.append, 0

    async def broken_once(*args: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ZeroDivisionError("by zero")
        assert house.pipeline.problem == "ZeroDivisionError: by zero"
        await real(*args)

    monkeypatch.setattr(house.store, "append", broken_once)
    house.start()
    put(house.journal, frame("line"))
    await until(lambda: house.store.messages == ["line"])
    assert "store failed, will try again" in caplog.text
    await until(lambda: house.pipeline.problem is None)
    await house.stop()


async def test_a_store_that_is_away_loses_nothing(house: House) -> None:
    house.store.problems = 5
    house.start()
    put(house.journal, *(frame(f"line {number}") for number in range(10)))
    await until(lambda: len(house.store.messages) == 10)
    assert house.store.messages == [f"line {number}" for number in range(10)]
    assert house.store.problems == 0
    await house.stop()


async def test_stop_hands_on_what_is_there(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making_module, "READ_BYTES", 500)
    put(house.journal, *(frame(f"line {number}") for number in range(100)))
    house.start()
    await house.stop()
    assert len(house.store.messages) == 100


async def test_an_idle_journal_says_the_time(house: House) -> None:
    """A line that misses its last piece must not wait for somebody else's line."""
    house.joiner._timeout = 50_000_000
    house.start()
    put(house.journal, part("without an end", 1))
    await until(lambda: house.store.messages == ["without an end"])
    assert any(entry.kind is Kind.TICK for entry in entries(house.journal))
    position = house.journal.position
    await asyncio.sleep(0.05)
    assert house.journal.position == position  # nothing is held, so nothing is said
    await house.stop()


async def test_what_is_not_decoded_does_not_stop_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(house.journal, frame("before"), frame("one") + frame("odd") + frame("two"), frame("after"))
    real = Normalizer.forward

    def forward(self: Normalizer, records: Any, *rest: Any) -> Any:
        for item in real(self, records, *rest):
            if isinstance(item, Event) and item.message == "odd":
                raise ZeroDivisionError
            yield item

    monkeypatch.setattr(Normalizer, "forward", forward)
    await house.read_all()
    assert house.store.messages == ["before", "one", "after"]
    assert counted(house.journal.metrics.dropped, "undecodable") == 1
    (aside,) = house.journal.folder.glob("*.undecodable")
    assert aside.read_bytes() == frame("one") + frame("odd") + frame("two")
    again = House(house.journal, house.store.appends[-1][1])
    assert await again.read_all() == []


async def test_records_that_are_none_are_marked_or_counted(house: House) -> None:
    raw = b"\x93\xa3tag\x01" + b"\x81\xa1a" + b"\x91" * 900 + b"\xc0"
    signal = msgpack.packb(["tag", [[1, {"a": 1}]], {"fluent_signal": 1}])
    put(house.journal, raw, signal, frame("fine"))
    await house.read_all()
    assert house.store.messages[-1] == "fine"
    assert len(house.store.messages) == 2
    assert counted(house.journal.metrics.dropped, "signal") == 1


async def test_flags_are_counted(house: House) -> None:
    put(house.journal, part("a", 1), part("b", 2, last=True))
    await house.read_all()
    assert counted(house.journal.metrics.marked, "joined") == 1
    assert counted(house.journal.metrics.events) == 1


# -- forgetting ----------------------------------------------------------------------------------------


def fill(journal: Journal, size: int) -> None:
    put(journal, *(frame("x" * 1000) for _ in range(size // 1000)))


async def test_only_what_is_durable_is_forgotten(journals: Journals) -> None:
    house = House(journals(limit=1 << 20))
    first = house.journal.segments[0]
    fill(house.journal, 300_000)
    await house.read_all()
    assert house.journal.segments[0] is first
    assert house.store.flushes == 0  # there is no hurry
    house.store.durable = house.pipeline.checkpoint
    await house.pipeline._let_go()
    assert house.journal.segments[0] is not first


async def test_a_held_piece_keeps_its_segment(journals: Journals) -> None:
    house = House(journals(limit=1 << 20))
    put(house.journal, part("held", 1))
    first = house.journal.segments[0]
    fill(house.journal, 300_000)
    await house.read_all()
    house.store.durable = house.pipeline.checkpoint
    await house.pipeline._let_go()
    assert house.journal.segments[0] is first


async def test_a_journal_half_full_makes_the_store_durable(journals: Journals) -> None:
    house = House(journals(limit=1 << 20))
    house.start()
    for _ in range(5):
        fill(house.journal, 200_000)
        await until(lambda: house.pipeline.caught_up)
    assert house.journal.blocked is None
    await until(lambda: house.journal.size < 600_000)
    assert 0 < house.store.flushes <= 5
    await house.stop()


async def test_sealing_that_frees_nothing_is_not_repeated(journals: Journals) -> None:
    """A held piece pins the journal: every step would make a small file and win nothing."""
    house = House(journals(limit=1 << 20))
    put(house.journal, part("held", 1))
    for _ in range(7):
        fill(house.journal, 100_000)
    await house.read_all()
    assert house.journal.under_pressure
    assert house.store.flushes == 0


async def test_a_full_journal_goes_on_when_the_store_is_durable_at_last(journals: Journals) -> None:
    """Nothing new can be written, so nothing but the clock can wake the pipeline."""
    house = House(journals(limit=1 << 20))
    flushing: Callable[[], Any] = house.store.flush

    async def away() -> None:
        raise StoreUnavailable("away")

    house.store.flush = away  # type: ignore[method-assign]
    house.start()
    for _ in range(12):
        fill(house.journal, 100_000)
    assert house.journal.blocked
    await until(lambda: house.pipeline.caught_up)
    await asyncio.sleep(0.03)
    assert house.journal.blocked
    house.store.flush = flushing  # type: ignore[method-assign]
    await until(lambda: house.journal.blocked is None)
    await until(lambda: len(house.store.messages) == 1200)
    await house.stop()


async def test_a_store_that_cannot_seal_is_left_alone_for_a_while(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk every attempt writes a whole file for nothing."""
    monkeypatch.setattr(pipeline_module, "FLUSH_RETRY_SECONDS", 60)
    house = House(journals(limit=1 << 20))
    attempts = 0

    async def full() -> None:
        nonlocal attempts
        attempts += 1
        raise StoreUnavailable("no space left")

    house.store.flush = full  # type: ignore[method-assign]
    house.start()
    for _ in range(12):
        fill(house.journal, 100_000)
    await until(lambda: house.pipeline.caught_up and attempts > 0)
    await asyncio.sleep(0.05)  # five ticks
    assert attempts == 1
    await house.stop()


async def test_a_held_piece_does_not_block_a_full_journal_for_ever(journals: Journals) -> None:
    house = House(journals(limit=1 << 20))
    house.joiner._timeout = 100_000_000
    house.start()
    put(house.journal, part("held", 1))
    for _ in range(12):
        fill(house.journal, 100_000)
    assert house.journal.blocked
    await until(lambda: house.journal.blocked is None)
    await until(lambda: len(house.store.messages) == 1201)
    await house.stop()
