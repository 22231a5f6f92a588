"""Times that are not to be believed, and a clock that may be set.

A line keeps the time that its sender gave it, whatever it is; what is odd about it becomes a flag:

    clock_future   later than the moment at which we read it, by more than FUTURE_NS
    clock_ancient  earlier than that moment, by more than ANCIENT_NS
    out_of_order   earlier than a line of the same container and stream that was read before it

The first two follow from the line's journal entry alone. The last needs what was read before: after a restart
it is not set on a line whose only later neighbours were read before the checkpoint. An event that is stored
keeps the flags that it was stored with.
"""

from parsers.record import NANOSECONDS

# Of two clocks kept by NTP none is further off than what is still mended at once: ntpd steps beyond 0.128 s
# (NTP's own step threshold), systemd-timesyncd beyond 0.4 s, chrony as distributions ship it beyond 1 s.
# Docker's default times are whole seconds, cut down: they never come from the future.
FUTURE_NS = 5 * NANOSECONDS
# What waited while logdock was away arrives late and is true all the same: hours are an outage, more than a
# day is rather a clock that starts in 1970, or worth to be seen as what it is.
ANCIENT_NS = 86_400 * NANOSECONDS
# What stores can hold, as signed 64-bit nanoseconds. The ends are DuckDB's infinities.
MIN_TIMESTAMP = -(2**63) + 2
MAX_TIMESTAMP = 2**63 - 2
# While a piece of a line is held the journal has an entry at least every half second. A longer step between
# two entries is a clock that was set, or a process that stood still: neither makes a piece late at once.
MAX_STEP_NS = 10 * NANOSECONDS


# The latest time of a container's lines, by stream. (A plain dict: no other is as quick.)
Latest = dict[str | None, int]


def new_latest() -> Latest:
    """Of a container that has said nothing yet."""
    return {"stdout": MIN_TIMESTAMP, "stderr": MIN_TIMESTAMP, None: MIN_TIMESTAMP}


class _Unordered(Latest):
    def __setitem__(self, stream: str | None, timestamp: int) -> None:
        """Nothing is noted, so nothing is out of order."""


# Of lines that say of no container: one tag may stand for many files.
UNORDERED: Latest = _Unordered(new_latest())


def marks(timestamp: int, observed: int, latest: Latest, stream: str | None) -> tuple[str, ...]:
    """The flags of a line's time, which is noted in its container's `latest`."""
    if timestamp > observed + FUTURE_NS:
        return ("clock_future",)  # not noted: one wrong time would put all lines after it out of order
    flags = ("clock_ancient",) if timestamp < observed - ANCIENT_NS else ()
    if timestamp < latest[stream]:
        return (*flags, "out_of_order")
    latest[stream] = timestamp
    return flags
