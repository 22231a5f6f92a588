"""From a request to a Query: the same parameters on every route, and how they are documented."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from api.services import Services
from parsers.event import LEVELS
from storage.by import WORDS
from storage.counts import DEFAULT_FACETS, MAX_FACETS
from storage.grid import DEFAULT_BUCKETS, MAX_BUCKETS
from storage.params import MAX_VALUE, STREAMS
from storage.query import DEFAULT_LIMIT, MAX_LIMIT, Page, Query, QueryError, encode_cursor
from storage.resolve import resolve
from storage.times import MAX_LENGTH

Keys = Sequence[tuple[str, str]]  # parameters that a path says


@dataclass(frozen=True)
class Question:
    """A query ready for the store. `refs`: its container references as asked; `notes`: those never seen."""

    query: Query
    refs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def services_of(request: Request) -> Services:
    """The server behind a request."""
    services: Services = request.app.state.services
    return services


async def ask(
    request: Request, keys: Keys = (), *, without: Collection[str] = (), default_order: str | None = None
) -> Question:
    """The question of a request; `keys` come from its path, `without` are the route's own parameters.

    Raises QueryError, StoreUnavailable.
    """
    services = services_of(request)
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in without]
    names = {name for name, _ in pairs}
    for name, _ in keys:
        if name in names and name != "label":
            raise QueryError(name, f"the path names the {name} already: leave the parameter away")
    if default_order is not None and "order" not in names:
        pairs.append(("order", default_order))
    asked = Query.from_params([*keys, *pairs], services.clock())
    query, notes = await resolve(asked, services.store)
    return Question(query, asked.container_refs, notes)


def next_token(question: Question, page: Page) -> str | None:
    """The text of `next`."""
    return None if page.next is None else encode_cursor(page.next, question.query)


def no_parameters(request: Request) -> None:
    """For a route that takes none. Raises QueryError for any."""
    for name in request.query_params:
        raise QueryError(name, "no such parameter: none is taken here", "unknown_parameter")


def without_effect(request: Request, *names: str) -> list[str]:
    """A note about those of these parameters that were given: they are known, but change nothing here."""
    given = [name for name in names if name in request.query_params]
    return [f"without effect here: {', '.join(given)}"] if given else []


def asked_one(request: Request, name: str) -> str | None:
    """A parameter that only some routes have; None when it is not given. Raises QueryError."""
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise QueryError(name, "is given more than once")
    return given[0] if given else None


def asked_count(request: Request, name: str, default: int | None, most: int | None) -> int | None:
    """A whole number parameter that only some routes have. Raises QueryError."""
    text = asked_one(request, name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 16 and (most is None or int(text) <= most):
        return int(text)
    bound = "" if most is None else f" up to {most}"
    raise QueryError(name, f"{text!r} is not a whole number from 0{bound}")


_SOMETHING: dict[str, Any] = {"minLength": 1, "maxLength": MAX_VALUE, "pattern": r"\S"}
# RFC 3339, also shortened; Unix seconds; a duration: storage/times.py knows more than a pattern says
_MOMENT: dict[str, Any] = {
    "pattern": r"^([0-9]{4}-[0-9]{2}-[0-9]{2}.*|-?[0-9]{1,11}(\.[0-9]*)?|([0-9.]+(ns|us|ms|s|m|h|d))+|now)$",
    "maxLength": MAX_LENGTH,
}


def _parameter(name: str, text: str, *, many: bool = False, **schema: Any) -> dict[str, Any]:
    one = schema if "type" in schema else {"type": "string", **_SOMETHING, **schema}
    shape = {"type": "array", "items": one} if many else one
    return {"name": name, "in": "query", "required": False, "description": text, "schema": shape}


_ORIGIN = [
    _parameter("container", "Exact name, exact id or unique start of an id; any of.", many=True),
    _parameter("service", "Service; any of.", many=True),
    _parameter("host", "Docker host; any of.", many=True),
    _parameter("label", "key=value; key= or key alone for any value; all of.", many=True),
    _parameter("tag", "The log driver's tag; with a * at its end, every tag that begins so."),
]
_LINE = [
    _parameter("stream", "Any of, in any case.", many=True, enum=[*STREAMS]),
    _parameter("level", "Any of, in any case.", many=True, enum=[*LEVELS]),
    _parameter("q", 'Words, "quoted text", -without, OR, parentheses, /regex/, field:value.'),
]
_TIME = [
    _parameter(
        "since",
        "From then on, inclusive: RFC 3339, Unix seconds, or a duration back from now (15m).",
        **_MOMENT,
    ),
    _parameter("until", "Up to then, inclusive.", **_MOMENT),
]
_LIMIT = _parameter(
    "limit",
    f"Lines a page, at most {MAX_LIMIT}.",
    type="integer",
    default=DEFAULT_LIMIT,
    minimum=1,
    maximum=MAX_LIMIT,
)
_ORDER = _parameter("order", "desc (newest first) or asc.", enum=["desc", "asc"], default="desc")
_CURSOR = _parameter("cursor", "`next` of the page before; the other parameters unchanged.")

_FIELD = f"{', '.join(WORDS)}, label.KEY, or the path of a parsed field"

QUARANTINE_PARAMETERS = {
    "parameters": [
        _parameter("reason", "Why it was refused, in one word."),
        *_ORIGIN,
        *_LINE,
        *_TIME,
        _LIMIT,
        _CURSOR,
    ]
}
LIST_PARAMETERS = {"parameters": _ORIGIN}
LOG_PARAMETERS = {"parameters": [*_ORIGIN, *_LINE, *_TIME, _LIMIT, _ORDER, _CURSOR]}


def keyed(name: str) -> dict[str, Any]:
    """LOG_PARAMETERS of a route whose path says the parameter `name`."""
    return {"parameters": [given for given in LOG_PARAMETERS["parameters"] if given["name"] != name]}


CONTEXT_PARAMETERS = {
    "parameters": [
        _parameter("before", "Lines before it.", type="integer", default=20, minimum=0, maximum=1000),
        _parameter("after", "Lines after it.", type="integer", default=20, minimum=0, maximum=1000),
        _parameter(
            "scope", "Whose lines.", enum=["container", "service", "host", "all"], default="container"
        ),
        *_ORIGIN,
        *_LINE,
        *_TIME,
    ]
}
HISTOGRAM_PARAMETERS = {
    "parameters": [
        _parameter("by", f"Count each value apart: {_FIELD}."),
        _parameter(
            "buckets", f"Buckets at most, up to {MAX_BUCKETS}.", type="integer", default=DEFAULT_BUCKETS
        ),
        *_ORIGIN,
        *_LINE,
        *_TIME,
    ]
}
FACET_PARAMETERS = {
    "parameters": [
        {**_parameter("field", f"What to count by: {_FIELD}."), "required": True},
        _parameter("limit", f"Values at most, up to {MAX_FACETS}.", type="integer", default=DEFAULT_FACETS),
        *_ORIGIN,
        *_LINE,
        *_TIME,
    ]
}
TAIL_PARAMETERS = {
    "parameters": [
        _parameter(
            "last_event_id",
            "Resume after this id, as the header Last-Event-ID does.",
            pattern="^-?[0-9]{1,16}$",
        ),
        *_ORIGIN,
        *_LINE,
        *_TIME,
    ]
}
EXPORT_PARAMETERS = {
    "parameters": [
        *_ORIGIN,
        *_LINE,
        *_TIME,
        _parameter("limit", "Lines at most; without it, all.", type="integer", minimum=0),
        _parameter("order", "asc (oldest first) or desc.", enum=["asc", "desc"], default="asc"),
    ]
}
