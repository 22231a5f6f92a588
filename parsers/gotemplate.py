"""Go's text/template as Docker uses it: for the `tag` of its log drivers, and --format of its command line.

`parse` gives the tree that Go builds, or what Go says against the template; `render` gives the bytes that Go
writes for a value, or what Go says. Texts, errors' included, are those of Go 1.26. What differs: a limit on
time and memory (parsers.go.limits, MAX_NESTING), methods of time.Time that nobody puts in a tag, the address
that %p shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parsers.go.calls import Function
from parsers.go.errors import TemplateError
from parsers.go.execution import execute
from parsers.go.fields import fields_used
from parsers.go.functions import CLI_FUNCTIONS, CLI_HEADER_FUNCTIONS, DOCKER_FUNCTIONS
from parsers.go.nodes import Template
from parsers.go.parser import parse_source
from parsers.go.runes import bytes_of, text_of

__all__ = [
    "CLI_FUNCTIONS",
    "CLI_HEADER_FUNCTIONS",
    "DOCKER_FUNCTIONS",
    "Template",
    "TemplateError",
    "fields_used",
    "parse",
    "render",
]

# Docker has no limit; a command line has one of 128 KiB for one argument (Linux: MAX_ARG_STRLEN).
MAX_TEMPLATE = 128 * 1024
# Characters of a message: Go repeats a number of any length in it.
MAX_MESSAGE = 400


def parse(
    text: str | bytes, functions: Mapping[bytes, Function] = DOCKER_FUNCTIONS, name: str = "log-tag"
) -> Template:
    """The tree of a template. Raises TemplateError, whose position is an index into `text`.

    A str is UTF-8 with surrogateescape for what is not. Positions in the tree count bytes.
    """
    source = text if isinstance(text, bytes) else bytes_of(text)
    if len(source) > MAX_TEMPLATE:
        raise TemplateError(f"a template of more than {MAX_TEMPLATE} bytes")
    try:
        return parse_source(source, bytes_of(name), functions)
    except TemplateError as error:
        position = error.position if isinstance(text, bytes) else _in_text(source, error.position)
        raise _located(error, position) from None
    except RecursionError:
        raise _too_deep() from None


def render(template: Template, dot: Any, functions: Mapping[bytes, Function] = DOCKER_FUNCTIONS) -> bytes:
    """What the template prints of a value (parsers.go.values, parsers.go.info).

    Raises TemplateError, whose position is an index into the template's text as a str.
    """
    try:
        return execute(template, dot, functions)
    except TemplateError as error:
        raise _located(error, _in_text(template.source, error.position)) from None
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> TemplateError:
    """The caller's own stack was nearly full: the limits on nesting leave room on a usual one."""
    return TemplateError("nested too deep for this reader (at position 0)")


def _in_text(source: bytes, position: int) -> int:
    return len(text_of(source[:position]))


def _located(error: TemplateError, position: int) -> TemplateError:
    """One line that names the place."""
    message = str(error).replace("\n", "\\n").replace("\r", "\\r")
    message = message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "..."
    return TemplateError(
        f"{message} (at position {position})",
        position,
        error.docker,
        depends_on_values=error.depends_on_values,
    )
