import os
import time
from collections.abc import Iterator

import pytest

from api.cli_times import is_moment, moment


@pytest.fixture(autouse=True)
def _zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "XXX-02:30"  # POSIX: two and a half hours ahead of UTC
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2026-11-24", "2026-11-24T00:00:00+02:30"),
        ("2026-11-24T09", "2026-11-24T09:00:00+02:30"),
        ("2026-11-24T09:10", "2026-11-24T09:10:00+02:30"),
        ("2026-11-24T09:10:11.123456789", "2026-11-24T09:10:11.123456789+02:30"),
        ("2026-11-24T09:10:11Z", "2026-11-24T09:10:11Z"),
        ("2026-11-24Z", "2026-11-24T00:00:00Z"),
        ("2026-11-24T09:10-05:00", "2026-11-24T09:10:00-05:00"),
        ("15m", "15m"),
        ("1764000000.5", "1764000000.5"),
        ("2026-13-45", "2026-13-45"),
        ("yesterday", "yesterday"),
    ],
)
def test_dates_are_in_the_zone_of_whoever_asks(text: str, sent: str) -> None:
    assert moment(text) == sent


@pytest.mark.parametrize(
    ("text", "fixed"),
    [("2026-11-24T09:10Z", True), ("1764000000.5", True), ("-1", True), ("15m", False), ("1h30m", False)],
)
def test_a_duration_is_another_moment_each_time(text: str, fixed: bool) -> None:
    assert is_moment(text) is fixed
