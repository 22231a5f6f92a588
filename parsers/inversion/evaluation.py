"""Pipelines, fields and methods of a template, evaluated to terms (Go: text/template/exec.go)."""

from __future__ import annotations

from typing import Any, Final

from parsers.go.functions import DOCKER_FUNCTIONS
from parsers.go.nodes import (
    Argument,
    BoolNode,
    ChainNode,
    CommandNode,
    DotNode,
    FieldNode,
    IdentifierNode,
    NilNode,
    NumberNode,
    PipeNode,
    StringNode,
    VariableNode,
)
from parsers.go.types import INT
from parsers.go.values import NO_VALUE as NONE
from parsers.gotemplate import TemplateError
from parsers.inversion.calls import UNFOLLOWED, apply, choice
from parsers.inversion.documents import LISTS, MAPS
from parsers.inversion.terms import (
    NO_VALUE,
    Choice,
    Concat,
    Const,
    Fact,
    Lookup,
    Opaque,
    Term,
    Whole,
    parts,
)

# Docker's log info (daemon/logger/loginfo.go): what each field and each method without arguments gives.
_FIELDS: Final[dict[str, Term]] = {
    "ContainerID": Fact("FullID"),
    "ContainerName": Concat((Const(b"/"), Fact("Name"))),
    "ContainerEntrypoint": Fact("ContainerEntrypoint"),
    "ContainerImageID": Fact("ImageFullID"),
    "ContainerImageName": Fact("ImageName"),
    "ContainerCreated": Whole("ContainerCreated", "time"),
    "LogPath": Fact("LogPath"),
    "DaemonName": Fact("DaemonName"),
    **{name: Whole(name, "map") for name in MAPS},
    **{name: Whole(name, "list") for name in LISTS},
}
_METHODS: Final = frozenset(
    ("ID", "FullID", "Name", "Command", "ImageID", "ImageFullID", "ImageName", "Hostname")
)


class Scope:
    """The variables in force, innermost last, and where the paths that are used are noted."""

    def __init__(self, variables: list[tuple[bytes, Term]], paths: dict[str, Term]) -> None:
        self.variables = variables
        self.paths = paths

    def copy(self) -> Scope:
        return Scope(list(self.variables), self.paths)

    def get(self, name: bytes) -> Term:
        for known, value in reversed(self.variables):
            if known == name:
                return value
        return UNFOLLOWED

    def assign(self, name: bytes, value: Term) -> None:
        for place in range(len(self.variables) - 1, -1, -1):
            if self.variables[place][0] == name:
                self.variables[place] = name, value
                return

    def forget(self, names: set[bytes]) -> None:
        """What a loop assigns is not followed."""
        for name in names:
            self.assign(name, UNFOLLOWED)


def evaluate_pipe(pipe: PipeNode, dot: Term, scope: Scope, *, declare: bool = True) -> Term:
    """The pipeline's value; its variables are set. Raises TemplateError where Go fails for sure."""
    value: Term | None = None
    for command in pipe.commands:
        value = _command(command, dot, scope, value)
    assert value is not None
    if declare:
        for name in pipe.variables:
            if pipe.assigns:
                scope.assign(name, value)
            else:
                scope.variables.append((name, value))
    return value


def _command(command: CommandNode, dot: Term, scope: Scope, final: Term | None) -> Term:
    first, *rest = command.arguments
    function = first.name if isinstance(first, IdentifierNode) else b""
    arguments = [_argument_of(function, place, node, dot, scope) for place, node in enumerate(rest)]
    if final is not None:
        arguments.append(final)
    match first:
        case FieldNode(position, names):
            return _chain(dot, names, arguments, scope, position)
        case VariableNode(position, names) if len(names) > 1:
            return _chain(scope.get(names[0]), names[1:], arguments, scope, position)
        case ChainNode(position, term, names):
            return _chain(_argument(term, dot, scope), names, arguments, scope, position)
        case IdentifierNode(_, name):
            return apply(name.decode(), tuple(arguments))
    if arguments:
        raise TemplateError("can't give argument to non-function", first.position)
    if isinstance(first, NilNode):
        raise TemplateError("nil is not a command", first.position)
    return _argument(first, dot, scope)


def _argument_of(function: bytes, place: int, node: Argument, dot: Term, scope: Scope) -> Term:
    try:
        found = _argument(node, dot, scope)
    except TemplateError:
        if function in (b"and", b"or") and place > 0:
            return UNFOLLOWED  # not all containers come as far
        raise
    if isinstance(node, NumberNode) and node.as_int is not None and _is_int(function, place):
        return Const(node.as_int)  # 1e3 is one, too
    return found


def _is_int(function: bytes, place: int) -> bool:
    parameters = DOCKER_FUNCTIONS[function].parameters if function in DOCKER_FUNCTIONS else ()
    return place < len(parameters) and parameters[place] == INT


def _argument(node: Argument, dot: Term, scope: Scope) -> Term:
    match node:
        case DotNode():
            if isinstance(dot, Whole) and dot.kind == "info":
                scope.paths.setdefault("", dot)
            return dot
        case NilNode():
            return Const(None)
        case BoolNode(_, value) | StringNode(_, _, value):
            return Const(value)
        case NumberNode():
            return _number(node)
        case PipeNode():
            return evaluate_pipe(node, dot, scope)
        case FieldNode(position, names):
            return _chain(dot, names, [], scope, position)
        case VariableNode(position, names):
            return _chain(scope.get(names[0]), names[1:], [], scope, position)
        case ChainNode(position, term, names):
            return _chain(_argument(term, dot, scope), names, [], scope, position)
        case IdentifierNode(_, name):
            return apply(name.decode(), ())


def _number(node: NumberNode) -> Term:
    """A constant without a type becomes what it looks like (exec.go, idealConstant)."""
    is_float = node.as_float is not None and any(mark in node.text for mark in b".eEpP")
    if is_float and not node.text.startswith((b"0x", b"0X", b"'")):
        return Const(node.as_float)
    return UNFOLLOWED if node.as_int is None else Const(node.as_int)


def _chain(value: Term, names: tuple[bytes, ...], arguments: list[Term], scope: Scope, position: int) -> Term:
    for number, name in enumerate(names):
        last = number == len(names) - 1
        value = _field(value, name, arguments if last else [], scope, position)
    if not names and arguments:
        raise TemplateError("can't give argument to non-function", position)
    return value


def _field(value: Term, name: bytes, arguments: list[Term], scope: Scope, position: int) -> Term:
    match value:
        case Whole("", _):
            return _of_info(name.decode("utf-8", "replace"), arguments, scope, position)
        case Whole(_, "time") | Opaque():
            return UNFOLLOWED
        case Lookup(_, _, missing) if missing == NO_VALUE:
            return Const(NONE)  # of a text it fails
        case Const(nothing) if nothing is NONE:
            return value
        case Whole(map_name, "map") if not arguments:
            return Lookup(map_name, name, NO_VALUE)
        case Choice(condition, then, other):
            return choice(
                condition,
                _field(then, name, arguments, scope, position),
                _field(other, name, arguments, scope, position),
            )
    raise TemplateError(f"can't evaluate field {name.decode('utf-8', 'replace')}", position)


def _of_info(name: str, arguments: list[Term], scope: Scope, position: int) -> Term:
    if name == "ExtraAttributes" and len(arguments) == 1:
        return scope.paths.setdefault(name, Whole(name, "map"))
    found: Any = Fact(name) if name in _METHODS else _FIELDS.get(name)
    if found is None or name == "ExtraAttributes":
        raise TemplateError(f"can't evaluate field {name} in type *logger.Info", position)
    if arguments:
        raise TemplateError(f"{name} takes no arguments", position)
    scope.paths[name] = found
    scope.paths.update({part.name: part for part in parts(found) if isinstance(part, Fact)})
    return found  # type: ignore[no-any-return]
