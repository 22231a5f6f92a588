"""What the text of each fact looks like: as a pattern for finding it, and exactly for judging one text."""

from __future__ import annotations

import re
from typing import Final

from parsers.inversion.patterns import (
    ANYTHING,
    DIGITS,
    EVERY,
    HEX,
    INNER,
    LOWER,
    WORD,
    Alt,
    Chars,
    Lit,
    Pattern,
    Seq,
)

_NAME: Final = WORD | frozenset(b"_.-")
_IMAGE: Final = _NAME | frozenset(b"/:@+[]")

SHAPES: Final[dict[str, Pattern]] = {
    "ID": Chars(HEX, 12, 12),
    "FullID": Chars(HEX, 64, 64),
    "Name": Seq((Chars(WORD, 1, 1), Chars(_NAME, 1))),
    "ImageName": Chars(_IMAGE, 1),
    # or the algorithm and five digits: 20.10 and 26.1 were seen to cut the whole id at 12 bytes
    "ImageID": Alt(INNER, (Chars(HEX, 12, 12), Seq((Lit(b"sha256:"), Chars(HEX, 5, 5))))),
    "ImageFullID": Seq((Lit(b"sha256:"), Chars(HEX, 64, 64))),
    "Hostname": Chars(_NAME, 1),
    "DaemonName": Lit(b"docker"),  # a constant of dockerd's
    "LogPath": Lit(b""),  # only the drivers that write files have one
    "Command": ANYTHING,
    "ContainerEntrypoint": ANYTHING,
    # Go's time.Time.String of a time in UTC; the year is a container's, not Go's
    "ContainerCreated": Seq(
        (Chars(DIGITS, 4, 4), Chars(EVERY - LOWER, 16), Lit(b"+0000 UTC"))
    ),
}  # fmt: skip

# distribution/reference: [host[:port]/]path[:tag][@algorithm:hex], or an image's id. A path is lowercase.
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = (
    rf"(?:{_HOST}/)?{_PATH}(?:/{_PATH})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    r"(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,})?"
)

_EXACTLY: Final[dict[str, re.Pattern[bytes]]] = {
    "ID": re.compile(rb"[0-9a-f]{12}"),
    "FullID": re.compile(rb"[0-9a-f]{64}"),
    "Name": re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.-]+"),  # daemon/names/names.go, RestrictedNamePattern
    "ImageName": re.compile(_REFERENCE.encode()),
    "ImageID": re.compile(rb"[0-9a-f]{12}|sha256:[0-9a-f]{5}"),
    "ImageFullID": re.compile(rb"sha256:[0-9a-f]{64}"),
    "Hostname": re.compile(rb"[A-Za-z0-9_.-]+"),
    "DaemonName": re.compile(rb"docker"),
    "LogPath": re.compile(rb""),
    "ContainerCreated": re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \+0000 UTC"),
}


def shape_of(fact: str) -> Pattern:
    """The pattern of a fact's texts; labels, environment and options are free."""
    return SHAPES.get(fact, ANYTHING)


# A reference has at most 255 characters, 128 of a tag and a digest. The limit keeps it cheap to judge many
# candidates in one long tag: this expression is the only slow one.
_LONGEST: Final = {"ImageName": 1024}


def fits(fact: str, text: bytes) -> bool:
    """Whether the fact can have this text."""
    exactly = _EXACTLY.get(fact)
    if exactly is None:
        return True
    return len(text) <= _LONGEST.get(fact, len(text)) and exactly.fullmatch(text) is not None
