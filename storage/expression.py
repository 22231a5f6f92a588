"""The language of `q`: what an expression is, and which events it matches.

`q` means what `grep -i` means. A Text is a case-insensitive substring of the message: both sides through
`fold`. A Regex is RE2 syntax with the flags `im`: case-insensitive, ^ and $ at every
line of a joined message, and the dot stays within a line. RE2 takes time linear in the text, so no pattern of
a stranger can hold the server, and DuckDB uses the same engine. A Field looks at parsed fields (`values_at`).

The parser is storage/grammar.py; the truth is `select`, stores may only be faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import pyarrow as pa
from pyarrow.compute import MatchSubstringOptions, get_function

from parsers.event import Event
from storage.folding import fold

Operator = Literal["=", "prefix", ">", ">=", "<", "<="]

REGEX_FLAGS = "(?im)"  # put in front of every pattern, whichever engine of the RE2 family runs it

_NUMBER = re.compile(r"[+-]?(\d+|\d+\.\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
LONGEST_NUMBER = 400  # characters; every float has fewer, and int() of a long text takes quadratic time


class Text(msgspec.Struct, frozen=True, tag=True):
    """The message contains `value`, which is folded already."""

    value: str


class Regex(msgspec.Struct, frozen=True, tag=True):
    """RE2 finds `pattern` (as asked, without flags) somewhere in the message."""

    pattern: str


class Field(msgspec.Struct, frozen=True, tag=True):
    """Some value at `path` compares so with `value`.

    "=" and "prefix": its text form, folded, equals or begins with `value` (folded already; an empty prefix:
    there is a value). The others compare numbers, `value` being one: JSON numbers, and
    strings that look like one.
    """

    path: str
    op: Operator
    value: str


class Not(msgspec.Struct, frozen=True, tag=True):
    """Whatever `item` does not match."""

    item: Expression


class And(msgspec.Struct, frozen=True, tag=True):
    """All of the items; at least two."""

    items: tuple[Expression, ...]


class Or(msgspec.Struct, frozen=True, tag=True):
    """Any of the items; at least two."""

    items: tuple[Expression, ...]


Expression = Text | Regex | Field | Not | And | Or


def evaluate(expression: Expression, event: Event) -> bool:
    """Whether the event matches. For many events `select` is quicker (a Regex alone costs 20 us a call)."""
    return bool(select(expression, (event,)))


def select(expression: Expression, events: Sequence[Event]) -> list[Event]:
    """The events that match, in their order."""
    match expression:
        case Text(value):
            return [event for event in events if value in fold(event.message)]
        case Field(path, op, value):
            return [event for event in events if event.fields and _field_holds(event.fields, path, op, value)]
        case Regex(pattern):
            return _found(pattern, events)
        case Not(item):
            return _without(events, select(item, events))
        case And(items):
            for item in sorted(items, key=_cost):
                events = select(item, events)
            return list(events)
        case Or(items):
            return _any(items, events)


def _cost(expression: Expression) -> int:
    """Cheap conditions first: the dear ones then see fewer events."""
    return 0 if isinstance(expression, Text) else 1


def _without(events: Sequence[Event], taken: Sequence[Event]) -> list[Event]:
    gone = set(map(id, taken))
    return [event for event in events if id(event) not in gone]


def _any(items: tuple[Expression, ...], events: Sequence[Event]) -> list[Event]:
    rest = events
    for item in items:
        rest = _without(rest, select(item, rest))
    return _without(events, rest)


def check_regex(pattern: str) -> None:
    """Raises ValueError, saying what RE2 dislikes."""
    try:
        _search([""], pattern)
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise ValueError(str(error).partition(": ")[2].replace(REGEX_FLAGS, "") or str(error)) from error


def _found(pattern: str, events: Sequence[Event]) -> list[Event]:
    if not events:
        return []
    texts = [event.message for event in events]
    try:
        found = _search(texts, pattern)
    except UnicodeEncodeError:  # half a surrogate pair is no text: it counts as a question mark
        found = _search([text.encode("utf-8", "replace").decode() for text in texts], pattern)
    return [event for event, hit in zip(events, found, strict=True) if hit]


def _search(texts: list[str], pattern: str) -> list[bool]:
    options = MatchSubstringOptions(REGEX_FLAGS + pattern)
    array = pa.array(texts, pa.large_string())
    found: list[bool] = get_function("match_substring_regex").call([array], options).to_pylist()
    return found


def values_at(value: Any, path: str | None) -> Iterator[Any]:
    """The values at a dotted path: a key may itself have dots ({"a.b": 1} is {"a": {"b": 1}}), and a list
    stands for each of its items. Values are str, int, float and bool; null and objects are none."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif not isinstance(value, Mapping):
        if path is None and value is not None:
            yield value
    elif path is not None:
        for key, inner in value.items():
            if key == path:
                yield from values_at(inner, None)
            elif path.startswith(key + "."):
                yield from values_at(inner, path[len(key) + 1 :])


def text_form(value: Any) -> str:
    """A field's value as text: strings as they are, others as JSON has them (1.5, 1e+16, true)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def number(value: Any) -> int | float | None:
    """The number that a value is or, being a string, looks like; None when it is none."""
    if isinstance(value, str):
        if len(value) > LONGEST_NUMBER or not _NUMBER.fullmatch(value):
            return None
        return float(value) if set(value) & set(".eE") else int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _field_holds(fields: Mapping[str, Any], path: str, op: Operator, value: str) -> bool:
    return any(compares(found, op, value) for found in values_at(fields, path))


def compares(found: Any, op: Operator, value: str) -> bool:
    """Whether one value of a field compares so with the value of a Field."""
    if op == "=":
        return fold(text_form(found)) == value
    if op == "prefix":
        return fold(text_form(found)).startswith(value)
    left, right = number(found), number(value)
    if left is None or right is None:
        return False
    if op == ">":
        return left > right
    if op == ">=":
        return left >= right
    return left < right if op == "<" else left <= right


def paths(expression: Expression) -> set[str]:
    """The parsed fields that it looks at."""
    match expression:
        case Field(path):
            return {path}
        case Not(item):
            return paths(item)
        case And(items) | Or(items):
            return set().union(*map(paths, items))
    return set()


def unparse(expression: Expression) -> str:
    """Text that parses to this expression again."""
    match expression:
        case Text(value):
            return quote(value)
        case Regex(pattern):
            return f"/{pattern}/"
        case Field(path, op, value):
            return path + ":" + _field_text(op, value)
        case Not(item):
            return "-" + (f"({unparse(item)})" if isinstance(item, And | Or | Not) else unparse(item))
        case And(items):
            return " ".join(
                f"({unparse(item)})" if isinstance(item, And | Or) else unparse(item) for item in items
            )
        case Or(items):
            return " OR ".join(
                f"({unparse(item)})" if isinstance(item, Or) else unparse(item) for item in items
            )


def _field_text(op: Operator, value: str) -> str:
    if op in ("=", "prefix"):
        return quote(value) + ("*" if op == "prefix" else "")
    return op + value


def quote(text: str) -> str:
    """Text in quotes, as the language takes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
