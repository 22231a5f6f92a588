"""Parameters with Docker's own meanings (moby api/server/httputils/form.go, api/types/time/timestamp.go)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

from api.docker.errors import bad_request
from storage.times import MAX_TIME, MIN_TIME, SECOND

_FALSE = frozenset(("", "0", "no", "false", "none"))
_INTEGER = re.compile(r"[+-]?[0-9]+")
_TIMESTAMP = re.compile(r"([+-]?[0-9]{1,19})(?:\.([0-9]{1,20}))?")
_INT64 = 2**63  # Go's int: a longer number is none
_MAX_SECONDS = 2**53  # far beyond what nanoseconds can say


def value(request: Request, name: str) -> str:
    """The first value of a parameter, "" when there is none: Go's Form.Get."""
    values = request.query_params.getlist(name)
    return values[0] if values else ""


def boolean(request: Request, name: str) -> bool:
    """False for nothing, 0, no, false and none; anything else is true."""
    return value(request, name).strip().lower() not in _FALSE


def integer(text: str) -> int | None:
    """Go's strconv.Atoi; None where that fails."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text[:40])
    return number if -_INT64 <= number < _INT64 else None


def time(name: str, text: str) -> int | None:
    """Nanoseconds of Unix seconds with a fraction; None for "". Clients turn all other forms into this one.

    Raises DockerError. Docker answers 500 to what it cannot read.
    """
    if not text:
        return None
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise bad_request(f'invalid value for "{name}": {text[:64]!r} is not a Unix time in seconds')
    seconds = max(-_MAX_SECONDS, min(int(found[1]), _MAX_SECONDS))
    nanoseconds = seconds * SECOND + int((found[2] or "0")[:9].ljust(9, "0"))
    return max(MIN_TIME, min(nanoseconds, MAX_TIME))


@dataclass(frozen=True)
class LogOptions:
    """What `docker logs` asks for. `tail`: how many entries at most, None for all; times in nanoseconds."""

    stdout: bool = True
    stderr: bool = True
    follow: bool = False
    timestamps: bool = False
    details: bool = False
    tail: int | None = None
    since: int | None = None
    until: int | None = None


def log_options(request: Request) -> LogOptions:
    """Those of a container's logs (moby daemon/logs.go). Raises DockerError."""
    tail = integer(value(request, "tail"))
    until = value(request, "until")
    return _options(
        request, None if tail is None or tail < 0 else tail, None if until == "0" else time("until", until)
    )


def service_log_options(request: Request) -> LogOptions:
    """Those of a service's logs (moby daemon/cluster/services.go): no until, and a stricter tail."""
    text = value(request, "tail")
    tail = integer(text)
    if text in ("", "all"):
        tail = None
    elif tail is None:
        raise bad_request('tail value must be a positive integer or "all"')
    elif tail < 0:
        raise bad_request("negative tail values not supported")
    return _options(request, tail, None)


def _options(request: Request, tail: int | None, until: int | None) -> LogOptions:
    stdout, stderr = boolean(request, "stdout"), boolean(request, "stderr")
    if not (stdout or stderr):
        raise bad_request("Bad parameters: you must choose at least one stream")
    return LogOptions(
        stdout,
        stderr,
        boolean(request, "follow"),
        boolean(request, "timestamps"),
        boolean(request, "details"),
        tail,
        time("since", value(request, "since")),
        until,
    )
