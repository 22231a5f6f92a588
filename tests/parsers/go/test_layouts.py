import pytest

from parsers.go.layouts import Clock, formatted

AT = Clock(
    year=2024, month=5, day=6, year_day=127, weekday=1, hour=15, minute=8, second=9, nanosecond=120_000_000
)
EARLY = Clock(year=7, month=12, day=31, year_day=1, weekday=0, hour=0, minute=0, second=0, nanosecond=0)


@pytest.mark.parametrize(
    ("layout", "text", "early"),
    [
        ("2006-01-02T15:04:05Z07:00", "2024-05-06T15:08:09Z", "0007-12-31T00:00:00Z"),
        ("Monday Mon January Jan 2 _2 06", "Monday Mon May May 6  6 24", "Sunday Sun December Dec 31 31 07"),
        ("1 01 3 03 4 04 5 05 PM pm", "5 05 3 03 8 08 9 09 PM pm", "12 12 12 12 0 00 0 00 AM am"),
        ("002 __2", "127 127", "001   1"),
        ("05.000 05,00000000000 05.999 05.9", "09.120 09,120000000 09.12 09.1", "00.000 00,000000000 00 00"),
        ("MST -0700 -07:00 -07 -070000 -07:00:00", "UTC +0000 +00:00 +00 +000000 +00:00:00", None),
        ("Z0700 Z07 Z070000 Z07:00:00", "Z Z Z Z", None),
        ("_2006 Month Janet .0001 P M 007 9", "_2024 Month Janet .0005 P M 007 9", None),
        ("\\ é %d", "\\ é %d", None),
        ("", "", None),
    ],
)
def test_a_layout(layout: str, text: str, early: str | None) -> None:
    assert formatted(AT, layout.encode()) == text.encode()
    if early is not None:
        assert formatted(EARLY, layout.encode()) == early.encode()
