"""The tree of a Go template: what Go's text/template/parse builds, as frozen values.

A Go string is a sequence of bytes, so every text here is `bytes`. `position` is a byte offset into the
template. Comments leave nothing behind; `define` and `block` leave a tree in `Template.trees`, and `block`
a TemplateNode where it stands. parsers.go.node_text has a node as Go writes it in its own messages.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class DotNode(msgspec.Struct, frozen=True):
    """`.`"""

    position: int


class NilNode(msgspec.Struct, frozen=True):
    """`nil`"""

    position: int


class BoolNode(msgspec.Struct, frozen=True):
    """`true`, `false`"""

    position: int
    value: bool


class NumberNode(msgspec.Struct, frozen=True):
    """A constant, which Go keeps in each type that can hold it; None where it cannot."""

    position: int
    text: bytes
    as_int: int | None = None  # int64
    as_uint: int | None = None  # uint64
    as_float: float | None = None
    as_complex: complex | None = None


class StringNode(msgspec.Struct, frozen=True):
    """A string constant: as written, and what it says."""

    position: int
    quoted: bytes
    value: bytes


class FieldNode(msgspec.Struct, frozen=True):
    """`.A.B`: fields of the dot, each of the one before."""

    position: int
    names: tuple[bytes, ...]


class VariableNode(msgspec.Struct, frozen=True):
    """`$x.A.B`: the variable's name with its dollar, then fields."""

    position: int
    names: tuple[bytes, ...]


class ChainNode(msgspec.Struct, frozen=True):
    """`(...).A.B`: fields of a term that is not a field, a variable or the dot."""

    position: int
    term: Argument
    names: tuple[bytes, ...]


class IdentifierNode(msgspec.Struct, frozen=True):
    """The name of a function."""

    position: int
    name: bytes


class CommandNode(msgspec.Struct, frozen=True):
    """One part of a pipeline: a function, method or value, and its arguments."""

    position: int
    arguments: tuple[Argument, ...]


class PipeNode(msgspec.Struct, frozen=True):
    """Commands joined by `|`, and the variables that the result is declared as or assigned to."""

    position: int
    line: int
    commands: tuple[CommandNode, ...]
    variables: tuple[bytes, ...] = ()  # with their dollar
    assigns: bool = False  # `=`, not `:=`


class TextNode(msgspec.Struct, frozen=True):
    """Text between two actions, trimmed as their markers say."""

    position: int
    text: bytes


class ActionNode(msgspec.Struct, frozen=True):
    """`{{pipeline}}`"""

    position: int
    line: int
    pipe: PipeNode


class IfNode(msgspec.Struct, frozen=True):
    """`{{if}}`. An `{{else if}}` is an IfNode alone in `otherwise`."""

    position: int
    line: int
    pipe: PipeNode
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


class WithNode(msgspec.Struct, frozen=True):
    """`{{with}}`"""

    position: int
    line: int
    pipe: PipeNode
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


class RangeNode(msgspec.Struct, frozen=True):
    """`{{range}}`"""

    position: int
    line: int
    pipe: PipeNode
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


class TemplateNode(msgspec.Struct, frozen=True):
    """`{{template "name" pipeline}}`"""

    position: int
    line: int
    name: bytes
    pipe: PipeNode | None = None


class BreakNode(msgspec.Struct, frozen=True):
    """`{{break}}`"""

    position: int
    line: int


class ContinueNode(msgspec.Struct, frozen=True):
    """`{{continue}}`"""

    position: int
    line: int


Argument = (
    DotNode | NilNode | BoolNode | NumberNode | StringNode | FieldNode | VariableNode | ChainNode
    | IdentifierNode | PipeNode
)  # fmt: skip
Node = (
    TextNode | ActionNode | IfNode | WithNode | RangeNode | TemplateNode | BreakNode | ContinueNode
)  # fmt: skip


class Template(msgspec.Struct, frozen=True):
    """A parsed template: its own nodes, and those of every template that it defines."""

    name: bytes
    source: bytes
    nodes: tuple[Node, ...]
    trees: Mapping[bytes, tuple[Node, ...]]  # by name; also has the template itself unless it is redefined
