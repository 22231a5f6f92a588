import json
import random

import pytest

from api.doctor.document import MAX_DEPTH
from api.doctor.reader import read, repaired


@pytest.mark.parametrize(
    ("text", "value", "codes"),
    [
        ('{"a": 1,}', {"a": 1}, ["json-comma"]),
        ('{"a": 1,,"b": 2}', {"a": 1, "b": 2}, ["json-comma"]),
        ('{,"a": 1}', {"a": 1}, ["json-comma"]),
        ('{"a": 1\n"b": 2}', {"a": 1, "b": 2}, ["json-comma"]),
        ('{"a": 1; "b": 2;}', {"a": 1, "b": 2}, ["json-comma", "json-comma"]),
        ('["a" "b",]', ["a", "b"], ["json-comma", "json-comma"]),
        ("{/* x */}", {}, ["json-comment"]),
        ('{"a": 1 // x\n}', {"a": 1}, ["json-comment"]),
        ('# x\n{"a": "#no"}', {"a": "#no"}, ["json-comment"]),
        ('{"a": 1 /* to the end', {"a": 1}, ["json-comment", "json-bracket"]),
        ("{'a': 'it\"s'}", {"a": 'it"s'}, ["json-quote", "json-quote"]),
        ('{"a": “b”}', {"a": "b"}, ["json-quote"]),
        ("{a: b.c-d}", {"a": "b.c-d"}, ["json-quote", "json-quote"]),
        ('{"a": True, "b": None}', {"a": True, "b": None}, ["json-quote", "json-quote"]),
        ('{"a": 010}', {"a": "010"}, ["json-quote"]),
        (r'{"a": "^com\.docker\."}', {"a": r"^com\.docker\."}, ["json-escape", "json-escape"]),
        ('{"a": "\t"}', {"a": "\t"}, ["json-escape"]),
        (r'{"a": "\u12x"}', {"a": "\\u12x"}, ["json-escape"]),
        (r"{'a': 'it\'s'}", {"a": "it's"}, ["json-quote", "json-quote", "json-escape"]),
        ('{\u00a0"a": 1}', {"a": 1}, ["json-blank"]),
        ('{"a" = 1, "b" => 2}', {"a": 1, "b": 2}, ["json-colon", "json-colon"]),
        ('{"a": {"b": [1', {"a": {"b": [1]}}, ["json-bracket"] * 3),
        ('{"a": 1}}\n', {"a": 1}, ["json-trailing-text"]),
    ],
)
def test_repairs(text: str, value: object, codes: list[str]) -> None:
    document = read(text)
    assert sorted(p.code for p in document.problems if p.message) == sorted(codes)
    assert json.loads(repaired(document)) == value
    assert not read(repaired(document)).problems


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ('{"a"}', "no : after the key 'a'", 4),
        ('{"a": }', "the key 'a' has no value", 1),
        ('{"a": "b\n}', "does not end on its line", 6),
        ('{"a": 1 b}', "'b' behind a value", 8),
        ("{]", "']' where a key should begin", 1),
        ("[}", "'}' where a value should begin", 1),
        ('{"a": 1} {"b": 2}', "something follows the last bracket", 9),
        ("[" * (MAX_DEPTH + 2), "nested deeper", MAX_DEPTH + 1),
    ],
)
def test_what_nobody_can_know(text: str, message: str, position: int) -> None:
    document = read(text)
    assert document.broken
    problem = next(p for p in document.problems if p.repair is None)
    assert message in problem.message and problem.start == position


def test_values_as_go_reads_them() -> None:
    root = read(r'{"a": "\ud83d\ude00 \ud800", "b": -1.5e3, "c": null}').object
    assert root is not None
    values = {member.key: (member.node.kind, member.node.value) for member in root.members}
    assert values == {"a": ("string", "😀 \ufffd"), "b": ("number", "-1.5e3"), "c": ("null", None)}


@pytest.mark.parametrize("text", ["", " \n", "// only this\n", "\ufeff"])
def test_nothing(text: str) -> None:
    document = read(text)
    assert document.root is None and not document.broken
    assert repaired(document).strip() == ""


def test_valid_json_is_read_as_json_and_left_alone() -> None:
    dice = random.Random(7)

    def value(depth: int) -> object:
        kind = dice.randrange(7 if depth < 4 else 5)
        if kind == 5:
            return [value(depth + 1) for _ in range(dice.randrange(4))]
        if kind == 6:
            return {f"k{n}": value(depth + 1) for n in range(dice.randrange(4))}
        return [None, True, dice.randrange(-99, 99), 1.5, 'é\n"\\ 끝'][kind]

    for _ in range(300):
        made = value(0)
        text = json.dumps(made, indent=dice.choice([None, 1, 4]), ensure_ascii=dice.random() < 0.5)
        document = read(text)
        assert not document.problems and repaired(document) == text
        assert document.root is not None and (document.root.start, document.root.end) == (0, len(text))


def test_any_text_is_read() -> None:
    """Never an exception; and what is repaired is JSON."""
    dice = random.Random(11)
    alphabet = "{}[]\",:;=#/*\\ \n\t'“”abtruefalsn019.-+\u00a0\x00é"
    for _ in range(3000):
        text = "".join(dice.choice(alphabet) for _ in range(dice.randrange(30)))
        document = read(text)
        if document.root is not None and not document.broken and not read(repaired(document)).problems:
            json.loads(repaired(document))
