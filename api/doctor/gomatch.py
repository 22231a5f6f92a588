"""Matching for `api.doctor.goregex`: tests of one character, and steps made of them.

A step goes from the positions of a text where a part may begin to those where it may end; a set of positions
is one integer, bit p for position p. So no pattern can make a match slow.

Of Unicode classes only the general categories are matched, and of scripts Latin.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

Step = Callable[[str, int], int]
Test = Callable[[str], bool]

_KEPT = 4096  # results that one repetition remembers: nested ones ask the same again and again
_WORD = re.compile(r"\w", re.ASCII)


@dataclass(frozen=True)
class Flags:
    """`(?i)`, `(?m)`, `(?s)`; `(?U)` changes only which match is preferred."""

    fold: bool = False
    multiline: bool = False
    dot_all: bool = False


def literal(character: str, flags: Flags) -> Test:
    if flags.fold:
        return lambda c: c.casefold() == character.casefold()
    return lambda c: c == character


def span(low: str, high: str, flags: Flags) -> Test:
    if flags.fold:
        return lambda c: low <= c <= high or low <= c.lower() <= high or low <= c.upper() <= high
    return lambda c: low <= c <= high


def group(members: str, negative: bool, flags: Flags) -> Test:
    known = re.compile(f"[{members}]", re.IGNORECASE | re.ASCII if flags.fold else re.ASCII)
    return lambda c: (known.match(c) is not None) != negative


def in_unicode_class(character: str, name: str, flags: Flags) -> bool:
    if flags.fold:
        return any(in_unicode_class(c, name, Flags()) for c in (character.lower(), character.upper()))
    if name == "Latin":
        return unicodedata.name(character[:1], "").startswith("LATIN")
    category = unicodedata.category(character[:1])
    if name == "LC":
        return category in ("Lu", "Ll", "Lt")
    return name == "Any" or category.startswith(name)


def one(test: Test) -> Step:
    def step(text: str, starts: int) -> int:
        ends = 0
        for index, character in enumerate(text):
            if starts >> index & 1 and test(character):
                ends |= 1 << index + 1
        return ends

    return step


def sequence(steps: list[Step]) -> Step:
    def step(text: str, starts: int) -> int:
        for part in steps:
            starts = part(text, starts)
        return starts

    return step


def either(steps: list[Step]) -> Step:
    def step(text: str, starts: int) -> int:
        ends = 0
        for part in steps:
            ends |= part(text, starts)
        return ends

    return step


def repeated(part: Step, least: int, most: int | None) -> Step:
    known: dict[tuple[str, int], int] = {}

    def step(text: str, starts: int) -> int:
        if (text, starts) not in known:
            if len(known) >= _KEPT:
                known.clear()
            known[text, starts] = _loop(part, least, most, text, starts)
        return known[text, starts]

    return step


def _loop(part: Step, least: int, most: int | None, text: str, starts: int) -> int:
    reached, count = starts, 0
    ends = starts if least == 0 else 0
    while count != most:
        reached, before = part(text, reached), ends
        count += 1
        if not reached:
            break
        if count >= least:
            ends |= reached
            if ends == before:  # all of these were reached with fewer repetitions
                break
    return ends


def _where(test: Callable[[str, int], bool]) -> Step:
    return lambda text, starts: sum(1 << i for i in range(len(text) + 1) if starts >> i & 1 and test(text, i))


def _at_word_edge(text: str, at: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at : at + 1]
    return bool(_WORD.match(before)) != bool(_WORD.match(after))


text_start = _where(lambda _text, at: at == 0)
text_end = _where(lambda text, at: at == len(text))
line_start = _where(lambda text, at: at == 0 or text[at - 1] == "\n")
line_end = _where(lambda text, at: at == len(text) or text[at] == "\n")
word_edge = _where(_at_word_edge)
no_word_edge = _where(lambda text, at: not _at_word_edge(text, at))
