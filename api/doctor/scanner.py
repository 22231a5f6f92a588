"""The lower half of `api.doctor.reader`: blanks, comments and strings, and what was repaired in them."""

from __future__ import annotations

import json
import re

from api.doctor.document import MAX_REPAIRS, Problem, Replacement

BLANKS = " \t\r\n"
# what other programs take for a blank, and web pages put between words
_ODD_BLANKS = "\v\f\u00a0\u1680\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C)))
QUOTES = {
    '"': '"', "'": "'", "\u201c": "\u201d\u201c", "\u201d": "\u201d", "\u201e": "\u201d\u201c",
    "\u2018": "\u2019", "\u2019": "\u2019",
}  # fmt: skip
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_UNICODE = re.compile(r"u([0-9a-fA-F]{4})")


class StopError(Exception):
    """What was meant cannot be known."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Scanner:
    """A text, and the position up to which it was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.problems: list[Problem] = []

    def skip(self) -> None:
        """Over blanks, and over comments and odd blanks as problems."""
        while self.at < len(self.text):
            character = self.text[self.at]
            if character in BLANKS:
                self.at += 1
            elif character in _ODD_BLANKS:
                self.repair(
                    "json-blank", self.at, self.at + 1, " ", f"U+{ord(character):04X} is not a blank of JSON"
                )
                self.at += 1
            elif (comment := _COMMENT.match(self.text, self.at)) is not None:
                self._comment(comment.end())
            else:
                return

    def string(self) -> tuple[int, str]:
        """(end, what it says) of the string that begins here."""
        start, closers = self.at, QUOTES[self.text[self.at]]
        plain = self.text[start] == '"'
        parts: list[str] = []
        self.at += 1
        while (character := self.peek()) not in closers or not character:
            if character in ("", "\n"):
                raise StopError("this string does not end on its line", start)
            parts.append(self._escape() if character == "\\" else self._character(character))
        self.at += 1
        if not plain:
            self.repair("json-quote", start, start + 1, '"', f"{self.text[start]} is no quote of JSON")
            self.repair("json-quote", self.at - 1, self.at, '"', "", quiet=True)
        return self.at, _paired("".join(parts))

    def _character(self, character: str) -> str:
        if character == '"':  # only inside other quotes
            self.repair("json-quote", self.at, self.at + 1, '\\"', "", quiet=True)
        elif character < " ":
            text = json.dumps(character)[1:-1]
            self.repair("json-escape", self.at, self.at + 1, text, f"a raw control character, {text} in JSON")
        self.at += 1
        return character

    def _escape(self) -> str:
        start = self.at
        letter = self.text[start + 1 : start + 2]
        code = _UNICODE.match(self.text, start + 1)
        if code is not None:
            self.at = code.end()
            return chr(int(code[1], 16))
        if letter in _ESCAPES and letter:
            self.at += 2
            return _ESCAPES[letter]
        if letter == "'":
            self.repair("json-escape", start, start + 1, "", "\\' is not an escape of JSON")
            self.at += 2
            return letter
        self.at += 1
        self.repair("json-escape", start, start + 1, "\\\\", f"\\{letter} is not an escape of JSON")
        return "\\"

    def _comment(self, end: int) -> None:
        """A comment alone on its line takes the line with it."""
        start = len(self.text[: self.at].rstrip(" \t"))
        if start == 0 or self.text[start - 1] == "\n":
            after = re.compile(r"[ \t\r]*\n").match(self.text, end)
            if after is not None:
                end = after.end()
        elif self.text[end : end + 1] not in ("", "\n", "\r"):
            start = self.at
        self.repair("json-comment", self.at, end, "", "a comment: JSON has none", begin=start)
        self.at = end

    def forget(self, position: int) -> None:
        """A ; that was to become a comma goes altogether."""
        kept = [p for p in self.problems if p.repair is None or p.repair.start != position]
        self.problems = kept

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def repair(
        self, code: str, start: int, end: int, text: str, message: str, *,
        at: int | None = None, begin: int | None = None, quiet: bool = False,
    ) -> None:  # fmt: skip
        """`at`: insert there; `begin`: replace from there. A quiet repair belongs to the one before it."""
        first = at if at is not None else begin if begin is not None else start
        problem = Problem(code, start, "" if quiet else message, Replacement(first, end, text))
        self.problems.append(problem)
        if len(self.problems) > MAX_REPAIRS:
            raise StopError(f"more than {MAX_REPAIRS} places to repair: is this a daemon.json?", start)


def _paired(text: str) -> str:
    """Surrogate halves joined; a lone one is U+FFFD, as encoding/json has it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
