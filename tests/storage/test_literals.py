"""What a regular expression makes necessary: never more than RE2 does."""

from random import Random

import pytest

from storage.expression import And, Expression, Or, Regex, Text, check_regex, evaluate, select
from storage.literals import necessary
from tests.storage.factories import event

SEEDS = 6
PATTERNS = 400  # of a seed; about half are patterns that RE2 takes

PIECES = (
    "abc", "bab", "Kas",
    "a", "b", "S", "k", "é", "\u017f", "K", ".", "^", "$", "|", "|", "(", ")", "(?:", "(?i:", "(?P<n>",
    "(?s)", "[ab]", "[^a]", "[]a]", "[[:alpha:]]", r"[\]a]", r"\b", r"\d", r"\.", r"\\", r"\/", r"\pL",
    r"\p{Greek}", r"\x41", r"\x{e9}", r"\101", r"\Qa.b\E", "*", "+", "?", "{2}", "{0,2}", "{1,}", "{,3}", "{",
    "}", "+?", "??", "]", "-", " ",
)  # fmt: skip
LETTERS = "aAbBsSkKéÉ\u212a.\\/ -{},]3xd\n\u017f\u0130\u03a3\u03c3\u03c2\u00b5\u039c"


def holds(expression: Expression | None, message: str) -> bool:
    """Whether the message has what is necessary."""
    return expression is None or evaluate(expression, event(message=message))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_matches_has_what_is_necessary(seed: int) -> None:
    dice = Random(seed)
    said = 0
    for _ in range(PATTERNS):
        pattern = "".join(dice.choices(PIECES, k=dice.randrange(1, 9)))
        try:
            check_regex(pattern)
        except ValueError:
            continue
        texts = ["".join(dice.choices(LETTERS, k=dice.randrange(12))) for _ in range(60)]
        texts += [pattern, pattern.upper()]
        found = necessary(pattern)
        said += found is not None
        for hit in select(Regex(pattern), [event(message=text) for text in texts]):
            assert holds(found, hit.message), (pattern, found, hit.message)
    assert said > 20


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"shard [0-9]+ lost its", And((Text("shard "), Text(" lost its")))),
        (r"Timeout|refused", Or((Text("timeout"), Text("refused")))),
        (r"(connection) reset", And((Text("connection"), Text(" reset")))),
        (r"a\.b\/c\\d", Text("a.b/c\\d")),
        (r"colou?r", Text("colo")),
        (r"goo+dly", And((Text("goo"), Text("odly")))),
        (r"(?:abc){2,}def", And((Text("abc"), Text("def")))),
        (r"(?i)word\b", Text("word")),
        (r"naïve", Text("naïve")),
    ],
)
def test_what_is_said(pattern: str, expected: Expression) -> None:
    assert necessary(pattern) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a*",
        ".+",
        "a|",
        "(a|[bc])",
        r"\Qa.b\E",
        "(a)?",
        "(a){0}",
        "[ab]",
        "(abc|de)",
        "|".join(["abc"] * 101),
        "(" * 900 + ")" * 900,
    ],
)
def test_nothing_is_said(pattern: str) -> None:
    check_regex(pattern)
    assert necessary(pattern) is None
