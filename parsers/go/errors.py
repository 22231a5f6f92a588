"""What goes wrong with a template, here and in Docker."""

from __future__ import annotations


class TemplateError(ValueError):
    """A template that Go refuses, or that fails when it is executed.

    `position` is an index into the template's text, `docker` what Docker itself would say (Go's words).
    `depends_on_values` is True when another container could do better with the same template: a name too
    short for `slice`, a negative `pad`. A field that does not exist fails for every container.
    """

    def __init__(
        self, message: str, position: int = 0, docker: str | None = None, *, depends_on_values: bool = False
    ) -> None:
        super().__init__(message)
        self.position = position
        self.docker = message if docker is None else docker
        self.depends_on_values = depends_on_values


class GoError(Exception):
    """A function's error or panic, in Go's words, which need not be UTF-8. The evaluation adds the place."""

    def __init__(self, text: bytes | str) -> None:
        self.text = text.encode() if isinstance(text, str) else text
        super().__init__(self.text.decode("utf-8", "replace"))


class LimitError(GoError):
    """Something Go would do and we do not: it takes too long or too much memory."""
