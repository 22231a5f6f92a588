"""Constants of a template as values (Go: text/template/exec.go, evalArg, idealConstant)."""

from __future__ import annotations

from typing import Any

from parsers.go.errors import GoError
from parsers.go.node_text import node_text
from parsers.go.nodes import BoolNode, NumberNode, StringNode
from parsers.go.types import ANY, VALUE, GoType

Constant = BoolNode | NumberNode | StringNode

_NAMES = {
    "bool": b"bool", "complex": b"complex", "float": b"float", "int": b"integer", "string": b"string",
    "uint": b"unsigned integer",
}  # fmt: skip


def constant(node: Constant, go_type: GoType) -> Any:
    """The value for a parameter of a type. Raises GoError."""
    if go_type in (ANY, VALUE):
        return ideal(node) if isinstance(node, NumberNode) else node.value
    name = _NAMES.get(go_type.kind)
    if name is None:
        text = node_text(node)
        raise GoError(b"can't handle %s for arg of type %s" % (text, go_type.name.encode()))
    value = _number(node, go_type.kind) if isinstance(node, NumberNode) else _other(node, go_type.kind)
    if value is None:
        raise GoError(b"expected " + name + b"; found " + node_text(node))
    return value


def _number(node: NumberNode, kind: str) -> Any:
    return {
        "int": node.as_int, "uint": node.as_uint, "float": node.as_float, "complex": node.as_complex
    }.get(kind)  # fmt: skip


def _other(node: BoolNode | StringNode, kind: str) -> Any:
    return node.value if kind == ("bool" if isinstance(node, BoolNode) else "string") else None


def ideal(node: NumberNode) -> Any:
    """A number where any type is welcome: it gets the type that it looks like. Raises GoError."""
    text = node.text
    if node.as_complex is not None:
        return node.as_complex
    looks_float = any(mark in text for mark in b".eEpP")
    is_hex = len(text) > 2 and text[:2] in (b"0x", b"0X") and b"p" not in text and b"P" not in text
    if node.as_float is not None and looks_float and not is_hex and not text.startswith(b"'"):
        return node.as_float
    if node.as_int is None:
        raise GoError(text + b" overflows int")
    return node.as_int
