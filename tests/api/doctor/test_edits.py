import json

import pytest

from api.doctor import edits
from api.doctor.document import Member, Node, apply
from api.doctor.reader import read

FLAT = '{"a": 1, "b": 2, "c": 3}'
TALL = '{\n\t"a": 1,\n\t"b": 2,\n\t"c": 3\n}\n'
TIGHT = '{"a":1,"b":2}'


def root(text: str) -> Node:
    found = read(text).object
    assert found is not None
    return found


def member(text: str, key: str) -> Member:
    found = root(text).member(key)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        (FLAT, "a", '{"b": 2, "c": 3}'),
        (FLAT, "b", '{"a": 1, "c": 3}'),
        (FLAT, "c", '{"a": 1, "b": 2}'),
        (TALL, "a", '{\n\t"b": 2,\n\t"c": 3\n}\n'),
        (TALL, "c", '{\n\t"a": 1,\n\t"b": 2\n}\n'),
        ('{"a": 1}', "a", "{}"),
        ('{\n  "a": 1\n}', "a", "{}"),
    ],
)
def test_remove(text: str, key: str, expected: str) -> None:
    assert apply(text, edits.remove(read(text), root(text), member(text, key))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FLAT, '{"a": 1, "b": 2, "c": 3, "x": 1, "y": 2}'),
        (TALL, '{\n\t"a": 1,\n\t"b": 2,\n\t"c": 3,\n\t"x": 1,\n\t"y": 2\n}\n'),
        (TIGHT, '{"a":1,"b":2,"x":1,"y":2}'),
        ("{}", '{\n  "x": 1,\n  "y": 2\n}'),
        ('{"a": 1}', '{"a": 1, "x": 1, "y": 2}'),
        ('{\r\n    "a": 1\r\n}', '{\r\n    "a": 1,\r\n    "x": 1,\r\n    "y": 2\r\n}'),
    ],
)
def test_insert(text: str, expected: str) -> None:
    made = apply(text, edits.insert(read(text), root(text), {"x": "1", "y": "2"}))
    assert made == expected
    assert json.loads(made)["y"] == 2


def test_insert_before_another() -> None:
    made = apply(TALL, edits.insert(read(TALL), root(TALL), {"x": "1"}, before=member(TALL, "b")))
    assert made == '{\n\t"a": 1,\n\t"x": 1,\n\t"b": 2,\n\t"c": 3\n}\n'


def test_an_empty_object_inside_takes_the_style_of_its_file() -> None:
    text = '{\n    "a": {},\n    "b": 1\n}'
    inner = member(text, "a").node
    made = apply(text, edits.insert(read(text), inner, {"x": "1"}))
    assert made == '{\n    "a": {\n        "x": 1\n    },\n    "b": 1\n}'


def test_rename_replace_and_substitute() -> None:
    assert apply(FLAT, edits.rename(member(FLAT, "b"), 'q"')) == '{"a": 1, "q\\"": 2, "c": 3}'
    assert apply(FLAT, edits.replace(member(FLAT, "b").node, "[]")) == '{"a": 1, "b": [], "c": 3}'
    made = apply(TALL, edits.substitute(read(TALL), root(TALL), member(TALL, "c"), {"x": "1", "y": "2"}))
    assert made == '{\n\t"a": 1,\n\t"b": 2,\n\t"x": 1,\n\t"y": 2\n}\n'


def test_a_new_object_is_written_as_the_file_writes_its_own() -> None:
    assert edits.object_text(read(FLAT), 1, {"x": "1"}) == '{"x": 1}'
    assert edits.object_text(read(TIGHT), 1, {"x": "1", "y": "2"}) == '{"x":1,"y":2}'
    assert edits.object_text(read(TALL), 1, {"x": "1"}) == '{\n\t\t"x": 1\n\t}'
