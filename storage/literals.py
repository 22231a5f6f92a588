"""What every match of a regular expression must contain: pattern -> Expression of texts, or None.

A store that keeps an index of words or trigrams can use it to find the few lines worth a regex. Only what is
certain is said: letters that may be missing, classes, flags and everything this reader does not know say
nothing. Syntax: RE2 (github.com/google/re2/wiki/Syntax); the pattern is one that RE2 took.
"""

import re

from storage.expression import And, Expression, Or, Text
from storage.folding import fold

LEAST_LETTERS = 3  # shorter texts are in most lines: looking for them costs more than it saves
MAX_TEXTS = 100  # as many as q may have: each is looked for

_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})+")
_SURE_REPEAT = re.compile(r"(?:\+|\{0*[1-9]\d*(?:,\d*)?\})\??")  # once at least, lazy or not
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|[imsU]*(?:-[imsU]+)?:))?")
_FLAGS = re.compile(r"\(\?[imsU]*(?:-[imsU]+)?\)")
_PLAIN_ESCAPE = re.compile(r"\\([^\w\s])", re.ASCII)
_OTHER_ESCAPE = re.compile(
    r"\\(?:[pP](?:\{\^?\w+\}|\w)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|[^Q])", re.DOTALL
)
_BREAKS = frozenset("^$.")


class _UnknownError(Exception):
    """The pattern has something that this reader does not know."""


def necessary(pattern: str) -> Expression | None:
    """Texts that every match of an RE2 pattern contains; None when nothing is certain."""
    reader = _Reader(pattern)
    try:
        found = reader.alternatives()
    except (_UnknownError, RecursionError):
        return None
    return found if reader.at_end() and reader.texts <= MAX_TEXTS else None


class _Reader:
    """A place in the pattern, moving forward."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.place = 0
        self.texts = 0

    def at_end(self) -> bool:
        return self.place == len(self.pattern)

    def peek(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def take(self, expected: re.Pattern[str]) -> re.Match[str] | None:
        found = expected.match(self.pattern, self.place)
        if found:
            self.place = found.end()
        return found

    def alternatives(self) -> Expression | None:
        items = [self.sequence()]
        while self.peek() == "|":
            self.place += 1
            items.append(self.sequence())
        known = [item for item in items if item is not None]
        if len(known) < len(items):  # one of them may be anything
            return None
        return known[0] if len(known) == 1 else Or(tuple(known))

    def sequence(self) -> Expression | None:
        items: list[Expression] = []
        run = ""
        while not self.at_end() and self.peek() not in "|)":
            letter = self.letter()
            if letter is not None:
                if (repeat := self.take(_REPEAT)) is None:
                    run += letter
                    continue
                run = self.kept(run, letter, repeat[0], items)
                continue
            run = self.flush(run, items)
            if (item := self.other()) is not None:
                items.append(item)
        self.flush(run, items)
        if not items:
            return None
        return items[0] if len(items) == 1 else And(tuple(items))

    def kept(self, run: str, letter: str, repeat: str, items: list[Expression]) -> str:
        """What of a run goes on behind a repeated letter."""
        once = at_least_once(repeat)
        self.flush(run + letter if once else run, items)
        return letter if once else ""

    def flush(self, run: str, items: list[Expression]) -> str:
        """End a run of letters: it is necessary. Returns the new, empty run."""
        if len(run) >= LEAST_LETTERS:
            items.append(Text(fold(run)))
            self.texts += 1
        return ""

    def letter(self) -> str | None:
        """The next literal letter, if the next thing is one."""
        if (escape := self.take(_PLAIN_ESCAPE)) is not None:
            return escape[1]
        letter = self.peek()
        if letter in "\\[(" or letter in _BREAKS:
            return None
        self.place += 1
        return letter

    def other(self) -> Expression | None:
        """What the next thing that is no letter makes necessary."""
        if self.take(_FLAGS):
            if self.take(_REPEAT):  # RE2 repeats what stands before the flags
                raise _UnknownError
            return None
        if self.peek() == "(":
            return self.group()
        if self.peek() in _BREAKS:
            self.place += 1
        elif self.peek() == "[":
            if not self.take(_CLASS):
                raise _UnknownError
        elif self.peek() == "\\" and not self.take(_OTHER_ESCAPE):
            raise _UnknownError
        self.take(_REPEAT)
        return None

    def group(self) -> Expression | None:
        if not self.take(_GROUP) or self.peek() == "?":
            raise _UnknownError
        inside = self.alternatives()
        if self.peek() != ")":
            raise _UnknownError
        self.place += 1
        repeat = self.take(_REPEAT)
        return inside if repeat is None or at_least_once(repeat[0]) else None


def at_least_once(repeat: str) -> bool:
    """Whether a thing with this repetition is there for certain."""
    return _SURE_REPEAT.fullmatch(repeat) is not None
