"""The functions of a template: Go's own, those that dockerd adds for tags, those of Docker's command line.

Sources: text/template/funcs.go; daemon/logger/templates/templates.go of Docker; templates/templates.go of its
command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from parsers.go import comparison, escaping, indexing, strings
from parsers.go.calls import Function
from parsers.go.errors import GoError, LimitError
from parsers.go.json import to_json
from parsers.go.printf import printf
from parsers.go.printing import Printer, printed
from parsers.go.types import ANY, INT, STRING, STRINGS, VALUE, GoType
from parsers.go.values import NO_VALUE, is_true, type_of, unboxed

AND: Final = b"and"
OR: Final = b"or"
CALL: Final = b"call"


def _and(*values: Any) -> Any:
    return next((value for value in values if not is_true(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if is_true(value)), values[-1])


def _not(value: Any) -> bool:
    return not is_true(value)


def _print(*values: Any) -> bytes:
    return printed(values)


def _println(*values: Any) -> bytes:
    printer = Printer()
    printer.print_line(values)
    return printer.buffer.value()


def _printf(form: bytes, *values: Any) -> bytes:
    return printf(form, values)


def call_of(name: bytes, function: Any) -> GoError:
    """Why `call` fails: a template meets no function as a value (funcs.go, call)."""
    function = unboxed(function)
    if function is NO_VALUE:
        return GoError("call of nil")
    return GoError(b"non-function " + name + b" of type " + type_of(function).name.encode())


def _call(function: Any, *_arguments: Any) -> Any:
    raise call_of(b"value", function)


def json_(value: Any) -> bytes:
    """dockerd's json: nothing at all for what cannot be written."""
    try:
        return to_json(value)
    except LimitError:
        raise
    except GoError:
        return b""


def join_any(values: Any, separator: bytes) -> bytes:
    """The command line's join: of anything that has elements; a map's are sorted as they are printed."""
    if values is None:
        return b""
    match type_of(values).kind:
        case "slice" if type_of(values) == STRINGS:
            return strings.join(values, separator)
        case "slice":
            return strings.join([printed([value]) for value in values], separator)
        case "map":
            return strings.join(sorted(printed([value]) for value in values.values()), separator)
    raise GoError(f"expected slice, got {type_of(values).name}")


def _functions(
    *rows: tuple[bytes, Callable[..., Any], tuple[GoType, ...], GoType | None],
) -> dict[bytes, Function]:
    return {name: Function(name, run, parameters, variadic) for name, run, parameters, variadic in rows}


BUILTINS: Final[Mapping[bytes, Function]] = _functions(
    (AND, _and, (VALUE,), VALUE),
    (CALL, _call, (VALUE,), VALUE),
    (b"html", escaping.html, (), ANY),
    (b"index", indexing.index, (VALUE,), VALUE),
    (b"slice", indexing.slice_, (VALUE,), VALUE),
    (b"js", escaping.js, (), ANY),
    (b"len", indexing.length, (VALUE,), None),
    (b"not", _not, (VALUE,), None),
    (OR, _or, (VALUE,), VALUE),
    (b"print", _print, (), ANY),
    (b"printf", _printf, (STRING,), ANY),
    (b"println", _println, (), ANY),
    (b"urlquery", escaping.url_query, (), ANY),
    (b"eq", comparison.equal, (VALUE,), VALUE),
    (b"ge", comparison.greater_or_equal, (VALUE, VALUE), None),
    (b"gt", comparison.greater, (VALUE, VALUE), None),
    (b"le", comparison.less_or_equal, (VALUE, VALUE), None),
    (b"lt", comparison.less, (VALUE, VALUE), None),
    (b"ne", comparison.not_equal, (VALUE, VALUE), None),
)
_BOTH: Final = _functions(
    (b"split", strings.split, (STRING, STRING), None),
    (b"title", strings.title, (STRING,), None),
    (b"lower", strings.lower, (STRING,), None),
    (b"upper", strings.upper, (STRING,), None),
    (b"pad", strings.pad, (STRING, INT, INT), None),
    (b"truncate", strings.truncate, (STRING, INT), None),
)
DOCKER_FUNCTIONS: Final[Mapping[bytes, Function]] = {
    **BUILTINS,
    **_BOTH,
    **_functions((b"json", json_, (ANY,), None), (b"join", strings.join, (STRINGS, STRING), None)),
}
CLI_FUNCTIONS: Final[Mapping[bytes, Function]] = {
    **BUILTINS,
    **_BOTH,
    **_functions((b"json", to_json, (ANY,), None), (b"join", join_any, (ANY, STRING), None)),
}
# For the first line of a table, which the same template makes of the columns' names: they stay as they are.
CLI_HEADER_FUNCTIONS: Final[Mapping[bytes, Function]] = {
    **CLI_FUNCTIONS,
    **_functions(
        *((name, lambda text: text, (STRING,), None) for name in (b"json", b"title", b"lower", b"upper")),
        *((name, lambda text, _: text, (STRING, STRING), None) for name in (b"split", b"join")),
        (b"truncate", lambda text, _: text, (STRING, INT), None),
    ),
}
