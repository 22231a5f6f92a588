"""The tree of a template (Go: text/template/parse/parse.go).

Names of functions are checked here, as in Go: a template with an unknown one is refused before it is run.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final, TypeVar

from parsers.go.cursor import Cursor
from parsers.go.expressions import Expressions
from parsers.go.lexer import (
    EOF,
    KEYWORD,
    LEFT_DELIMITER,
    RAW_STRING,
    RIGHT_DELIMITER,
    STRING,
    TEXT,
    Token,
)
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
from parsers.go.quoting import quote
from parsers.go.runes import SPACES, runes

Nodes = tuple[Node, ...]
Branch = TypeVar("Branch", IfNode, RangeNode, WithNode)

_STRINGS: Final = (STRING, RAW_STRING)
# What ends a list of nodes: `{{end}}`, `{{else}}` (also before an `if` or `with` in the same action).
_END: Final = b"end"
_ELSE: Final = b"else"


def parse_source(source: bytes, name: bytes, functions: Container[bytes]) -> Template:
    """Raises TemplateError; its position counts bytes."""
    cursor = Cursor(source, name, functions)
    trees: dict[bytes, Nodes] = {}
    _Tree(cursor, trees, name).parse()
    return Template(name, source, trees[name], trees)


class _Tree(Expressions):
    """One template: the main one, or one that it defines."""

    def __init__(self, cursor: Cursor, trees: dict[bytes, Nodes], name: bytes) -> None:
        super().__init__(cursor)
        self._trees = trees
        self._name = name
        self._loops = 0

    def parse(self) -> None:
        """The main template, up to the end of the text."""
        nodes: list[Node] = []
        while (token := self.cursor.peek()).kind != EOF:
            if token.kind == LEFT_DELIMITER and self._is_definition():
                _Tree(self.cursor, self._trees, b"").define()
                continue
            node = self._text_or_action()
            if isinstance(node, bytes):
                self.cursor.fail(b"unexpected {{" + node + b"}}")
            nodes.append(node)
        self.add(tuple(nodes))

    def _is_definition(self) -> bool:
        """Goes behind the keyword when it is there, and stays where it is when not."""
        start = self.cursor.at
        self.cursor.next()
        token = self.cursor.next_non_space()
        if (token.kind, token.value) == (KEYWORD, b"define"):
            return True
        self.cursor.at = start
        return False

    def define(self) -> None:
        """A {{define}}, from behind its keyword."""
        name = self.cursor.expect(_STRINGS, "define clause", self.action_line)
        self._name = self.unquoted(name)
        self.cursor.expect((RIGHT_DELIMITER,), "define clause", self.action_line)
        self.body("define clause")

    def body(self, context: str, line: int | None = None) -> None:
        """The nodes of a defined template, up to and with its {{end}}; `line`: where Go sees another end."""
        self.cursor.enter()
        nodes, end = self._list()
        if end != _END:
            self.cursor.fail(b"unexpected {{" + end + b"}} in " + context.encode(), line=line)
        self.cursor.leave()
        self.add(nodes)

    def add(self, nodes: Nodes) -> None:
        """A template replaces an empty one of its name, and only that."""
        if _is_empty(self._trees.get(self._name, ())):
            self._trees[self._name] = nodes
        elif not _is_empty(nodes):
            self.cursor.fail(b"template: multiple definition of template " + quote(self._name))

    def _list(self) -> tuple[Nodes, bytes]:
        """Nodes up to and with what ends them, which is told."""
        nodes: list[Node] = []
        while self.cursor.peek_non_space().kind != EOF:
            node = self._text_or_action()
            if isinstance(node, bytes):
                return tuple(nodes), node
            nodes.append(node)
        raise self.cursor.error("unexpected EOF")

    def _text_or_action(self) -> Node | bytes:
        token = self.cursor.next_non_space()
        if token.kind == TEXT:
            return TextNode(token.position, token.value)
        if token.kind != LEFT_DELIMITER:
            self.unexpected(token, "input")
        self.action_line = self.cursor.line_of(token.position)
        found = self._action()
        self.action_line = 0
        return found

    def _action(self) -> Node | bytes:
        token = self.cursor.next_non_space()
        if token.kind == KEYWORD:
            match token.value:
                case b"block":
                    return self._block()
                case b"break" | b"continue":
                    return self._jump(token)
                case b"else":
                    return self._else()
                case b"end":
                    self.cursor.expect((RIGHT_DELIMITER,), "end", self.action_line)
                    return _END
                case b"if":
                    return self._branch(IfNode, "if")
                case b"range":
                    return self._branch(RangeNode, "range")
                case b"template":
                    return self._template()
                case b"with":
                    return self._branch(WithNode, "with")
        self.cursor.at -= 1
        line = self.cursor.line_of(token.position)
        return ActionNode(token.position, line, self.pipeline("command", RIGHT_DELIMITER))

    def _jump(self, keyword: Token) -> BreakNode | ContinueNode:
        shown = "{{" + keyword.value.decode() + "}}"
        token = self.cursor.next_non_space()
        if token.kind != RIGHT_DELIMITER:
            self.unexpected(token, shown)
        if not self._loops:
            self.cursor.fail(f"{shown} outside {{{{range}}}}", keyword.position)
        node = BreakNode if keyword.value == b"break" else ContinueNode
        return node(keyword.position, self.cursor.line_of(keyword.position))

    def _else(self) -> bytes:
        """An `if` or `with` in the same action stays for the branch that is being read."""
        token = self.cursor.peek_non_space()
        if token.kind != KEYWORD or token.value not in (b"if", b"with"):
            self.cursor.expect((RIGHT_DELIMITER,), "else", self.action_line)
        return _ELSE

    def _branch(self, node: type[Branch], context: str) -> Branch:
        self.cursor.enter()
        scope, is_loop = len(self.variables), context == "range"
        pipe = self.pipeline(context, RIGHT_DELIMITER)
        self._loops += is_loop
        body, end = self._list()
        self._loops -= is_loop
        otherwise = self._otherwise(node, context) if end == _ELSE else ()
        del self.variables[scope:]
        self.cursor.leave()
        return node(pipe.position, pipe.line, pipe, body, otherwise)

    def _otherwise(self, node: type[IfNode | RangeNode | WithNode], context: str) -> Nodes:
        """`{{else if}}` is an {{if}} alone whose {{end}} ends both; so is `{{else with}}` of a {{with}}."""
        token = self.cursor.peek()
        if context != "range" and (token.kind, token.value) == (KEYWORD, context.encode()):
            self.cursor.next()
            return (self._branch(node, context),)  # type: ignore[type-var]
        nodes, end = self._list()
        if end != _END:
            self.cursor.fail(b"expected end; found {{" + end + b"}}")
        return nodes

    def _block(self) -> TemplateNode:
        node = self._call("block clause")
        node_pipe = self.pipeline("block clause", RIGHT_DELIMITER)
        _Tree(self.cursor, self._trees, node[1]).body("block clause", self.cursor.last_line())
        return self._template_node(node, node_pipe)

    def _template(self) -> TemplateNode:
        node = self._call("template clause")
        pipe = None
        if self.cursor.next_non_space().kind != RIGHT_DELIMITER:
            self.cursor.at -= 1
            pipe = self.pipeline("template clause", RIGHT_DELIMITER)
        return self._template_node(node, pipe)

    def _call(self, context: str) -> tuple[int, bytes]:
        """Where the name of a template stands, and the name."""
        token = self.cursor.next_non_space()
        if token.kind not in _STRINGS:
            self.unexpected(token, context)
        return token.position, self.unquoted(token)

    def _template_node(self, call: tuple[int, bytes], pipe: PipeNode | None) -> TemplateNode:
        position, name = call
        return TemplateNode(position, self.cursor.line_of(position), name, pipe)


def _is_empty(nodes: Nodes) -> bool:
    """Whether there is nothing but spaces (parse.IsEmptyTree)."""
    return all(isinstance(node, TextNode) and SPACES.issuperset(runes(node.text)) for node in nodes)
