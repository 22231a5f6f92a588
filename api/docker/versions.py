"""Which version of the API a request speaks (moby api/server/middleware/version.go)."""

from __future__ import annotations

import re

from starlette.requests import Request

from api.docker.errors import bad_request

API_VERSION = (1, 45)  # Docker 26.1: what clients of 20.10 to 29 all can speak
MIN_VERSION = (1, 24)  # the oldest that clients of today may ask for

_PREFIX = re.compile(r"/v([0-9]{1,4})\.([0-9]{1,4})(?=/|$)")

Version = tuple[int, int]


def split_version(path: str) -> tuple[Version | None, str]:
    """The version at the start of a path, and the rest of the path."""
    found = _PREFIX.match(path)
    return ((int(found[1]), int(found[2])), path[found.end() :]) if found else (None, path)


def text_of(version: Version) -> str:
    """As it is written."""
    return f"{version[0]}.{version[1]}"


def check(version: Version) -> None:
    """Raises DockerError for a version that is not spoken here."""
    if version < MIN_VERSION:
        raise bad_request(
            f"client version {text_of(version)} is too old. Minimum supported API version is "
            f"{text_of(MIN_VERSION)}, please upgrade your client to a newer version"
        )
    if version > API_VERSION:
        raise bad_request(
            f"client version {text_of(version)} is too new. "
            f"Maximum supported API version is {text_of(API_VERSION)}"
        )


def version_of(request: Request) -> Version:
    """The version that a request speaks: the newest when it does not say."""
    version: Version = request.scope.get("docker.version") or API_VERSION
    return version
