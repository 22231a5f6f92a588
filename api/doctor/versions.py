"""Versions of Docker Engine, compared."""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?(?:[-+~].*)?")


class Version(NamedTuple):
    major: int
    minor: int = 0
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}" + (f".{self.patch}" if self.patch else "")


FIRST = Version(17)  # versions are years since 17.03; what is below is another program's
OLDEST = Version(20, 10)  # the tables of keys and options begin here ...
CURRENT = Version(29, 7)  # ... and end here; also what is assumed when nobody says


def parse_version(text: str) -> Version:
    """`26.1.5`, `v28.2`, `20.10.24+dfsg1`, `29.0.0-rc.1`; ValueError says what to write."""
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a version: write it like 26.1 or 28.2.2")
    version = Version(int(found[1]), int(found[2] or 0), int(found[3] or 0))
    if version < FIRST:
        raise ValueError(f"{text!r} is no version of Docker Engine: they begin with 17")
    return version
