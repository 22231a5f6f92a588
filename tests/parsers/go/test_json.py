from typing import Any

import pytest

from parsers.go.errors import GoError, LimitError
from parsers.go.info import Info
from parsers.go.json import quoted, to_json
from parsers.go.times import Month, Time, parse_rfc3339
from parsers.go.values import NIL_MAP, NIL_STRINGS, NO_VALUE, AnyMap, Boxed, Uint64


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"), (NO_VALUE, "null"), (True, "true"), (False, "false"), (-7, "-7"),
        (Uint64(2**64 - 1), str(2**64 - 1)), (1.0, "1"), (0.1, "0.1"), (1e20, "100000000000000000000"),
        (1e21, "1e+21"), (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-10, "1.5e-10"), (-0.0, "-0"),
        (b"a", '"a"'), ((), "[]"), ((b"a", b"b"), '["a","b"]'), (NIL_STRINGS, "null"), ({}, "{}"),
        (NIL_MAP, "null"), ({b"b": b"2", b"a": b"1"}, '{"a":"1","b":"2"}'),
        ([1, None, [b"x"]], '[1,null,["x"]]'), (AnyMap({b"k": AnyMap({b"i": 1.5})}), '{"k":{"i":1.5}}'),
        (Boxed(None), "null"), (Boxed(b"a"), '"a"'), (Month(5), "5"), (Time(), '"0001-01-01T00:00:00Z"'),
        (parse_rfc3339("2024-05-06T07:08:09.120Z"), '"2024-05-06T07:08:09.12Z"'),
    ],
)  # fmt: skip
def test_a_value(value: Any, text: str) -> None:
    assert to_json(value) == text.encode()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'"\\/', rb'"\"\\/"'), (b"\b\f\n\r\t\0\x1f\x7f", b'"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"'),
        (b"<>&", b'"<>&"'), ("é\u2028\u2029".encode(), 'é\\u2028\\u2029'.join('""').encode()),
        (b"\xff\xe2\x82", rb'"\ufffd\ufffd\ufffd"'), ("\ufffd".encode(), '"\ufffd"'.encode()),
    ],
)  # fmt: skip
def test_a_string(data: bytes, text: bytes) -> None:
    assert quoted(data) == text


def test_the_log_info() -> None:
    assert to_json(Info(container_id="ab", container_labels={"k": "v"})) == (
        b'{"Config":null,"ContainerID":"ab","ContainerName":"","ContainerEntrypoint":"","ContainerArgs":null,'
        b'"ContainerImageID":"","ContainerImageName":"","ContainerCreated":"0001-01-01T00:00:00Z",'
        b'"ContainerEnv":null,"ContainerLabels":{"k":"v"},"LogPath":"","DaemonName":"docker"}'
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (1j, "json: unsupported type: complex128"), ([1j], "json: unsupported type: complex128"),
        (float("inf"), r"json: unsupported value: \+Inf"), (float("nan"), "json: unsupported value: NaN"),
        (
            Time(400_000_000_000),
            "json: error calling MarshalJSON for type time.Time: .*year outside of range",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_written(value: Any, says: str) -> None:
    with pytest.raises(GoError, match=says):
        to_json(value)


def test_a_document_has_a_limit() -> None:
    with pytest.raises(LimitError):
        to_json((b"a" * 1000,) * 5000)
