"""Conditions that only matching documents fulfil: what of a count Elasticsearch can do by itself.

The other side of dsl.py, whose conditions every matching document fulfils. What lies between the two has to
be read. Everything here relies on the same three facts about the mapping, and on one more: documents with a
capital dotted I, which Lucene makes a plain i and `fold` does not, carry the mark of cut tokens (docs.py).
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from storage.elastic.docs import MARK_FIELDS, MARK_TOKENS
from storage.elastic.dsl import MAX_LITERAL, candidates, marked, neither, subfield
from storage.elastic.dsl import both as all_of
from storage.elastic.dsl import either as any_of
from storage.elastic.template import is_indexed
from storage.expression import And, Expression, Field, Not, Or, Text, number
from storage.query import Query

DSL = dict[str, Any]

_WORD = re.compile(rf"[0-9a-z]{{1,{MAX_LITERAL}}}", re.ASCII)

OURS: DSL = {"exists": {"field": "logdock.origin"}}  # somebody else may write into the data stream
NOTHING: DSL = {"match_none": {}}
DATED: DSL = neither([{"exists": {"field": "logdock.timestamp"}}])  # its @timestamp is its time


class Terms(msgspec.Struct, frozen=True):
    """The terms in the index of one parsed field: those that fulfil a condition on it, and those whose values
    the index does not tell (spelling.py)."""

    matching: list[str]
    doubtful: list[str]


Known = Mapping[Field, Terms]  # conditions whose terms were looked up


def certain(expression: Expression, known: Known = {}) -> DSL | None:  # noqa: B006 - never changed
    """A condition that no document fulfils which does not match; None when there is none."""
    match expression:
        case Text(value):
            return _text(value)
        case Field(path):
            if expression in known:
                return {"terms": {_name(path): known[expression].matching}}
            return _field(expression)
        case Not(item):
            wide = possible(item, known)
            return None if wide is None else neither([wide])
        case And(items):
            sure = [condition for item in items if (condition := certain(item, known)) is not None]
            return all_of(sure) if len(sure) == len(items) else None
        case Or(items):
            sure = [condition for item in items if (condition := certain(item, known)) is not None]
            return any_of(sure) if sure else None
    return None


def possible(expression: Expression, known: Known = {}) -> DSL | None:  # noqa: B006 - never changed
    """A condition that every matching document fulfils; None when there is none. As dsl.candidates, but it
    also knows what a Not leaves out, and the terms that were looked up."""
    match expression:
        case Field(path) if expression in known:
            terms = known[expression]
            return any_of([{"terms": {_name(path): [*terms.matching, *terms.doubtful]}}, marked(MARK_FIELDS)])
        case Not(item):
            sure = certain(item, known)
            return None if sure is None else neither([sure])
        case And(items):
            wide = [condition for item in items if (condition := possible(item, known)) is not None]
            return all_of(wide) if wide else None
        case Or(items):
            wide = [condition for item in items if (condition := possible(item, known)) is not None]
            return any_of(wide) if len(wide) == len(items) else None
    return candidates(expression)


def unknown_fields(expression: Expression) -> set[Field]:
    """The conditions on fields that only a look at their terms can judge."""
    match expression:
        case Field(path):
            judged = _field(expression) is not None and len(_forms(expression.value)) == 1
            return set() if judged or subfield("docker.fields", path) is None else {expression}
        case Not(item):
            return unknown_fields(item)
        case And(items) | Or(items):
            return {field for item in items for field in unknown_fields(item)}
    return set()


def _name(path: str) -> str:
    return f"docker.fields.{path}"


def _text(value: str) -> DSL | None:
    """A run of letters that is part of a token is part of the message; more than one run may be anywhere."""
    if not _WORD.fullmatch(value):
        return None
    return all_of([{"wildcard": {"message": {"value": f"*{value}*"}}}, neither([marked(MARK_TOKENS)])])


def _field(field: Field) -> DSL | None:
    """Texts as they are indexed, in their usual forms: `flattened` indexes "key NUL value" as one term, so
    what is asked for in any case is found under `Status` as well as under `status`. Numbers are indexed as
    they were written, and compared as values."""
    name, value = subfield("docker.fields", field.path), field.value
    if name is None or field.op not in ("=", "prefix") or not value.isascii() or len(value) > MAX_LITERAL:
        return None
    if field.op == "prefix" and not value:
        return {"exists": {"field": name}}
    if not value or number(value.rstrip(".eE+-") or "0") is not None:
        return None
    kind = "prefix" if field.op == "prefix" else "term"
    return any_of([{kind: {name: {"value": form}}} for form in _forms(value)])


def _forms(value: str) -> list[str]:
    return sorted({value, value.upper(), value.capitalize()})


def origin_filters(query: Query) -> list[DSL] | None:
    """Filters on who printed a line that only such lines fulfil; None when one cannot be said so."""
    conditions = [_containers(query), _any("service.name", query.services), _any("host.name", query.hosts)]
    conditions += [_label(key, value) for key, value in query.labels]
    if query.tag is not None:
        conditions.append(_tag(query.tag))
    known = [condition for condition in conditions if condition is not None]
    return [c for c in known if c] if len(known) == len(conditions) else None


def _any(field: str, values: tuple[str, ...]) -> DSL | None:
    if not all(map(is_indexed, values)):
        return None
    return {"terms": {field: list(values)}} if values else {}


def _containers(query: Query) -> DSL | None:
    ids = _any("container.id", tuple(ref.id for ref in query.containers if ref.id is not None))
    names = _any("container.name", tuple(ref.name for ref in query.containers if ref.name is not None))
    if ids is None or names is None:
        return None
    wanted = [condition for condition in (ids, names) if condition]
    return any_of(wanted) if wanted else {}


def _label(key: str, value: str | None) -> DSL | None:
    field = subfield("container.labels", key)
    if field is None or not is_indexed(value or ""):
        return None
    return {"exists": {"field": field}} if value is None else {"term": {field: {"value": value}}}


def _tag(tag: str) -> DSL | None:
    if len(tag) > MAX_LITERAL:
        return None
    if tag == "*":
        return {"exists": {"field": "docker.tag"}}
    if tag.endswith("*"):
        return {"prefix": {"docker.tag": {"value": tag[:-1]}}}
    return {"term": {"docker.tag": {"value": tag}}}


def whole_fields(path: str) -> DSL:
    """Documents that have in the index all values at a path, however their numbers are written."""
    marks = [marked(MARK_FIELDS)]
    if subfield("docker.fields", path) is None:  # then only those without any fields
        marks.append({"exists": {"field": "docker.fields"}})
    return neither(marks)
