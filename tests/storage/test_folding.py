"""Folding is RE2's, letter by letter, and close to what grep -i does."""

# ruff: noqa: RUF001 - letters that look like others are the point

import re
import subprocess
import sys
from functools import cache

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from pyarrow.compute import MatchSubstringOptions, get_function

from storage.expression import REGEX_FLAGS
from storage.folding import ALIKE, DOTTED, fold

LETTERS = [chr(n) for n in range(1, sys.maxunicode + 1) if not 0xD800 <= n <= 0xDFFF]


@cache
def cased() -> list[str]:
    """Letters that have another case, and those cases."""
    forms = {f for c in LETTERS for f in (c.lower(), c.upper(), c.title(), c.casefold()) if f != c}
    return sorted({c for c in LETTERS if {c.lower(), c.upper(), c.casefold()} != {c}} | set("".join(forms)))


def test_one_letter_stays_one() -> None:
    assert [c for c in LETTERS if len(fold(c)) != 1 or fold(fold(c)) != fold(c)] == []
    assert [c for c in ALIKE if c.lower() != c] == []
    assert fold(DOTTED) == DOTTED


def test_letters_are_one_that_are_one_for_re2() -> None:
    """A new version of either side that folds another letter differently must be seen here."""
    letters, search = pa.array(cased(), pa.large_string()), get_function("match_substring_regex")
    folded: dict[str, set[str]] = {}
    for c in cased():
        folded.setdefault(fold(c), set()).add(c)
    wrong = []
    for c in cased():
        found = search.call([letters], MatchSubstringOptions(REGEX_FLAGS + re.escape(c))).to_pylist()
        if {x for x, hit in zip(cased(), found, strict=True) if hit} != folded[fold(c)]:
            wrong.append(c)
    assert wrong == []


def test_grep_finds_the_same() -> None:
    """But for a dotless i, and signs that it does not find from the letter they stand for."""
    letters = "aAsS\u017fiIıkKßẞéÉσςΣµμМмжЖθϑΘǆǅǄŉӀӏåÅ"
    for c in letters:
        grep = subprocess.run(
            ["grep", "-iF", "-e", c], input="\n".join(letters), capture_output=True, text=True, check=False,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        found = {x for x in grep.stdout.split() if {x, c} != {"i", "ı"} and {x, c} != {"I", "ı"}}
        if c not in "ßẞ":  # grep finds the small one by the capital, or not, by its version
            assert found == {x for x in letters if fold(x) == fold(c)}, c


@given(st.text(st.sampled_from("abΣσςİiıſsSßK\u0307ǅé. "), max_size=12), st.data())
def test_a_part_is_found_in_the_whole(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert fold(text) == "".join(map(fold, text))
    assert fold(text)[start:end] == fold(text[start:end])
