"""Go's time.Time in UTC, as Docker keeps the time at which a container was created (Go: time/time.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from parsers.go.calls import Function
from parsers.go.errors import GoError
from parsers.go.layouts import MONTHS, WEEKDAYS, Clock, formatted
from parsers.go.types import ANY, STRING, GoType
from parsers.go.values import Int64, Pointer, Struct, Uint64

TIME: Final = GoType("time.Time", "struct")
DURATION: Final = GoType("time.Duration", "int")
LOCATION: Final = GoType("*time.Location", "pointer")

_NO_LOCATION: Final = Pointer(LOCATION, None)  # how Go writes UTC
_DAY: Final = 86_400
_SECOND: Final = 1_000_000_000  # nanoseconds
_TO_UNIX: Final = -62_135_596_800  # seconds from 0001-01-01 to 1970-01-01, as Go counts
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([-+])(\d\d):(\d\d))", re.ASCII
)
_STRING_LAYOUT: Final = b"2006-01-02 15:04:05.999999999 -0700 MST"
_BAD_YEAR: Final = "Time.MarshalJSON: year outside of range [0,9999]"
_JSON_LAYOUT: Final = b"2006-01-02T15:04:05.999999999Z07:00"


class Time(Struct):
    """Seconds since the year 1, and nanoseconds of the second."""

    def __init__(self, seconds: int = 0, nanoseconds: int = 0) -> None:
        fields = {b"wall": Uint64(nanoseconds), b"ext": Int64(seconds), b"loc": _NO_LOCATION}
        super().__init__(TIME, fields)
        self.seconds = seconds
        self.nanoseconds = nanoseconds

    @property
    def unix(self) -> int:
        return self.seconds + _TO_UNIX

    def to_json(self) -> bytes:
        """Raises GoError for a year that has not four digits."""
        text = format_time(self, _JSON_LAYOUT)
        if text[4:5] != b"-" or text.startswith(b"-"):
            raise GoError(f"json: error calling MarshalJSON for type time.Time: {_BAD_YEAR}")
        return b'"' + text + b'"'


class Month(int):
    go_type: ClassVar[GoType] = GoType("time.Month", "int")
    methods: ClassVar[Mapping[bytes, Function]]


class Weekday(int):
    go_type: ClassVar[GoType] = GoType("time.Weekday", "int")
    methods: ClassVar[Mapping[bytes, Function]]


def parse_rfc3339(text: str) -> Time:
    """Raises ValueError. An offset is taken off: Docker keeps UTC."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:64]!r} is not a time like 2024-05-06T07:08:09.123456789Z")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    nanoseconds = int((found[7] or "")[:9].ljust(9, "0"))
    offset = (int(found[9]) * 60 + int(found[10])) * 60 if found[8] else 0
    seconds = days_to(year, month, day) * _DAY + hour * 3600 + minute * 60 + second
    return Time(seconds - (-offset if found[8] == "-" else offset), nanoseconds)


def days_to(year: int, month: int, day: int) -> int:
    """Days from 0001-01-01 to a date of the Gregorian calendar, whose year begins in March here."""
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 1 - 306


def date_of(days: int) -> tuple[int, int, int]:
    """The inverse of `days_to`: year, month, day."""
    days += 306
    era, day = divmod(days, 146_097)  # 400 years
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += 400 * era
    return (year, month + 3, day + 1) if month < 10 else (year + 1, month - 9, day + 1)


def clock(time: Time) -> Clock:
    """A time's parts as a calendar and a clock show them."""
    days, second = divmod(time.seconds, _DAY)
    year, month, day = date_of(days)
    return Clock(
        year=year,
        month=month,
        day=day,
        year_day=days - days_to(year, 1, 1) + 1,
        weekday=(days + 1) % 7,  # 0001-01-01 was a Monday
        hour=second // 3600,
        minute=second // 60 % 60,
        second=second % 60,
        nanosecond=time.nanoseconds,
    )


def format_time(time: Time, layout: bytes) -> bytes:
    return formatted(clock(time), layout)


def _string(time: Time) -> bytes:
    return format_time(time, _STRING_LAYOUT)


def _go_string(time: Time) -> bytes:
    at = clock(time)
    numbers = (at.day, at.hour, at.minute, at.second, at.nanosecond)
    month = MONTHS[at.month - 1].decode()
    return f"time.Date({at.year}, time.{month}, {', '.join(map(str, numbers))}, time.UTC)".encode()


def _add(time: Time, nanoseconds: int) -> Time:
    seconds, rest = divmod(time.nanoseconds + nanoseconds, _SECOND)
    return Time(time.seconds + seconds, rest)


def _compare(time: Time, other: Time) -> int:
    one, two = (time.seconds, time.nanoseconds), (other.seconds, other.nanoseconds)
    return (one > two) - (one < two)


def _unsupported(*_: Any) -> None:
    raise GoError("this reader does not have that method of time.Time")


def _wrapped(value: int) -> Int64:
    """A number of 64 bits that has run over, as Go's do."""
    return Int64((value + 2**63) % 2**64 - 2**63)


def _unix(unit: int) -> Callable[[Time], Int64]:
    return lambda time: _wrapped(time.unix * unit + time.nanoseconds // (_SECOND // unit))


def _named(at: int, names: tuple[bytes, ...], value: int, go_type: str) -> bytes:
    """A loop over a month meets numbers that are none."""
    return names[at] if 0 <= at < len(names) else f"%!{go_type}({value & 2**64 - 1})".encode()


def _part(name: str) -> Callable[[Time], int]:
    return lambda time: int(getattr(clock(time), name))


def _methods(*functions: Function) -> dict[bytes, Function]:
    return {function.name: function for function in functions}


Month.methods = _methods(Function(b"String", lambda month: _named(month - 1, MONTHS, month, "Month")))
Weekday.methods = _methods(Function(b"String", lambda day: _named(day, WEEKDAYS, day, "Weekday")))
Time.methods = _methods(
    Function(b"String", _string),
    Function(b"GoString", _go_string),
    Function(b"Format", format_time, (STRING,)),
    Function(b"Unix", _unix(1)),
    Function(b"UnixMilli", _unix(1000)),
    Function(b"UnixMicro", _unix(1_000_000)),
    Function(b"UnixNano", _unix(_SECOND)),
    Function(b"Month", lambda time: Month(clock(time).month)),
    Function(b"Weekday", lambda time: Weekday(clock(time).weekday)),
    *(
        Function(name.title().replace("_D", "D").encode(), _part(name))
        for name in ("year", "day", "year_day", "hour", "minute", "second", "nanosecond")
    ),
    Function(b"IsZero", lambda time: (time.seconds, time.nanoseconds) == (0, 0)),
    Function(b"IsDST", lambda _: False),
    Function(b"UTC", lambda time: time),
    Function(b"Add", _add, (DURATION,)),
    Function(b"Before", lambda time, other: _compare(time, other) < 0, (TIME,)),
    Function(b"After", lambda time, other: _compare(time, other) > 0, (TIME,)),
    Function(b"Equal", lambda time, other: _compare(time, other) == 0, (TIME,)),
    Function(b"Compare", _compare, (TIME,)),
    Function(b"Date", _unsupported, flaw="function Date has 3 return values; should be 1 or 2"),
    Function(b"Clock", _unsupported, flaw="function Clock has 3 return values; should be 1 or 2"),
    *(
        Function(
            name.encode(),
            _unsupported,
            flaw=f"invalid function signature for {name}: second return value should be error; is {second}",
        )
        for name, second in (("ISOWeek", "int"), ("Zone", "int"), ("ZoneBounds", "time.Time"))
    ),
    *(
        Function(name, _unsupported, variadic=ANY)
        for name in (
            b"AddDate", b"AppendBinary", b"AppendFormat", b"AppendText", b"GobDecode", b"GobEncode", b"In",
            b"Local", b"Location", b"MarshalBinary", b"MarshalJSON", b"MarshalText", b"Round", b"Sub",
            b"Truncate", b"UnmarshalBinary", b"UnmarshalJSON", b"UnmarshalText",
        )
    ),
)  # fmt: skip
