"""How the size and the number of bodies follow what the server says."""

import asyncio

import pytest

from storage.elastic.pace import (
    FLOOR_BYTES,
    GOOD_SECONDS,
    REFUSED_SECONDS,
    SLOW_FLOOR_BYTES,
    SLOW_SECONDS,
    START_BYTES,
    STEP_BYTES,
    STREAK,
    Pace,
    rest,
)
from storage.elastic.queue import BODY_BYTES


def answered(pace: Pace, times: int, seconds: float = 0.1, now: float = 0.0) -> None:
    """Full bodies, one after the other."""
    for _ in range(times):
        pace.answered(pace.body_bytes, seconds, now)


def test_it_grows_to_its_ceiling_while_full_bodies_are_answered_soon() -> None:
    pace = Pace(3)
    answered(pace, 1)
    assert pace.body_bytes == START_BYTES + STEP_BYTES
    answered(pace, 100)
    assert pace.body_bytes == BODY_BYTES


def test_small_bodies_say_nothing_about_large_ones() -> None:
    pace = Pace(3)
    for _ in range(100):
        pace.answered(1000, 0.01, 0.0)
    assert pace.body_bytes == START_BYTES


def test_it_stays_while_answers_are_neither_soon_nor_late() -> None:
    pace = Pace(3)
    answered(pace, 10, (GOOD_SECONDS + SLOW_SECONDS) / 2)
    assert pace.body_bytes == START_BYTES


def test_late_answers_halve_it_but_not_for_ever() -> None:
    pace = Pace(3)
    size = pace.body_bytes
    for _ in range(3):  # three bodies that were on their way together
        pace.answered(size, SLOW_SECONDS + 1, 0.0)
    assert pace.body_bytes == START_BYTES // 2
    answered(pace, 20, SLOW_SECONDS + 1)
    assert pace.body_bytes == SLOW_FLOOR_BYTES
    pace.unanswered(pace.body_bytes)
    assert pace.body_bytes == SLOW_FLOOR_BYTES
    answered(pace, 100)
    assert pace.body_bytes == BODY_BYTES


def test_too_many_means_half_and_one_at_a_time_until_answers_are_good_again() -> None:
    pace = Pace(3)
    pace.too_many(pace.body_bytes)
    assert (pace.body_bytes, pace.allowed) == (START_BYTES // 2, 1)
    answered(pace, STREAK)
    assert pace.allowed == 2
    answered(pace, STREAK - 1)
    pace.answered(1, SLOW_SECONDS, 0.0)  # the streak begins again
    answered(pace, STREAK - 1)
    assert pace.allowed == 2
    answered(pace, 10 * STREAK)
    assert pace.allowed == 3


def test_a_size_that_was_refused_is_not_sent_again_for_a_while_and_then_is() -> None:
    pace = Pace(3)
    pace.too_large(1 << 20, now=100.0)
    assert pace.body_bytes == 1 << 19
    answered(pace, 50, now=101.0)
    assert (1 << 19) < pace.body_bytes < 1 << 20
    answered(pace, 50, now=100.0 + REFUSED_SECONDS)
    assert pace.body_bytes == BODY_BYTES


def test_it_never_goes_below_its_floor() -> None:
    pace = Pace(3)
    for _ in range(20):
        pace.too_large(pace.body_bytes, 0.0)
        pace.too_many(pace.body_bytes)
    assert pace.body_bytes == FLOOR_BYTES
    pace.too_large(10, 0.0)
    answered(pace, 1, now=1.0)
    assert pace.body_bytes == FLOOR_BYTES
    pace.answered(pace.body_bytes, SLOW_SECONDS + 1, 0.0)
    assert pace.body_bytes == FLOOR_BYTES


async def test_no_more_are_on_their_way_than_allowed() -> None:
    pace, most = Pace(2), 0

    async def fly() -> None:
        nonlocal most
        async with pace.turn():
            most = max(most, pace.flying)
            await asyncio.sleep(0)

    await asyncio.gather(*(fly() for _ in range(10)))
    assert (most, pace.flying) == (2, 0)
    pace.too_many(1)
    most = 0
    await asyncio.gather(*(fly() for _ in range(10)))
    assert (most, pace.flying) == (1, 0)


async def test_a_cancelled_turn_is_given_back() -> None:
    pace = Pace(1)

    async def fly() -> None:
        async with pace.turn():
            await asyncio.sleep(60)

    flying, waiting = asyncio.create_task(fly()), asyncio.create_task(fly())
    await asyncio.sleep(0.01)
    waiting.cancel()
    flying.cancel()
    await asyncio.gather(flying, waiting, return_exceptions=True)
    async with asyncio.timeout(5), pace.turn():
        assert pace.flying == 1


async def test_a_rest_ends_early_when_it_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = asyncio.Event()
    resting = asyncio.create_task(rest(woken, 0.0, 3600.0))
    await asyncio.sleep(0.01)
    assert not resting.done()
    woken.set()
    await asyncio.wait_for(resting, 5)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await rest(woken, 0.5, 10.0)  # never less than the least
    await rest(woken, 0.5, 0.1)
    assert slept == [0.5, 0.1]
