"""How `q` is read: what is an operator, what is just text, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import QueryError
from storage.expression import And, Expression, Field, Not, Or, Regex, Text
from storage.grammar import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, parse


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("Word", Text("word")),
        ("  Word  ", Text("word")),
        ("a b", And((Text("a"), Text("b")))),
        ("a AND b", And((Text("a"), Text("b")))),
        ("a OR b c", Or((Text("a"), And((Text("b"), Text("c")))))),
        ("(a OR b) c", And((Or((Text("a"), Text("b"))), Text("c")))),
        ("(a)", Text("a")),
        ("( a )b", And((Text("a"), Text("b")))),
        ("a or b", And((Text("a"), Text("or"), Text("b")))),
        ("ORDER ANDROID", And((Text("order"), Text("android")))),
        ('"OR"', Text("or")),
        ('"a  B"', Text("a  b")),
        (r'"say \"hi\" in C:\temp\\"', Text('say "hi" in c:\\temp\\')),
        ('"a""b"', And((Text("a"), Text("b")))),
        ('{"status":500}', Text('{"status":500}')),
        ('5"', Text('5"')),
        ("-a", Not(Text("a"))),
        ('-"a b"', Not(Text("a b"))),
        ("-(a b)", Not(And((Text("a"), Text("b"))))),
        ("-/a/", Not(Regex("a"))),
        ("-x:1", Not(Field("x", "=", "1"))),
        ("a-b", Text("a-b")),
        ("Time*", Text("time")),
        ("time**", Text("time")),
        ("-time*", Not(Text("time"))),
        ("(time* OR /api/*)", Or((Text("time"), Text("/api/")))),
        ("ti*me", Text("ti*me")),
        ("*time", Text("*time")),
        ("* /** .*", And((Text("*"), Text("/**"), Text(".*")))),
        ('"timed out"*', Text("timed out")),
        ('("timed out"*)', Text("timed out")),
        ('"time*"', Text("time*")),
        ('"a"*b', And((Text("a"), Text("*b")))),
        ("--verbose", Text("--verbose")),
        ("-", Text("-")),
        ("a - b", And((Text("a"), Text("-"), Text("b")))),
        ("(-)", Text("-")),
        ("main()", Text("main()")),
        ("(main() OR f(x))", Or((Text("main()"), Text("f(x)")))),
        ("f(x", Text("f(x")),
        ("/a|b/", Regex("a|b")),
        ("/a b/ c", And((Regex("a b"), Text("c")))),
        (r"/a\/b/", Regex(r"a\/b")),
        ("(/a/)", Regex("a")),
        ("/CaSe/", Regex("CaSe")),
        ("/api/users", Text("/api/users")),
        ("/api/users/", Text("/api/users/")),
        ("/healthz", Text("/healthz")),
        ("//", Text("//")),
        ("a/b/", Text("a/b/")),
        ("status:502", Field("status", "=", "502")),
        ("user.name:Ada*", Field("user.name", "prefix", "ada")),
        ("x:*", Field("x", "prefix", "")),
        ('x:"A b"', Field("x", "=", "a b")),
        ('x:"a*"', Field("x", "=", "a*")),
        ('x:"a b"*', Field("x", "prefix", "a b")),
        ('x:""', Field("x", "=", "")),
        ('x:""*', Field("x", "prefix", "")),
        ('x:">5"', Field("x", "=", ">5")),
        ("x:>=5", Field("x", ">=", "5")),
        ("x:<-1.5e3", Field("x", "<", "-1.5e3")),
        ("@timestamp:1", Text("@timestamp:1")),
        ("a@b-c:1", Field("a@b-c", "=", "1")),
        ("größe:5", Field("größe", "=", "5")),
        ("path:/api/", Field("path", "=", "/api/")),
        ("x:a:b", Field("x", "=", "a:b")),
        ("(x:1)", Field("x", "=", "1")),
        ("error:", Text("error:")),
        ("error: x", And((Text("error:"), Text("x")))),
        ("(error:)", Text("error:")),
        ("http://host:1/", Text("http://host:1/")),
        ("std::map", Text("std::map")),
        (r"C:\temp", Text(r"c:\temp")),
        ("12:30:01", Text("12:30:01")),
        ("a\u3000b", And((Text("a"), Text("b")))),
        ("a\0b", Text("a\0b")),
    ],
)
def test_reading(q: str, expected: Expression) -> None:
    assert parse(q) == expected


@pytest.mark.parametrize(
    ("q", "told"),
    [
        ("", "a term is missing"),
        (" ", "a term is missing"),
        ("()", "a term is missing"),
        ("OR", "put quotes around OR"),
        ("a OR", "a term is missing"),
        ("OR a", "a term is missing"),
        ("a OR OR b", "a term is missing"),
        ("a AND", "a term is missing"),
        ("AND a", "a term is missing"),
        ("(a", "without its )"),
        ("a)", "without its ("),
        ('"a', "not closed"),
        ('x:"a', "not closed"),
        ('a ""', "nothing between"),
        ("/(/", "is not a regex"),
        ("/(?=a)/", "RE2"),
        ("x:>abc", "needs a number"),
        ("x:>=", "needs a number"),
        ("a" * (MAX_LENGTH + 1), str(MAX_LENGTH)),
        (" ".join(["a"] * (MAX_TERMS + 1)), str(MAX_TERMS)),
        ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), str(MAX_DEPTH)),
        ("-(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH, str(MAX_DEPTH)),
    ],
)
def test_refusals_name_the_parameter_and_the_way_out(q: str, told: str) -> None:
    with pytest.raises(QueryError) as problem:
        parse(q)
    assert problem.value.parameter == "q"
    assert told in str(problem.value)


def test_limits_are_reached() -> None:
    parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)
    parse(" ".join(["a"] * MAX_TERMS))
    parse("a" * MAX_LENGTH)


@given(st.text('ab"/()-:*>\\ OR\n', max_size=12) | st.text(max_size=30))
def test_anything_is_read_or_refused(q: str) -> None:
    try:
        parse(q)
    except QueryError as problem:
        assert problem.parameter == "q"
