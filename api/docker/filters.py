"""The `filters` parameter: {"key": {"value": true}}, or of old clients {"key": ["value"]}.

Each key has a meaning of its own (moby api/types/filters/parse.go). Values of one key mean any of them, but
labels must all be there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
import re2

from api.docker.errors import bad_request

MAX_LENGTH = 65_536  # characters: a thousand filters of a person's length
MAX_PATTERN_MEMORY = 1 << 20  # bytes that one pattern may take; RE2 matches in linear time whatever it is

Filters = Mapping[str, Sequence[str]]


def parse(text: str, known: Collection[str], untold: Collection[str] = ()) -> dict[str, list[str]]:
    """The filters of a request. Raises DockerError for what is none, or is none that can be answered.

    `untold`: Docker's own that ask for what no log tells.
    """
    found = _decoded(text) if text else {}
    for name in found:
        if name in untold:
            raise bad_request(f"invalid filter '{name}': no log tells that, so it cannot be answered here")
        if name not in known:
            raise bad_request(f"invalid filter '{name}'")
    return found


def _decoded(text: str) -> dict[str, list[str]]:
    try:
        decoded = orjson.loads(text) if len(text) <= MAX_LENGTH else None
    except orjson.JSONDecodeError:
        decoded = None
    if not isinstance(decoded, dict):
        raise bad_request("invalid filter")
    return {name: _values(name, values) for name, values in decoded.items()}


def _values(name: str, values: Any) -> list[str]:
    if isinstance(values, dict) and all(isinstance(kept, bool) for kept in values.values()):
        return list(values)
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return values
    raise bad_request(f"invalid filter '{name}'")


def exact(filters: Filters, name: str, *texts: str) -> bool:
    """Whether a text is one of the values, or there are none."""
    values = filters.get(name)
    return not values or any(text in values for text in texts)


def begins(filters: Filters, name: str, *texts: str) -> bool:
    """Whether a text begins with one of the values, or there are none."""
    values = filters.get(name)
    return not values or any(text.startswith(value) for text in texts for value in values)


def matches(filters: Filters, name: str, *texts: str) -> bool:
    """Whether a value, as a regular expression, is found in a text. A broken one matches only itself."""
    values = filters.get(name)
    return not values or any(text == value or _found(value, text) for text in texts for value in values)


def labels(filters: Filters, name: str, found: Mapping[str, str]) -> bool:
    """Whether every value, `key` or `key=value`, is among the labels."""
    pairs = [value.partition("=") for value in filters.get(name) or ()]
    return all(key in found and (not sign or found[key] == wanted) for key, sign, wanted in pairs)


def _found(pattern: str, text: str) -> bool:
    options = re2.Options()
    options.log_errors, options.max_mem = False, MAX_PATTERN_MEMORY
    try:
        return re2.search(pattern, text, options=options) is not None
    except re2.error:
        return False
