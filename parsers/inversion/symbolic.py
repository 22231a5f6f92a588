"""A template's tree -> the pattern of the texts that it can make: Go's own evaluation, the facts left open.

A condition that depends on the container becomes two branches, each guarded by it; a variable that they set
differently becomes a choice. A path on which Go fails whatever the container is no path: no container starts
with it. When no path is left, the template is refused as Docker would refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Final

import msgspec

from parsers.go.nodes import (
    ActionNode,
    BreakNode,
    ContinueNode,
    IfNode,
    Node,
    RangeNode,
    Template,
    TemplateNode,
    TextNode,
    WithNode,
)
from parsers.go.values import NO_VALUE as NONE
from parsers.gotemplate import TemplateError
from parsers.inversion.calls import UNFOLLOWED, choice, truth
from parsers.inversion.evaluation import Scope, evaluate_pipe
from parsers.inversion.functions import printed
from parsers.inversion.loops import assigned, elements, has_jump
from parsers.inversion.patterns import (
    ANYTHING,
    Alt,
    Guard,
    Lit,
    Loop,
    Pattern,
    Seq,
    Slot,
    sequence,
)
from parsers.inversion.term_shapes import shape
from parsers.inversion.terms import (
    NO_VALUE,
    Call,
    Choice,
    Concat,
    Const,
    Lookup,
    Term,
    Whole,
    is_followed,
    kind,
    parts,
)

# Nodes that are followed, those of a template each time that it is called.
MAX_NODES: Final = 20_000
# Parts of one pattern. Each costs a step per tag; a template that a person wrote has tens.
MAX_PARTS: Final = 4000
# Templates that call each other, and branches within branches. Deeper is not followed.
MAX_DEPTH: Final = 40


class Symbolic(msgspec.Struct, frozen=True):
    """What a template can print, and the paths of the facts that it uses, each with its term."""

    pattern: Pattern
    paths: Mapping[str, Term]


class _TooMuch(Exception):  # noqa: N818 - not an error of anybody's
    """The template is too large to be followed."""


def evaluate_template(template: Template) -> Symbolic:
    """Raises TemplateError when no container could have made any tag with it."""
    paths: dict[str, Term] = {}
    root = Whole("", "info")
    scope = Scope([(b"$", root)], paths)
    try:
        pattern = _Evaluator(template).nodes(template.nodes, root, scope)
    except _TooMuch:
        pattern = ANYTHING
    used = dict.fromkeys(part for term in _terms(pattern) for part in parts(term))
    told = {path: term for path, term in paths.items() if not isinstance(term, Whole) or term in used}
    entries = sorted((part for part in used if isinstance(part, Lookup)), key=_says_when_missing)
    return Symbolic(pattern, told | {entry.name: entry for entry in entries})


def _says_when_missing(entry: Term) -> bool:
    return isinstance(entry, Lookup) and entry.missing == NO_VALUE


def _terms(pattern: Pattern) -> Iterator[Term]:
    """The terms of the pattern's slots and guards."""
    match pattern:
        case Slot(_, term) | Guard(term):
            yield term
        case Seq(inner) | Alt(_, inner):
            for part in inner:
                yield from _terms(part)
        case Loop(body):
            yield from _terms(body)


class _Evaluator:
    def __init__(self, template: Template) -> None:
        self._template = template
        self._numbers = count()
        self._parts = 0
        self._nodes = 0
        self._depth = 0

    def nodes(self, nodes: tuple[Node, ...], dot: Term, scope: Scope) -> Pattern:
        self._depth += 1
        self._nodes += 1 + len(nodes)
        if self._depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise _TooMuch
        mark = len(scope.variables)
        found = sequence([self._node(node, dot, scope) for node in nodes])
        del scope.variables[mark:]
        self._depth -= 1
        return found

    def _number(self) -> int:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _TooMuch
        return next(self._numbers)

    def _node(self, node: Node, dot: Term, scope: Scope) -> Pattern:
        match node:
            case TextNode():
                self._number()
                return Lit(node.text)
            case ActionNode():
                value = evaluate_pipe(node.pipe, dot, scope)
                return Lit(b"") if node.pipe.variables else self.print(value)
            case IfNode() | WithNode():
                return self._conditional(node, dot, scope)
            case RangeNode():
                return self._range(node, dot, scope)
            case TemplateNode():
                return self._template_call(node, dot, scope)
            case BreakNode() | ContinueNode():
                raise _TooMuch  # only within loops, which look for them first

    def print(self, term: Term) -> Pattern:
        match term:
            case Const(value):
                return Lit(printed(value))
            case Concat(inner):
                return sequence([self.print(part) for part in inner])
            case Choice(condition, then, other):
                return self._branch(condition, lambda: self.print(then), lambda: self.print(other))
        return Slot(self._number(), term, shape(term))

    def _conditional(self, node: IfNode | WithNode, dot: Term, scope: Scope) -> Pattern:
        mark = len(scope.variables)
        value = evaluate_pipe(node.pipe, dot, scope)
        inner = value if isinstance(node, WithNode) else dot
        found = self._scoped_branch(
            scope,
            value,
            lambda branch: self.nodes(node.body, inner, branch),
            lambda branch: self.nodes(node.otherwise, dot, branch),
        )
        del scope.variables[mark:]
        return found

    def _scoped_branch(
        self,
        scope: Scope,
        condition: Term,
        then: Callable[[Scope], Pattern],
        other: Callable[[Scope], Pattern],
    ) -> Pattern:
        """Both branches, each with its own variables; those that differ afterwards become choices."""
        ends: dict[bool, Scope] = {}

        def run(side: bool) -> Pattern:
            ends[side] = scope.copy()
            try:
                return (then if side else other)(ends[side])
            except TemplateError:
                del ends[side]
                raise

        found = self._branch(condition, lambda: run(True), lambda: run(False))
        scope.variables[:] = _merged(condition, ends.get(True), ends.get(False))
        return found

    def _branch(self, condition: Term, then: Callable[[], Pattern], other: Callable[[], Pattern]) -> Pattern:
        settled = truth(condition)
        if settled is not None:
            return then() if settled else other()
        if isinstance(condition, Choice):
            first, one, two = condition.condition, condition.then, condition.other
            settles = is_followed(first)
            return self._branch(
                first,
                then if settles and one == first else lambda: self._branch(one, then, other),
                other if settles and two == first else lambda: self._branch(two, then, other),
            )
        if isinstance(condition, Call) and condition.function == "not":
            return self._branch(condition.arguments[0], other, then)
        return self._fork(condition, then, other)

    def _fork(self, condition: Term, then: Callable[[], Pattern], other: Callable[[], Pattern]) -> Pattern:
        number = self._number()
        options: list[Pattern] = []
        failed: TemplateError | None = None
        depth = self._depth
        for side, run in ((True, then), (False, other)):
            try:
                body = run()
            except TemplateError as error:
                failed, self._depth = failed or error, depth
                continue
            guard = [Guard(condition, side)] if is_followed(condition) else []
            options.append(sequence([*guard, body]))
        if failed is not None and not options:
            raise failed
        return options[0] if len(options) == 1 else Alt(number, tuple(options))

    def _template_call(self, node: TemplateNode, dot: Term, scope: Scope) -> Pattern:
        body = self._template.trees.get(node.name)
        if body is None:
            raise TemplateError(
                f"template {node.name.decode('utf-8', 'replace')!r} not defined", node.position
            )
        inner = Const(NONE) if node.pipe is None else evaluate_pipe(node.pipe, dot, scope)
        return self.nodes(body, inner, Scope([(b"$", inner)], scope.paths))

    def _range(self, node: RangeNode, dot: Term, scope: Scope) -> Pattern:
        mark = len(scope.variables)
        value = evaluate_pipe(node.pipe, dot, scope, declare=False)
        if has_jump(node.body) or any(map(_says_when_missing, parts(value))):
            found = self._unfollowed_loop(node, scope)
        elif isinstance(value, Const):
            found = self._unrolled(node, value, dot, scope)
        else:
            found = self._loop(node, value, dot, scope)
        del scope.variables[mark:]
        return found

    def _unfollowed_loop(self, node: RangeNode, scope: Scope) -> Pattern:
        scope.forget(assigned((node,)))
        return ANYTHING

    def _unrolled(self, node: RangeNode, value: Const, dot: Term, scope: Scope) -> Pattern:
        pairs = elements(value.value)
        if pairs is None:
            return self._unfollowed_loop(node, scope)
        if not pairs:
            return self.nodes(node.otherwise, dot, scope)
        return sequence([self._pass(node, key, element, scope) for key, element in pairs])

    def _pass(self, node: RangeNode, key: Term, element: Term, scope: Scope) -> Pattern:
        """The body once, for one element."""
        mark = len(scope.variables)
        self._number()
        names = node.pipe.variables
        if node.pipe.assigns:
            scope.forget(set(names))
        elif names:
            scope.variables.extend(zip(names, (key, element)[-len(names) :], strict=True))
        found = self.nodes(node.body, element, scope)
        del scope.variables[mark:]
        return found

    def _loop(self, node: RangeNode, value: Term, dot: Term, scope: Scope) -> Pattern:
        """A loop over what is not known: its elements are not followed, its body's texts are."""
        if kind(value) in ("string", "bool", "info", "time"):
            raise TemplateError(f"range can't iterate over a {kind(value)}", node.position)
        scope.forget(assigned(node.body) | (set(node.pipe.variables) if node.pipe.assigns else set()))

        def repeated(branch: Scope) -> Pattern:
            # "any number" has one text too many, none; the body twice would double with each nested loop
            return Loop(self._pass(node, UNFOLLOWED, UNFOLLOWED, branch))

        return self._scoped_branch(
            scope, value, repeated, lambda branch: self.nodes(node.otherwise, dot, branch)
        )


def _merged(condition: Term, then: Scope | None, other: Scope | None) -> list[tuple[bytes, Term]]:
    """The variables after a branch. A side on which Go fails, or that cannot be taken, has no say."""
    sides = [side.variables for side in (then, other) if side is not None]
    if len(sides) < 2:
        return list(sides[0]) if sides else []
    return [(name, choice(condition, one, two)) for (name, one), (_, two) in zip(*sides, strict=True)]
