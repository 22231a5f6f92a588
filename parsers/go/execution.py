"""A template executed (Go: text/template/exec.go, walk and what it calls)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from parsers.go.calls import Function
from parsers.go.errors import GoError
from parsers.go.escaping import printable
from parsers.go.evaluation import Evaluator
from parsers.go.limits import Buffer
from parsers.go.nodes import (
    ActionNode,
    BreakNode,
    ContinueNode,
    IfNode,
    Node,
    PipeNode,
    RangeNode,
    Template,
    TemplateNode,
    TextNode,
    WithNode,
)
from parsers.go.printing import printed, reflected
from parsers.go.quoting import quote
from parsers.go.values import NO_VALUE, Pointer, elements, entries, is_true, type_of, unboxed

# Frames of Python's stack that one level takes: a branch or loop, a template.
_BRANCH_FRAMES = 3
_TEMPLATE_FRAMES = 3


class _Break(Exception):  # noqa: N818 - a jump
    pass


class _Continue(Exception):  # noqa: N818 - a jump
    pass


def execute(template: Template, dot: Any, functions: Mapping[bytes, Function]) -> bytes:
    """What the template prints of the dot. Raises TemplateError; its position counts bytes."""
    dot = NO_VALUE if dot is None else dot
    executor = _Executor(template, dot, functions)
    try:
        executor.walk(template.nodes, dot)
    except GoError as error:
        raise executor.error(error.text, depends_on_values=True) from None
    return executor.output.value()


class _Executor(Evaluator):
    def __init__(self, template: Template, dot: Any, functions: Mapping[bytes, Function]) -> None:
        super().__init__(template, dot, functions)
        self.output = Buffer()

    def walk(self, nodes: tuple[Node, ...], dot: Any) -> None:
        for node in nodes:
            self.meter.step()
            self.node = node
            match node:
                case TextNode():
                    self.output.write(node.text)
                case ActionNode():
                    value = self.pipeline(dot, node.pipe)
                    if not node.pipe.variables:
                        self._print(node, value)
                case IfNode() | WithNode():
                    self._branch(node, dot)
                case RangeNode():
                    self._range(node, dot)
                case TemplateNode():
                    self._template(node, dot)
                case BreakNode():
                    raise _Break
                case ContinueNode():
                    raise _Continue

    def _print(self, node: ActionNode, value: Any) -> None:
        self.node = node
        self.output.write(value if isinstance(value, bytes) else printed([printable(value)]))

    def _branch(self, node: IfNode | WithNode, dot: Any) -> None:
        self.enter(_BRANCH_FRAMES)
        mark = len(self.variables)
        try:
            value = self.pipeline(dot, node.pipe)
            if is_true(value):
                self.walk(node.body, value if isinstance(node, WithNode) else dot)
            else:
                self.walk(node.otherwise, dot)
        finally:
            del self.variables[mark:]
            self.leave(_BRANCH_FRAMES)

    def _range(self, node: RangeNode, dot: Any) -> None:
        self.enter(_BRANCH_FRAMES)
        mark = len(self.variables)
        try:
            value = self.pipeline(dot, node.pipe)
            ran = False
            for number, element in self._passes(value, node.pipe):
                ran = True
                self._pass(node, number, element)
            if not ran:
                self.walk(node.otherwise, dot)
        except _Break:
            pass
        finally:
            del self.variables[mark:]
            self.leave(_BRANCH_FRAMES)

    def _passes(self, value: Any, pipe: PipeNode) -> Iterator[tuple[Any, Any]]:
        """The index or key, and the element, of each pass."""
        value = unboxed(value)
        if isinstance(value, Pointer) and value.target is not None:
            value = value.target
        if value is NO_VALUE:
            return iter(())
        match type_of(value).kind:
            case "int" | "uint":
                if len(pipe.variables) > 1:
                    text = reflected(value)
                    self.fail(b"can't use " + text + b" to iterate over more than one variable")
                number = type(value)
                return ((NO_VALUE, number(n)) for n in range(value))
            case "slice":
                return enumerate(elements(value))
            case "map":
                return iter(entries(value))
        raise self.error(b"range can't iterate over " + reflected(value))

    def _pass(self, node: RangeNode, number: Any, element: Any) -> None:
        self.meter.step()
        variables = node.pipe.variables
        values = (number, element) if len(variables) > 1 else (element,)
        if node.pipe.assigns:
            for name, value in zip(variables, values, strict=True):
                self.set_variable(name, value)
        elif variables:
            self.variables[-len(variables) :] = zip(variables, values, strict=True)
        mark = len(self.variables)
        try:
            self.walk(node.body, element)
        except _Continue:
            pass
        finally:
            del self.variables[mark:]

    def _template(self, node: TemplateNode, dot: Any) -> None:
        nodes = self.template.trees.get(node.name)
        if nodes is None:
            self.fail(b"template " + quote(node.name) + b" not defined")
        self.enter(_TEMPLATE_FRAMES)
        dot = self.pipeline(dot, node.pipe)
        outer = self.variables, self.running
        self.variables, self.running = [(b"$", dot)], node.name
        self.walk(nodes, dot)
        self.variables, self.running = outer
        self.leave(_TEMPLATE_FRAMES)
