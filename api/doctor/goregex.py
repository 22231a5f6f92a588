"""Go's regular expressions, as far as a log option needs them: is one valid, and which names does it match?

The syntax is that of Go's regexp/syntax/parse.go with the Perl flags: no look-around, no back-references, no
possessive or doubled repetitions, at most 1000 repetitions. Two things are not checked: Go's limit on the
size of the compiled program, and whether a script named in `\\p{...}` exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from api.doctor import gomatch
from api.doctor.gomatch import Flags, Step, Test

MAX_PATTERN = 4096  # characters: longer is no list of names
MAX_DEPTH = 100  # nested groups: Go allows 1000, Python's stack less
MAX_REPEAT = 1000  # regexp/syntax/parse.go

_CATEGORY = re.compile(r"C[cfnos]?|L[Clmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?")
_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\\x00-\\x7f", "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f", "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~",
    "punct": "!-/:-@\\[-`{-~", "space": "\\t\\n\\v\\f\\r ", "upper": "A-Z", "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_PERL = {"d": "0-9", "s": "\\t\\n\\f\\r ", "w": "0-9A-Za-z_"}
_CONTROL = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_EDGES = {
    "A": gomatch.text_start,
    "z": gomatch.text_end,
    "b": gomatch.word_edge,
    "B": gomatch.no_word_edge,
}
_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_REPEAT = re.compile(r"\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}", re.ASCII)
_NAMED = re.compile(r"\(\?P?<(\w+)>", re.ASCII)
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_LOOK = re.compile(r"\(\?<?[=!]")
_HEX = re.compile(r"\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_OCTAL = re.compile(r"\\(0[0-7]{0,2}|[1-7][0-7]{1,2})")
_UNICODE = re.compile(r"\\[pP](?:\{(\^?)([^}]*)\}|([^{]))")
_SCRIPT = re.compile(r"[A-Za-z][A-Za-z_]+")
_CLASS = re.compile(r"\[:(\^?)(.*?):\]", re.DOTALL)


class RegexError(ValueError):
    """Go would refuse the pattern. `position` is an index into it."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True)
class Regex:
    """A valid pattern."""

    pattern: str
    step: Step

    def matches(self, text: str) -> bool:
        """Somewhere in `text`: Go's MatchString is not anchored."""
        return self.step(text, (1 << len(text) + 1) - 1) != 0


def parse(pattern: str) -> Regex:
    """Raises RegexError."""
    if len(pattern) > MAX_PATTERN:
        raise RegexError(f"longer than {MAX_PATTERN} characters", MAX_PATTERN)
    parser = _Parser(pattern)
    part = parser.alternatives(Flags(), 0)
    if parser.at < len(pattern):
        raise RegexError("unexpected )", parser.at)
    return Regex(pattern, part.step)


@dataclass(frozen=True)
class _Part:
    """A step, and how often the most repeated part in it is copied."""

    step: Step
    copies: int = 1


@dataclass
class _Parser:
    text: str
    at: int = 0
    last_repeat: int = field(default=-1, init=False)  # where the last repetition ended

    def alternatives(self, flags: Flags, depth: int) -> _Part:
        """Until the ) that ends them, or the end. Flags set inside a group end with it."""
        if depth > MAX_DEPTH:
            raise RegexError(f"groups nested deeper than {MAX_DEPTH}", self.at)
        branches: list[list[_Part]] = [[]]
        while self.at < len(self.text) and self.text[self.at] != ")":
            change = _FLAGS.match(self.text, self.at)
            if self.text[self.at] == "|":
                branches.append([])
                self.at += 1
            elif change is not None and change[3] == ")":
                flags = _changed(flags, change)
                self.at = change.end()
            elif (bounds := self._repetition()) is not None:
                self._repeat(branches[-1], *bounds)
            else:
                branches[-1] += self._elements(flags, depth)
        made = [gomatch.sequence([part.step for part in branch]) for branch in branches]
        copies = max((part.copies for branch in branches for part in branch), default=1)
        return _Part(made[0] if len(made) == 1 else gomatch.either(made), copies)

    def _repetition(self) -> tuple[int, int | None, int] | None:
        """(least, most, end) of a repetition that stands here; None when none does."""
        sign = _SIGNS.get(self.text[self.at])
        if sign is not None:
            return *sign, self.at + 1
        found = _REPEAT.match(self.text, self.at)
        if found is None:
            return None
        least = int(found[1][:9])
        most = least if found[2] is None else int(found[3][:9]) if found[3] else None
        if least > MAX_REPEAT or (most is not None and (most > MAX_REPEAT or least > most)):
            raise RegexError(f"repetition {found[0]}: at most {MAX_REPEAT}, the smaller first", self.at)
        return least, most, found.end()

    def _repeat(self, parts: list[_Part], least: int, most: int | None, end: int) -> None:
        sign = self.text[self.at : end]
        if self.last_repeat == self.at:
            raise RegexError(f"{sign} after another repetition", self.at)
        if not parts:
            raise RegexError(f"nothing before {sign} to repeat", self.at)
        part = parts.pop()
        counted = 1 if sign in _SIGNS else max(least if most is None else most, 1)
        if part.copies * counted > MAX_REPEAT:
            raise RegexError(f"repetition {sign}: more than {MAX_REPEAT} copies in all", self.at)
        parts.append(_Part(gomatch.repeated(part.step, least, most), part.copies * counted))
        self.at = self.last_repeat = end + (self.text[end : end + 1] == "?")

    def _elements(self, flags: Flags, depth: int) -> list[_Part]:
        character = self.text[self.at]
        if character == "(":
            return [self._group(flags, depth)]
        if self.text.startswith("\\Q", self.at):
            return [_Part(gomatch.one(gomatch.literal(c, flags))) for c in self._quoted()]
        if character == "[":
            return [_Part(gomatch.one(self._class(flags)))]
        if character == "\\":
            return [_Part(self._escape(flags))]
        self.at += 1
        return [_Part(_plain(character, flags))]

    def _quoted(self) -> str:
        literal, end, _ = self.text[self.at + 2 :].partition("\\E")
        self.at += 2 + len(literal) + len(end)
        return literal

    def _group(self, flags: Flags, depth: int) -> _Part:
        start = self.at
        options = _FLAGS.match(self.text, start)
        self.at = self._opening(start, options)
        part = self.alternatives(_changed(flags, options) if options else flags, depth + 1)
        if self.at >= len(self.text):
            raise RegexError("group without its )", start)
        self.at += 1
        return part

    def _opening(self, start: int, options: re.Match[str] | None) -> int:
        """The position after `(`, `(?i:` or `(?P<name>`."""
        if _LOOK.match(self.text, start):
            raise RegexError("look-ahead and look-behind do not exist in Go", start)
        if not self.text.startswith("(?", start):
            return start + 1
        found = options or _NAMED.match(self.text, start)
        if found is None:
            raise RegexError(f"unknown group {self.text[start : start + 4]}", start)
        return found.end()

    def _escape(self, flags: Flags) -> Step:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter in _EDGES:
            self.at += 2
            return _EDGES[letter]
        test = self._class_escape(flags)
        return gomatch.one(test or gomatch.literal(self._character(), flags))

    def _class_escape(self, flags: Flags) -> Test | None:
        """`\\d`, `\\pL` and the like, outside and inside brackets; None when none stands here."""
        letter = self.text[self.at + 1 : self.at + 2]
        if self.text[self.at : self.at + 1] != "\\" or not letter:
            return None
        if letter in "pP":
            return self._unicode_class(letter == "P", flags)
        if letter.lower() not in _PERL:
            return None
        self.at += 2
        return gomatch.group(_PERL[letter.lower()], letter.isupper(), flags)

    def _unicode_class(self, negative: bool, flags: Flags) -> Test:
        found = _UNICODE.match(self.text, self.at)
        name = (found[2] or found[3] or "") if found else ""
        if found is None or not (_CATEGORY.fullmatch(name) or _SCRIPT.fullmatch(name)):
            raise RegexError(f"unknown Unicode class {self.text[self.at : self.at + 12]}", self.at)
        self.at = found.end()
        wanted = negative == bool(found[1])
        return lambda c: gomatch.in_unicode_class(c, name, flags) == wanted

    def _class(self, flags: Flags) -> Test:
        start = self.at
        negative = self.text.startswith("^", start + 1)
        self.at += 1 + negative
        tests: list[Test] = []
        while not tests or self.text[self.at : self.at + 1] != "]":
            if self.at >= len(self.text):
                raise RegexError("brackets without their ]", start)
            tests.append(self._class_part(flags))
        self.at += 1
        return lambda c: any(test(c) for test in tests) != negative

    def _class_part(self, flags: Flags) -> Test:
        named = _CLASS.match(self.text, self.at)
        if named is not None:
            if named[2] not in _POSIX:
                raise RegexError(f"unknown class {named[0]}", self.at)
            self.at = named.end()
            return gomatch.group(_POSIX[named[2]], bool(named[1]), flags)
        test = self._class_escape(flags)
        if test is not None:
            return test
        start, low = self.at, self._class_character()
        if self.text[self.at : self.at + 1] != "-" or self.text[self.at + 1 : self.at + 2] in ("", "]"):
            return gomatch.literal(low, flags)
        self.at += 1
        high = self._class_character()
        if high < low:
            raise RegexError(f"range {self.text[start : self.at]} runs backwards", start)
        return gomatch.span(low, high, flags)

    def _class_character(self) -> str:
        if self.text[self.at] == "\\":
            return self._character()
        self.at += 1
        return self.text[self.at - 1]

    def _character(self) -> str:
        """One escaped character; the position is moved behind it."""
        start, letter = self.at, self.text[self.at + 1 : self.at + 2]
        if not letter:
            raise RegexError("the pattern ends in a backslash", start)
        number = _HEX.match(self.text, start) or _OCTAL.match(self.text, start)
        if number is not None:
            code = int(next(filter(None, number.groups())), 16 if letter == "x" else 8)
            if code > 0x10FFFF:
                raise RegexError(f"no character {number[0]}", start)
            self.at = number.end()
            return chr(code)
        self.at += 2
        if letter in _CONTROL:
            return _CONTROL[letter]
        if letter.isascii() and not letter.isalnum():
            return letter
        hint = ": Go has no back-references" if letter.isdigit() else ""
        raise RegexError(f"unknown escape \\{letter}{hint}", start)


def _plain(character: str, flags: Flags) -> Step:
    """A character outside brackets that opens nothing."""
    if character == "^":
        return gomatch.line_start if flags.multiline else gomatch.text_start
    if character == "$":
        return gomatch.line_end if flags.multiline else gomatch.text_end
    if character == ".":
        return gomatch.one(lambda c: flags.dot_all or c != "\n")
    return gomatch.one(gomatch.literal(character, flags))


def _changed(flags: Flags, change: re.Match[str]) -> Flags:
    names = {"i": "fold", "m": "multiline", "s": "dot_all"}
    values = {names[letter]: True for letter in change[1] if letter in names}
    values |= {names[letter]: False for letter in change[2] or "" if letter in names}
    return replace(flags, **values)
