"""A place among the tokens of a template, and the errors found there (Go: text/template/parse/parse.go)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container
from typing import Final, NoReturn

from parsers.go.errors import TemplateError
from parsers.go.lexer import ERROR, SPACE, Token, tokens_of
from parsers.go.runes import bytes_of

# Levels of parentheses and of {{if}}, {{with}}, {{range}}, {{define}} together. Go takes 10,000 parentheses
# and any number of the others; here each level costs a few frames of Python's stack, of 1,000.
MAX_NESTING: Final = 100

_NEWLINE: Final = re.compile(rb"\n")


class Cursor:
    """The place is shared by the tree of a template and the trees of those that it defines."""

    def __init__(self, source: bytes, name: bytes, functions: Container[bytes]) -> None:
        self.source = source
        self.name = name
        self.functions = functions
        self._tokens = tokens_of(source)
        self._newlines = [found.start() for found in _NEWLINE.finditer(source)]
        self._furthest = 0  # Go names the line of the last token that it has looked at
        self._depth = 0
        self.at = 0

    def peek(self) -> Token:
        self.at = min(self.at, len(self._tokens) - 1)  # behind the end, the end comes again
        self._furthest = max(self._furthest, self.at)
        return self._tokens[self.at]

    def next(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def peek_non_space(self) -> Token:
        """Spaces before the token are gone afterwards."""
        while (token := self.peek()).kind == SPACE:
            self.at += 1
        return token

    def next_non_space(self) -> Token:
        token = self.peek_non_space()
        self.at += 1
        return token

    def line_of(self, position: int) -> int:
        return bisect_left(self._newlines, position) + 1

    def expect(self, kinds: tuple[str, ...], context: str, action_line: int = 0) -> Token:
        token = self.next_non_space()
        if token.kind not in kinds:
            self.unexpected(token, context, action_line)
        return token

    def unexpected(self, token: Token, context: str, action_line: int = 0) -> NoReturn:
        """`action_line` is that of the action in which the token stands; 0 outside."""
        if token.kind != ERROR:
            self.fail(f"unexpected {token} in {context}", token.position)
        extra = ""
        if action_line not in (0, self.line_of(token.position)):
            extra = f" started at {self.name.decode('utf-8', 'replace')}:{action_line}"
            if not token.value.endswith(b" action"):
                extra = " in action" + extra
        self.fail(f"{token}{extra}", token.position)

    def last_line(self) -> int:
        """The line of the last token that was looked at."""
        return self.line_of(self._tokens[self._furthest].position)

    def fail(self, message: str | bytes, position: int | None = None, line: int | None = None) -> NoReturn:
        raise self.error(message, position, line)

    def error(
        self, message: str | bytes, position: int | None = None, line: int | None = None
    ) -> TemplateError:
        """`message` is what Go says behind the line, which is that of the last token unless it is given."""
        if position is None:
            position = self._tokens[self._furthest].position
        text = (message if isinstance(message, bytes) else bytes_of(message)).decode("utf-8", "replace")
        where = f"{self.name.decode('utf-8', 'replace')}:{line or self.last_line()}"
        return TemplateError(text, position, f"template: {where}: {text}")

    def enter(self) -> None:
        """One level deeper. Raises TemplateError beyond MAX_NESTING."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            self.fail(f"nested more than {MAX_NESTING} levels deep, which is as far as this reader goes")

    def leave(self) -> None:
        self._depth -= 1
