"""Numbers that are written in other ways than their values."""

import pytest

from storage.elastic.spelling import as_number


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
