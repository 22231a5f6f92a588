from typing import Any

import pytest

from parsers.go.errors import GoError
from parsers.go.indexing import index, length, slice_
from parsers.go.info import Info
from parsers.go.types import UINT8
from parsers.go.values import NIL_MAP, NIL_STRINGS, NO_VALUE, AnyMap, Boxed, Uint64, type_of, unboxed

WORDS = (b"a", b"b", b"c")


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ((WORDS, 1), b"b"), ((WORDS, Uint64(2)), b"c"), ((b"abc", 0), 97), (({b"k": b"v"}, b"k"), b"v"),
        (({b"k": b"v"}, b"x"), b""), ((NIL_MAP, b"k"), b""), ((WORDS,), WORDS), ((WORDS, 1, 0), 98),
        ((Boxed([1, 2]), 1), 2), ((AnyMap({b"k": [5]}), b"k", 0), 5), ((AnyMap(), b"k"), NO_VALUE),
    ],
)  # fmt: skip
def test_an_element(arguments: tuple[Any, ...], value: Any) -> None:
    assert unboxed(index(*arguments)) == value


def test_a_byte_of_a_string_is_a_uint8() -> None:
    assert type_of(index(b"abc", 0)) is UINT8


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((NO_VALUE, 1), "index of untyped nil"), ((WORDS, 4), "index out of range: 4"),
        ((WORDS, -1), "index out of range: -1"), ((WORDS, Uint64(2**64 - 1)), "index out of range: -1"),
        ((WORDS, 3), "reflect: slice index out of range"),
        ((b"abc", 3), "reflect: string index out of range"),
        ((WORDS, b"a"), "cannot index slice/array with type string"),
        ((WORDS, NO_VALUE), "cannot index slice/array with nil"),
        (({}, 1), "value has type int; should be string"),
        (({}, NO_VALUE), "value is nil; should be of type string"),
        ((1, 1), "can't index item of type int"), ((Info(), b"a"), "can't index item of type logger.Info"),
        ((AnyMap(), b"k", 0), "index of nil pointer"),
    ],
)  # fmt: skip
def test_what_has_no_such_element(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(GoError) as caught:
        index(*arguments)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ((b"abc",), b"abc"), ((b"abc", 1), b"bc"), ((b"abc", 1, 2), b"b"), ((b"abc", 3), b""),
        ((WORDS, 1), (b"b", b"c")), ((WORDS, 0, 1, 2), (b"a",)), (([1, 2, 3], 1, 2), [2]),
        ((NIL_STRINGS,), NIL_STRINGS),
    ],
)  # fmt: skip
def test_a_part(arguments: tuple[Any, ...], value: Any) -> None:
    assert slice_(*arguments) == value


def test_a_part_reaches_back_to_its_array() -> None:
    assert slice_(slice_(WORDS, 0, 1), 0, 3) == WORDS
    assert slice_(slice_(WORDS, 1), 0, 2) == (b"b", b"c")
    with pytest.raises(GoError, match="index out of range: 3"):
        slice_(slice_(WORDS, 0, 1, 2), 0, 3)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((NO_VALUE,), "slice of untyped nil"), ((b"abc", 4), "index out of range: 4"),
        ((b"abc", 2, 1), "invalid slice index: 2 > 1"),
        ((b"abc", 0, 1, 2), "cannot 3-index slice a string"),
        ((WORDS, 0, 2, 1), "invalid slice index: 2 > 1"),
        ((WORDS, 0, 1, 2, 3), "too many slice indexes: 4"), ((1, 0), "can't slice item of type int"),
        (({}, 0), "can't slice item of type map[string]string"),
        ((WORDS, NO_VALUE), "cannot index slice/array with nil"),
        ((WORDS, Boxed(1)), "cannot index slice/array with type interface {}"),
    ],
)  # fmt: skip
def test_what_has_no_such_part(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(GoError) as caught:
        slice_(*arguments)
    assert str(caught.value) == says


def test_length() -> None:
    assert [length(item) for item in (b"a\xc3\xa9", WORDS, {b"k": b"v"}, NIL_MAP, Boxed([1]))] == [
        3,
        3,
        1,
        0,
        1,
    ]
    for item, says in (
        (1, "len of type int"), (Info(), "len of type logger.Info"), (Boxed(None), "len of nil pointer"),
        (NO_VALUE, "reflect: call of reflect.Value.Type on zero Value"),
    ):  # fmt: skip
        with pytest.raises(GoError, match=f"^{says}$"):
            length(item)
