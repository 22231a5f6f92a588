from typing import Any

import pytest

from parsers.jsontext import loads


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a":[1,2.5,null,true,"x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\ud83d"', "\ufffd"),
        (b'"\\ude00\\ud83d"', "\ufffd\ufffd"),
        (b'"\\ud83d\\ud83d\\ude00"', "\ufffd\U0001f600"),
        (b'"\\\\ud83d \\ud83d"', "\\ud83d \ufffd"),
        (b'"\xff"', "\ufffd"),
        (b'"a\nb"', "a\nb"),
        (b"1e400", "1e400"),
        (b"-1e400", "-1e400"),
        (b"[NaN,Infinity,-Infinity]", ["NaN", "Infinity", "-Infinity"]),
        (b"18446744073709551615", 18446744073709551615),
        (b"9" * 5000, "9" * 5000),
        (b'["\xff",18446744073709551616]', ["\ufffd", "18446744073709551616"]),
        (b"[-9223372036854775808,-9223372036854775809]", [-(2**63), "-9223372036854775809"]),
        (
            b'{"n":12345678901234567890123,"f":12345678901234567890.5}',
            {"n": "12345678901234567890123", "f": 12345678901234567890.5},
        ),
    ],
)
def test_values(text: bytes, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"nul", b"{'a':1}", b"1 2", b"[" * 100_000, b"\xff"])
def test_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        loads(text)


def test_nesting_is_cut() -> None:
    value, depth = loads(b"[" * 200 + b"]" * 200), 0
    while isinstance(value, list):
        value, depth = value[0], depth + 1
    assert (value, depth) == ("(nested too deeply)", 64)
    assert loads(b"[" * 64 + b"]" * 64 + b" ") == loads(b"[" * 64 + b"]" * 64)
