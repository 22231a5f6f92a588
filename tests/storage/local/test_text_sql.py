"""Candidates take every match and certainties nothing else, for letters and patterns of every kind."""

import itertools
import sys

import duckdb
import orjson
import pyarrow as pa
import pytest

from parsers.event import Container, Event, make_origin
from storage.expression import And, Expression, Field, Not, Or, Regex, Text, select
from storage.folding import ALIKE, fold
from storage.local.text_sql import candidates, certainties, literal

ORIGIN = make_origin(Container(), "h")

MESSAGES = [
    "", "plain words", "PLAIN Words", "\u0130stanbul", "istanbul", "i\u0307", "\u03a3\u0391\u03a3",
    "\u03b1\u03c2",    "\u03b1\u03c3\u03b1",
    "stra\u00dfe STRASSE", "\u212aelvin", "\u65e5\u672c\u8a9e", "nul\0here",
    "\ufb05", "\ufb06", "\u1fd3", "\u0390",    "\u017fo", "LONG \u017f", "long \u017f",
    "\u00b5s", "\u039c", "\u0442\u0435\u0424",
    "two\nlines",    "50% off_now", "back\\slash", 'quo"te', "\U0001f600 ok",
]  # fmt: skip
FIELDS = [
    {"status": 502, "a": {"b": "Deep"}}, {"a.b": "deep"}, {"status": 1000.0}, {"ok": True, "x": None},
    {"status": "502"}, {"list": [{"b": 1}, {"b": "\u03a3\u0391\u03a3"}]}, {'k"ey': 'va"lue\\'},
    {"unit": "\u00b5s"}, {"unit": "\u017fec"}, {"unit": "Sec"},
]  # fmt: skip
EXPRESSIONS: list[Expression] = [
    *(Text(fold(message)) for message in MESSAGES if message),
    *(Text(value) for value in ("i", "\u0307", "\u0130", "\u0130st", "\u03c3", "\u03b1", "k", "s", "\u03bc")),
    *(Text(value) for value in ("an", "\u672c", "\0", "long s", "te\u0444")),
    Regex("\u0390"), Regex("x|\ufb05"),
    *(Regex(value) for value in ("^lines$", "n.l", "two.lines", "\u03c3", "\\bwords", "k|%")),
    *(Field(path, "=", value) for path in ("status", "a.b", "list.b") for value in ("502", "deep", "1000.0")),
    Field("list.b", "=", "1"),
    *(Field("status", op, "502") for op in (">", ">=", "<", "<=")),
    Field("ok", "=", "true"), Field("a.b", "prefix", "de"), Field("status", "prefix", ""),
    Field("x", "prefix", ""),
    Field("list.b", "=", "\u03c3\u03b1\u03c3"), Field("unit", "=", "\u03bcs"), Field("unit", "prefix", "s"),
    Field('k"ey', "=", 'va"lue\\'), Field("none", "=", "x"),
]  # fmt: skip


def events() -> list[Event]:
    made = [Event("j", n, 0, 0, 0, n, n, message, ORIGIN) for n, message in enumerate(MESSAGES)]
    for fields in FIELDS:
        n = len(made)
        made.append(Event("j", n, 0, 0, 0, n, n, "words", ORIGIN, fields=fields))
        line = orjson.dumps(fields).decode()
        made.append(Event("j", n + 1, 0, 0, 0, n + 1, n + 1, line, ORIGIN, fields=fields, json_line=True))
    escaped = '{"\\u0061":{"b":"D\\u0065ep"}, "status": 5.02e2}'
    n = len(made)
    made.append(Event("j", n, 0, 0, 0, n, n, escaped, ORIGIN, fields=orjson.loads(escaped), json_line=True))
    return made


EVENTS = events()


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect()
    duck.execute("CREATE TABLE t (n INT, message VARCHAR, fields VARCHAR, json_line BOOL)")
    for e in EVENTS:
        fields = None if e.fields is None or e.json_line else orjson.dumps(e.fields).decode()
        duck.execute("INSERT INTO t VALUES (?, ?, ?, ?)", [e.position, e.message, fields, e.json_line])
    return duck


def check(duck: duckdb.DuckDBPyConnection, expression: Expression) -> None:
    wanted = {event.position for event in select(expression, EVENTS)}
    sql, values = candidates(expression)
    assert {n for (n,) in duck.execute(f"SELECT n FROM t WHERE {sql}", values).fetchall()} >= wanted, (
        expression
    )
    sql, values = certainties(expression)
    assert {n for (n,) in duck.execute(f"SELECT n FROM t WHERE {sql}", values).fetchall()} <= wanted, (
        expression
    )


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=repr)
def test_alone_and_excluded(duck: duckdb.DuckDBPyConnection, expression: Expression) -> None:
    check(duck, expression)
    check(duck, Not(expression))
    check(duck, Not(Not(expression)))


def test_combined(duck: duckdb.DuckDBPyConnection) -> None:
    for left, right in itertools.pairwise(EXPRESSIONS):
        for pair in ((left, right), (Not(left), right), (left, Not(right))):
            for whole in (And(pair), Or(pair), Not(And(pair)), Not(Or(pair)), Or((And(pair), left))):
                check(duck, whole)


def test_sql_takes_the_same_letters_for_one(duck: duckdb.DuckDBPyConnection) -> None:
    """Every letter beside those that somebody may take for it."""
    pairs = [
        pair for n in range(1, sys.maxunicode + 1) if not 0xD800 <= n <= 0xDFFF for pair in likely(chr(n))
    ]
    table = pa.table({"text": [a for a, _ in pairs], "regex": [literal(fold(b)) for _, b in pairs]})
    with duck.cursor() as cursor:
        cursor.register("pairs", table)
        found = cursor.execute("SELECT regexp_matches(text, regex) FROM pairs").fetchall()
    wrong = {
        letter
        for (hit,), (a, b) in zip(found, pairs, strict=True)
        if hit != (fold(b) in fold(a))
        for letter in (a, b)
    }
    assert wrong == set("\u0390\u1fd3\u03b0\u1fe3\ufb05\ufb06")  # what the translation knows


def likely(letter: str) -> list[tuple[str, str]]:
    others = {letter.lower(), letter.upper(), letter.casefold(), fold(letter), ALIKE.get(letter, "i")}
    if others == {letter, "i"}:
        return [(letter, letter)]
    return [pair for other in others for pair in ((letter, other), (other, letter))]


def test_unsafe_letters_are_left_to_python() -> None:
    assert candidates(Text("\ufb05")) == candidates(Regex("a|\ufb06")) == ("TRUE", [])
    assert certainties(Text("\ufb05")) == certainties(Regex("a|\ufb06")) == ("FALSE", [])
    assert candidates(Text("\ud800")) == ("TRUE", [])
    assert candidates(Text("abc\ud800de.")) == ("regexp_matches(message, ?)", ["(?i)abc"])
    assert certainties(Text("abc\ud800de")) == ("FALSE", [])


def test_punctuation_means_itself() -> None:
    assert literal("a.b*(c)_\\") == "(?i)a\\.b\\*\\(c\\)_\\\\"
