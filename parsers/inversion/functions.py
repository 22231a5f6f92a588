"""Go's and Docker's template functions on the values that terms stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parsers.go.functions import DOCKER_FUNCTIONS
from parsers.go.values import NO_VALUE


def call(name: str, arguments: Sequence[Any]) -> Any:
    """The function's value. Raises TemplateError as Go fails."""
    return DOCKER_FUNCTIONS[name.encode()](*arguments)


def printed(value: Any) -> bytes:
    """The value as an action prints it."""
    if value is NO_VALUE:
        return b"<no value>"
    return value if isinstance(value, bytes) else bytes(call("print", [value]))
