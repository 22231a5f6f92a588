from parsers.go.types import (
    ANY,
    ANY_MAP,
    ANY_SLICE,
    BOOL,
    INT,
    STRING,
    STRING_FUNC,
    STRING_MAP,
    STRINGS,
    VALUE,
    GoType,
)


def test_which_types_have_a_nil() -> None:
    assert all(kind.can_be_nil for kind in (ANY, ANY_MAP, ANY_SLICE, STRING_MAP, STRINGS, STRING_FUNC, VALUE))
    assert not any(kind.can_be_nil for kind in (BOOL, INT, STRING, GoType("time.Time", "struct")))


def test_which_types_are_comparable() -> None:
    assert INT.is_comparable and ANY.is_comparable
    assert not any(kind.is_comparable for kind in (STRINGS, STRING_MAP, ANY_MAP, ANY_SLICE, STRING_FUNC))
