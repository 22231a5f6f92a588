"""Go's values in Python.

    string              bytes                     bool                    bool
    int                 int                       float64                 float
    uint8, int64, ...   Uint8, Int64, ... (int)   complex128              complex
    []string            tuple of bytes            []any                   list
    map[string]string   dict of bytes to bytes    map[string]any          AnyMap
    nil (an any)        None                      no value (reflect's)    NO_VALUE
    a struct            Struct                    a pointer to one        Pointer

A nil slice is NIL_STRINGS, a nil map NIL_MAP: only JSON, %#v and `eq` tell them from empty ones. An element
of a []any or map[string]any is Boxed while Go would still see the interface around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from parsers.go.types import (
    ANY,
    ANY_MAP,
    ANY_SLICE,
    BOOL,
    COMPLEX128,
    FLOAT64,
    INT,
    INT32,
    INT64,
    STRING,
    STRING_MAP,
    STRINGS,
    UINT,
    UINT8,
    UINT64,
    GoType,
)

# Levels of lists and maps in data from outside. Each costs frames of Python's stack when it is printed.
MAX_DATA_DEPTH: Final = 50

_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class _NoValue:
    """reflect's invalid value: a map's missing entry, the result of no pipeline."""

    def __repr__(self) -> str:
        return "NO_VALUE"

    def __bool__(self) -> bool:
        return False


NO_VALUE: Final = _NoValue()


class Int64(int):
    go_type: ClassVar[GoType] = INT64


class Int32(int):
    go_type: ClassVar[GoType] = INT32


class Uint(int):
    go_type: ClassVar[GoType] = UINT


class Uint8(int):
    go_type: ClassVar[GoType] = UINT8


class Uint64(int):
    go_type: ClassVar[GoType] = UINT64


class AnyMap(dict[bytes, Any]):
    """map[string]interface {}"""

    go_type: ClassVar[GoType] = ANY_MAP


class StringSlice(tuple[bytes, ...]):
    """A []string that is nil, or whose array goes on behind its end: `slice` can reach it again."""

    go_type: ClassVar[GoType] = STRINGS
    beyond: tuple[bytes, ...] = ()


class NilMap(dict[bytes, bytes]):
    go_type: ClassVar[GoType] = STRING_MAP


NIL_STRINGS: Final = StringSlice()
NIL_MAP: Final = NilMap()


class Boxed:
    """A value that is still in its interface; None is the nil interface."""

    __slots__ = ("value",)
    go_type: ClassVar[GoType] = ANY

    def __init__(self, value: Any) -> None:
        self.value = value


class Struct:
    """A struct: the fields in order, and the methods that can be called on it, by name: a Function
    (parsers.go.calls) that gets the receiver first. A field whose name begins in lower case is not exported.
    """

    go_type: GoType
    methods: ClassVar[Mapping[bytes, Any]] = {}

    def __init__(self, go_type: GoType, fields: Mapping[bytes, Any]) -> None:
        self.go_type = go_type
        self.fields = fields

    def to_json(self) -> bytes | None:
        """What its MarshalJSON gives; None when it has none."""
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Struct) and self.go_type == other.go_type and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]


class Pointer:
    """A pointer to a struct, None for nil; the methods are those of both."""

    go_type: GoType
    methods: ClassVar[Mapping[bytes, Any]] = {}

    def __init__(self, go_type: GoType, target: Struct | None) -> None:
        self.go_type = go_type
        self.target = target


_PLAIN: Final[Mapping[type, GoType]] = {
    bytes: STRING,
    bool: BOOL,
    int: INT,
    float: FLOAT64,
    complex: COMPLEX128,
    tuple: STRINGS,
    list: ANY_SLICE,
    dict: STRING_MAP,
}


def type_of(value: Any) -> GoType:
    """The type of a value; a boxed one's is the interface. Raises TypeError for what is no Go value."""
    found = _PLAIN.get(type(value))
    if found is not None:
        return found
    try:
        return value.go_type  # type: ignore[no-any-return]
    except AttributeError:
        raise TypeError(f"{type(value).__name__} is no Go value; see to_go") from None


def is_nil(value: Any) -> bool:
    """Whether a value is no value, or the nil of its type."""
    if value is NO_VALUE or value is None or value is NIL_STRINGS or value is NIL_MAP:
        return True
    if isinstance(value, Boxed):
        return value.value is None
    return isinstance(value, Pointer) and value.target is None


def unboxed(value: Any) -> Any:
    """What is in an interface; no value for what is in a nil one (exec.go, indirectInterface)."""
    if isinstance(value, Boxed):
        value = value.value
    return NO_VALUE if value is None else value


def elements(value: Any) -> list[Any]:
    """The elements of a slice, as reflect gives them."""
    return list(map(Boxed, value)) if type(value) is list else list(value)


def entries(value: Any) -> list[tuple[bytes, Any]]:
    """The entries of a map in the order of their keys, as reflect gives them (internal/fmtsort)."""
    box: Callable[[Any], Any] = Boxed if isinstance(value, AnyMap) else lambda entry: entry
    return [(key, box(entry)) for key, entry in sorted(value.items())]


def is_true(value: Any) -> bool:
    """The truth of `if`, `and`, `not` (exec.go, isTrue): structs always, the rest when not zero or empty."""
    value = unboxed(value)
    if isinstance(value, Struct):
        return True
    return value.target is not None if isinstance(value, Pointer) else bool(value)


def to_go(value: Any, depth: int = 0) -> Any:
    """JSON-like data as Go's encoding/json would give it to a template: any values all through; whole numbers
    stay whole, as they do with UseNumber and in Docker's own structs.

    Raises ValueError when it is nested deeper than MAX_DATA_DEPTH or is not such data.
    """
    if depth > MAX_DATA_DEPTH:
        raise ValueError(f"data nested deeper than {MAX_DATA_DEPTH} levels")
    if isinstance(value, str):
        return _to_string(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _to_number(value)
    if value is None or isinstance(value, bytes | bool | float):
        return value
    if isinstance(value, Mapping):
        return AnyMap((to_go(key), to_go(entry, depth + 1)) for key, entry in value.items())
    if isinstance(value, list | tuple):
        return [to_go(element, depth + 1) for element in value]
    raise ValueError(f"{type(value).__name__} is not JSON-like data")


def _to_string(value: str) -> bytes:
    """A lone surrogate that stands for no byte is nothing that UTF-8 can hold."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", value).encode()


def _to_number(value: int) -> int | float:
    if -(2**63) <= value < 2**63:
        return value
    return Uint64(value) if 0 <= value < 2**64 else float(value)
