"""Grids: round, aligned, holding both ends, and never more buckets than asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.grid import EVERYTHING, INTERVALS, MINUTE, Grid, grid, interval_text
from storage.times import MAX_TIME, MIN_TIME, SECOND

_times = st.integers(MIN_TIME, MAX_TIME) | st.integers(-(10**12), 10**12)


@given(ends=st.tuples(_times, _times).map(sorted), buckets=st.integers(1, 1000))
def test_a_grid_holds_both_ends_in_the_fewest_nanoseconds(ends: list[int], buckets: int) -> None:
    found = grid(*ends, buckets)
    assert found.place(ends[0]) == 0 and found.place(ends[1]) == found.count - 1
    assert 1 <= found.count <= buckets
    if found != EVERYTHING:
        assert found.start % found.interval == 0
        finer = [interval for interval in INTERVALS if interval < found.interval]
        assert all(ends[1] // interval - ends[0] // interval >= buckets for interval in finer)


def test_intervals_are_minutes_or_parts_of_one() -> None:
    assert all(interval % MINUTE == 0 or MINUTE % interval == 0 for interval in INTERVALS)
    assert list(INTERVALS) == sorted(INTERVALS)


def test_both_sides_of_1970_in_one_bucket() -> None:
    assert grid(-1, 1, 1) == EVERYTHING
    assert grid(-1, 1, 2) == Grid(-SECOND, SECOND, 2)


@pytest.mark.parametrize(
    "interval, text", [(1, "1s"), (90, "90s"), (60, "1m"), (7200, "2h"), (86400 * 30, "30d")]
)
def test_intervals_as_durations(interval: int, text: str) -> None:
    assert interval_text(interval * SECOND) == text


def test_a_part_of_a_grid() -> None:
    whole = Grid(0, 10, 10)
    assert whole.within(25, 49) == Grid(20, 10, 3)
    assert EVERYTHING.within(-5, 5) == EVERYTHING
