"""Values of parsed fields as the index has them.

A `flattened` keeps numbers as they were written, 1.50 beside 1.5, and does not tell them from texts; so what
a line's value is can then only be seen in the line.
"""

import json
import re
from collections.abc import Iterable

from storage.by import MAX_VALUE
from storage.elastic.certain import Terms
from storage.expression import LONGEST_NUMBER, Field, compares, text_form

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)  # RFC 8259, section 6


def as_number(term: str) -> str | None:
    """The value of a term that is a number in another spelling than its value's; None for all other terms."""
    if not _NUMBER.fullmatch(term):
        return None
    value = text_form(json.loads(term))
    return value[:MAX_VALUE] if value != term else None


def judged(field: Field, terms: Iterable[str]) -> Terms:
    """Which terms of a field fulfil a condition on it."""
    matching: list[str] = []
    doubtful: list[str] = []
    for term in terms:
        if as_number(term) is not None or len(term) > LONGEST_NUMBER:
            doubtful.append(term)
        elif compares(term, field.op, field.value):
            matching.append(term)
    return Terms(matching, doubtful)
