"""When a body is at fault, and when the server is."""

import asyncio
from typing import Any

import pytest

from storage.elastic.client import Busy, Refused, TimedOut, Unreachable
from storage.elastic.parcel import (
    DOUBTFUL_TRIES,
    LARGE_TRIES,
    STRIKES,
    STUCK_SECONDS,
    STUCK_STRIKES,
    Parcel,
    at_fault,
    halves,
    reason_of,
)
from storage.elastic.reply import Unbelievable
from storage.store import StoreUnavailable
from tests.storage.elastic_events import event

GONE = StoreUnavailable("gone")


async def parcel(count: int, **changes: Any) -> Parcel:
    free = asyncio.get_running_loop().create_future()
    return Parcel([event(n) for n in range(count)], "one", True, free, **changes)


async def test_a_server_that_is_away_is_no_fault_of_a_body() -> None:
    made = await parcel(5)
    assert [at_fault(made, GONE, False, 0) for _ in range(100)] == [None] * 100


async def test_a_body_that_fails_while_others_get_through_is_cut() -> None:
    made = await parcel(5)
    assert [at_fault(made, GONE, False, taken) for taken in (1, 2, 3)] == [None, None, "body"]
    halved = await parcel(5, seen=7)
    assert [at_fault(halved, GONE, False, 7) for _ in range(9)] == [None] * 9


async def test_one_event_that_is_too_large_is_so_after_a_few_answers() -> None:
    made, answer = await parcel(1), Refused(413, "too large")
    found = [at_fault(made, answer, True, 0) for _ in range(LARGE_TRIES)]
    assert found == [None] * (LARGE_TRIES - 1) + ["too_large"]
    small = await parcel(1)
    assert {at_fault(small, answer, False, 0) for _ in range(50)} == {None}


async def test_one_event_that_makes_the_request_bad_is_refused_if_others_get_through() -> None:
    made, answer = await parcel(1), Refused(400, "parse_exception: no")
    assert {at_fault(made, answer, False, 0) for _ in range(50)} == {None}
    assert [at_fault(made, answer, False, 1 + n) for n in range(STRIKES)] == [None, None, "refused"]


async def test_giving_one_event_up_takes_many_failures_and_a_long_time() -> None:
    made = await parcel(1)
    assert {at_fault(made, GONE, False, 1 + n) for n in range(3 * STUCK_STRIKES)} == {None}
    made.since -= STUCK_SECONDS
    assert at_fault(made, GONE, False, 1000) == "undeliverable"
    young = await parcel(1)
    young.since -= STUCK_SECONDS
    found = [at_fault(young, GONE, False, 1 + n) for n in range(STUCK_STRIKES)]
    assert found == [None] * (STUCK_STRIKES - 1) + ["undeliverable"]


async def test_halves_share_what_is_known() -> None:
    made = await parcel(5)
    made.degraded[event(4).id] = "no"
    made.strikes = 3
    first, second = halves(made)
    assert [e.offset for e in first.events] + [e.offset for e in second.events] == [0, 1, 2, 3, 4]
    assert (second.degraded, second.strikes, second.index, second.uncertain) == (
        made.degraded,
        0,
        "one",
        True,
    )
    assert first.free is made.free


async def test_doubt_becomes_certainty_after_some_tries() -> None:
    made = await parcel(2)
    found = [made.doubt(event(0)) for _ in range(DOUBTFUL_TRIES)]
    assert found == [False] * (DOUBTFUL_TRIES - 1) + [True]
    assert not made.doubt(event(1))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Busy("x"), "busy"),
        (TimedOut("x"), "timeout"),
        (Unreachable("x"), "unreachable"),
        (Unbelievable("x"), "unbelievable"),
        (GONE, "unavailable"),
        (Refused(413, "x"), "too_large"),
        (Refused(404, "x"), "request_refused"),
    ],
)
def test_reasons(error: Any, reason: str) -> None:
    assert reason_of(error) == reason
