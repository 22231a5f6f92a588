"""Times as people and Docker's client write them."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.times import MAX_TIME, MIN_TIME, SECOND, format_unix, parse_duration, parse_time

NOW = 1_795_500_000_123_456_789
DAY = 86_400 * SECOND
T = int(datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T01:02:03Z", T),
        ("2026-11-24t01:02:03z", T),
        ("2026-11-24 01:02:03Z", T),
        ("2026-11-24T01:02:03.123456789Z", T + 123_456_789),
        ("2026-11-24T01:02:03.1Z", T + 100_000_000),
        ("2026-11-24T01:02:03.9999999999Z", T + 999_999_999),
        ("2026-11-24T03:02:03+02:00", T),
        ("2026-11-24T03:02:03 02:00", T),  # a + that an address turned into a space
        ("2026-11-24T03:02:03+0200", T),
        ("2026-11-23T19:32:03-05:30", T),
        ("2026-11-24T01:02:03", T),
        ("2026-11-24T01:02:03.5", T + 500_000_000),
        ("2026-11-24T01:02", T - 3 * SECOND),
        ("2026-11-24T01", T - 123 * SECOND),
        ("2026-11-24", T - 3723 * SECOND),
        ("2026-11-24Z", T - 3723 * SECOND),
        ("2026-11-24+01:00", T - 3723 * SECOND - 3600 * SECOND),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND),
        ("1969-12-31T23:59:59.5Z", -SECOND // 2),
        ("0", 0),
        ("1700000000", 1_700_000_000 * SECOND),
        ("1700000000.", 1_700_000_000 * SECOND),
        ("1700000000.123456789", 1_700_000_000 * SECOND + 123_456_789),
        ("1700000000.000000001", 1_700_000_000 * SECOND + 1),
        ("1700000000.1234567899", 1_700_000_000 * SECOND + 123_456_789),
        ("-1.5", -SECOND * 3 // 2),
        ("now", NOW),
        ("90m", NOW - 90 * 60 * SECOND),
        ("1h30m", NOW - 90 * 60 * SECOND),
        ("1.5h", NOW - 90 * 60 * SECOND),
        ("7d", NOW - 7 * DAY),
        ("1d12h", NOW - 3 * DAY // 2),
        ("10ms5us3ns", NOW - 10_005_003),
        ("1µs", NOW - 1000),
        ("1μs", NOW - 1000),
        (".5s", NOW - SECOND // 2),
        ("-10m", NOW + 600 * SECOND),
        ("+10m", NOW - 600 * SECOND),
        ("0001-01-01T00:00:00Z", MIN_TIME),  # Go's zero time
        ("9999-12-31T23:59:59Z", MAX_TIME),
        ("99999999d", MIN_TIME),
    ],
)
def test_forms(text: str, expected: int) -> None:
    assert parse_time(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "yesterday", "m", "90", "1h30", "1x", "--1m", "1 h", "2026-13-01", "2026-02-30T00:00:00Z",
     "2026-11-24T25:00:00Z", "2026-11-24T01:02:03+99:00", "2026-11-24T01:02:03+01:99", "20261124", "1e9",
     "٣m", "1_000", "0x10", "NaN", "1" * 200, "2026-11-24T", "T01:02", "2026-11-24T01:02:03ZZ",
     "\0", "1.2.3"],
)  # fmt: skip
def test_refusals(text: str) -> None:
    if text in ("90", "20261124"):
        assert parse_time(text, NOW) == int(text) * SECOND  # plain numbers are Unix seconds
        return
    with pytest.raises(ValueError, match=r"time"):
        parse_time(text, NOW)


def test_milliseconds_are_recognised() -> None:
    with pytest.raises(ValueError, match="in seconds"):
        parse_time("1700000000000", NOW)
    assert parse_time("253402300799", NOW) == MAX_TIME


@pytest.mark.parametrize("text", ["", "90", "5", "x", "1h ", "d", "-"])
def test_durations_need_units(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_durations() -> None:
    assert parse_duration("30d") == 30 * DAY
    assert parse_duration("-1m") == -60 * SECOND


@given(st.integers(MIN_TIME, MAX_TIME))
def test_unix_text_is_exact(time: int) -> None:
    assert parse_time(format_unix(time), NOW) == time


@given(st.datetimes(datetime(1700, 1, 1), datetime(2260, 1, 1)), st.integers(-720, 840), st.integers(0, 999))
def test_any_zone_is_the_same_moment(moment: datetime, minutes: int, nanos: int) -> None:
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    local = moment + timedelta(minutes=minutes)
    text = f"{local.isoformat(timespec='microseconds')}{nanos:03d}{zone}"
    since = moment - datetime(1970, 1, 1)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    assert parse_time(text, NOW) == microseconds * 1000 + nanos


@given(st.text(max_size=30))
def test_anything_is_a_time_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert MIN_TIME <= parse_time(text, NOW) <= MAX_TIME
