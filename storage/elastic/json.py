"""JSON for Elasticsearch of whatever an event may hold."""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson


def json_bytes(value: Any) -> bytes:
    """`value` as JSON. Lone surrogates become question marks."""
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, which msgspec writes in full; lone surrogates
        return msgspec.json.encode(utf8(value), enc_hook=str)


def utf8(value: Any) -> Any:
    """`value` with every lone surrogate in it replaced by a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {utf8(key): utf8(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [utf8(item) for item in value]
    return value


def known(**values: Any) -> dict[str, Any]:
    """Those of `values` that are not None."""
    return {name: value for name, value in values.items() if value is not None}
