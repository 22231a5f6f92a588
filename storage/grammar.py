"""The parser of `q`: text -> Expression, or a QueryError that says how to write it.

    or     = and { "OR" and }
    and    = term { [ "AND" ] term }
    term   = "-" term | "(" or ")" | "/" regex "/" | quoted [ "*" ] | field | word [ "*" ]
    field  = name ":" ( quoted [ "*" ] | number comparison | value [ "*" ] )

What a person pastes from a log should mean itself, so marks count only where they must:

- a term ends at white space, or at a `)` that it did not open itself: `main()` is a word;
- a `*` at the end of a word stands for whatever follows, so nothing has to be looked for: `time*` is `time`;
  where the word has no letter or digit it is one like others: `*`, `/**`;
- quotes count at the start of a term or of a field's value; in them a backslash escapes `"` and itself;
- `-` excludes in front of a term, except in front of another `-`: `--verbose` is a word;
- `/x/` is a regex when its next unescaped slash ends the term: `/api/users` is a word;
- `name:value` is a field when the name begins with a letter or `_`, goes on with letters, digits and `_.@-`,
  and the value is not empty and begins with none of `//` `:` `\\`: `http://x`, `std::map`, `12:30` are words.
"""

import re
from functools import lru_cache

from storage.errors import QueryError
from storage.expression import And, Expression, Field, Not, Operator, Or, Regex, Text, check_regex, number
from storage.folding import fold

MAX_LENGTH = 4096  # characters: more than anyone types, and every store must translate it
MAX_TERMS = 100  # each is looked for in every candidate line
MAX_DEPTH = 20  # of parentheses and exclusions: keeps all recursion over an expression shallow

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_REGEX = re.compile(r"/((?:[^/\\]|\\.)++)/(?=[\s)]|\Z)", re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')
_NAME = re.compile(r"([^\W\d][\w.@-]*):(?!//|:|\\|\)|\s|\Z)")
_COMPARISON = re.compile(r"(>=|<=|>|<)(.*)", re.DOTALL)
_STAR = re.compile(r"\*")
_LAST_STAR = re.compile(r"\*(?=[\s)]|\Z)")
_SPACE = re.compile(r"\s*")

_MISSING = (
    'a term is missing: write a word, "quoted text", -word, /regex/ or field:value; '
    "put quotes around OR, AND and parentheses to look for them"
)


@lru_cache(maxsize=256)  # pages of one question, and followers that ask the same, parse it once
def parse(q: str) -> Expression:
    """The expression that `q` says. Raises QueryError("q")."""
    if len(q) > MAX_LENGTH:
        raise QueryError("q", f"too long: {len(q)} characters, at most {MAX_LENGTH}")
    reader = _Reader(q)
    expression = reader.alternatives(0)
    if not reader.at_end():
        raise QueryError("q", "a ) without its (: put quotes around text with parentheses")
    return expression


class _Reader:
    """A place in the text, moving forward."""

    def __init__(self, q: str) -> None:
        self.q = q
        self.place = 0
        self.terms = 0
        self.skip()

    def skip(self) -> None:
        found = _SPACE.match(self.q, self.place)
        self.place = found.end() if found else self.place

    def at_end(self) -> bool:
        return self.place == len(self.q)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.q, self.place)
        if found:
            self.place = found.end()
        return found

    def peek(self, text: str) -> bool:
        return self.q.startswith(text, self.place)

    def stands(self, operator: str) -> bool:
        """Whether the operator stands here as a word of its own."""
        after = self.q[self.place + len(operator) :][:1]
        return self.peek(operator) and (not after or after.isspace() or after in "()")

    def operator(self, operator: str) -> bool:
        """Takes the operator when it stands here."""
        if not self.stands(operator):
            return False
        self.place += len(operator)
        self.skip()
        return True

    def alternatives(self, depth: int) -> Expression:
        items = [self.conjunction(depth)]
        while self.operator("OR"):
            items.append(self.conjunction(depth))
        return items[0] if len(items) == 1 else Or(tuple(items))

    def conjunction(self, depth: int) -> Expression:
        items = [self.operand(depth)]
        while not (self.at_end() or self.peek(")") or self.stands("OR")):
            self.operator("AND")
            items.append(self.operand(depth))
        return items[0] if len(items) == 1 else And(tuple(items))

    def operand(self, depth: int) -> Expression:
        """A term where one has to be."""
        if self.at_end() or self.peek(")") or self.stands("OR") or self.stands("AND"):
            raise QueryError("q", _MISSING)
        item = self.term(depth)
        self.skip()
        return item

    def term(self, depth: int) -> Expression:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise QueryError("q", f"too many terms: at most {MAX_TERMS}")
        if self.peek("("):
            return self.group(depth)
        if self.peek("-") and self.excludes():
            self.place += 1
            return Not(self.term(_deeper(depth)))
        if self.peek('"'):
            return self.text()
        return self.regex() or self.field() or Text(fold(_stem(self.word())))

    def group(self, depth: int) -> Expression:
        self.place += 1
        self.skip()
        item = self.alternatives(_deeper(depth))
        if not self.peek(")"):
            raise QueryError("q", "a ( without its ): put quotes around text with parentheses")
        self.place += 1
        return item

    def excludes(self) -> bool:
        after = self.q[self.place + 1 : self.place + 2]
        return bool(after) and not after.isspace() and after not in "-)"

    def text(self) -> Text:
        value = self.quoted()
        if not value:
            raise QueryError("q", 'nothing between the quotes: leave the "" away')
        self.take(_LAST_STAR)
        return Text(value)

    def quoted(self) -> str:
        found = self.take(_QUOTED)
        if found is None:
            raise QueryError("q", 'a " is not closed: put \\" inside quotes to look for one')
        return fold(_ESCAPE.sub(r"\1", found[1]))

    def regex(self) -> Regex | None:
        found = self.take(_REGEX)
        if found is None:
            return None
        try:
            check_regex(found[1])
        except ValueError as error:
            syntax = "RE2 syntax: no lookaround, no backreferences"
            raise QueryError("q", f"/{found[1]}/ is not a regex ({syntax}): {error}") from error
        return Regex(found[1])

    def word(self) -> str:
        """Up to white space or a `)` that the word did not open. Empty only at one of these."""
        start, opened = self.place, 0
        while not self.at_end():
            char = self.q[self.place]
            opened += (char == "(") - (char == ")")
            if char.isspace() or opened < 0:
                break
            self.place += 1
        return self.q[start : self.place]

    def field(self) -> Field | None:
        name = self.take(_NAME)
        if name is None:
            return None
        if self.peek('"'):
            value = self.quoted()
            return Field(name[1], "prefix" if self.take(_STAR) else "=", value)
        return _field(name[1], self.word())


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise QueryError("q", f"nested too deeply: at most {MAX_DEPTH} levels")
    return depth + 1


def _stem(word: str) -> str:
    """The word without `*` at its end."""
    return word.rstrip("*") if any(map(str.isalnum, word)) else word


def _field(name: str, word: str) -> Field:
    comparison = _COMPARISON.fullmatch(word)
    if comparison is None:
        return Field(name, "prefix", fold(word[:-1])) if word.endswith("*") else Field(name, "=", fold(word))
    operator: Operator = comparison[1]  # type: ignore[assignment]
    if number(comparison[2]) is None:
        example = f"{name}:{operator}500; in quotes it is plain text"
        raise QueryError("q", f"{name}:{operator} needs a number, like {example}")
    return Field(name, operator, comparison[2])
