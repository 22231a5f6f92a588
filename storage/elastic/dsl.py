"""A Query as an Elasticsearch search that finds every matching document, and perhaps others.

The answer must be what storage/query.py says, so whatever comes back is checked there once more; the
search only has to be wide enough, and is as narrow as it can be. A condition that cannot be expressed is
left out. Three facts about the mapping make it wide enough:

- Text is looked for as runs of letters that the `standard` tokenizer never cuts (Unicode Annex 29: no break
  between ASCII letters and digits, nor between Hangul syllables), each being part of some token.
- Longer values than IGNORE_ABOVE are not indexed, so no such value is asked for.
- Documents that are indexed only in part carry a mark (docs.py) and are always candidates.
"""

import re
from typing import Any

from storage.elastic.docs import LAST_TIME, MARK_FIELDS, MARK_TOKENS, time_text
from storage.elastic.ecs import MARK_ORIGIN
from storage.elastic.template import is_indexed
from storage.expression import And, Expression, Field, Or, Regex, Text, number
from storage.literals import necessary
from storage.query import Cursor, Query

DSL = dict[str, Any]

_RUN = re.compile(r"[0-9a-z\uac00-\ud7a3]+")
BREAKS = " \t\r\n"  # where tokens end for certain; not all white space is (U+202F joins)
MAX_LITERAL = 240
"""Characters of one literal in a prefix, a wildcard or a field name. Elasticsearch 8 and 9 refuse a wildcard
of 315 equal letters ("Determinizing automaton"), a prefix of 1,001, and 8 a field name of 1,000 bytes."""
MAX_RUNS = 8  # of one text, the longest ones: more narrow nothing and each walks the dictionary of tokens


def body(query: Query, journal: str, size: int, after: list[Any] | None) -> DSL:
    """The body of _search for at most `size` hits; `after` is the sort value of the hit before them."""
    search: DSL = {
        "size": size,
        "sort": sort(query),
        "track_total_hits": False,
        "query": _filtered(query, journal),
    }
    if after is None and query.cursor is not None:
        after = after_cursor(query.cursor)
    if after is not None:
        search["search_after"] = after
    return search


def sort(query: Query) -> list[DSL]:
    """The order of the query. Two journals apart, sequence numbers are unique: so (time, sequence, journal)
    orders exactly as (time, sequence, id) does."""
    if query.order == "arrival":
        return [_by("logdock.offset", "asc"), _by("logdock.journal", "asc", "keyword")]
    order = query.order
    return [
        {"@timestamp": {"order": order}},
        _by("logdock.timestamp", order),
        _by("event.sequence", order),
        _by("logdock.journal", order, "keyword"),
    ]


def _by(field: str, order: str, kind: str = "long") -> DSL:
    options: DSL = {"order": order, "unmapped_type": kind}
    # Only a time outside date_nanos is kept in logdock.timestamp too. All others are equal there.
    return {field: options | ({"missing": 0} if field == "logdock.timestamp" else {})}


def after_cursor(cursor: Cursor) -> list[Any]:
    """The sort value of the place that a cursor names."""
    journal = cursor.id.partition(".")[0]
    if cursor.order == "arrival":
        return [cursor.offset, journal]
    inside = 0 < cursor.timestamp < LAST_TIME
    clamped = min(max(cursor.timestamp, 0), LAST_TIME)
    return [clamped, 0 if inside else cursor.timestamp, cursor.sequence, journal]


def origin_filters(query: Query) -> list[DSL]:
    """The filters on who printed a line."""
    wanted = [_containers(query), _any("service.name", query.services), _any("host.name", query.hosts)]
    wanted += [_label(key, value) for key, value in query.labels]
    if query.tag is not None:
        wanted.append(_tag(query.tag))
    return [condition for condition in wanted if condition is not None]


def reference(ref: str) -> list[DSL]:
    """The filters for containers whose name or id is `ref`, or whose id begins with it."""
    if not is_indexed(ref):
        return []
    return [either([_term("container.name", ref), _prefix("container.id", ref)])]


def line_filters(query: Query) -> list[DSL]:
    """The filters on the line itself, but for its text; a time that is no date matches them too (docs.py)."""
    wanted = [_any("log.iostream", query.streams), _any("log.level", query.levels), _times(query)]
    return [condition for condition in wanted if condition is not None]


def _filtered(query: Query, journal: str) -> DSL:
    conditions = [
        *origin_filters(query),
        *line_filters(query),
        candidates(query.text) if query.text is not None else None,
    ]
    if query.after_offset is not None:  # offsets of another journal say nothing about ours
        conditions.append(_term("logdock.journal", journal))
        conditions.append({"range": {"logdock.offset": {"gt": query.after_offset}}})
    if query.cursor is not None:
        ours = {"range": {"logdock.offset": {"lte": query.cursor.ceiling}}}
        conditions.append(either([ours, neither([_term("logdock.journal", journal)])]))
    return both([condition for condition in conditions if condition is not None])


def both(conditions: list[DSL]) -> DSL:
    """All of the conditions."""
    if len(conditions) == 1:
        return conditions[0]
    return {"bool": {"filter": conditions}} if conditions else {"match_all": {}}


def either(conditions: list[DSL]) -> DSL:
    """Any of the conditions, at least one of which is given."""
    return (
        conditions[0] if len(conditions) == 1 else {"bool": {"should": conditions, "minimum_should_match": 1}}
    )


def neither(conditions: list[DSL]) -> DSL:
    """None of the conditions."""
    return {"bool": {"must_not": conditions}} if conditions else {"match_all": {}}


def _term(field: str, value: str) -> DSL:
    return {"term": {field: {"value": value}}}


def _prefix(field: str, value: str, **options: Any) -> DSL:
    return {"prefix": {field: {"value": value[:MAX_LITERAL], **options}}}


def marked(mark: str) -> DSL:
    """Documents with this mark (docs.py)."""
    return _term("logdock.marks", mark)


def _any(field: str, values: tuple[str, ...]) -> DSL | None:
    if not values or not all(map(is_indexed, values)):
        return None
    return {"terms": {field: list(values)}}


def _containers(query: Query) -> DSL | None:
    ids = tuple(ref.id for ref in query.containers if ref.id is not None)
    names = tuple(ref.name for ref in query.containers if ref.name is not None)
    if not all(map(is_indexed, ids + names)):
        return None
    wanted = [_any("container.id", ids), _any("container.name", names)]
    found = [condition for condition in wanted if condition is not None]
    return either(found) if found else None


def _label(key: str, value: str | None) -> DSL | None:
    field = subfield("container.labels", key)
    if field is None:
        return None
    if value is None:
        return either([{"exists": {"field": field}}, marked(MARK_ORIGIN)])
    return (
        marked(MARK_ORIGIN) if not is_indexed(value) else either([_term(field, value), marked(MARK_ORIGIN)])
    )


def subfield(field: str, key: str) -> str | None:
    """The name of a key inside a `flattened` field; None for a key that no field name can hold."""
    if len(key) > MAX_LITERAL or set(key) & {"*", "\0"}:
        return None
    return f"{field}.{key}" if all(key.split(".")) else None


def _tag(tag: str) -> DSL | None:
    if not is_indexed(tag):
        return marked(MARK_ORIGIN)
    if tag == "*":
        return None
    if not tag.endswith("*"):
        return _term("docker.tag", tag)
    return either([_prefix("docker.tag", tag[:-1]), marked(MARK_ORIGIN)])


def _times(query: Query) -> DSL | None:
    ends: DSL = {}
    if query.since is not None and query.since > 0:
        ends["gte"] = time_text(query.since)
    if query.until is not None and query.until < LAST_TIME:
        ends["lte"] = time_text(query.until)
    return {"range": {"@timestamp": ends}} if ends else None


def candidates(expression: Expression) -> DSL | None:
    """A condition that holds wherever the expression matches; None when only reading can tell.

    What a Not leaves out cannot be narrowed this way: the opposite of a wide condition is too narrow.
    """
    match expression:
        case Text(value):
            return _text(value)
        case Regex(pattern):
            texts = necessary(pattern)
            return candidates(texts) if texts is not None else None
        case Field():
            return _field(expression)
        case And(items):
            known = [condition for condition in map(candidates, items) if condition is not None]
            return both(known) if known else None
        case Or(items):
            wide = [condition for condition in map(candidates, items) if condition is not None]
            return either(wide) if len(wide) == len(items) else None
    return None


def _text(value: str) -> DSL | None:
    runs = sorted(_RUN.finditer(value), key=lambda run: len(run[0]), reverse=True)[:MAX_RUNS]
    if not runs:
        return None
    return either([both([_run(value, run) for run in runs]), marked(MARK_TOKENS)])


def _run(value: str, run: re.Match[str]) -> DSL:
    """A run as part of a token: white space beside it is where its token begins or ends."""
    begins = run.start() > 0 and value[run.start() - 1] in BREAKS
    ends = run.end() < len(value) and value[run.end()] in BREAKS
    if begins and ends and len(run[0]) <= MAX_LITERAL:
        return _term("message", run[0])
    if begins:
        return _prefix("message", run[0])
    pattern = f"*{run[0][-MAX_LITERAL:]}" if ends else f"*{run[0][:MAX_LITERAL]}*"
    return {"wildcard": {"message": {"value": pattern}}}


def _field(field: Field) -> DSL | None:
    name = subfield("docker.fields", field.path)
    if name is None:
        return None
    return either([_value(name, field), marked(MARK_FIELDS)])


def _value(name: str, field: Field) -> DSL:
    """Numbers are indexed as they were written (1.50), but compared as values: there only presence helps."""
    value = field.value
    numeric = number(value.rstrip(".eE+-") or "0") is not None
    if (
        field.op not in ("=", "prefix")
        or numeric
        or not value.isascii()
        or not is_indexed(value)
        or not value
    ):
        return {"exists": {"field": name}}
    if field.op == "prefix" or len(value) > MAX_LITERAL:
        return _prefix(name, value, case_insensitive=True)
    return {"term": {name: {"value": value, "case_insensitive": True}}}
