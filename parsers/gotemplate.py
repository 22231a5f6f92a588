"""Go's text/template as Docker's `tag` option uses it, parsed into a list of nodes.

What is understood so far: literal text, and actions that are one field of the dot (`{{.Name}}`), with Go's
blanks and trim markers (`{{- .Name -}}`). Everything else of the language is refused by name rather than
misread. Syntax: Go's text/template/parse/lex.go.
"""

import re

import msgspec

_OPEN, _CLOSE = "{{", "}}"
# Go's lexer takes exactly these four as blanks (lex.go, spaceChars); an action may span lines.
_BLANKS = " \t\r\n"
_FIELD = re.compile(r"\.([A-Za-z_]\w*)\Z")


class TemplateError(ValueError):
    """The operator's mistake, found at start. `position` is an index into the template's text."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class Text(msgspec.Struct, frozen=True, gc=False):
    """Literal text between two actions."""

    value: str


class Field(msgspec.Struct, frozen=True, gc=False):
    """One field or method of Docker's log info: `name` without its dot."""

    name: str
    position: int


Node = Text | Field


def parse(text: str) -> tuple[Node, ...]:
    """The nodes of a template. Raises TemplateError with the position of what is wrong."""
    nodes: list[Node] = []
    at, trim = 0, False
    while (start := text.find(_OPEN, at)) >= 0:
        end = text.find(_CLOSE, start + len(_OPEN))
        if end < 0:
            raise TemplateError(f"unclosed action at position {start}", start)
        action, trim_left, trim_right = _trim_markers(text[start + len(_OPEN) : end])
        _add_text(nodes, text[at:start], trim, trim_left)
        nodes.append(_field(action, start))
        at, trim = end + len(_CLOSE), trim_right
    _add_text(nodes, text[at:], trim, False)
    return tuple(nodes)


def _trim_markers(action: str) -> tuple[str, bool, bool]:
    """An action without its trim markers, and which it had: `{{- ` and ` -}}` need their blank (lex.go)."""
    left = len(action) > 1 and action[0] == "-" and action[1] in _BLANKS
    right = len(action) > 1 and action[-1] == "-" and action[-2] in _BLANKS
    return action[1 if left else 0 : -1 if right else None].strip(_BLANKS), left, right


def _add_text(nodes: list[Node], value: str, trim_start: bool, trim_end: bool) -> None:
    if trim_start:
        value = value.lstrip(_BLANKS)
    if trim_end:
        value = value.rstrip(_BLANKS)
    if value:
        nodes.append(Text(value))


def _field(action: str, position: int) -> Field:
    if not action:
        raise TemplateError(f"missing value for command at position {position}", position)
    match = _FIELD.match(action)
    if match is None:
        raise TemplateError(f"{{{{{action}}}}} at position {position} is not understood yet", position)
    return Field(match[1], position)
