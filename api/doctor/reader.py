"""JSON read tolerantly: what people write into a daemon.json by hand, or paste from a web page.

Taken with a repair: comments, commas too many or too few, single and typographic quotes, names without
quotes, escapes that JSON does not know (`"^com\\.docker"`), raw tabs in a string, odd blanks, `=` for `:`,
Python's literals, brackets that are not closed at the end. Anything else ends the reading with a Problem
that has no repair.
"""

from __future__ import annotations

import json
import re

from api.doctor.document import MAX_DEPTH, MAX_PARTS, Document, Member, Node, Problem, Replacement, apply
from api.doctor.scanner import BLANKS, QUOTES, Scanner, StopError

_WORD = re.compile(r"[^\s,:;{}\[\]\"'#=\u201c\u201d]+")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_MEANT = {"none": "null", "nil": "null", "undefined": "null"}
_CLOSERS = re.compile(r"[\s}\],;]*")


def read(text: str) -> Document:
    """Never raises: what cannot be understood is a Problem without a repair."""
    reader = _Reader(text)
    root: Node | None = None
    try:
        reader.skip()
        root = reader.value(0) if reader.at < len(text) else None
        reader.end()
    except StopError as stop:
        reader.problems.append(Problem("json-syntax", stop.position, str(stop), None))
        root = None
    return Document(text, root, tuple(reader.problems))


def repaired(document: Document) -> str:
    """Its text with every repair."""
    return apply(document.text, [problem.repair for problem in document.problems if problem.repair])


class _Reader(Scanner):
    def value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise StopError(f"nested deeper than {MAX_DEPTH} levels", self.at)
        character = self.peek()
        if character == "{":
            return self._object(depth)
        if character == "[":
            return self._array(depth)
        start = self.at
        if character in QUOTES:
            return Node("string", start, *self.string())
        return self._word(start)

    def end(self) -> None:
        """Nothing but blanks may follow the value."""
        self.skip()
        if self.at >= len(self.text):
            return
        rest = _CLOSERS.match(self.text, self.at)
        assert rest is not None
        repair = (
            Replacement(self.at, len(self.text.rstrip(BLANKS)), "") if rest.end() == len(self.text) else None
        )
        self.problems.append(
            Problem("json-trailing-text", self.at, "something follows the last bracket", repair)
        )

    def _object(self, depth: int) -> Node:
        start, members = self.at, list[Member]()
        self.at += 1
        comma = -1
        while self._goes_on("}", start, comma, len(members)):
            if members and comma < 0:
                self._missing_comma(members[-1].end)
            members.append(self._member(depth))
            comma = self._comma()
        return Node("object", start, self.at, members=tuple(members))

    def _array(self, depth: int) -> Node:
        start, items = self.at, list[Node]()
        self.at += 1
        comma = -1
        while self._goes_on("]", start, comma, len(items)):
            if items and comma < 0:
                self._missing_comma(items[-1].end)
            items.append(self.value(depth + 1))
            comma = self._comma()
        return Node("array", start, self.at, items=tuple(items))

    def _goes_on(self, closer: str, start: int, comma: int, parts: int) -> bool:
        """Another part follows. Else the closing bracket is behind us, and a comma before it is a problem."""
        if parts > MAX_PARTS:
            raise StopError(f"more than {MAX_PARTS} parts in one bracket", start)
        self.skip()
        while self.peek() in (",", ";"):
            self.repair("json-comma", self.at, self.at + 1, "", "a comma too many")
            self.at += 1
            self.skip()
        if self.peek() not in (closer, ""):
            return True
        if comma >= 0 and parts:
            self.forget(comma)
            self.repair("json-comma", comma, comma + 1, "", f"a comma before the closing {closer}")
        if self.peek() == "":
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
        self.repair("json-bracket", start, end, text, f"this {self.text[start]} is never closed", at=end)
        self.at = len(self.text)

    def _member(self, depth: int) -> Member:
        start = self.at
        key = self._key()
        key_end = self.at
        self.skip()
        if self.peek() == "=":
            length = 2 if self.text.startswith("=>", self.at) else 1
            self.repair("json-colon", self.at, self.at + length, ":", "a = where JSON wants a :")
            self.at += length
        elif self.peek() == ":":
            self.at += 1
        else:
            raise StopError(f"no : after the key {key!r}", key_end)
        self.skip()
        if self.peek() in ("", ",", "}", "]"):
            raise StopError(f"the key {key!r} has no value", start)
        return Member(key, start, key_end, self.value(depth + 1))

    def _key(self) -> str:
        if self.peek() in QUOTES:
            return self.string()[1]
        start = self.at
        word = _WORD.match(self.text, start)
        if word is None:
            raise StopError(f"{self.peek()!r} where a key should begin", start)
        self.at = word.end()
        self.repair("json-quote", start, self.at, json.dumps(word[0]), f"the key {word[0]} has no quotes")
        return word[0]

    def _comma(self) -> int:
        """The position of the separator that follows, -1 when there is none."""
        self.skip()
        if self.peek() not in (",", ";"):
            return -1
        if self.peek() == ";":
            self.repair("json-comma", self.at, self.at + 1, ",", "a ; where JSON wants a comma")
        self.at += 1
        return self.at - 1

    def _missing_comma(self, end: int) -> None:
        """Only where the next part stands apart and cannot belong to this one."""
        if self.at == end or self.peek() not in '"\u201c{[':
            raise StopError(f"{self.peek()!r} behind a value", self.at)
        self.repair("json-comma", end, end, ",", "no comma after this value")

    def _word(self, start: int) -> Node:
        word = _WORD.match(self.text, start)
        if word is None:
            raise StopError(f"{self.peek()!r} where a value should begin", start)
        self.at = end = word.end()
        if _NUMBER.fullmatch(word[0]):
            return Node("number", start, end, word[0])
        meant = _MEANT.get(word[0].lower(), word[0].lower())
        if meant not in _LITERALS:
            self.repair("json-quote", start, end, json.dumps(word[0]), f"{word[0]} has no quotes")
            return Node("string", start, end, word[0])
        if meant != word[0]:
            self.repair("json-quote", start, end, meant, f"{word[0]} is not JSON")
        return Node("null" if meant == "null" else "bool", start, end, _LITERALS[meant])
