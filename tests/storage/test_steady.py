"""A clock for retention that a step of the wall clock does not move."""

import time

import pytest

from storage.steady import steady_clock

HOUR = 3_600_000_000_000


def test_it_goes_on_and_takes_no_steps(caplog: pytest.LogCaptureFixture) -> None:
    wall, elapsed = 1000 * HOUR, 7 * HOUR
    clock = steady_clock(lambda: wall, lambda: elapsed)
    assert clock() == 1000 * HOUR
    wall, elapsed = wall + 1, elapsed + 1
    assert clock() == 1000 * HOUR + 1
    wall += 24 * 60 * HOUR
    assert clock() == 1000 * HOUR + 1
    assert "was set by +5184000 s" in caplog.text
    caplog.clear()
    elapsed += HOUR
    wall += HOUR
    assert clock() == 1001 * HOUR + 1
    assert caplog.text == "", "it is said once"
    wall -= 24 * 70 * HOUR
    assert clock() == 1001 * HOUR + 1
    assert "was set by -" in caplog.text


def test_it_is_the_time_of_day() -> None:
    assert abs(steady_clock()() - time.time_ns()) < 1_000_000_000
