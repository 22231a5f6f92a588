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
