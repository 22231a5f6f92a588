"""Times as people and Docker's client write them, to nanoseconds since the epoch. Exact: no floats.

The forms of `docker logs --since` (moby api/types/time/timestamp.go) and a few more:

    2026-11-24T01:02:03.123456789Z   RFC 3339; without a zone it is UTC; seconds or minutes may be left away
    2026-11-24                       midnight
    1700000000.123456789             Unix seconds
    90m  1h30m  1.5h  7d             a Go duration (plus d, 24 hours) before now; negative: after now
    now

Digits after the ninth of a fraction are cut, as Go does. Moments that int64 nanoseconds cannot say (before
1677, after 2262) become the nearest that they can: no event lies beyond them, so a question means the same.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

SECOND = 1_000_000_000  # nanoseconds
MIN_TIME, MAX_TIME = -(2**63), 2**63 - 1
MAX_LENGTH = 64  # characters: the longest sensible form has 35

_UNITS = {
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000,
    "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND, "d": 86_400 * SECOND,
}  # fmt: skip
_LAST_SECOND = 253_402_300_799  # of the year 9999, the last one RFC 3339 can write
_FIRST_SECOND = -62_135_596_800  # of the year 1
_YEAR_10000 = 253_402_300_800  # Unix seconds; numbers from here on are milliseconds or finer by mistake

_UNIX = re.compile(r"(-?)([0-9]+)(?:\.([0-9]*))?")
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d)")
_DURATION = re.compile(rf"([+-]?)((?:{_PART.pattern})+)")
_STAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?)?)?"
    r"(?:([Zz])|([+ -])([0-9]{2}):?([0-9]{2}))?"  # a space is the + of an address that was not escaped
)

FORMS = "RFC 3339 (2026-11-24T01:02:03Z), a date, Unix seconds, or how long ago (90m, 1h30m, 7d)"


def parse_time(text: str, now: int) -> int:
    """Nanoseconds since the epoch. Raises ValueError with a message for people."""
    if text == "now":
        return now
    if len(text) <= MAX_LENGTH:
        for form in (_unix, _duration_before, _stamp):
            found = form(text, now)
            if found is not None:
                return max(MIN_TIME, min(found, MAX_TIME))
    raise ValueError(f"not a time: {text[:MAX_LENGTH]!r}; write {FORMS}")


def parse_duration(text: str) -> int:
    """Nanoseconds of a Go duration with units, `d` included. Raises ValueError."""
    whole = _DURATION.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if whole is None:
        raise ValueError(f"not a duration: {text[:MAX_LENGTH]!r}; write it like 90m, 1h30m, 7d")
    total = sum(_scaled(part[1], _UNITS[part[2]]) for part in _PART.finditer(whole[2]))
    return -total if whole[1] == "-" else total


def format_unix(time: int) -> str:
    """Unix seconds with all nine digits of the fraction: `parse_time` gives exactly `time` back."""
    sign, time = ("-", -time) if time < 0 else ("", time)
    return f"{sign}{time // SECOND}.{time % SECOND:09d}"


def _unix(text: str, _now: int) -> int | None:
    found = _UNIX.fullmatch(text)
    if found is None:
        return None
    if int(found[2]) >= _YEAR_10000:
        raise ValueError(f"{text} is beyond the year 9999: Unix times are in seconds here, with a fraction")
    time = int(found[2]) * SECOND + _fraction(found[3])
    return -time if found[1] else time


def _duration_before(text: str, now: int) -> int | None:
    return now - parse_duration(text) if _DURATION.fullmatch(text) else None


def _stamp(text: str, _now: int) -> int | None:
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    date, hour, minute, second, fraction, _utc, sign, zone_hour, zone_minute = found.groups()
    leap = second == "60"  # RFC 3339, section 5.7; it is the first second of the next minute
    clock = f"{hour or '00'}:{minute or '00'}:{'59' if leap else second or '00'}"
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}").replace(tzinfo=_zone(sign, zone_hour, zone_minute))
    except ValueError as error:
        raise ValueError(f"no such time: {text!r} ({error})") from error
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds + leap) * SECOND + _fraction(fraction)


def _zone(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    if not sign or not hours or not minutes:
        return UTC
    if int(minutes) > 59:
        raise ValueError("minutes of the zone must be in 0..59")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def _fraction(digits: str | None) -> int:
    return int((digits or "")[:9].ljust(9, "0"))


def _scaled(decimal: str, unit: int) -> int:
    """A decimal number of units, cut to whole nanoseconds."""
    whole, _, digits = decimal.partition(".")
    return int(whole or "0") * unit + int(digits or "0") * unit // int("1" + "0" * len(digits))


@lru_cache(maxsize=4096)  # more than an hour of lines arriving in any order
def second_bytes(seconds: int) -> bytes:
    """`2026-11-24T01:02:03.`: what a time begins with."""
    moment = datetime.fromtimestamp(min(max(seconds, _FIRST_SECOND), _LAST_SECOND), UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds").encode() + b"."


def rfc3339_bytes(nanoseconds: int) -> bytes:
    """The same as rfc3339, for whoever writes very many."""
    seconds, fraction = divmod(nanoseconds, SECOND)
    return b"%b%09dZ" % (second_bytes(seconds), fraction)


def rfc3339(nanoseconds: int) -> str:
    """A time as RFC 3339 in UTC with nine digits; times that RFC 3339 cannot write become its ends."""
    return rfc3339_bytes(nanoseconds).decode()
