"""Pipelines, commands and operands (Go: text/template/parse/parse.go, pipeline and what it calls)."""

from __future__ import annotations

from typing import Final, NoReturn

from parsers.go.cursor import Cursor
from parsers.go.errors import GoError
from parsers.go.lexer import (
    ASSIGN,
    BOOL,
    CHARACTER,
    CHARACTER_CONSTANT,
    COMPLEX,
    DECLARE,
    FIELD,
    IDENTIFIER,
    KEYWORD,
    LEFT_PAREN,
    NUMBER,
    PIPE,
    RAW_STRING,
    RIGHT_DELIMITER,
    RIGHT_PAREN,
    SPACE,
    STRING,
    VARIABLE,
    Token,
)
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
    NumberNode,
    PipeNode,
    StringNode,
    VariableNode,
)
from parsers.go.numbers import character_node, complex_node, number_node
from parsers.go.quoting import quote, unquote

_OPERANDS: Final = frozenset(
    (
        BOOL, CHARACTER_CONSTANT, COMPLEX, FIELD, IDENTIFIER, NUMBER, RAW_STRING, STRING, VARIABLE,
        LEFT_PAREN,
    )
)  # fmt: skip
_NUMBERS: Final = {NUMBER: number_node, COMPLEX: complex_node, CHARACTER_CONSTANT: character_node}
_CONSTANTS: Final = BoolNode | StringNode | NumberNode | NilNode | DotNode


class Expressions:
    """One tree's variables, and what is read with them."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.variables = [b"$"]
        self.action_line = 0

    def unexpected(self, token: Token, context: str) -> NoReturn:
        self.cursor.unexpected(token, context, self.action_line)

    def unquoted(self, token: Token) -> bytes:
        try:
            return unquote(token.value)
        except GoError as error:
            self.cursor.fail(error.text, token.position)

    def pipeline(self, context: str, end: str) -> PipeNode:
        """Up to and with the token `end`."""
        cursor = self.cursor
        start = cursor.peek_non_space()
        variables, assigns = self._declarations(context)
        commands: list[CommandNode] = []
        while (token := cursor.next_non_space()).kind != end:
            if token.kind not in _OPERANDS and not (token.kind == KEYWORD and token.value in (b".", b"nil")):
                self.unexpected(token, context)
            cursor.at -= 1
            commands.append(self._command())
        if not commands:
            cursor.fail(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.arguments[0], _CONSTANTS):
                cursor.fail(f"non executable command in pipeline stage {stage}", command.position)
        line = cursor.line_of(start.position)
        return PipeNode(start.position, line, tuple(commands), tuple(variables), assigns)

    def _declarations(self, context: str) -> tuple[list[bytes], bool]:
        """The variables before a := or =, and whether it was the latter."""
        cursor = self.cursor
        found: list[bytes] = []
        while (variable := cursor.peek_non_space()).kind == VARIABLE:
            start = cursor.at
            cursor.next()
            following = cursor.peek_non_space()
            if following.kind in (ASSIGN, DECLARE):
                cursor.next()
                self._declare(found, variable.value)
                return found, following.kind == ASSIGN
            if following.kind != CHARACTER or following.value != b",":
                cursor.at = start
                break
            cursor.next()
            self._declare(found, variable.value)
            self._check_second(context, len(found))
        return found, False

    def _declare(self, found: list[bytes], name: bytes) -> None:
        found.append(name)
        self.variables.append(name)

    def _check_second(self, context: str, count: int) -> None:
        """Behind a comma there may be one more variable, in a range."""
        if context != "range" or count > 1:
            self.cursor.fail(f"too many declarations in {context}")
        if self.cursor.peek_non_space().kind not in (VARIABLE, RIGHT_DELIMITER, RIGHT_PAREN):
            self.cursor.fail("range can only initialize variables")

    def _command(self) -> CommandNode:
        """Operands up to a pipe, which is taken, or the end of the pipeline, which is not."""
        cursor = self.cursor
        start = cursor.peek_non_space()
        arguments: list[Argument] = []
        while True:
            cursor.peek_non_space()
            operand = self._operand()
            if operand is not None:
                arguments.append(operand)
            token = cursor.next()
            if token.kind == SPACE:
                continue
            if token.kind in (RIGHT_DELIMITER, RIGHT_PAREN):
                cursor.at -= 1
            elif token.kind != PIPE:
                self.unexpected(token, "operand")
            break
        if not arguments:
            cursor.fail("empty command")
        return CommandNode(start.position, tuple(arguments))

    def _operand(self) -> Argument | None:
        """A term, and the fields of it that follow at once."""
        cursor = self.cursor
        term = self._term()
        first = cursor.peek()
        if term is None or first.kind != FIELD:
            return term
        names: list[bytes] = []
        while cursor.peek().kind == FIELD:
            names.append(cursor.next().value[1:])
        if isinstance(term, FieldNode):
            return FieldNode(first.position, (*term.names, *names))
        if isinstance(term, VariableNode):
            return VariableNode(first.position, (*term.names, *names))
        if isinstance(term, _CONSTANTS):
            cursor.fail(b"unexpected . after term " + quote(node_text(term)), first.position)
        return ChainNode(first.position, term, tuple(names))

    def _term(self) -> Argument | None:
        cursor = self.cursor
        token = cursor.next_non_space()
        match token.kind:
            case "identifier":
                if token.value not in cursor.functions:
                    cursor.fail(b"function " + quote(token.value) + b" not defined", token.position)
                return IdentifierNode(token.position, token.value)
            case "keyword" if token.value == b".":
                return DotNode(token.position)
            case "keyword" if token.value == b"nil":
                return NilNode(token.position)
            case "variable":
                return self._variable(token)
            case "field":
                return FieldNode(token.position, (token.value[1:],))
            case "bool":
                return BoolNode(token.position, token.value == b"true")
            case "character constant" | "complex" | "number":
                return self._number(token)
            case "(":
                return self._parenthesized()
            case "string" | "raw string":
                return StringNode(token.position, token.value, self.unquoted(token))
        cursor.at -= 1
        return None

    def _variable(self, token: Token) -> VariableNode:
        if token.value not in self.variables:
            self.cursor.fail(b"undefined variable " + quote(token.value), token.position)
        return VariableNode(token.position, (token.value,))

    def _number(self, token: Token) -> NumberNode:
        try:
            return _NUMBERS[token.kind](token.position, token.value)
        except GoError as error:
            self.cursor.fail(error.text, token.position)

    def _parenthesized(self) -> PipeNode:
        self.cursor.enter()
        found = self.pipeline("parenthesized pipeline", RIGHT_PAREN)
        self.cursor.leave()
        return found
