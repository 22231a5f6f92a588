"""A node of a template as Go writes it, in its messages for one (Go: text/template/parse/node.go)."""

from __future__ import annotations

from typing import Final

from parsers.go.nodes import (
    ActionNode,
    Argument,
    BoolNode,
    BreakNode,
    ChainNode,
    CommandNode,
    ContinueNode,
    DotNode,
    FieldNode,
    IdentifierNode,
    IfNode,
    NilNode,
    Node,
    NumberNode,
    PipeNode,
    RangeNode,
    StringNode,
    TemplateNode,
    TextNode,
    VariableNode,
    WithNode,
)
from parsers.go.quoting import quote

_BRANCHES: Final = {IfNode: b"if", RangeNode: b"range", WithNode: b"with"}


def node_text(node: Node | Argument | CommandNode) -> bytes:
    """The node in one spacing, whatever the template's own."""
    match node:
        case TextNode():
            return node.text
        case ActionNode():
            return b"{{" + node_text(node.pipe) + b"}}"
        case PipeNode():
            return _pipe(node)
        case CommandNode():
            return b" ".join(map(_in_command, node.arguments))
        case IfNode() | RangeNode() | WithNode():
            return _branch(node)
        case TemplateNode():
            argument = b"" if node.pipe is None else b" " + node_text(node.pipe)
            return b"{{template " + quote(node.name) + argument + b"}}"
        case BreakNode():
            return b"{{break}}"
        case ContinueNode():
            return b"{{continue}}"
    return _operand(node)


def _operand(node: Argument) -> bytes:
    match node:
        case FieldNode():
            return b"." + b".".join(node.names)
        case VariableNode():
            return b".".join(node.names)
        case ChainNode():
            return b".".join((_in_command(node.term), *node.names))
        case IdentifierNode():
            return node.name
        case StringNode():
            return node.quoted
        case NumberNode():
            return node.text
        case BoolNode():
            return b"true" if node.value else b"false"
        case NilNode():
            return b"nil"
        case DotNode():
            return b"."
        case PipeNode():
            return _pipe(node)


def _in_command(node: Argument) -> bytes:
    return b"(" + _pipe(node) + b")" if isinstance(node, PipeNode) else _operand(node)


def _pipe(node: PipeNode) -> bytes:
    declared = b", ".join(node.variables) + (b" = " if node.assigns else b" := ") if node.variables else b""
    return declared + b" | ".join(map(node_text, node.commands))


def _branch(node: IfNode | RangeNode | WithNode) -> bytes:
    otherwise = b"{{else}}" + b"".join(map(node_text, node.otherwise)) if node.otherwise else b""
    start = b"{{" + _BRANCHES[type(node)] + b" " + _pipe(node.pipe) + b"}}"
    return start + b"".join(map(node_text, node.body)) + otherwise + b"{{end}}"
