import json
from typing import Any

import pytest

from storage.elastic.json import json_bytes, known, utf8


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"a": [1, 2.5, None, True, "\u00e9"]}, {"a": [1, 2.5, None, True, "\u00e9"]}),
        ({"n": 10**40, "m": -(1 << 70)}, {"n": 10**40, "m": -(1 << 70)}),
        ({"a\ud800": ["b\udfff", ("c",)]}, {"a?": ["b?", ["c"]]}),
        ("\ud800", "?"),
    ],
)
def test_anything_becomes_json(value: Any, read: Any) -> None:
    assert json.loads(json_bytes(value)) == read


def test_only_lone_surrogates_are_replaced() -> None:
    assert utf8({"\U0001f600\0": ["\ud83d", 1]}) == {"\U0001f600\0": ["?", 1]}


def test_only_what_is_known() -> None:
    assert known(a=None, b=0, c="", d={}) == {"b": 0, "c": "", "d": {}}
