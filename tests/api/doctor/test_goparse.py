"""What Go's parsers take and refuse; checked against Go 1.26 when this was written."""

import pytest

from api.doctor.goparse import parse_bool, parse_duration, parse_int, parse_ram_bytes, parse_uint

SECOND = 1_000_000_000


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True"])
def test_true(text: str) -> None:
    assert parse_bool(text) is True


@pytest.mark.parametrize("text", ["0", "f", "F", "false", "FALSE", "False"])
def test_false(text: str) -> None:
    assert parse_bool(text) is False


@pytest.mark.parametrize("text", ["", "yes", "tRUE", " true", "on", "2"])
def test_no_boolean(text: str) -> None:
    with pytest.raises(ValueError, match="not one of"):
        parse_bool(text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("-0", 0),
        ("5s", 5 * SECOND),
        ("1.5s", 1_500_000_000),
        (".5s", SECOND // 2),
        ("1.s", SECOND),
        ("1h30m", 5400 * SECOND),
        ("-2m", -120 * SECOND),
        ("+3ms", 3_000_000),
        ("7us", 7000),
        ("7µs", 7000),
        ("7μs", 7000),
        ("9ns", 9),
        ("1h1h", 7200 * SECOND),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "5", "1d", "s", ".s", "1 s", "1s ", "--1s", "1.2.3s", "9999999h", "+", "1e3s"]
)
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("8m", 8 << 20),
        ("8M", 8 << 20),
        ("1.5g", 3 << 29),
        ("64 k", 64 << 10),
        ("10kb", 10 << 10),
        ("10KiB", 10 << 10),
        ("5b", 5),
        ("1e3", 1000),
        ("+5", 5),
        ("2t", 2 << 40),
        ("1p", 1 << 50),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_ram_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["", "m", "-1", "8x", "8mm", "8 m ", "lots", "8bb", "1_000", "0x10", "9999999999t"]
)
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError):
        parse_ram_bytes(text)


def test_whole_numbers() -> None:
    assert parse_uint("2147483647", 31) == (1 << 31) - 1
    assert (parse_int("-5"), parse_int("+5"), parse_int("007")) == (-5, 5, 7)
    for text in ("-1", "+1", "1.0", "", "2147483648", "1_0"):
        with pytest.raises(ValueError):
            parse_uint(text, 31)
    for text in ("", "1.0", "x", "9" * 30, "9" * 5000):
        with pytest.raises(ValueError):
            parse_int(text)
