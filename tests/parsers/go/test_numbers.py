import pytest

from parsers.go.errors import GoError
from parsers.go.nodes import NumberNode
from parsers.go.numbers import character_node, complex_node, number_node


def held(node: NumberNode) -> tuple[object, ...]:
    return node.as_int, node.as_uint, node.as_float, node.as_complex


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"0", (0, 0, 0.0, None)),
        (b"12", (12, 12, 12.0, None)),
        (b"-3", (-3, None, -3.0, None)),
        (b"+3", (3, None, 3.0, None)),
        (b"-0", (0, 0, 0.0, None)),
        (b"0x1F", (31, 31, 31.0, None)),
        (b"0b101", (5, 5, 5.0, None)),
        (b"0o17", (15, 15, 15.0, None)),
        (b"017", (15, 15, 15.0, None)),
        (b"1_000", (1000, 1000, 1000.0, None)),
        (b"0x_F", (15, 15, 15.0, None)),
        (b"0_7", (7, 7, 7.0, None)),
        (b"9223372036854775807", (2**63 - 1, 2**63 - 1, float(2**63), None)),
        (b"18446744073709551615", (None, 2**64 - 1, float(2**64), None)),
        (b"-9223372036854775808", (-(2**63), None, -float(2**63), None)),
        (b"1.5", (None, None, 1.5, None)),
        (b".5", (None, None, 0.5, None)),
        (b"5.", (5, 5, 5.0, None)),
        (b"1e3", (1000, 1000, 1000.0, None)),
        (b"1e100", (None, None, 1e100, None)),
        (b"-2.0", (-2, None, -2.0, None)),
        (b"0x1.8p3", (12, 12, 12.0, None)),
        (b"0x1p-2", (None, None, 0.25, None)),
        (b"2i", (None, None, None, 2j)),
        (b"0i", (0, 0, 0.0, 0j)),
    ],
)
def test_a_number_in_each_type_that_holds_it(text: bytes, expected: tuple[object, ...]) -> None:
    assert held(number_node(0, text)) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"08", 'integer overflow: "08"'),
        (b"99999999999999999999", 'integer overflow: "99999999999999999999"'),
        (b"1" * 5000, "illegal number syntax"),
        (b"1e999", 'illegal number syntax: "1e999"'),
        (b"1__0", 'illegal number syntax: "1__0"'),
        (b"1_", "illegal number syntax"),
        (b"0x", "illegal number syntax"),
        (b"0x1.8", "illegal number syntax"),
        (b"0b2", "illegal number syntax"),
        (b"-", "illegal number syntax"),
        (b"1e", "illegal number syntax"),
        (b"0x1i", "illegal number syntax"),
    ],
)
def test_what_is_no_number(text: bytes, says: str) -> None:
    with pytest.raises(GoError, match=f"^{says}"):
        number_node(0, text)


def test_a_complex_number() -> None:
    assert held(complex_node(0, b"1+2i")) == (None, None, None, 1 + 2j)
    assert held(complex_node(0, b"-1.5-0x1p1i")) == (None, None, None, -1.5 - 2j)
    assert held(complex_node(0, b"3+0i")) == (3, 3, 3.0, 3 + 0j)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"1-i", "syntax error scanning complex number"),
        (b"0b1+2i", "syntax error scanning complex number"),
        (b"0x1+2i", 'strconv.ParseFloat: parsing "0x1": invalid syntax'),
        (b"+i+2i", 'strconv.ParseFloat: parsing "+i": invalid syntax'),
        (b"1e999+2i", 'strconv.ParseFloat: parsing "1e999": value out of range'),
    ],
)
def test_what_is_no_complex_number(text: bytes, says: str) -> None:
    with pytest.raises(GoError) as caught:
        complex_node(0, text)
    assert str(caught.value) == says


def test_a_character() -> None:
    assert held(character_node(0, b"'a'")) == (97, 97, 97.0, None)
    assert held(character_node(0, rb"'\n'")) == (10, 10, 10.0, None)
    assert held(character_node(0, "'é'".encode())) == (233, 233, 233.0, None)
    with pytest.raises(GoError, match="malformed character constant: 'ab'"):
        character_node(0, b"'ab'")
    with pytest.raises(GoError, match="invalid syntax"):
        character_node(0, b"''")
