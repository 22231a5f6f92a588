"""Times as `docker logs` takes them: dates without a zone are in the zone of whoever asks.

Only those need work here; durations, Unix seconds and RFC 3339 mean the same everywhere and are read by
the server. Forms: Docker's client, client/internal/timestamp/timestamp.go.
"""

from __future__ import annotations

import re
from datetime import datetime

_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
_SECONDS = re.compile(r"-?\d+(?:\.\d*)?", re.ASCII)


def moment(text: str) -> str:
    """A date form in full as RFC 3339; anything else as it is."""
    match = _DATE.fullmatch(text)
    if match is None:
        return text
    date, hour, minute, second, fraction, zone = match.groups()
    clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}"
    try:
        offset = zone or _local_offset(f"{date}T{clock}")
    except ValueError:
        return text  # a date that does not exist: the server says so
    return f"{date}T{clock}" + (f".{fraction}" if fraction else "") + offset


def is_moment(text: str) -> bool:
    """Whether it is the same moment whenever it is asked: a date or Unix seconds, no duration."""
    return _DATE.fullmatch(text) is not None or _SECONDS.fullmatch(text) is not None


def _local_offset(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().isoformat()[-6:]
