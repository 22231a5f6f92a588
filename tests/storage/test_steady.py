"""A clock for retention that a step of the wall clock does not move."""

import time
from pathlib import Path

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


def test_a_restart_within_one_boot_does_not_take_a_step_either(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    assert steady_clock(lambda: 1000 * HOUR, lambda: HOUR, file)() == 1000 * HOUR
    assert steady_clock(lambda: 3000 * HOUR, lambda: 2 * HOUR, file)() == 1001 * HOUR
    file.write_text("another-boot 5")
    assert steady_clock(lambda: 3000 * HOUR, lambda: 2 * HOUR, file)() == 3000 * HOUR
    file.write_text("nonsense")
    assert steady_clock(lambda: 4000 * HOUR, lambda: 2 * HOUR, file)() == 4000 * HOUR


def test_it_is_the_time_of_day() -> None:
    assert abs(steady_clock()() - time.time_ns()) < 1_000_000_000
