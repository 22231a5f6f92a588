"""Numbers that are written in other ways than their values."""

import pytest

from storage.elastic.certain import Terms
from storage.elastic.spelling import as_number, judged
from storage.expression import Field
from storage.grammar import parse


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("1.50", "1.5"), ("15e-1", "1.5"), ("1e2", "100.0"), ("-0", "0"), ("1E+16", "1e+16"),
        ("1.5", None), ("100", None), ("-3", None), (str(2**70), None), ("1e+16", None), ("0.25", None),
        ("", None), ("007", None), ("1.", None), (".5", None), ("+1", None), ("1.50 s", None), ("true", None),
        ("\u0661.\u0660", None), ("1.50\n", None),
    ],
)  # fmt: skip
def test_spellings(term: str, value: str | None) -> None:
    assert as_number(term) == value


@pytest.mark.parametrize(
    ("q", "matching"),
    [
        ("n:>=500", ["500", "502", "1e+16"]),
        ("n:<500", ["-3", "0.5"]),
        ("n:502", ["502"]),
        ("n:5*", ["500", "502"]),
        ("n:straße", ["STRAßE"]),
    ],
)
def test_terms_are_judged_as_values_are(q: str, matching: list[str]) -> None:
    field = parse(q)
    assert isinstance(field, Field)
    terms = ["-3", "0.5", "500", "502", "1e+16", "5e2", "5.0e2", "STRAßE", "x", "true", "", "9" * 500]
    assert judged(field, terms) == Terms(matching, ["5e2", "5.0e2", "9" * 500])
