"""Layouts of time.Format: an example time in the place of each part (Go: time/format.go), in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

WEEKDAYS: Final = (b"Sunday", b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday")
MONTHS: Final = (
    b"January", b"February", b"March", b"April", b"May", b"June", b"July", b"August", b"September",
    b"October", b"November", b"December",
)  # fmt: skip

_PARTS: Final = re.compile(
    rb"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm"
    rb"|[-Z](?:070000|07:00:00|0700|07:00|07)|[.,](?:0+|9+)(?![0-9])"
)


class Clock(msgspec.Struct, frozen=True):
    """A time's parts; the first day of the year is 1, Sunday is 0."""

    year: int
    month: int
    day: int
    year_day: int
    weekday: int
    hour: int
    minute: int
    second: int
    nanosecond: int


def formatted(at: Clock, layout: bytes) -> bytes:
    """What a layout does not name stays as it is."""
    return _PARTS.sub(lambda found: _part(at, found[0]), layout)


def _part(at: Clock, part: bytes) -> bytes:
    if part in _WRITERS:
        return _WRITERS[part](at)
    if part[:1] == b"-":
        return b"+" + re.sub(rb"[1-9]", b"0", part[1:])
    return b"Z" if part[:1] == b"Z" else _fraction(at.nanosecond, part)


def _fraction(nanosecond: int, part: bytes) -> bytes:
    """With zeros: so many digits; with nines: at most so many, and none that do not count."""
    count, trims = len(part) - 1 & 0xFFF, part[1:2] == b"9"
    if trims and (count == 0 or nanosecond == 0):
        return b""
    text = part[:1] + b"%09d" % nanosecond
    text = text[: 1 + min(count, 9)]
    return text.rstrip(b"0").rstrip(part[:1]) if trims else text


def _hour12(at: Clock) -> int:
    return at.hour % 12 or 12


_WRITERS: Final[Mapping[bytes, Callable[[Clock], bytes]]] = {
    b"January": lambda at: MONTHS[at.month - 1],
    b"Jan": lambda at: MONTHS[at.month - 1][:3],
    b"Monday": lambda at: WEEKDAYS[at.weekday],
    b"Mon": lambda at: WEEKDAYS[at.weekday][:3],
    b"MST": lambda _: b"UTC",
    b"01": lambda at: b"%02d" % at.month,
    b"02": lambda at: b"%02d" % at.day,
    b"03": lambda at: b"%02d" % _hour12(at),
    b"04": lambda at: b"%02d" % at.minute,
    b"05": lambda at: b"%02d" % at.second,
    b"06": lambda at: b"%02d" % (abs(at.year) % 100),
    b"002": lambda at: b"%03d" % at.year_day,
    b"15": lambda at: b"%02d" % at.hour,
    b"1": lambda at: b"%d" % at.month,
    b"2006": lambda at: b"%04d" % at.year,
    b"2": lambda at: b"%d" % at.day,
    b"_2": lambda at: b"%2d" % at.day,
    b"__2": lambda at: b"%3d" % at.year_day,
    b"3": lambda at: b"%d" % _hour12(at),
    b"4": lambda at: b"%d" % at.minute,
    b"5": lambda at: b"%d" % at.second,
    b"PM": lambda at: b"PM" if at.hour >= 12 else b"AM",
    b"pm": lambda at: b"pm" if at.hour >= 12 else b"am",
}
