import pytest

from api.units import human_duration, parse_duration, parse_size

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("30d", 30 * 86_400 * SECOND),
        ("2w", 14 * 86_400 * SECOND),
        ("1h30m", 5_400 * SECOND),
        ("1.5h", 5_400 * SECOND),
        ("250ms", 250_000_000),
        ("1us", 1_000),
        ("7ns", 7),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "30", "d", "1h x", "h1", "-1h", "1h30", "1 h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("20GB", 20 * 10**9),
        ("20g", 20 * 10**9),
        ("1.5MB", 1_500_000),
        ("1GiB", 1024**3),
        ("4 KiB", 4096),
        ("2tb", 2 * 10**12),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "1iB", "-1GB", "1XB", "1GBs"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "Less than a second"),
        (0.9, "Less than a second"),
        (1.9, "1 second"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (119.9, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5399, "About an hour"),
        (5400, "2 hours"),
        (47.4 * 3600, "47 hours"),
        (47.5 * 3600, "2 days"),
        (14 * 86_400 - 3600, "13 days"),
        (14 * 86_400, "2 weeks"),
        (60 * 86_400, "2 months"),
        (729 * 86_400, "24 months"),
        (730 * 86_400, "2 years"),
    ],
)
def test_human_durations(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text
