"""Values as dockerd reads them: Go's own parsers, and what each refuses.

Every function raises ValueError when Go's would return an error. Sources: strconv/atob.go, strconv/atoi.go,
time/format.go (ParseDuration), and github.com/docker/go-units, size.go (RAMInBytes).
"""

from __future__ import annotations

import re

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # the micro sign
    "\u03bcs": 1_000,  # the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"(\d*)(\.\d*)?([^.\d]+)", re.ASCII)
_MAX_INT64 = (1 << 63) - 1

_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_POWERS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE_UNIT = re.compile(r"(?:b|[kmgtp](?:i?b)?)?", re.IGNORECASE | re.ASCII)

_INT = re.compile(r"[+-]?\d+", re.ASCII)
_UINT = re.compile(r"\d+", re.ASCII)


def parse_bool(text: str) -> bool:
    """strconv.ParseBool: the twelve spellings that it takes, and no other."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("not one of true, false, 1, 0, t, f")


def parse_duration(text: str) -> int:
    """time.ParseDuration, in nanoseconds: `1.5s`, `-2m`, `1h30m`; a number needs a unit, except 0."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total, at = 0, 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None or not (part[1] or len(part[2] or "") > 1):
            raise ValueError("not a duration")
        if part[3] not in _UNITS:
            raise ValueError(f"unknown unit {part[3]!r}: h, m, s, ms, us and ns are known")
        total += int(float((part[1] or "0") + (part[2] or "")) * _UNITS[part[3]])
        at = part.end()
    if not rest:
        raise ValueError("not a duration")
    if total > _MAX_INT64:
        raise ValueError("longer than 292 years")
    return -total if text.startswith("-") else total


def parse_ram_bytes(text: str) -> int:
    """units.RAMInBytes: `64m`, `1.5GiB`, `512 k`; every unit is a power of 1024."""
    separator = max(text.rfind(character) for character in "0123456789. ")
    number, unit = text[: separator + 1], text[separator + 1 :]
    if text[separator : separator + 1] == " ":
        number = number[:-1]
    if separator < 0 or not _FLOAT.fullmatch(number) or not _SIZE_UNIT.fullmatch(unit):
        raise ValueError("not a size")
    size = float(number) * 1024 ** _POWERS[unit[:1].lower()]
    if size < 0 or size > _MAX_INT64:
        raise ValueError("not a size")
    return int(size)


def parse_uint(text: str, bits: int) -> int:
    """strconv.ParseUint(text, 10, bits)."""
    if not _UINT.fullmatch(text) or len(text) > 4000 or int(text) >= 1 << bits:
        raise ValueError(f"not a whole number from 0 to {(1 << bits) - 1}")
    return int(text)


def parse_int(text: str) -> int:
    """strconv.Atoi on a 64-bit machine."""
    if not _INT.fullmatch(text) or len(text) > 4000 or not -_MAX_INT64 <= int(text) <= _MAX_INT64:
        raise ValueError("not a whole number")
    return int(text)
