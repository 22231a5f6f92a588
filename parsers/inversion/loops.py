"""What has to be known of a loop before its body is followed."""

from __future__ import annotations

from typing import Any, Final

from parsers.go.nodes import (
    ActionNode,
    BreakNode,
    ContinueNode,
    IfNode,
    Node,
    PipeNode,
    RangeNode,
    TemplateNode,
    WithNode,
)
from parsers.inversion.terms import Const, Term

# Passes of a loop over constants that are followed one by one.
MAX_PASSES: Final = 64


def has_jump(nodes: tuple[Node, ...]) -> bool:
    """Whether a `break` or `continue` stands anywhere in the body."""
    return any(
        isinstance(node, BreakNode | ContinueNode)
        or (isinstance(node, IfNode | WithNode | RangeNode) and has_jump((*node.body, *node.otherwise)))
        for node in nodes
    )


def assigned(nodes: tuple[Node, ...]) -> set[bytes]:
    """The variables that the nodes assign to with `=`."""
    names: set[bytes] = set()
    for node in nodes:
        if isinstance(node, ActionNode | IfNode | WithNode | RangeNode):
            names |= _assigned_by(node.pipe)
        if isinstance(node, TemplateNode) and node.pipe is not None:
            names |= _assigned_by(node.pipe)
        if isinstance(node, IfNode | WithNode | RangeNode):
            names |= assigned((*node.body, *node.otherwise))
    return names


def _assigned_by(pipe: PipeNode) -> set[bytes]:
    names = set(pipe.variables) if pipe.assigns else set()
    for command in pipe.commands:
        for argument in command.arguments:
            if isinstance(argument, PipeNode):
                names |= _assigned_by(argument)
    return names


def elements(value: Any) -> list[tuple[Term, Term]] | None:
    """The keys and elements of a constant that a loop goes over; None when it is not followed."""
    if isinstance(value, bool) or not isinstance(value, int | tuple | list):
        return None
    if isinstance(value, int):
        return [(Const(n), Const(n)) for n in range(value)] if value <= MAX_PASSES else None
    if len(value) > MAX_PASSES:
        return None
    return [(Const(number), Const(element)) for number, element in enumerate(value)]
