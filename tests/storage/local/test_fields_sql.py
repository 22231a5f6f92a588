"""What SQL tells of parsed fields is what Python says, however the JSON is written."""

import itertools
import json

import duckdb
import msgspec
import pytest

from parsers.event import Container, Event, make_origin
from storage.by import MAX_VALUE, field_values
from storage.expression import And, Expression, Field, Not, Operator, Or, Text, select
from storage.local.fields_sql import candidates, certainties, may_have, plain, tells, value
from storage.local.text_sql import NONE

ORIGIN = make_origin(Container(), "h")

VALUES = [
    "502", "-3", "0", "-0", "18446744073709551615", "1180591620717411303424", "1.5", "1.50", "5e2", "502.0",
    "1e999", "9" * 399, "true", "false", "null", '"502"', '"1.50"', '""', '"x y"', '"X Y"', '"\\u0041"',
    '"quo\\"te"', '"\u0130"',
    '"\u212aelvin"', '"\u017fix"', '"Six"', '"stra\u00dfe"', '"s"', '"true"', "[1,2]",
    '["a"]', "[]", "{}", '{"s":1}', '{"b":1}',
    f'"{"x" * MAX_VALUE}"', f'"{"x" * (MAX_VALUE + 1)}"', f'"{chr(0x1F680) * MAX_VALUE}"',
]  # fmt: skip
TEXTS = [f'{{"s":{text}}}' for text in VALUES]
TEXTS += [f'{{ "t" : 1, "s" :\t{text} }}' for text in VALUES[:6]]
TEXTS += [
    '{"s":1,"s":2}', '{"\\u0073":1}', '{"s":1,"\\u0073":2}', '{"a":{"s":1}}', '{"a":"s"}', '{"s":"s"}',
    '{"S":1}', '{"s.t":1}', '{"s":{"t":1}}', '{"s.t":1,"s":2}', "{}", '{"other":1}', '{"":1}',
    '{"s":"\\"s\\":1"}',
]  # fmt: skip


def events() -> list[Event]:
    """Each text as a JSON line, and its object as fields beside a message that is no JSON."""
    made: list[Event] = []
    for text in TEXTS:
        fields = msgspec.json.decode(text) if "e999" not in text else json.loads(text)
        for line in (True, False):
            n = len(made)
            message = text if line else 'words, "s" and {'
            made.append(Event("j", n, 0, 0, 0, n, n, message, ORIGIN, fields=fields, json_line=line))
    n = len(made)
    return [*made, Event("j", n, 0, 0, 0, n, n, '{"s":1}', ORIGIN)]


EVENTS = events()
OPERATORS: tuple[Operator, ...] = (">", ">=", "<", "<=")
NUMBERS = (
    "502",
    "0",
    "-3",
    "1.5",
    "501.5",
    "-2.5",
    "1e3",
    "1e400",
    "-1e400",
    str(2**70),
    "9" * 399,
    "-" + "9" * 399,
    str(2**63),
    "9" * 60,
)
WORDS = (
    "", "502", "5", "1.5", "x y", "true", "k", "kelvin", "six", "s", "i\u0307", "stra\u00dfe", "a", 'quo"te',
    "x" * 50,
)  # fmt: skip
CONDITIONS: list[Expression] = [
    *(Field("s", op, number) for op in OPERATORS for number in NUMBERS),
    *(Field("s", "=", text) for text in WORDS), *(Field("s", "prefix", text) for text in WORDS),
    Field("a.s", "=", "1"), Field("s.t", ">=", "1"), Field("", "=", "1"), Field("o'ther", "=", "1"),
    Field("other", "<", "2"),
]  # fmt: skip


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect()
    duck.execute("CREATE TABLE t (n INT, message VARCHAR, fields VARCHAR, json_line BOOL)")
    for e in EVENTS:
        fields = None if e.fields is None or e.json_line else json.dumps(e.fields, ensure_ascii=False)
        duck.execute("INSERT INTO t VALUES (?, ?, ?, ?)", [e.position, e.message, fields, e.json_line])
    return duck


def rows(duck: duckdb.DuckDBPyConnection, condition: tuple[str, list[object]]) -> set[int]:
    sql, values = condition
    return {n for (n,) in duck.execute(f"SELECT n FROM t WHERE {sql}", values).fetchall()}


def check(duck: duckdb.DuckDBPyConnection, expression: Expression) -> None:
    wanted = {event.position for event in select(expression, EVENTS)}
    assert rows(duck, certainties(expression)) <= wanted <= rows(duck, candidates(expression)), expression


@pytest.mark.parametrize("expression", CONDITIONS, ids=repr)
def test_conditions(duck: duckdb.DuckDBPyConnection, expression: Expression) -> None:
    check(duck, expression)
    check(duck, Not(expression))
    check(duck, And((expression, Text("s"))))


def test_conditions_together(duck: duckdb.DuckDBPyConnection) -> None:
    for left, right in itertools.pairwise(CONDITIONS):
        check(duck, Or((left, Not(right))))
        check(duck, Not(And((left, right))))


def test_whole_numbers_are_told_without_reading(duck: duckdb.DuckDBPyConnection) -> None:
    """Else nothing would be gained."""
    for op, number in itertools.product(OPERATORS, ("502", "1.5", "-1e2")):
        asked = Field("s", op, number)
        doubtful = rows(duck, candidates(asked)) - rows(duck, certainties(asked))
        written = {EVENTS[n].message for n in doubtful if EVENTS[n].json_line}
        assert not written & {f'{{"s":{text}}}' for text in ("502", "-3", "0", "18446744073709551615")}


def test_values_are_those_of_python(duck: duckdb.DuckDBPyConnection) -> None:
    sql, _ = plain("s")
    found = duck.execute(f"SELECT n, {value('s')} FROM t WHERE {sql}").fetchall()
    assert len(found) > 30
    for n, text in found:
        assert set(field_values("s", EVENTS[n].fields)) == {text}, EVENTS[n].message


def test_what_cannot_have_a_value_has_none(duck: duckdb.DuckDBPyConnection) -> None:
    for path in ("s", "a.s", "s.t", "other"):
        none = {e.position for e in EVENTS} - rows(duck, may_have(path))
        assert all(list(field_values(path, EVENTS[n].fields)) == [""] for n in none)


def test_paths_that_sql_cannot_be_trusted_with() -> None:
    assert [path for path in ("s", "_x", "a-b", "x@y") if not tells(path)] == []
    assert [path for path in ("a.b", "", "o'", 'q"', "a b", "\u00e9", "1") if tells(path)] == []
    assert plain("a.b") == NONE
