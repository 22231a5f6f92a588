"""The tokens of a template (Go: text/template/parse/lex.go)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from parsers.go.quoting import quote
from parsers.go.runes import bytes_of, decode_rune, encode_rune, is_print, is_word, text_of

ERROR: Final = "error"
BOOL: Final = "bool"
CHARACTER: Final = "character"  # any other printable ASCII character, as a comma
CHARACTER_CONSTANT: Final = "character constant"
COMPLEX: Final = "complex"
ASSIGN: Final = "="
DECLARE: Final = ":="
EOF: Final = "EOF"
FIELD: Final = "field"
IDENTIFIER: Final = "identifier"
LEFT_DELIMITER: Final = "{{"
LEFT_PAREN: Final = "("
NUMBER: Final = "number"
PIPE: Final = "|"
RAW_STRING: Final = "raw string"
RIGHT_DELIMITER: Final = "}}"
RIGHT_PAREN: Final = ")"
SPACE: Final = "space"
STRING: Final = "string"
TEXT: Final = "text"
VARIABLE: Final = "variable"
KEYWORD: Final = "keyword"  # the value tells which; the dot and nil are keywords too

_KEYWORDS: Final = frozenset(
    (
        b".", b"block", b"break", b"continue", b"define", b"else", b"end", b"if", b"range", b"nil",
        b"template", b"with",
    )
)  # fmt: skip
_BLANKS: Final = b" \t\r\n"
_SPACES: Final = re.compile(rb"[ \t\r\n]+")
_LEFT_TRIM: Final = re.compile(rb"-[ \t\r\n]")
_RIGHT_TRIM: Final = re.compile(rb"[ \t\r\n]-\}\}")
_WORD: Final = re.compile(rb"[A-Za-z0-9_]*")
_TERMINATOR: Final = re.compile(rb"[ \t\r\n.,|:()]|\}\}|\Z")
_STRING: Final = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*"')
_CONSTANT: Final = re.compile(rb"'(?:[^'\\\n]|\\[^\n])*'")
_NUMBER: Final = re.compile(
    rb"[-+]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][-+]?[0-9_]*)?"
    rb"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    rb"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]*)?)i?"
)
_SINGLE: Final = {
    ord("="): ASSIGN, ord("|"): PIPE, ord("("): LEFT_PAREN, ord(")"): RIGHT_PAREN,
}  # fmt: skip


class Token(NamedTuple):
    kind: str
    position: int  # bytes
    value: bytes

    def __str__(self) -> str:
        """As Go's parser names it in its messages."""
        if self.kind == EOF:
            return "EOF"
        if self.kind in (ERROR, KEYWORD):
            value = self.value if self.kind == ERROR else b"<" + self.value + b">"
            return text_of(value)
        if len(self.value) > 10:
            return text_of(quote(bytes_of(text_of(self.value)[:10]))) + "..."
        return text_of(quote(self.value))


def tokens_of(source: bytes) -> list[Token]:
    """All tokens; the last is EOF or the first error, behind which Go does not read."""
    return _Lexer(source).run()


class _LexError(Exception):
    def __init__(self, text: bytes | str) -> None:
        self.text = text.encode() if isinstance(text, str) else text
        super().__init__(text)


class _Lexer:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._start = 0  # of the token that is being read
        self._at = 0
        self._parens = 0
        self._tokens: list[Token] = []

    def run(self) -> list[Token]:
        try:
            self._texts()
        except _LexError as error:
            self._tokens.append(Token(ERROR, self._start, error.text))
        else:
            self._tokens.append(Token(EOF, self._at, b""))
        return self._tokens

    def _emit(self, kind: str, end: int) -> None:
        self._tokens.append(Token(kind, self._start, self._source[self._start : end]))
        self._start = self._at = end

    def _texts(self) -> None:
        source = self._source
        while (left := source.find(b"{{", self._at)) >= 0:
            trims = _LEFT_TRIM.match(source, left + 2) is not None
            text = source[self._at : left]
            end = self._at + len(text.rstrip(_BLANKS)) if trims else left
            if end > self._at:
                self._emit(TEXT, end)
            self._start = self._at = left
            inner = left + 4 if trims else left + 2
            if source.startswith(b"/*", inner):
                self._comment(inner)
            else:
                self._emit(LEFT_DELIMITER, left + 2)
                self._start = self._at = inner
                self._action()
        if self._at < len(source):
            self._emit(TEXT, len(source))

    def _comment(self, start: int) -> None:
        self._start = start
        end = self._source.find(b"*/", start + 2)
        if end < 0:
            raise _LexError("unclosed comment")
        self._at = end + 2
        if _RIGHT_TRIM.match(self._source, self._at):
            self._skip(self._at + 4, trims=True)
        elif self._source.startswith(b"}}", self._at):
            self._skip(self._at + 2, trims=False)
        else:
            raise _LexError("comment ends before closing delimiter")

    def _skip(self, end: int, *, trims: bool) -> None:
        """Go on behind a right delimiter."""
        blanks = _SPACES.match(self._source, end) if trims else None
        self._start = self._at = blanks.end() if blanks else end

    def _action(self) -> None:
        """Tokens up to and with the right delimiter."""
        source, self._parens = self._source, 0
        while True:
            trims = _RIGHT_TRIM.match(source, self._at) is not None
            if trims or source.startswith(b"}}", self._at):
                if self._parens:
                    raise _LexError("unclosed left paren")
                self._start = self._at = self._at + 2 if trims else self._at
                self._emit(RIGHT_DELIMITER, self._at + 2)
                self._skip(self._at, trims=trims)
                return
            if self._at >= len(source):
                raise _LexError("unclosed action")
            self._inside(source[self._at])

    def _inside(self, first: int) -> None:
        source, at = self._source, self._at
        if first in _BLANKS:
            self._spaces()
        elif first in _SINGLE:
            self._single(_SINGLE[first])
        elif first == ord(":"):
            if not source.startswith(b":=", at):
                raise _LexError("expected :=")
            self._emit(DECLARE, at + 2)
        elif first in b"\"'`":
            self._quoted(first)
        elif first == ord("$") or (first == ord(".") and self._begins_field(at + 1)):
            self._field_or_variable(first)
        elif first in b"+-.0123456789":
            self._number()
        else:
            self._word()

    def _begins_field(self, at: int) -> bool:
        """Whether a dot before `at` is no decimal point. At the template's very end Go takes it for one."""
        return at < len(self._source) and not self._source[at : at + 1].isdigit()

    def _spaces(self) -> None:
        """A run of blanks; its last one may belong to a right delimiter that trims."""
        found = _SPACES.match(self._source, self._at)
        assert found is not None
        end = found.end()
        if _RIGHT_TRIM.match(self._source, end - 1):
            end -= 1
        self._emit(SPACE, end)

    def _single(self, kind: str) -> None:
        self._parens += (kind == LEFT_PAREN) - (kind == RIGHT_PAREN)
        if self._parens < 0:
            raise _LexError("unexpected right paren")
        self._emit(kind, self._at + 1)

    def _quoted(self, mark: int) -> None:
        source, at = self._source, self._at
        if mark == ord("`"):
            end = source.find(b"`", at + 1) + 1
            if not end:
                raise _LexError("unterminated raw quoted string")
            self._emit(RAW_STRING, end)
            return
        is_string = mark == ord('"')
        found = (_STRING if is_string else _CONSTANT).match(source, at)
        if found is None:
            raise _LexError(f"unterminated {'quoted string' if is_string else 'character constant'}")
        self._emit(STRING if is_string else CHARACTER_CONSTANT, found.end())

    def _field_or_variable(self, first: int) -> None:
        end = self._word_end(self._at + 1)
        if first == ord("$"):
            self._emit(VARIABLE, self._checked(end))
        else:
            bare = end == self._at + 1 and self._terminates(end)
            self._emit(KEYWORD if bare else FIELD, self._checked(end))

    def _word(self) -> None:
        source, at = self._source, self._at
        end = self._word_end(at)
        if end == at:
            self._other()
            return
        self._checked(end)
        word = source[at:end]
        kind = KEYWORD if word in _KEYWORDS else BOOL if word in (b"true", b"false") else IDENTIFIER
        self._emit(kind, end)

    def _other(self) -> None:
        rune, width = decode_rune(self._source, self._at)
        if rune < 0x80 and is_print(rune):
            self._emit(CHARACTER, self._at + width)
            return
        raise _LexError(b"unrecognized character in action: " + _named(rune))

    def _word_end(self, at: int) -> int:
        source = self._source
        while True:
            found = _WORD.match(source, at)
            at = found.end() if found else at
            if at >= len(source) or source[at] < 0x80:
                return at
            rune, width = decode_rune(source, at)
            if not is_word(rune):
                return at
            at += width

    def _terminates(self, end: int) -> bool:
        return _TERMINATOR.match(self._source, end) is not None

    def _checked(self, end: int) -> int:
        """`end`, when what follows there may follow a word: `.X.Y` is two of them."""
        if not self._terminates(end):
            raise _LexError(b"bad character " + _named(decode_rune(self._source, end)[0]))
        return end

    def _number(self) -> None:
        end = self._scanned(self._at)
        kind = NUMBER
        if self._source[end : end + 1] in (b"+", b"-"):
            kind, end = COMPLEX, self._scanned(end)
            if self._source[end - 1 : end] != b"i":
                raise self._bad_number(end)
        self._emit(kind, end)

    def _scanned(self, at: int) -> int:
        found = _NUMBER.match(self._source, at)
        end = found.end() if found else at
        rune, width = decode_rune(self._source, end)
        if is_word(rune):
            raise self._bad_number(end + width)
        return end

    def _bad_number(self, end: int) -> _LexError:
        return _LexError(b"bad number syntax: " + quote(self._source[self._start : end]))


def _named(rune: int) -> bytes:
    """A rune as fmt's %#U writes it."""
    shown = b" '" + encode_rune(rune) + b"'" if is_print(rune) else b""
    return b"U+%04X" % rune + shown
