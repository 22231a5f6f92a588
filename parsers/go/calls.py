"""Functions and methods that a template can call, and what they take (Go: text/template/exec.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from parsers.go.errors import GoError, TemplateError
from parsers.go.types import ANY, STRING_MAP, STRINGS, VALUE, GoType
from parsers.go.values import NIL_MAP, NIL_STRINGS, NO_VALUE, Boxed, Pointer, type_of


class Function(msgspec.Struct, frozen=True):
    """A function with the types of its parameters; `variadic` is the type of any number more.

    `run` gives the result, or raises GoError as the function would return an error or panic; a method's takes
    its receiver first. `flaw` is why Go does not call a function with such results. Called from Python, a
    function checks its arguments as a template does and raises TemplateError.
    """

    name: bytes
    run: Callable[..., Any]
    parameters: tuple[GoType, ...] = ()
    variadic: GoType | None = None
    flaw: str = ""

    def __call__(self, *arguments: Any) -> Any:
        try:
            self.check_count(len(arguments), len(arguments))
            return self.run(*(assign(value, self.parameter(n)) for n, value in enumerate(arguments)))
        except GoError as error:
            name = self.name.decode("utf-8", "replace")
            raise TemplateError(f"error calling {name}: {error}", depends_on_values=True) from None

    def check_count(self, written: int, given: int) -> None:
        """`given` counts the value that comes from a pipeline, `written` does not. Raises GoError."""
        wanted = len(self.parameters)
        name = self.name.decode("utf-8", "replace")
        if self.variadic is not None:
            if given < wanted:
                raise GoError(f"wrong number of args for {name}: want at least {wanted} got {written}")
        elif given != wanted:
            raise GoError(f"wrong number of args for {name}: want {wanted} got {given}")
        if self.flaw:
            raise GoError(self.flaw)

    def parameter(self, number: int) -> GoType:
        """The type of an argument, counted from 0."""
        if number < len(self.parameters):
            return self.parameters[number]
        assert self.variadic is not None
        return self.variadic


def zero(go_type: GoType) -> Any:
    """The nil of a type that has one (reflect.Zero)."""
    if go_type is VALUE:
        return NO_VALUE
    return {STRINGS: NIL_STRINGS, STRING_MAP: NIL_MAP}.get(go_type)


def assign(value: Any, go_type: GoType | None) -> Any:
    """The value as a parameter of the type takes it (exec.go, validateType); None: any. Raises GoError."""
    if go_type is VALUE or go_type is None:
        return value
    if value is NO_VALUE:
        if not go_type.can_be_nil:
            raise GoError(f"invalid value; expected {go_type.name}")
        return zero(go_type)
    if go_type is ANY:
        return value.value if isinstance(value, Boxed) else value
    if isinstance(value, Boxed) and value.value is not None:
        value = value.value
    given = None if value is None else type_of(value)
    if given == go_type or (value is None and go_type.can_be_nil):
        return value
    if isinstance(value, Pointer) and value.go_type.element == go_type:
        if value.target is None:
            raise GoError(f"dereference of nil pointer of type {go_type.name}")
        return value.target
    name = ANY.name if given is None else given.name
    raise GoError(f"wrong type for value; expected {go_type.name}; got {name}")


def size_of(value: Any) -> int:
    """Bytes of a text, elements of a slice or map: what handling the value costs, about."""
    return len(value) if isinstance(value, bytes | tuple | list | dict) else 1
