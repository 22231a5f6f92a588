from typing import Any

import pytest

from parsers.go.errors import TemplateError
from parsers.go.functions import BUILTINS, CLI_FUNCTIONS, CLI_HEADER_FUNCTIONS, DOCKER_FUNCTIONS
from parsers.go.values import NO_VALUE, AnyMap

GO = frozenset(
    b"and call html index slice js len not or print printf println urlquery eq ge gt le lt ne".split()
)
DOCKER = frozenset(b"json split join title lower upper pad truncate".split())


def test_names_are_gos_and_dockers() -> None:
    assert BUILTINS.keys() == GO
    assert DOCKER_FUNCTIONS.keys() == CLI_FUNCTIONS.keys() == CLI_HEADER_FUNCTIONS.keys() == GO | DOCKER
    assert all(name == function.name for name, function in DOCKER_FUNCTIONS.items())


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("lower", (b"AB",), b"ab"), ("upper", (b"ab",), b"AB"), ("title", (b"ab",), b"Ab"),
        ("truncate", (b"abc", 2), b"ab"), ("pad", (b"a", 1, 1), b" a "),
        ("split", (b"a-b", b"-"), (b"a", b"b")), ("join", ((b"a", b"b"), b"-"), b"a-b"),
        ("json", ((b"a",),), b'["a"]'), ("json", (1j,), b""), ("print", (1, 2), b"1 2"),
        ("println", (1, b"a"), b"1 a\n"), ("printf", (b"%d-%s", 1, b"a"), b"1-a"),
        ("html", (b"<",), b"&lt;"), ("js", (b"'",), b"\\'"), ("urlquery", (b"a b",), b"a+b"),
        ("len", (b"abc",), 3), ("index", ({b"a": b"b"}, b"a"), b"b"), ("slice", (b"abc", 1), b"bc"),
        ("not", (b"",), True), ("and", (1, 0, b"x"), 0), ("and", (1, b"x"), b"x"),
        ("or", (0, b"", b"x"), b"x"), ("or", (0, b""), b""), ("eq", (1, 2, 1), True), ("ne", (1, 2), True),
        ("lt", (1, 2), True), ("le", (2, 2), True), ("gt", (2, 1), True), ("ge", (1, 2), False),
    ],
)  # fmt: skip
def test_a_function_on_plain_values(name: str, arguments: tuple[Any, ...], value: Any) -> None:
    assert DOCKER_FUNCTIONS[name.encode()](*arguments) == value


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("lower", (1,), "error calling lower: wrong type for value; expected string; got int"),
        ("lower", (), "error calling lower: wrong number of args for lower: want 1 got 0"),
        ("lower", (NO_VALUE,), "error calling lower: invalid value; expected string"),
        ("pad", (b"a", -1, 0), "error calling pad: strings: negative Repeat count"),
        ("call", (b"a",), "error calling call: non-function value of type string"),
        ("call", (NO_VALUE,), "error calling call: call of nil"),
        ("printf", (), "error calling printf: wrong number of args for printf: want at least 1 got 0"),
    ],
)
def test_a_call_that_fails(name: str, arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(TemplateError) as caught:
        DOCKER_FUNCTIONS[name.encode()](*arguments)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (None, b""), ((b"a", b"b"), b"a,b"), ([1, None, b"x"], b"1,<nil>,x"),
        (AnyMap({b"a": 2, b"b": 1}), b"1,2"), ({b"x": b"2", b"y": b"10"}, b"10,2"),
    ],
)  # fmt: skip
def test_the_command_lines_join_takes_more(values: Any, text: bytes) -> None:
    assert CLI_FUNCTIONS[b"join"](values, b",") == text


def test_the_command_lines_functions_fail_where_dockerds_do_not() -> None:
    with pytest.raises(TemplateError, match="json: unsupported type: complex128"):
        CLI_FUNCTIONS[b"json"](1j)
    with pytest.raises(TemplateError, match="expected slice, got string"):
        CLI_FUNCTIONS[b"join"](b"a", b",")


def test_a_tables_header_stays_as_it_is() -> None:
    one = {name: CLI_HEADER_FUNCTIONS[name](b"NaMe") for name in (b"json", b"title", b"lower", b"upper")}
    assert set(one.values()) == {b"NaMe"}
    assert (
        CLI_HEADER_FUNCTIONS[b"split"](b"A,B", b",") == CLI_HEADER_FUNCTIONS[b"join"](b"A,B", b"x") == b"A,B"
    )
    assert CLI_HEADER_FUNCTIONS[b"truncate"](b"NAME", 1) == b"NAME"
    assert CLI_HEADER_FUNCTIONS[b"pad"](b"A", 1, 0) == b" A"
