"""What expressions match: grep -i for texts, RE2 for regexes, JSON values for fields."""

# ruff: noqa: RUF001 - letters that look like others are the point

import re
import subprocess

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.expression import (
    And,
    Expression,
    Field,
    Not,
    Or,
    Regex,
    Text,
    check_regex,
    evaluate,
    number,
    paths,
    select,
    text_form,
    unparse,
    values_at,
)
from storage.folding import fold
from storage.grammar import parse
from tests.storage.factories import event

FIELDS = {
    "status": 502,
    "user": {"name": "Ada Byron", "id": 2**70, "tags": ["Red", "blue"]},
    "a.b": {"c": 1.5},
    "ok": True,
    "none": None,
    "empty": {},
    "text": "17",
    "items": [{"sku": "x1"}, {"sku": "x2"}],
    "big": 1e16,
    "blank": "",
}
LINE = event(0, "Connection TIMEOUT after 3 s\n\tat Straße.main(\\d)", fields=FIELDS)


@pytest.mark.parametrize(
    ("q", "matched"),
    [
        ("timeout", True),
        ("TimeOut", True),
        ("imeou", True),
        ("timeout connection", True),
        ("timeout missing", False),
        ('"timeout after"', True),
        ('"timeout  after"', False),
        ('"3 s\n\tat"', True),
        ("STRASSE", False),  # letter by letter: grep -i neither finds ß by ss
        ("straße", True),
        ("-missing", True),
        ("-timeout", False),
        ("timeout -missing", True),
        ("missing OR timeout", True),
        ("missing OR absent", False),
        ("missing OR (timeout after)", True),
        ("-(missing OR timeout)", False),
        ("-(missing timeout)", True),
        ("timeout AND after", True),
        ("main(\\d)", True),
        ("/time(out)? after \\d s$/", True),
        ("/^\\s*AT/", True),
        ("/^after/", False),
        ("/after.*at/", False),  # the dot stays within a line
        ("-/missing/", True),
        ("status:502", True),
        ("status:50*", True),
        ("status:5", False),
        ("status:>=500", True),
        ("status:>502", False),
        ("status:<=502", True),
        ("status:<502.5", True),
        ("status:<5e1", False),
        ("text:>=17", True),
        ("user.name:>1", False),
        ('user.name:"ADA byron"', True),
        ('user.name:"ada"', False),
        ('user.name:"ada "*', True),
        ("user.tags:BLUE", True),
        ("user.tags:green", False),
        (f"user.id:{2**70}", True),
        (f"user.id:>{2**70 - 1}", True),
        ("a.b.c:1.5", True),
        ("ok:true", True),
        ("ok:True", True),
        ("ok:>0", False),
        ("ok:1", False),
        ("none:null", False),
        ("none:*", False),
        ("empty:*", False),
        ("user:*", False),
        ("status:*", True),
        ("items.sku:x2", True),
        ('none:""', False),
        ('blank:""', True),
        ("big:1e+16", True),
        ("STATUS:502", False),
        ("-status:502", False),
        ("-absent:502", True),
    ],
)
def test_table(q: str, matched: bool) -> None:
    assert evaluate(parse(q), LINE) is matched


def test_grep_agrees() -> None:
    lines = ["Error: disk full", "warning: 90% of DISK", "a.c", "abc", "tab\there", "[error]", "é É", "-v"]
    for word in ["error", "DISK", "a.c", "90% of", "[ERROR]", "\t", "É", "x", "v"]:
        grep = subprocess.run(
            ["grep", "-iF", "-e", word], input="\n".join(lines), capture_output=True, text=True, check=False,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        found = select(Text(fold(word)), [event(n, line) for n, line in enumerate(lines)])
        assert [e.message for e in found] == grep.stdout.splitlines(), word


def test_event_without_fields_has_none() -> None:
    assert not evaluate(Field("status", "prefix", ""), event())
    assert evaluate(Not(Field("status", "prefix", "")), event())


def test_values_of_paths_with_dotted_keys() -> None:
    value = {"a": {"b": 1, "b.c": 2}, "a.b": {"c": [3, [4]], "": 5}, "": {"": 6}}
    assert list(values_at(value, "a.b")) == [1]
    assert sorted(values_at(value, "a.b.c")) == [2, 3, 4]
    assert list(values_at(value, "a.b.")) == [5]
    assert list(values_at(value, ".")) == [6]
    assert list(values_at(value, "")) == []


@pytest.mark.parametrize(
    ("value", "text"), [("X", "X"), (True, "true"), (False, "false"), (7, "7"), (1.0, "1.0"), (1e16, "1e+16")]
)
def test_text_forms(value: object, text: str) -> None:
    assert text_form(value) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", 1), ("-1.5", -1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), (7, 7), (True, None), ("", None),
     ("1_000", None), ("٣", None), ("nan", None), ("inf", None), (" 1", None), ("9" * 500, None),
     (None, None)],
)  # fmt: skip
def test_numbers(value: object, expected: object) -> None:
    assert number(value) == expected
    assert type(number(value)) is type(expected)


@pytest.mark.parametrize("pattern", ["(", "a**", "(?=a)", "\\1", "a{9999}", "[z-a]", "a)", "\ud800"])
def test_bad_regexes_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".") as problem:
        check_regex(pattern)
    assert "(?im)" not in str(problem.value)


def test_regex_takes_linear_time() -> None:
    line = event(0, "a" * 300_000)  # a backtracking engine would not come back from any of these
    for pattern in ["(a+)+b", "(a|a)*b", "a*a*a*a*b", ".*.*x"]:
        assert not evaluate(Regex(pattern), line)


def test_half_a_surrogate_pair_breaks_no_neighbour() -> None:
    lines = [event(0, "bad \ud800 half"), event(1, "good half")]
    assert select(Regex("half$"), lines) == lines
    assert select(Text("bad"), lines) == lines[:1]


def test_select_keeps_order_and_repetitions() -> None:
    lines = [event(n, text) for n, text in enumerate(["b", "a", "ab", "c"])]
    lines.append(lines[0])
    assert [e.message for e in select(Or((Text("a"), Text("b"))), lines)] == ["b", "a", "ab", "b"]
    assert [e.message for e in select(Not(Text("a")), lines)] == ["b", "c", "b"]
    assert select(Regex("x"), []) == []


words = st.text(st.sampled_from('ab c"\\/()-*:>OR\u03c3\u0130\n'), min_size=1, max_size=6).map(str.lower)
names = st.from_regex(r"[a-z_][a-z0-9_.@-]{0,8}", fullmatch=True)
leaves = st.one_of(
    words.map(Text),
    st.sampled_from(["a|b", "a\\/b", "^a b$", "\\(", "[a-c]+"]).map(Regex),
    st.builds(Field, names, st.sampled_from(["=", "prefix"]), words),
    st.builds(Field, names, st.sampled_from([">", ">=", "<", "<="]), st.sampled_from(["1", "-2.5", "1e3"])),
)


def branches(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(inner.map(Not), several.map(And), several.map(Or))


expressions = st.recursive(leaves, branches, max_leaves=8)


def test_paths() -> None:
    assert paths(parse("a b:1 -(c.d:>2 OR /e:f/) b:*")) == {"b", "c.d"}
    assert paths(parse("a")) == set()


@given(expressions)
def test_unparse_parses_to_the_same(expression: Expression) -> None:
    assert parse(unparse(expression)) == expression


@given(expressions, st.lists(st.text("abc\u03c3 OR\u0130\n", max_size=8), max_size=6))
def test_select_is_evaluate_one_by_one(expression: Expression, messages: list[str]) -> None:
    lines = [event(n, message, fields={"a": n, "b": message}) for n, message in enumerate(messages)]
    assert select(expression, lines) == [line for line in lines if evaluate(expression, line)]


@given(st.text(max_size=20), st.text(max_size=4))
def test_text_is_a_folded_substring(message: str, word: str) -> None:
    assume(word)
    assert evaluate(Text(fold(word)), event(0, message)) == (fold(word) in fold(message))


@given(st.text(st.sampled_from("abΣσςİiıſsSßK\u0307é .*\\n\n"), min_size=1, max_size=12), st.data())
def test_whatever_stands_in_a_line_is_found(message: str, data: st.DataObject) -> None:
    """By its words and by a regex of its letters, in whatever case: grep -i does not find less than grep."""
    start = data.draw(st.integers(0, len(message) - 1))
    part = message[start : data.draw(st.integers(start + 1, len(message)))]
    line = event(0, message)
    for text in (part, part.swapcase() if len(part.swapcase()) == len(part) else part):
        found = evaluate(Text(fold(text)), line)
        assert found == evaluate(Regex(re.escape(text)), line)
        assert found or text != part
