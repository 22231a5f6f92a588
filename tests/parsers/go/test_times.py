import pytest

from parsers.go.errors import GoError
from parsers.go.json import to_json
from parsers.go.times import Month, Time, Weekday, date_of, days_to, format_time, parse_rfc3339
from parsers.gotemplate import TemplateError, parse, render


def told(template: str, time: Time) -> bytes:
    return render(parse(template), time)


@pytest.mark.parametrize(
    ("date", "days"),
    [
        ((1, 1, 1), 0), ((1, 12, 31), 364), ((4, 2, 29), 1154), ((1970, 1, 1), 719_162),
        ((2000, 2, 29), 730_178), ((2100, 3, 1), 766_703), ((9999, 12, 31), 3_652_058),
        ((400, 12, 31), 146_096), ((0, 12, 31), -1),
    ],
)  # fmt: skip
def test_days_and_dates(date: tuple[int, int, int], days: int) -> None:
    assert days_to(*date) == days
    assert date_of(days) == date


def test_every_day_of_the_calendar_comes_after_the_one_before() -> None:
    before = date_of(-1)
    for days in range(800 * 366):
        date = date_of(days)
        assert date > before and days_to(*date) == days
        before = date


@pytest.mark.parametrize(
    ("text", "seconds", "nanoseconds"),
    [
        ("0001-01-01T00:00:00Z", 0, 0), ("1970-01-01T00:00:00Z", 62_135_596_800, 0),
        ("2024-05-06T07:08:09.123456789Z", 63_850_576_089, 123_456_789),
        ("2024-05-06T09:08:09.5+02:00", 63_850_576_089, 500_000_000),
        ("2024-05-06T01:38:09-05:30", 63_850_576_089, 0),
    ],
)  # fmt: skip
def test_a_time_is_read(text: str, seconds: int, nanoseconds: int) -> None:
    time = parse_rfc3339(text)
    assert (time.seconds, time.nanoseconds) == (seconds, nanoseconds)


@pytest.mark.parametrize(
    "text", ["", "2024-05-06", "2024-05-06T07:08:09", "2024-05-06 07:08:09Z", "x" * 1000]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time like"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.}}", "2024-05-06 07:08:09.12 +0000 UTC"), ('{{.Format "Jan 2"}}', "May 6"),
        ("{{.Unix}}", "1714979289"), ("{{.UnixMilli}} {{.UnixMicro}}", "1714979289120 1714979289120000"),
        ("{{.UnixNano}}", "1714979289120000000"),
        ("{{.Year}} {{.Month}} {{.Day}} {{.YearDay}}", "2024 May 6 127"),
        ("{{.Weekday}} {{printf `%d` .Weekday}}", "Monday 1"),
        ("{{.Hour}}:{{.Minute}}:{{.Second}}.{{.Nanosecond}}", "7:8:9.120000000"),
        ("{{.IsZero}} {{.IsDST}}", "false false"), ("{{.UTC}}", "2024-05-06 07:08:09.12 +0000 UTC"),
        ("{{.GoString}}", "time.Date(2024, time.May, 6, 7, 8, 9, 120000000, time.UTC)"),
        ("{{(.Add 86400000000000).Day}} {{(.Add -1).Nanosecond}}", "7 119999999"),
        ("{{eq . .UTC}}", "true"),
        ("{{.Before (.Add 1)}} {{.After .}} {{.Equal .}} {{.Compare (.Add 1)}}", "true false true -1"),
        ("{{printf `%T %T` . .Month}}", "time.Time time.Month"), ("{{eq .Month 5}}", "true"),
    ],
)  # fmt: skip
def test_methods(template: str, text: str) -> None:
    assert told(template, parse_rfc3339("2024-05-06T07:08:09.12Z")) == text.encode()


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{.Date}}", "function Date has 3 return values; should be 1 or 2"),
        ("{{.Zone}}", "invalid function signature for Zone: second return value should be error; is int"),
        ("{{.wall}}", "wall is an unexported field of struct type time.Time"),
        ("{{.Format 1}}", "expected string; found 1"),
        ("{{.Nope}}", "can't evaluate field Nope in type time.Time"),
        ("{{.Local}}", "this reader does not have that method of time.Time"),
    ],
)
def test_what_a_time_does_not_tell(template: str, says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        told(template, Time())


def test_numbers_that_are_no_month_or_weekday() -> None:
    assert told("{{.}}", Month(13)) == b"%!Month(13)"
    assert told("{{.}}", Weekday(7)) == b"%!Weekday(7)"
    assert told("{{.}}", Month(0)) == b"%!Month(0)"


def test_json_knows_years_of_four_digits() -> None:
    assert to_json(parse_rfc3339("9999-12-31T23:59:59.9Z")) == b'"9999-12-31T23:59:59.9Z"'
    with pytest.raises(GoError):
        to_json(Time(10_000 * 366 * 86_400))


def test_a_number_of_nanoseconds_runs_over() -> None:
    assert told("{{.UnixNano}}", Time()) == b"-6795364578871345152"
    assert format_time(Time(), b"2006") == b"0001"
