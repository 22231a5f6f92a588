"""eq, ne, lt, le, gt and ge (Go: text/template/funcs.go)."""

from __future__ import annotations

from typing import Any, Final

from parsers.go.errors import GoError
from parsers.go.printing import Printer, reflected
from parsers.go.values import NO_VALUE, is_nil, type_of, unboxed

_BASIC: Final = frozenset(("bool", "complex", "int", "float", "string", "uint"))
_BAD_TYPE: Final = "invalid type for comparison"


def equal(first: Any, *others: Any) -> bool:
    """first == one of the others. Raises GoError for values that Go does not compare."""
    first = unboxed(first)
    if not others:
        raise GoError("missing argument for comparison")
    return any(_equal(first, unboxed(other)) for other in others)


def not_equal(first: Any, second: Any) -> bool:
    return not equal(first, second)


def less(first: Any, second: Any) -> bool:
    first, second = unboxed(first), unboxed(second)
    kinds = _ordered_kind(first), _ordered_kind(second)
    if kinds[0] != kinds[1] and set(kinds) != {"int", "uint"}:
        raise _incompatible(first, second)
    if kinds[0] in ("bool", "complex"):
        raise GoError(_BAD_TYPE)
    return bool(first < second)


def less_or_equal(first: Any, second: Any) -> bool:
    return less(first, second) or equal(first, second)


def greater(first: Any, second: Any) -> bool:
    return not less_or_equal(first, second)


def greater_or_equal(first: Any, second: Any) -> bool:
    return not less(first, second)


def _kind(value: Any) -> str:
    """One of the basic kinds, or "" for the others and for no value."""
    kind = "" if value is NO_VALUE else type_of(value).kind
    return kind if kind in _BASIC else ""


def _ordered_kind(value: Any) -> str:
    kind = _kind(value)
    if not kind:
        raise GoError(_BAD_TYPE)
    return kind


def _incompatible(first: Any, second: Any) -> GoError:
    return GoError(f"incompatible types for comparison: {type_of(first).name} and {type_of(second).name}")


def _equal(first: Any, second: Any) -> bool:
    kinds = _kind(first), _kind(second)
    if kinds[0] == kinds[1]:
        return bool(first == second) if kinds[0] else _equal_others(first, second)
    if set(kinds) == {"int", "uint"}:
        return bool(first == second)
    if first is not NO_VALUE and second is not NO_VALUE:
        raise _incompatible(first, second)
    return False


def _equal_others(first: Any, second: Any) -> bool:
    """Values that are not basic: pointers, structs, and nil against what can be nil."""
    if NO_VALUE not in (first, second) and type_of(first).kind != type_of(second).kind:
        types = type_of(first).name.encode(), type_of(second).name.encode()
        raise GoError(
            b"non-comparable types %s: %s, %s: %s" % (_text(first), types[0], types[1], reflected(second))
        )
    if is_nil(first) or is_nil(second):
        return is_nil(first) == is_nil(second)
    if not type_of(second).is_comparable:
        raise GoError(b"non-comparable type %s: %s" % (_text(second), type_of(second).name.encode()))
    return bool(first == second)


def _text(value: Any) -> bytes:
    """%s of a reflect.Value"""
    printer = Printer()
    printer.print_reflected(value, "s")
    return printer.buffer.value()
