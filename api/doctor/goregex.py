"""Go's regular expressions, for the options labels-regex and env-regex: is one valid, what does it match?

RE2 does the work: Go's regexp is its author's port of it, with the same syntax (one letter apart: `\\C`,
which Go lacks) and the same refusals. A match costs time linear in the text, whatever the expression.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import re2

MAX_PATTERN: Final = 4096  # characters: longer is no list of names

_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False  # they are findings


class RegexError(ValueError):
    """An expression that dockerd refuses; the text says what is wrong."""


class Regex(msgspec.Struct, frozen=True):
    """A compiled expression."""

    compiled: Any

    def matches(self, text: str) -> bool:
        """Whether it matches anywhere in the text, as dockerd asks (daemon/logger/loginfo.go)."""
        return self.compiled.search(text) is not None


def parse(pattern: str) -> Regex:
    """Raises RegexError."""
    if len(pattern) > MAX_PATTERN:
        raise RegexError(f"longer than {MAX_PATTERN} characters")
    if "\\C" in pattern.replace("\\\\", ""):
        raise RegexError("invalid escape sequence: \\C")
    try:
        return Regex(re2.compile(pattern, options=_OPTIONS))
    except re2.error as error:
        said = error.args[0] if error.args else b""
        raise RegexError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
