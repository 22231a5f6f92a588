from typing import Any

import pytest

from parsers.go.comparison import equal, greater, greater_or_equal, less, less_or_equal, not_equal
from parsers.go.errors import GoError
from parsers.go.info import Info
from parsers.go.times import Time
from parsers.go.values import NIL_MAP, NIL_STRINGS, NO_VALUE, Boxed, Uint8

INFO = Info()


@pytest.mark.parametrize(
    ("first", "others", "expected"),
    [
        (b"a", (b"a",), True), (b"a", (b"b",), False), (b"a", (b"b", b"a"), True), (1, (1,), True),
        (1, (Uint8(1),), True), (Uint8(1), (2, 1), True), (-1, (Uint8(255),), False), (1.5, (1.5,), True),
        (1j, (1j,), True), (True, (True,), True), (float("nan"), (float("nan"),), False),
        (b"", (NO_VALUE,), False), (NO_VALUE, (NO_VALUE,), True), (NO_VALUE, (1,), False),
        (INFO, (INFO,), True), (INFO, (Info(),), False), (INFO, (NO_VALUE,), False),
        (NIL_MAP, (NO_VALUE,), True), (NIL_STRINGS, (NO_VALUE,), True), ((b"a",), (NO_VALUE,), False),
        (NIL_STRINGS, ((b"a",),), False), (Time(1), (Time(1),), True), (Time(1), (Time(2),), False),
        (Boxed(1), (1,), True), (Boxed(None), (NO_VALUE,), True),
    ],
)  # fmt: skip
def test_equality(first: Any, others: tuple[Any, ...], expected: bool) -> None:
    assert equal(first, *others) is expected
    if len(others) == 1:
        assert not_equal(first, *others) is not expected


@pytest.mark.parametrize(
    ("first", "second", "is_less"),
    [(b"a", b"b", True), (b"b", b"a", False), (b"\xff", b"a", False), (1, 2, True), (-1, Uint8(0), True),
        (b"a", b"b", True), (b"b", b"a", False), (b"\xff", b"a", False), (1, 2, True), (-1, Uint8(0), True),
        (Uint8(1), 0, False), (1.5, 1.6, True),
    (Uint8(1), 0, False), (1.5, 1.6, True)],
)  # fmt: skip
def test_order(first: Any, second: Any, is_less: bool) -> None:
    assert (less(first, second), greater_or_equal(first, second)) == (is_less, not is_less)
    assert (less_or_equal(first, second), greater(first, second)) == (is_less, not is_less)


def test_order_of_equals() -> None:
    assert less_or_equal(1, 1) and greater_or_equal(b"a", b"a")
    assert not less(1, 1) and not greater(1, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((1,), "missing argument for comparison"),
        ((1, b"a"), "incompatible types for comparison: int and string"),
        ((1, 1.0), "incompatible types for comparison: int and float64"),
        ((b"a", b"b", 1), "incompatible types for comparison: string and int"),
        ((INFO, b"a"), r"incompatible types for comparison: \*logger.Info and string"),
        (((b"a",), (b"a",)), r"non-comparable type \[a\]: \[\]string"),
        (({}, {}), r"non-comparable type map\[\]: map\[string\]string"),
        (((b"a",), {}), r"non-comparable types \[a\]: \[\]string, map\[string\]string: map\[\]"),
    ],
)  # fmt: skip
def test_what_is_not_compared(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(GoError, match=f"^{says}$"):
        equal(*arguments)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (1, b"a", "incompatible types for comparison: int and string"),
        (True, False, "invalid type for comparison"), (1j, 1j, "invalid type for comparison"),
        (NO_VALUE, 1, "invalid type for comparison"), ((b"a",), 1, "invalid type for comparison"),
        (1, INFO, "invalid type for comparison"),
        (True, 1, "incompatible types for comparison: bool and int"),
    ],
)  # fmt: skip
def test_what_has_no_order(first: Any, second: Any, says: str) -> None:
    for function in (less, less_or_equal, greater, greater_or_equal):
        with pytest.raises(GoError, match=f"^{says}$"):
            function(first, second)
