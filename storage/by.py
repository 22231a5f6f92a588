"""What lines are counted by: `level`, `service`, a label, a parsed field; and the values that a line has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from parsers.event import Event, Origin
from storage.errors import QueryError
from storage.expression import text_form, values_at

Kind = Literal["level", "stream", "container", "service", "host", "tag", "label", "field"]

WORDS: tuple[Kind, ...] = ("level", "service", "container", "host", "stream", "tag")
LABEL, FIELD = "label.", "field."
_KEYED: dict[str, Kind] = {LABEL: "label", FIELD: "field", "label:": "label", "field:": "field"}
NONE = ""  # the value of a line that has none, or an empty one
MAX_NAME = 256  # characters of a name to count by: longer than any path that a person asks for
MAX_VALUE = 1024  # characters of a value: longer ones are cut there, and so counted by their beginning


class By(msgspec.Struct, frozen=True):
    """`key` is a label's key or a field's path; without meaning for the other kinds."""

    kind: Kind
    key: str = ""

    @property
    def of_origin(self) -> bool:
        """Whether all lines of one origin have the same value."""
        return self.kind not in ("level", "stream", "field")


def parse_by(parameter: str, text: str) -> By:
    """What `text` says: one of WORDS, `label.KEY`, `field.PATH`, or else the path of a parsed field.

    A colon may stand for the dot behind `label` and `field`. Paths are those of `field:value` in q.
    Raises QueryError(parameter).
    """
    if text in WORDS:
        return By(text)
    if not text.strip() or len(text) > MAX_NAME:
        raise QueryError(parameter, f"name what to count by, in 1 to {MAX_NAME} characters: {_KNOWN}")
    for prefix, kind in _KEYED.items():
        if text.startswith(prefix):
            return _keyed(parameter, kind, prefix, text.removeprefix(prefix))
    return By("field", text)


_KNOWN = f"{', '.join(WORDS)}, {LABEL}KEY, or a parsed field"


def _keyed(parameter: str, kind: Any, prefix: str, key: str) -> By:
    if not key:
        raise QueryError(parameter, f"{prefix} needs a name behind it: {_KNOWN}")
    return By(kind, key)


def values_of(by: By, event: Event) -> Iterable[str]:
    """The distinct values of one line; at least one, and only of a parsed field more than one."""
    if by.kind == "level":
        return (event.level or NONE,)
    if by.kind == "stream":
        return (event.stream or NONE,)
    if by.kind == "field":
        return field_values(by.key, event.fields)
    return (origin_value(by, event.origin),)


def field_values(path: str, fields: Any) -> Iterable[str]:
    """The distinct values at a path, as `field:value` compares them but in their own case."""
    if not fields:
        return (NONE,)
    return {text_form(value)[:MAX_VALUE] for value in values_at(fields, path)} or (NONE,)


def origin_value(by: By, origin: Origin) -> str:
    """The value that all lines of an origin have. A container without a name goes by its id."""
    match by.kind:
        case "container":
            value = origin.container.name or origin.container.id
        case "service":
            value = origin.service
        case "host":
            value = origin.host
        case "tag":
            value = origin.tag
        case _:
            value = origin.labels.get(by.key)
    return (value or NONE)[:MAX_VALUE]
