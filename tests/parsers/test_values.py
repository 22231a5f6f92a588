import datetime
import json

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.values import MAX_DEPTH, plain, sound, text_of


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("a한", "a한"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00a", "\ufffda"),
        ("\ud83d\ude00", "😀"),
        ("\0", "\0"),
    ],
)
def test_no_lone_surrogate_is_left(text: str, result: str) -> None:
    assert sound(text) == result


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"), (b"a\xff", "a\ufffd"), (None, "null"), (True, "true"), (1.5, "1.5"),
        ({"a": [b"b"]}, '{"a":["b"]}'),
        (2**70, f'"{2**70}"'),
    ],
)  # fmt: skip
def test_any_value_has_a_text(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (2**64 - 1, 2**64 - 1), (2**64, str(2**64)), (-(2**63), -(2**63)), (-(2**63) - 1, str(-(2**63) - 1)),
        (float("nan"), "nan"), (float("-inf"), "-inf"), (True, True), (None, None), ((1, 2), [1, 2]),
        ({1: "a", b"k\xff": 2, None: 3}, {"1": "a", "k\ufffd": 2, "null": 3}),
        (msgspec.msgpack.Ext(5, b"abc"), "ext:5:YWJj"),
        (datetime.datetime(2026, 1, 2), "2026-01-02 00:00:00"),
    ],
)  # fmt: skip
def test_what_json_cannot_say_becomes_text(value: object, result: object) -> None:
    assert plain(value) == result


def test_a_nesting_too_deep_is_cut() -> None:
    value: object = "end"
    for _ in range(5000):
        value = [value]
    assert json.dumps(plain(value)) == "[" * MAX_DEPTH + '"..."' + "]" * MAX_DEPTH


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.text("\ud800\udfff")
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.binary() | st.integers(), inner)
)


@given(values)
def test_whatever_is_plain_can_be_written_as_json(value: object) -> None:
    orjson.dumps(plain(value))
    text_of(value).encode()
