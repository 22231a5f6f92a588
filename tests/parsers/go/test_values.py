from typing import Any

import pytest

from parsers.go.info import Info
from parsers.go.times import Time
from parsers.go.values import (
    MAX_DATA_DEPTH,
    NIL_MAP,
    NIL_STRINGS,
    NO_VALUE,
    AnyMap,
    Boxed,
    Int32,
    StringSlice,
    Uint64,
    elements,
    entries,
    is_nil,
    is_true,
    to_go,
    type_of,
    unboxed,
)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"", "string"), (True, "bool"), (1, "int"), (1.5, "float64"), (1j, "complex128"), ((), "[]string"),
        ([], "[]interface {}"), ({}, "map[string]string"), (AnyMap(), "map[string]interface {}"),
        (Uint64(1), "uint64"), (Int32(1), "int32"), (Info(), "*logger.Info"), (Time(), "time.Time"),
        (Boxed(1), "interface {}"), (NIL_STRINGS, "[]string"), (NIL_MAP, "map[string]string"),
        (StringSlice((b"a",)), "[]string"),
    ],
)  # fmt: skip
def test_types(value: Any, name: str) -> None:
    assert type_of(value).name == name


def test_what_is_no_go_value() -> None:
    for value in ("text", object(), {1, 2}):
        with pytest.raises(TypeError, match="is no Go value"):
            type_of(value)


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (b"", False), (b"a", True), (0, False), (-1, True), (0.0, False), (float("nan"), True), (0j, False),
        (False, False), ((), False), ((b"",), True), ({}, False), (AnyMap({b"": None}), True),
        (NO_VALUE, False), (None, False), (Boxed(None), False), (Boxed(0), False), (Boxed(1), True),
        (Info(), True), (Time(), True), (NIL_MAP, False),
    ],
)  # fmt: skip
def test_truth(value: Any, truth: bool) -> None:
    assert is_true(value) is truth


def test_nil() -> None:
    assert all(map(is_nil, (None, NO_VALUE, NIL_MAP, NIL_STRINGS, Boxed(None))))
    assert not any(map(is_nil, ({}, (), b"", 0, Boxed(0), Info(), [])))


def test_elements_of_any_are_boxed() -> None:
    assert elements((b"a",)) == [b"a"]
    assert [(type(one), unboxed(one)) for one in elements([1, None])] == [(Boxed, 1), (Boxed, NO_VALUE)]
    assert entries({b"b": b"2", b"a": b"1"}) == [(b"a", b"1"), (b"b", b"2")]
    ((key, box),) = entries(AnyMap({b"k": 5}))
    assert (key, type(box), unboxed(box)) == (b"k", Boxed, 5)


def test_json_like_data() -> None:
    found = to_go({"a": ["é", 1, 1.5, None, True, {"b": ()}], "\udcff": "\ud800x"})
    assert found == {b"a": ["é".encode(), 1, 1.5, None, True, {b"b": []}], b"\xff": "\ufffdx".encode()}
    assert isinstance(found, AnyMap) and isinstance(found[b"a"][5], AnyMap)
    assert [type(to_go(n)) for n in (2**63 - 1, -(2**63), 2**63, 2**64)] == [int, int, Uint64, float]
    with pytest.raises(ValueError, match="object is not JSON-like data"):
        to_go([object()])


def test_data_has_a_limit_to_its_depth() -> None:
    deep: Any = 1
    for _ in range(MAX_DATA_DEPTH):
        deep = [deep]
    assert to_go(deep)
    with pytest.raises(ValueError, match="deeper than 50 levels"):
        to_go([deep])
