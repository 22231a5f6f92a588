"""The buckets of a histogram: whole intervals of a round length, aligned to UTC."""

from __future__ import annotations

import msgspec

from storage.times import MAX_TIME, MIN_TIME, SECOND

MINUTE = 60 * SECOND
_HOUR, _DAY = 60 * MINUTE, 24 * 60 * MINUTE

INTERVALS = (
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 30, 90, 365, 3_650, 36_500)),
)
"""Nanoseconds. Each is a number of minutes or a part of one: the local store has counters by the minute."""

DEFAULT_BUCKETS = 60
MAX_BUCKETS = 1000  # half the pixels of a screen; more would only make an answer that nobody can look at

_EVERYTHING = MAX_TIME - MIN_TIME + 1
_UNITS = (("d", _DAY), ("h", _HOUR), ("m", MINUTE), ("s", SECOND))


class Grid(msgspec.Struct, frozen=True):
    """`count` buckets of `interval` nanoseconds; the first begins at `start`, nanoseconds since the epoch."""

    start: int
    interval: int
    count: int

    def place(self, timestamp: int) -> int:
        """The number of the bucket that a time is in; it must be in one."""
        return (timestamp - self.start) // self.interval

    def begin(self, place: int) -> int:
        """When bucket number `place` begins."""
        return self.start + place * self.interval

    def within(self, first: int, last: int) -> Grid:
        """The part of this grid that holds both times, which are in it."""
        if self.count <= 1:
            return self
        low, high = self.place(first), self.place(last)
        return Grid(self.begin(low), self.interval, high - low + 1)


EVERYTHING = Grid(MIN_TIME, _EVERYTHING, 1)  # one bucket for all times
EMPTY = Grid(0, INTERVALS[0], 0)  # of an answer that has nothing in it


def grid(first: int, last: int, buckets: int) -> Grid:
    """The finest grid of at most `buckets` buckets that holds both times.

    Buckets begin at multiples of their interval since the epoch, so at whole minutes, hours, days in UTC.
    Only when no such grid is coarse enough (times on both sides of 1970 in one bucket) there is one for all.
    """
    for interval in INTERVALS:
        low, high = first // interval, last // interval
        if high - low < buckets:
            return Grid(low * interval, interval, high - low + 1)
    return EVERYTHING


def interval_text(interval: int) -> str:
    """An interval as a duration: `30s`, `5m`, `6h`, `7d`."""
    unit, length = next((name, size) for name, size in _UNITS if interval % size == 0 or name == "s")
    return f"{interval // length}{unit}"
