"""Durations and sizes as people write them on a command line."""

import re

_SECOND = 1_000_000_000  # nanoseconds

# Go's time.ParseDuration units, plus d and w, which retention needs and Go leaves out.
_DURATION_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3_600 * _SECOND,
    "d": 86_400 * _SECOND,
    "w": 7 * 86_400 * _SECOND,
}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)")

# Decimal as in Docker's max-size (go-units FromHumanSize); KiB, MiB ... are powers of 1024.
_SIZE_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?", re.IGNORECASE)


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration such as 30d, 1h30m or 90s; ValueError when it is not one."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration: write it like 30d, 12h or 1h30m")
    return sum(round(float(number) * _DURATION_UNITS[unit]) for number, unit in parts)


def parse_size(text: str) -> int:
    """Bytes of a size such as 20GB (decimal) or 512MiB (binary); ValueError when it is not one."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[3] and not match[2]):
        raise ValueError(f"{text!r} is not a size: write it like 20GB, 512MB or 1GiB")
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** _SIZE_POWERS[match[2].lower()])


def human_size(size: int) -> str:
    """Bytes as Docker shows them: decimal, about three digits (docker/go-units size.go)."""
    value, units = float(size), iter(("B", "kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while abs(value) >= 1000 and unit != "PB":
        value, unit = value / 1000, next(units)
    return f"{value:.4g}{unit}"


# Up to these many hours a duration is counted in units of so many hours (docker/go-units duration.go).
_LONG_UNITS = (
    (48, 1, "hours"),
    (24 * 14, 24, "days"),
    (24 * 60, 24 * 7, "weeks"),
    (24 * 730, 24 * 30, "months"),
)


def human_duration(seconds: float) -> str:
    """A duration as Docker shows it: `38 seconds`, `About an hour`, `3 weeks`; a negative one as none."""
    whole, minutes, hours = int(seconds), int(seconds / 60), int(seconds / 3600 + 0.5)
    if whole < 60:
        return "Less than a second" if whole < 1 else "1 second" if whole == 1 else f"{whole} seconds"
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours == 1:
        return "About an hour"
    for below, hours_each, name in _LONG_UNITS:
        if hours < below:
            return f"{hours // hours_each} {name}"
    return f"{int(seconds / 3600) // 24 // 365} years"
