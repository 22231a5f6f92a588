"""Expression -> SQL that finds candidates in the embedded store: pure translation.

Two readings are made of every expression: `candidates` takes at least the events that match, `certainties`
at most those. Between them lies where Python and DuckDB differ, and Not turns one into the other. Known
differences: some letters (`_UNSAFE`); JSON can write one value in several ways. A Text is
asked as a regex: RE2 folds letters as storage/folding.py does (a test compares them over all of Unicode), and
takes half the time of lower(), which does not.
"""

import re
from collections.abc import Callable
from typing import Any

from storage.expression import REGEX_FLAGS, And, Expression, Field, Not, Or, Regex, Text

SQL = tuple[str, list[Any]]  # a condition and its parameters
Fields = tuple[Callable[[Field], SQL], Callable[[Field], SQL]]  # candidates and certainties of a Field

ALL: SQL = ("TRUE", [])
NONE: SQL = ("FALSE", [])

JSON = "coalesce(fields, message)"  # a JSON line's fields are its message
# Half a letter is no text for SQL, and three letters are apart from their like in the RE2 of DuckDB 2.0.
_UNSAFE = re.compile("[\ud800-\udfff\u0390\u1fd3\u03b0\u1fe3\ufb05\ufb06]")
_SPECIAL = re.compile(r"[!-/:-@\[-^`{-~]")  # ASCII punctuation but for _: itself behind a backslash
_NUMERIC = frozenset("0123456789+-.einfa")  # of texts that numbers are written with, in one way of several


def candidates(expression: Expression, fields: Fields | None = None) -> SQL:
    """A condition that every matching event fulfils. `fields`: translations that know more of a Field."""
    match expression:
        case Text(value):
            return _contains("message", value)
        case Regex(pattern):
            return ALL if _UNSAFE.search(pattern) else _regex(expression)
        case Field():
            return fields[0](expression) if fields is not None else field(expression)
        case Not(item):
            return negated(certainties(item, fields))
        case And(items):
            return both([candidates(item, fields) for item in items])
        case Or(items):
            return either([candidates(item, fields) for item in items])


def certainties(expression: Expression, fields: Fields | None = None) -> SQL:
    """A condition that no other event fulfils."""
    match expression:
        case Text(value):
            return NONE if _UNSAFE.search(value) else _contains("message", value)
        case Regex(pattern):
            return NONE if _UNSAFE.search(pattern) else _regex(expression)
        case Field():
            return fields[1](expression) if fields is not None else NONE
        case Not(item):
            return negated(candidates(item, fields))
        case And(items):
            return both([certainties(item, fields) for item in items])
        case Or(items):
            return either([certainties(item, fields) for item in items])


def _regex(expression: Regex) -> SQL:
    return "regexp_matches(message, ?)", [REGEX_FLAGS + expression.pattern]


def field(expression: Field) -> SQL:
    """Candidates: key and value stand in the JSON text, unless that has escapes or other spellings."""
    parts: list[SQL] = []
    if key := expression.path.rpartition(".")[2]:
        parts.append((f"contains({JSON}, ?)", [key]))
    if is_spelled(expression):
        parts.append(_contains(JSON, expression.value))
    escaped: SQL = (f"contains({JSON}, ?)", ["\\"])
    return both([("(json_line OR fields IS NOT NULL)", []), either([escaped, both(parts)])])


def is_spelled(field: Field) -> bool:
    """Whether JSON has the value as it is asked for, escapes apart: numbers have other spellings."""
    return field.op in ("=", "prefix") and not set(field.value) <= _NUMERIC


def _contains(column: str, folded: str) -> SQL:
    """Rows whose text may contain this."""
    run = max(_UNSAFE.split(folded), key=len)
    return (f"regexp_matches({column}, ?)", [literal(run)]) if run else ALL


def literal(folded: str) -> str:
    """The regex of a text."""
    return "(?i)" + _SPECIAL.sub(r"\\\g<0>", folded)


def negated(item: SQL) -> SQL:
    """The opposite of a condition, which must not be NULL."""
    if item in (ALL, NONE):
        return NONE if item == ALL else ALL
    return f"NOT {item[0]}", item[1]


def both(items: list[SQL]) -> SQL:
    """All of the conditions."""
    return NONE if NONE in items else _joined(" AND ", [item for item in items if item != ALL], ALL)


def either(items: list[SQL]) -> SQL:
    """Any of the conditions."""
    return ALL if ALL in items else _joined(" OR ", [item for item in items if item != NONE], NONE)


def _joined(word: str, items: list[SQL], neutral: SQL) -> SQL:
    if not items:
        return neutral
    if len(items) == 1:
        return items[0]
    return f"({word.join(sql for sql, _ in items)})", [value for _, values in items for value in values]
