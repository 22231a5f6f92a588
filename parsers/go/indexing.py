"""index, slice and len (Go: text/template/funcs.go)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from parsers.go.errors import GoError
from parsers.go.values import (
    NIL_STRINGS,
    NO_VALUE,
    AnyMap,
    Boxed,
    Pointer,
    StringSlice,
    Uint8,
    is_nil,
    type_of,
    unboxed,
)


def length(item: Any) -> int:
    """Raises GoError for what has no length."""
    if isinstance(item, Boxed | Pointer) and is_nil(item):
        raise GoError("len of nil pointer")
    item = _followed(item)
    if item is NO_VALUE:
        raise GoError("reflect: call of reflect.Value.Type on zero Value")
    if type_of(item).kind not in ("map", "slice", "string"):
        raise GoError(f"len of type {type_of(item).name}")
    return len(item)


def index(item: Any, *indexes: Any) -> Any:
    """item[first][second]... Raises GoError."""
    item = unboxed(item)
    if item is NO_VALUE:
        raise GoError("index of untyped nil")
    for one in indexes:
        if isinstance(item, Boxed | Pointer) and is_nil(item):
            raise GoError("index of nil pointer")
        item = _indexed(_followed(item), unboxed(one))
    return item


def _followed(item: Any) -> Any:
    """What a pointer points to, out of its interface."""
    item = unboxed(item)
    return item.target if isinstance(item, Pointer) else item


def _indexed(item: Any, one: Any) -> Any:
    match type_of(item).kind:
        case "string" | "slice" as kind:
            at = _place(one, len(item))
            if at == len(item):  # Go's own check lets it pass, and reflect does not
                raise GoError(f"reflect: {kind} index out of range")
            if kind == "string":
                return Uint8(item[at])
            return Boxed(item[at]) if isinstance(item, list) else item[at]
        case "map":
            return _entry(item, one)
    raise GoError(f"can't index item of type {type_of(item).name}")


def _entry(item: Any, key: Any) -> Any:
    """The entry of a map, or the zero value of its type."""
    if key is NO_VALUE:
        raise GoError("value is nil; should be of type string")
    if not isinstance(key, bytes):
        raise GoError(f"value has type {type_of(key).name}; should be string")
    return Boxed(item.get(key)) if isinstance(item, AnyMap) else item.get(key, b"")


def _place(one: Any, capacity: int) -> int:
    """A place in a string or slice, its end included."""
    if one is NO_VALUE:
        raise GoError("cannot index slice/array with nil")
    if type_of(one).kind not in ("int", "uint"):
        raise GoError(f"cannot index slice/array with type {type_of(one).name}")
    at = int(one) if one < 2**63 else int(one) - 2**64
    if not 0 <= at <= capacity:
        raise GoError(f"index out of range: {at}")
    return at


def slice_(item: Any, *indexes: Any) -> Any:
    """item[first:second:third]. Raises GoError."""
    item = unboxed(item)
    if item is NO_VALUE:
        raise GoError("slice of untyped nil")
    if isinstance(item, Pointer) and is_nil(item):
        raise GoError("slice of nil pointer")
    item = _followed(item)
    if len(indexes) > 3:
        raise GoError(f"too many slice indexes: {len(indexes)}")
    kind = type_of(item).kind
    if kind == "string" and len(indexes) == 3:
        raise GoError("cannot 3-index slice a string")
    if kind not in ("string", "slice"):
        raise GoError(f"can't slice item of type {type_of(item).name}")
    array = item + getattr(item, "beyond", item[:0])
    bounds = [0, len(item)]
    places = [_place(one, len(array)) for one in indexes]
    bounds = [*places, *bounds[len(places) :]]
    for start, end in pairwise(bounds):
        if start > end:
            raise GoError(f"invalid slice index: {start} > {end}")
    return item if item is NIL_STRINGS else _sliced(array, bounds)


def _sliced(array: Any, bounds: list[int]) -> Any:
    start, end, *most = bounds
    if isinstance(array, bytes | list):
        return array[start:end]
    found = StringSlice(array[start:end])
    found.beyond = array[end : most[0] if most else None]
    return found
