"""Text of strangers on a terminal: what containers print must not move the cursor or change its colours."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping
from typing import IO

# C0 but tab and newline, DEL, C1, and the characters that reorder text (Unicode TR 36, section 3.2)
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
DIM = "\x1b[2m"
_LEVELS = {"fatal": "\x1b[1;31m", "error": "\x1b[31m", "warn": "\x1b[33m", "debug": DIM, "trace": DIM}
_NAMES = tuple(f"\x1b[{code}m" for code in (36, 32, 35, 34, 96, 92, 95, 94))


def escape(text: str) -> str:
    """Control characters made visible (\\x1b), tabs and newlines kept.

    A carriage return inside a line overwrites what is before it, as progress bars do: the last state is
    what a terminal would show.
    """
    if "\r" in text:
        text = "\n".join(_last_state(line) for line in text.split("\n"))
    return _UNSAFE.sub(_visible, text)


def json_for(stream: IO[str], data: bytes) -> bytes:
    """JSON for a stream; on a terminal what it leaves as it is, DEL, C1 and the like, is \\u escaped."""
    return _UNSAFE.sub(_json_escape, data.decode()).encode() if stream.isatty() else data


def one_line(text: str) -> str:
    """The same without tabs and newlines, for a cell of a table."""
    return escape(text).replace("\n", "\\n").replace("\t", "\\t")


def _last_state(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _json_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def wants_colour(stream: IO[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Colour only on a terminal that takes it, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def by_level(text: str, level: str | None) -> str:
    """`text` in the colour of its level."""
    colour = _LEVELS.get(level or "")
    return f"{colour}{text}{RESET}" if colour else text


def by_name(name: str) -> str:
    """A container's name in a colour of its own, the same every time."""
    return in_colour_of(name, name)


def in_colour_of(text: str, name: str) -> str:
    """`text` in the colour of that name."""
    return _NAMES[zlib.crc32(name.encode("utf-8", "replace")) % len(_NAMES)] + text + RESET


def bold(text: str) -> str:
    return f"{BOLD}{text}{RESET}"


def dim(text: str) -> str:
    return f"{DIM}{text}{RESET}"
