from typing import Any

import pytest

from parsers.go.calls import Function, assign, size_of, zero
from parsers.go.errors import GoError, TemplateError
from parsers.go.info import INFO, INFO_POINTER, Info
from parsers.go.types import ANY, INT, STRING, STRING_FUNC, STRING_MAP, STRINGS, VALUE, GoType
from parsers.go.values import NIL_MAP, NIL_STRINGS, NO_VALUE, Boxed, Int64, Pointer

TWO = Function(b"two", lambda first, second: (first, second), (STRING, INT))
MANY = Function(b"many", lambda first, *rest: (first, rest), (STRING,), ANY)


def test_a_call_checks_its_arguments() -> None:
    assert TWO(b"a", 1) == (b"a", 1)
    assert MANY(b"a", 1, None) == (b"a", (1, None))
    for arguments in ((b"a",), (b"a", 1, 2), (1, b"a"), (b"a", NO_VALUE)):
        with pytest.raises(TemplateError, match=r"^error calling two: ") as caught:
            TWO(*arguments)
        assert caught.value.depends_on_values
    with pytest.raises(TemplateError, match="want at least 1 got 0"):
        MANY()


def test_a_count_that_is_wrong() -> None:
    TWO.check_count(1, 2)
    with pytest.raises(GoError, match=r"^wrong number of args for two: want 2 got 3$"):
        TWO.check_count(2, 3)
    with pytest.raises(GoError, match=r"^wrong number of args for many: want at least 1 got 0$"):
        MANY.check_count(0, 0)
    with pytest.raises(GoError, match=r"^flawed$"):
        Function(b"f", len, flaw="flawed").check_count(0, 0)


def test_the_type_of_a_parameter() -> None:
    assert [TWO.parameter(0), TWO.parameter(1)] == [STRING, INT]
    assert [MANY.parameter(0), MANY.parameter(1), MANY.parameter(9)] == [STRING, ANY, ANY]


def test_the_nil_of_a_type() -> None:
    assert zero(STRINGS) is NIL_STRINGS and zero(STRING_MAP) is NIL_MAP and zero(VALUE) is NO_VALUE
    assert zero(ANY) is None and zero(STRING_FUNC) is None


@pytest.mark.parametrize(
    ("value", "go_type", "given"),
    [
        (b"a", STRING, b"a"), (Boxed(b"a"), STRING, b"a"), (b"a", ANY, b"a"), (Boxed(1), ANY, 1),
        (Boxed(None), ANY, None), (NO_VALUE, ANY, None), (NO_VALUE, VALUE, NO_VALUE),
        (NO_VALUE, None, NO_VALUE), (NO_VALUE, STRINGS, NIL_STRINGS), (None, STRING_FUNC, None),
        (b"a", None, b"a"),
    ],
)  # fmt: skip
def test_a_value_for_a_parameter(value: Any, go_type: GoType | None, given: Any) -> None:
    assert assign(value, go_type) is given or assign(value, go_type) == given


def test_a_box_stays_closed_for_any_value() -> None:
    box = Boxed(1)
    assert assign(box, VALUE) is box


def test_a_pointer_is_followed_to_its_struct() -> None:
    info = Info()
    assert assign(info, INFO) is info.target
    with pytest.raises(GoError, match=r"dereference of nil pointer of type logger.Info"):
        assign(Pointer(INFO_POINTER, None), INFO)


@pytest.mark.parametrize(
    ("value", "go_type", "says"),
    [
        (1, STRING, "wrong type for value; expected string; got int"),
        (Int64(1), INT, "wrong type for value; expected int; got int64"),
        (Boxed(1), STRING, "wrong type for value; expected string; got int"),
        (NO_VALUE, STRING, "invalid value; expected string"),
        (Boxed(None), STRING, "wrong type for value; expected string; got interface {}"),
        ([], STRINGS, r"expected \[\]string; got \[\]interface {}"),
        (b"a", STRING_FUNC, r"expected func\(string\) string; got string"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit(value: Any, go_type: GoType, says: str) -> None:
    with pytest.raises(GoError, match=says):
        assign(value, go_type)


def test_what_handling_a_value_costs() -> None:
    assert [size_of(value) for value in (b"abc", (b"a", b"b"), {}, [1], 7, None)] == [3, 2, 0, 1, 1, 1]
