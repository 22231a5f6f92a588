"""JSON read tolerantly: what people write into a daemon.json by hand, or paste from a web page.

Taken with a repair: comments, commas too many or too few, single and typographic quotes, names without
quotes, escapes that JSON does not know (`"^com\\.docker"`), raw tabs in a string, odd blanks, `=` for `:`,
Python's literals, brackets that are not closed at the end. Anything else ends the reading with a Problem
that has no repair.
"""

from __future__ import annotations

import json
import re

from api.doctor.document import MAX_DEPTH, Document, Member, Node, Problem, Replacement, apply

_BLANKS = " \t\r\n"
# what other programs take for a blank, and web pages put between words
_ODD_BLANKS = "\v\f\u00a0\u1680\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C)))
_QUOTES = {
    '"': '"', "'": "'", "\u201c": "\u201d\u201c", "\u201d": "\u201d", "\u201e": "\u201d\u201c",
    "\u2018": "\u2019", "\u2019": "\u2019",
}  # fmt: skip
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_WORD = re.compile(r"[^\s,:;{}\[\]\"'#=\u201c\u201d]+")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_MEANT = {"none": "null", "nil": "null", "undefined": "null"}
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_UNICODE = re.compile(r"u([0-9a-fA-F]{4})")
_CLOSERS = re.compile(r"[\s}\],;]*")


def read(text: str) -> Document:
    """Never raises: what cannot be understood is a Problem without a repair."""
    reader = _Reader(text)
    root: Node | None = None
    try:
        reader.skip()
        root = reader.value(0) if reader.at < len(text) else None
        reader.end()
    except _StopError as stop:
        reader.problems.append(Problem("json-syntax", stop.position, str(stop), None))
        root = None
    return Document(text, root, tuple(reader.problems))


def repaired(document: Document) -> str:
    """Its text with every repair."""
    return apply(document.text, [problem.repair for problem in document.problems if problem.repair])


class _StopError(Exception):
    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.problems: list[Problem] = []

    def skip(self) -> None:
        """Over blanks, and over comments and odd blanks as problems."""
        while self.at < len(self.text):
            character = self.text[self.at]
            if character in _BLANKS:
                self.at += 1
            elif character in _ODD_BLANKS:
                self._repair(
                    "json-blank", self.at, self.at + 1, " ", f"U+{ord(character):04X} is not a blank of JSON"
                )
                self.at += 1
            elif (comment := _COMMENT.match(self.text, self.at)) is not None:
                self._comment(comment.end())
            else:
                return

    def value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _StopError(f"nested deeper than {MAX_DEPTH} levels", self.at)
        character = self._peek()
        if character == "{":
            return self._object(depth)
        if character == "[":
            return self._array(depth)
        start = self.at
        if character in _QUOTES:
            return Node("string", start, *self._string())
        return self._word(start)

    def end(self) -> None:
        """Nothing but blanks may follow the value."""
        self.skip()
        if self.at >= len(self.text):
            return
        rest = _CLOSERS.match(self.text, self.at)
        assert rest is not None
        repair = (
            Replacement(self.at, len(self.text.rstrip(_BLANKS)), "") if rest.end() == len(self.text) else None
        )
        self.problems.append(
            Problem("json-trailing-text", self.at, "something follows the last bracket", repair)
        )

    def _object(self, depth: int) -> Node:
        start, members = self.at, list[Member]()
        self.at += 1
        comma = -1
        while self._goes_on("}", start, comma, bool(members)):
            if members and comma < 0:
                self._missing_comma(members[-1].end)
            members.append(self._member(depth))
            comma = self._comma()
        return Node("object", start, self.at, members=tuple(members))

    def _array(self, depth: int) -> Node:
        start, items = self.at, list[Node]()
        self.at += 1
        comma = -1
        while self._goes_on("]", start, comma, bool(items)):
            if items and comma < 0:
                self._missing_comma(items[-1].end)
            items.append(self.value(depth + 1))
            comma = self._comma()
        return Node("array", start, self.at, items=tuple(items))

    def _goes_on(self, closer: str, start: int, comma: int, any_before: bool) -> bool:
        """Another part follows. Else the closing bracket is behind us, and a comma before it is a problem."""
        self.skip()
        while self._peek() in (",", ";"):
            self._repair("json-comma", self.at, self.at + 1, "", "a comma too many")
            self.at += 1
            self.skip()
        if self._peek() not in (closer, ""):
            return True
        if comma >= 0 and any_before:
            self._forget(comma)
            self._repair("json-comma", comma, comma + 1, "", f"a comma before the closing {closer}")
        if self._peek() == "":
            self._unclosed(closer, start)
        else:
            self.at += 1
        return False

    def _unclosed(self, closer: str, start: int) -> None:
        repaired = max((problem.repair.end for problem in self.problems if problem.repair), default=0)
        end = max(len(self.text.rstrip()), repaired)
        line = self.text.rfind("\n", 0, start) + 1
        indent = re.match(r"[ \t]*", self.text[line:])
        assert indent is not None
        broken = "\n" in self.text[start:end]
        text = f"\n{indent[0]}{closer}" if broken else closer
        self._repair("json-bracket", start, end, text, f"this {self.text[start]} is never closed", at=end)
        self.at = len(self.text)

    def _member(self, depth: int) -> Member:
        start = self.at
        key = self._key()
        key_end = self.at
        self.skip()
        if self._peek() == "=":
            length = 2 if self.text.startswith("=>", self.at) else 1
            self._repair("json-colon", self.at, self.at + length, ":", "a = where JSON wants a :")
            self.at += length
        elif self._peek() == ":":
            self.at += 1
        else:
            raise _StopError(f"no : after the key {key!r}", key_end)
        self.skip()
        if self._peek() in ("", ",", "}", "]"):
            raise _StopError(f"the key {key!r} has no value", start)
        return Member(key, start, key_end, self.value(depth + 1))

    def _key(self) -> str:
        if self._peek() in _QUOTES:
            return self._string()[1]
        start = self.at
        word = _WORD.match(self.text, start)
        if word is None:
            raise _StopError(f"{self._peek()!r} where a key should begin", start)
        self.at = word.end()
        self._repair("json-quote", start, self.at, json.dumps(word[0]), f"the key {word[0]} has no quotes")
        return word[0]

    def _comma(self) -> int:
        """The position of the separator that follows, -1 when there is none."""
        self.skip()
        if self._peek() not in (",", ";"):
            return -1
        if self._peek() == ";":
            self._repair("json-comma", self.at, self.at + 1, ",", "a ; where JSON wants a comma")
        self.at += 1
        return self.at - 1

    def _forget(self, position: int) -> None:
        """A ; that was to become a comma goes altogether."""
        kept = [p for p in self.problems if p.repair is None or p.repair.start != position]
        self.problems = kept

    def _missing_comma(self, end: int) -> None:
        """Only where the next part stands apart and cannot belong to this one."""
        if self.at == end or self._peek() not in '"\u201c{[':
            raise _StopError(f"{self._peek()!r} behind a value", self.at)
        self._repair("json-comma", end, end, ",", "no comma after this value")

    def _word(self, start: int) -> Node:
        word = _WORD.match(self.text, start)
        if word is None:
            raise _StopError(f"{self._peek()!r} where a value should begin", start)
        self.at = end = word.end()
        if _NUMBER.fullmatch(word[0]):
            return Node("number", start, end, word[0])
        meant = _MEANT.get(word[0].lower(), word[0].lower())
        if meant not in _LITERALS:
            self._repair("json-quote", start, end, json.dumps(word[0]), f"{word[0]} has no quotes")
            return Node("string", start, end, word[0])
        if meant != word[0]:
            self._repair("json-quote", start, end, meant, f"{word[0]} is not JSON")
        return Node("null" if meant == "null" else "bool", start, end, _LITERALS[meant])

    def _string(self) -> tuple[int, str]:
        """(end, what it says) of the string that begins here."""
        start, closers = self.at, _QUOTES[self.text[self.at]]
        plain = self.text[start] == '"'
        parts: list[str] = []
        self.at += 1
        while (character := self._peek()) not in closers or not character:
            if character in ("", "\n"):
                raise _StopError("this string does not end on its line", start)
            parts.append(self._escape() if character == "\\" else self._character(character))
        self.at += 1
        if not plain:
            self._repair("json-quote", start, start + 1, '"', f"{self.text[start]} is no quote of JSON")
            self._repair("json-quote", self.at - 1, self.at, '"', "", quiet=True)
        return self.at, _paired("".join(parts))

    def _character(self, character: str) -> str:
        if character == '"':  # only inside other quotes
            self._repair("json-quote", self.at, self.at + 1, '\\"', "", quiet=True)
        elif character < " ":
            text = json.dumps(character)[1:-1]
            self._repair(
                "json-escape", self.at, self.at + 1, text, f"a raw control character, {text} in JSON"
            )
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
            self._repair("json-escape", start, start + 1, "", "\\' is not an escape of JSON")
            self.at += 2
            return letter
        self.at += 1
        self._repair("json-escape", start, start + 1, "\\\\", f"\\{letter} is not an escape of JSON")
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
        self._repair("json-comment", self.at, end, "", "a comment: JSON has none", begin=start)
        self.at = end

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _repair(
        self, code: str, start: int, end: int, text: str, message: str, *,
        at: int | None = None, begin: int | None = None, quiet: bool = False,
    ) -> None:  # fmt: skip
        """`at`: insert there; `begin`: replace from there. A quiet repair belongs to the one before it."""
        first = at if at is not None else begin if begin is not None else start
        problem = Problem(code, start, "" if quiet else message, Replacement(first, end, text))
        self.problems.append(problem)


def _paired(text: str) -> str:
    """Surrogate halves joined; a lone one is U+FFFD, as encoding/json has it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
