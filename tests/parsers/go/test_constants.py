from typing import Any

import pytest

from parsers.go.constants import constant, ideal
from parsers.go.errors import GoError
from parsers.go.nodes import BoolNode, NumberNode, StringNode
from parsers.go.numbers import number_node
from parsers.go.types import ANY, BOOL, COMPLEX128, FLOAT64, INT, STRING, STRINGS, UINT, VALUE, GoType


def number(text: str) -> NumberNode:
    return number_node(0, text.encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        ("0x1e", 30),
        ("-0x1e", -30.0),
        ("0x1p3", 8.0),
        ("2i", 2j),
        ("0i", 0j),
        ("-0", 0),
    ],
)
def test_a_number_has_the_type_that_it_looks_like(text: str, value: Any) -> None:
    found = ideal(number(text))
    assert found == value and type(found) is type(value)


def test_a_number_beyond_int() -> None:
    with pytest.raises(GoError, match=r"^9223372036854775808 overflows int$"):
        ideal(number("9223372036854775808"))


TEXT = StringNode(0, b'"a"', b"a")
TRUE = BoolNode(0, True)


@pytest.mark.parametrize(
    ("node", "go_type", "value"),
    [
        (number("3"), INT, 3), (number("3.0"), INT, 3), (number("3"), FLOAT64, 3.0),
        (number("2i"), COMPLEX128, 2j), (number("3"), UINT, 3), (TEXT, STRING, b"a"), (TRUE, BOOL, True),
        (TEXT, ANY, b"a"), (TRUE, VALUE, True), (number("3"), VALUE, 3),
    ],
)  # fmt: skip
def test_a_constant_for_a_parameter(node: Any, go_type: GoType, value: Any) -> None:
    found = constant(node, go_type)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("node", "go_type", "says"),
    [
        (TEXT, INT, 'expected integer; found "a"'), (number("1.5"), INT, "expected integer; found 1.5"),
        (TRUE, STRING, "expected string; found true"), (number("1"), STRING, "expected string; found 1"),
        (number("1"), BOOL, "expected bool; found 1"),
        (number("-1"), UINT, "expected unsigned integer; found -1"),
        (TEXT, FLOAT64, 'expected float; found "a"'), (TRUE, COMPLEX128, "expected complex; found true"),
        (TEXT, STRINGS, "can't handle \"a\" for arg of type []string"),
    ],
)  # fmt: skip
def test_a_constant_that_does_not_fit(node: Any, go_type: GoType, says: str) -> None:
    with pytest.raises(GoError) as caught:
        constant(node, go_type)
    assert str(caught.value) == says
