"""Go's types as far as a template meets them (Go: reflect)."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Kind = Literal[
    "bool",
    "int",
    "uint",
    "float",
    "complex",
    "string",
    "slice",
    "map",
    "struct",
    "pointer",
    "interface",
    "func",
]


class GoType(msgspec.Struct, frozen=True):
    """`name` is the type as Go prints it; `kind` has one name for all signed integers, one for the unsigned.

    `element` is what a slice, map or pointer holds.
    """

    name: str
    kind: Kind
    element: GoType | None = None
    is_comparable: bool = True

    @property
    def can_be_nil(self) -> bool:
        """Whether a template's `nil` can be given for it (exec.go, canBeNil)."""
        return self.kind in ("func", "interface", "map", "pointer", "slice") or self is VALUE


BOOL: Final = GoType("bool", "bool")
INT: Final = GoType("int", "int")
INT64: Final = GoType("int64", "int")
UINT: Final = GoType("uint", "uint")
UINT8: Final = GoType("uint8", "uint")
UINT64: Final = GoType("uint64", "uint")
INT32: Final = GoType("int32", "int")
FLOAT64: Final = GoType("float64", "float")
COMPLEX128: Final = GoType("complex128", "complex")
STRING: Final = GoType("string", "string")
ANY: Final = GoType("interface {}", "interface")
VALUE: Final = GoType(
    "reflect.Value", "struct"
)  # a function that takes any value, nil and none at all included
STRINGS: Final = GoType("[]string", "slice", STRING, is_comparable=False)
BYTES: Final = GoType("[]uint8", "slice", UINT8, is_comparable=False)
ANY_SLICE: Final = GoType("[]interface {}", "slice", ANY, is_comparable=False)
STRING_MAP: Final = GoType("map[string]string", "map", STRING, is_comparable=False)
ANY_MAP: Final = GoType("map[string]interface {}", "map", ANY, is_comparable=False)
STRING_FUNC: Final = GoType("func(string) string", "func", is_comparable=False)
