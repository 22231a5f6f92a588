"""Which fields of its value a template reads, found without executing it."""

from __future__ import annotations

from typing import Final

import msgspec

from parsers.go.nodes import (
    ActionNode,
    Argument,
    ChainNode,
    CommandNode,
    DotNode,
    FieldNode,
    IdentifierNode,
    IfNode,
    Node,
    PipeNode,
    RangeNode,
    StringNode,
    Template,
    TemplateNode,
    VariableNode,
    WithNode,
)

Path = tuple[bytes, ...]

# Calls of templates with one path each. A template that calls itself with a field of its value has no end.
MAX_CALLS: Final = 100


class Used(msgspec.Struct, frozen=True):
    """Names from the value down, () for all of it; `position` counts bytes of the template."""

    path: Path
    position: int


def fields_used(template: Template) -> tuple[Used, ...]:
    """In the order of their places, each place once. Elements of a loop, and what a function gives, have no
    path; `index` with constants has one.
    """
    walker = _Walker()
    walker.nodes(template.nodes, _Scope((), {b"$": ()}))
    for name, dot in walker.calls:  # grows while it is read
        walker.nodes(template.trees.get(name, ()), _Scope(dot, {b"$": dot}))
    return tuple(sorted(walker.found, key=lambda used: (used.position, used.path)))


class _Scope:
    """The paths of the dot and of the variables; None where it is not known."""

    def __init__(self, dot: Path | None, variables: dict[bytes, Path | None]) -> None:
        self.dot = dot
        self.variables = variables

    def inner(self, dot: Path | None) -> _Scope:
        return _Scope(dot, dict(self.variables))


class _Walker:
    def __init__(self) -> None:
        self.found: set[Used] = set()
        self.calls: list[tuple[bytes, Path | None]] = []

    def nodes(self, nodes: tuple[Node, ...], scope: _Scope) -> None:
        for node in nodes:
            match node:
                case ActionNode():
                    self._pipe(node.pipe, scope)
                case IfNode() | WithNode() | RangeNode():
                    self._branch(node, scope)
                case TemplateNode():
                    self._call(node, scope)

    def _branch(self, node: IfNode | WithNode | RangeNode, scope: _Scope) -> None:
        inner = scope.inner(scope.dot)
        value = self._pipe(node.pipe, inner)
        if isinstance(node, RangeNode):
            inner.variables |= dict.fromkeys(node.pipe.variables)
            self.nodes(node.body, inner.inner(None))
        else:
            self.nodes(node.body, inner.inner(value if isinstance(node, WithNode) else scope.dot))
        self.nodes(node.otherwise, inner)

    def _call(self, node: TemplateNode, scope: _Scope) -> None:
        dot = None if node.pipe is None else self._pipe(node.pipe, scope)
        if (node.name, dot) not in self.calls and len(self.calls) < MAX_CALLS:
            self.calls.append((node.name, dot))

    def _pipe(self, pipe: PipeNode, scope: _Scope) -> Path | None:
        value: Path | None = None
        for number, command in enumerate(pipe.commands):
            value = self._command(command, scope)
            value = value if number == 0 else None
        scope.variables |= dict.fromkeys(pipe.variables, value)
        return value

    def _command(self, command: CommandNode, scope: _Scope) -> Path | None:
        first, *rest = command.arguments
        if isinstance(first, IdentifierNode) and first.name == b"index" and rest:
            return self._index(rest, scope)
        value = self._argument(first, scope)
        for argument in rest:
            self._argument(argument, scope)
        return value

    def _index(self, arguments: list[Argument], scope: _Scope) -> Path | None:
        item, *keys = arguments
        names = [key.value for key in keys if isinstance(key, StringNode)]
        if len(names) == len(keys) and isinstance(item, FieldNode | VariableNode | DotNode):
            return self._use(self._path(item, scope), tuple(names), item.position)
        for argument in arguments:
            self._argument(argument, scope)
        return None

    def _argument(self, node: Argument, scope: _Scope) -> Path | None:
        match node:
            case PipeNode():
                return self._pipe(node, scope)
            case ChainNode():
                return self._use(self._argument(node.term, scope), node.names, node.position)
            case FieldNode() | VariableNode() | DotNode():
                return self._use(self._path(node, scope), (), node.position)
        return None

    @staticmethod
    def _path(node: FieldNode | VariableNode | DotNode, scope: _Scope) -> Path | None:
        if isinstance(node, VariableNode):
            start, names = scope.variables.get(node.names[0]), node.names[1:]
        else:
            start, names = scope.dot, node.names if isinstance(node, FieldNode) else ()
        return None if start is None else start + names

    def _use(self, start: Path | None, names: Path, position: int) -> Path | None:
        if start is None:
            return None
        self.found.add(Used(start + names, position))
        return start + names
