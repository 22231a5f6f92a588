"""Conditions on parsed fields -> SQL that tells nearly all of them without a line being read.

For counting only: a search reads its few lines anyway, and is quicker with the conditions of text_sql.py.
SQL's own reading of JSON is trusted where it cannot differ from Python's: one top-level key that stands once
in the text, with a short text, a whole number or a truth value, and nothing that has to be unescaped.
"""

import math
import re

from storage.by import MAX_VALUE
from storage.expression import Expression, Field, number
from storage.folding import ALIKE, DOTTED
from storage.local import text_sql
from storage.local.text_sql import NONE, SQL, both, negated

_PATH = re.compile(r"[A-Za-z_][\w@-]*", re.ASCII)  # no dots: a key may have some, too
_JSON = "CASE WHEN json_line THEN message ELSE fields END"  # never what is no JSON: TRY then goes row by row
_LARGEST = 2**100  # whole numbers in JSON text have 64 bits here, larger ones are read
_WHOLE = "'BIGINT', 'UBIGINT'"


def candidates(expression: Expression) -> SQL:
    """As text_sql.candidates, with what SQL can tell of fields."""
    return text_sql.candidates(expression, FIELDS)


def certainties(expression: Expression) -> SQL:
    """As text_sql.certainties, with what SQL can tell of fields."""
    return text_sql.certainties(expression, FIELDS)


def plain(path: str) -> SQL:
    """Rows whose value at a path SQL tells, `value` being the text of it; never NULL."""
    return _plain(path, f"'VARCHAR', 'BOOLEAN', {_WHOLE}")


def value(path: str) -> str:
    """The text of the value in a plain row. The path must be one that `tells` knows."""
    return f"TRY(json_extract_string({_JSON}, '$.\"{path}\"'))"


def tells(path: str) -> bool:
    """Whether SQL can tell values at this path at all."""
    return _PATH.fullmatch(path) is not None


def may_have(path: str) -> SQL:
    """Rows that may have a value at a path."""
    return text_sql.candidates(Field(path, "prefix", ""))


def _plain(path: str, types: str) -> SQL:
    """Key and text are as they are written: no backslash, and no letter that only lower(), or only fold,
    takes for one of ASCII."""
    if not tells(path):
        return NONE
    key = f"'\"{path}\"'"
    once = f"length({_JSON}) - length(replace({_JSON}, {key}, '')) = {len(path) + 2}"
    odd = ("\\", DOTTED, *(letter for letter, one in ALIKE.items() if one.isascii()))
    clean = " AND ".join(f"NOT contains({_JSON}, '{letter}')" for letter in odd)
    kind = f"TRY(json_type({_JSON}, '$.\"{path}\"')) IN ({types})"
    short = f"length({value(path)}) <= {MAX_VALUE}"
    return f"coalesce({once} AND {clean} AND {kind} AND {short}, FALSE)", []


def _certain(field: Field) -> SQL:
    told, holds = _judged(field)
    return NONE if told == NONE else both([text_sql.field(field), told, holds])


def _possible(field: Field) -> SQL:
    told, holds = _judged(field)
    wide = text_sql.field(field)
    return wide if told == NONE else both([wide, text_sql.either([negated(told), holds])])


def _judged(field: Field) -> tuple[SQL, SQL]:
    """(rows of which SQL can tell whether the condition holds, whether it does in them)."""
    text = f"lower({value(field.path)})"
    if field.op in ("=", "prefix"):
        if not field.value.isascii():
            return NONE, NONE
        compare = f"{text} = ?" if field.op == "=" else f"starts_with({text}, ?)"
        return plain(field.path), (f"coalesce({compare}, FALSE)", [field.value])
    bound = _whole(field)
    if bound is None:
        return NONE, NONE
    compare = f"TRY_CAST({value(field.path)} AS HUGEINT) {field.op} {bound}"
    return _plain(field.path, _WHOLE), (f"coalesce({compare}, FALSE)", [])


def _whole(field: Field) -> int | None:
    """The whole number that whole numbers are to be compared with instead of the field's."""
    asked = number(field.value)
    if asked is None or (isinstance(asked, float) and not math.isfinite(asked)):  # a huge int is no float
        return None
    bound = math.floor(asked) if field.op in (">", "<=") else math.ceil(asked)
    return max(-_LARGEST, min(bound, _LARGEST))


FIELDS = (_possible, _certain)
