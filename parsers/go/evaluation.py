"""Pipelines, commands, fields and calls (Go: text/template/exec.go, evalPipeline and what it calls)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from parsers.go.calls import Function, assign, size_of, zero
from parsers.go.constants import constant, ideal
from parsers.go.errors import GoError, LimitError, TemplateError
from parsers.go.functions import AND, BUILTINS, CALL, OR, call_of
from parsers.go.limits import MAX_FRAMES, Meter
from parsers.go.node_text import node_text
from parsers.go.nodes import (
    Argument,
    BoolNode,
    ChainNode,
    CommandNode,
    DotNode,
    FieldNode,
    IdentifierNode,
    NilNode,
    Node,
    NumberNode,
    PipeNode,
    StringNode,
    Template,
    VariableNode,
)
from parsers.go.quoting import quote
from parsers.go.types import VALUE, GoType
from parsers.go.values import (
    NO_VALUE,
    AnyMap,
    Boxed,
    Pointer,
    Struct,
    is_nil,
    is_true,
    type_of,
    unboxed,
)

Arguments = Sequence[Argument]

# Frames of Python's stack that a pipeline within parentheses takes.
_FRAMES: Final = 6


class _Missing:
    """No value comes from the pipeline: other than NO_VALUE, which does."""


MISSING: Final = _Missing()


class Evaluator:
    """The state of one execution: variables, the template that runs, and the node that errors name."""

    def __init__(self, template: Template, dot: Any, functions: Mapping[bytes, Function]) -> None:
        self.template = template
        self.running = template.name
        self.functions = functions
        self.variables: list[tuple[bytes, Any]] = [(b"$", dot)]
        self.node: Node | Argument | CommandNode = PipeNode(0, 1, ())
        self.meter = Meter()
        self._frames = 0

    def fail(self, message: str | bytes, *, depends_on_values: bool = False) -> NoReturn:
        raise self.error(message, depends_on_values=depends_on_values)

    def error(self, message: str | bytes, *, depends_on_values: bool = False) -> TemplateError:
        """At the present node, in Go's words."""
        text = (message.encode() if isinstance(message, str) else message).decode("utf-8", "replace")
        source, position = self.template.source, self.node.position
        line, column = source.count(b"\n", 0, position) + 1, position - source.rfind(b"\n", 0, position) - 1
        place = self.template.name + b":%d:%d: executing %s" % (line, column, quote(self.running))
        start = b"template: " + place + b" at <" + node_text(self.node) + b">: "
        docker = start.decode("utf-8", "replace") + text
        return TemplateError(text, position, docker, depends_on_values=depends_on_values)

    def enter(self, frames: int) -> None:
        self._frames += frames
        if self._frames > MAX_FRAMES:
            raise LimitError("goes too deep into templates, actions and parentheses for this reader")

    def leave(self, frames: int) -> None:
        self._frames -= frames

    def set_variable(self, name: bytes, value: Any) -> None:
        for at in range(len(self.variables) - 1, -1, -1):
            if self.variables[at][0] == name:
                self.variables[at] = name, value
                return
        self.fail(b"undefined variable: " + name)

    def _variable(self, name: bytes) -> Any:
        for known, value in reversed(self.variables):
            if known == name:
                return value
        raise self.error(b"undefined variable: " + name)

    def pipeline(self, dot: Any, pipe: PipeNode | None) -> Any:
        """Its value, out of its interface; its variables are declared or set."""
        if pipe is None:
            return NO_VALUE
        self.enter(_FRAMES)
        self.node = pipe
        value: Any = MISSING
        for command in pipe.commands:
            self.meter.step()
            value = self._command(dot, command, value)
            if isinstance(value, Boxed):
                value = unboxed(value)
        for name in pipe.variables:
            if pipe.assigns:
                self.set_variable(name, value)
            else:
                self.variables.append((name, value))
        self.leave(_FRAMES)
        return value

    def _command(self, dot: Any, command: CommandNode, final: Any) -> Any:
        arguments = command.arguments
        first = arguments[0]
        if isinstance(first, IdentifierNode):
            return self._function(dot, first, command, arguments, final)
        if isinstance(first, FieldNode | ChainNode | VariableNode):
            return self._path(dot, first, arguments, final)
        if isinstance(first, PipeNode):
            self._no_function(arguments, final)
            return self.pipeline(dot, first)
        self.node = first
        self._no_function(arguments, final)
        match first:
            case DotNode():
                return dot
            case BoolNode() | StringNode():
                return first.value
            case NumberNode():
                return self._constant(first, None)
        raise self.error("nil is not a command")

    def _no_function(self, arguments: Arguments, final: Any) -> None:
        if len(arguments) > 1 or final is not MISSING:
            self.fail(b"can't give argument to non-function " + node_text(arguments[0]))

    def _path(
        self, dot: Any, node: FieldNode | ChainNode | VariableNode, arguments: Arguments, final: Any
    ) -> Any:
        """A field, a variable, or fields of a term; the last one may be a method that gets the arguments."""
        self.node = node
        names = node.names
        if isinstance(node, FieldNode):
            value = dot
        elif isinstance(node, ChainNode):
            value = self._argument(dot, None, node.term)
        else:
            value, names = self._variable(names[0]), names[1:]
            if not names:
                self._no_function(arguments, final)
                return value
        for name in names[:-1]:
            value = self._field(dot, value, name, node, (), MISSING)
        return self._field(dot, value, names[-1], node, arguments, final)

    def _function(
        self,
        dot: Any,
        node: IdentifierNode,
        command: CommandNode | IdentifierNode,
        arguments: Arguments,
        final: Any,
    ) -> Any:
        self.node = node
        function = self.functions.get(node.name)
        if function is None:
            self.fail(quote(node.name) + b" is not a defined function")
        return self._call(dot, function, (), command, arguments, final)

    def _field(
        self, dot: Any, value: Any, name: bytes, node: Argument, arguments: Arguments, final: Any
    ) -> Any:
        """A method, a field of a struct, or an entry of a map (exec.go, evalField)."""
        if value is NO_VALUE:
            return NO_VALUE
        go_type = type_of(value).name.encode()
        if isinstance(value, Boxed) and value.value is None:
            self.fail(b"nil pointer evaluating " + go_type + b"." + name)
        inner = unboxed(value)
        methods = getattr(inner, "methods", None)
        if methods and name in methods:
            return self._call(dot, methods[name], (inner,), node, arguments, final)
        inner = inner.target if isinstance(inner, Pointer) and inner.target is not None else inner
        has_arguments = len(arguments) > 1 or final is not MISSING
        if isinstance(inner, Struct) and name in inner.fields:
            if name[:1].islower():
                self.fail(name + b" is an unexported field of struct type " + go_type)
            if has_arguments:
                self.fail(name + b" has arguments but cannot be invoked as function")
            return inner.fields[name]
        if isinstance(inner, dict):
            if has_arguments:
                self.fail(name + b" is not a method but has arguments")
            return self._entry(inner, name)
        if isinstance(inner, Pointer) and is_nil(inner):
            self.fail(b"nil pointer evaluating " + go_type + b"." + name)
        raise self.error(b"can't evaluate field " + name + b" in type " + go_type)

    @staticmethod
    def _entry(entries: dict[bytes, Any], name: bytes) -> Any:
        if name not in entries:
            return NO_VALUE
        return Boxed(entries[name]) if isinstance(entries, AnyMap) else entries[name]

    def _call(
        self,
        dot: Any,
        function: Function,
        receiver: tuple[Any, ...],
        node: Argument | CommandNode,
        arguments: Arguments,
        final: Any,
    ) -> Any:
        """`arguments` has the function itself first when it is not empty (exec.go, evalCall)."""
        arguments = arguments[1:]
        given = len(arguments) + (final is not MISSING)
        try:
            function.check_count(len(arguments), given)
        except GoError as error:
            self.fail(error.text)
        if function is BUILTINS[AND] or function is BUILTINS[OR]:
            return self._short_circuit(dot, function.name == OR, arguments, final)
        values = [self._argument(dot, function.parameter(n), node) for n, node in enumerate(arguments)]
        if final is not MISSING:
            values.append(self._assigned(final, function.parameter(given - 1)))
        try:
            self.meter.work(sum(map(size_of, values)))
            if function is BUILTINS[CALL]:
                raise call_of(node_text(arguments[0]) if arguments else _name_of(final), values[0])
            result = function.run(*receiver, *values)
            self.meter.work(size_of(result))
        except GoError as error:
            self.node = node
            self.fail(b"error calling " + function.name + b": " + error.text, depends_on_values=True)
        return result

    def _short_circuit(self, dot: Any, stops_at: bool, arguments: Arguments, final: Any) -> Any:
        """and, or: no more arguments are evaluated than it takes."""
        value: Any = NO_VALUE
        for argument in arguments:
            value = self._argument(dot, VALUE, argument)
            if is_true(value) == stops_at:
                return value
        return value if final is MISSING else final

    def _argument(self, dot: Any, go_type: GoType | None, node: Argument) -> Any:
        """An argument for a parameter of a type; None: any type (exec.go, evalArg)."""
        self.node = node
        match node:
            case FieldNode() | VariableNode() | ChainNode():
                return self._assigned(self._path(dot, node, (), MISSING), go_type)
            case DotNode():
                return self._assigned(dot, go_type)
            case PipeNode():
                return self._assigned(self.pipeline(dot, node), go_type)
            case IdentifierNode():
                return self._assigned(self._function(dot, node, node, (), MISSING), go_type)
            case NilNode():
                assert go_type is not None  # the parser lets no field follow a nil
                if not go_type.can_be_nil:
                    self.fail(f"cannot assign nil to {go_type.name}")
                return zero(go_type)
        return self._constant(node, go_type)

    def _assigned(self, value: Any, go_type: GoType | None) -> Any:
        try:
            return assign(value, go_type)
        except GoError as error:
            self.fail(error.text, depends_on_values=value is NO_VALUE)

    def _constant(self, node: BoolNode | NumberNode | StringNode, go_type: GoType | None) -> Any:
        try:
            if go_type is None:
                return ideal(node) if isinstance(node, NumberNode) else node.value
            return constant(node, go_type)
        except GoError as error:
            self.fail(error.text)


def _name_of(value: Any) -> bytes:
    """reflect.Value.String"""
    if isinstance(value, bytes):
        return value
    return b"<invalid Value>" if value is NO_VALUE else f"<{type_of(value).name} Value>".encode()
