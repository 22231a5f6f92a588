"""Alignment. The outputs here are those of Go's text/tabwriter (tests/real/test_format.py asks it itself)."""

import time

import pytest

from api.tabwriter import aligned


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("\n\n", "\n\n"),
        ("NAME\tIMAGE\na\tb\n", "NAME      IMAGE\na         b\n"),
        ("exactly7\tx\n1234567\ty\n", "exactly7   x\n1234567    y\n"),
        ("1234567\ty\n", "1234567   y\n"),
        ("a\tb\tc\n\na\tbbbbbbbbbbbb\tc\n", "a         b         c\n\na         bbbbbbbbbbbb   c\n"),
        ("a\tb\nlong long long\nc\td\n", "a         b\nlong long long\nc         d\n"),
        ("aaaaaaaaaaaa\tb\tc\nd\te\n", "aaaaaaaaaaaa   b         c\nd              e\n"),
        ("a\t\tb\n", "a                   b\n"),
        ("a\tb\t\n", "a         b         \n"),
        ("a\vb\n", "a         b\n"),
        ("aaaaaaaaaaaa\tb\fc\td\n", "aaaaaaaaaaaa   b\nc         d\n"),
        ("a\tb", "a         b"),
        ("a\t", "a"),
        ("grüße\tx\n", "grüße     x\n"),
    ],
)
def test_columns(text: str, shown: str) -> None:
    assert aligned(text) == shown


def test_wide_and_combining_characters_take_their_room() -> None:
    """As docker/cli's copy does; Go's own counts 2 and 6 here."""
    assert aligned("日本\tx\ncafe\u0301\ty\n") == "日本      x\ncafe\u0301      y\n"


def test_many_columns_and_lines_cost_what_they_hold() -> None:
    began = time.perf_counter()
    aligned("\t" * 100_000 + "\n")
    aligned("a\tb\tc\n" * 30_000)
    assert time.perf_counter() - began < 3
