"""What is held to be true while a tag is read: facts, conditions, and texts still to be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from parsers.gotemplate import TemplateError
from parsers.inversion.functions import printed
from parsers.inversion.shapes import fits
from parsers.inversion.terms import (
    ABSENT,
    NO_VALUE,
    NOTHING,
    UNKNOWN,
    UNSAID,
    Const,
    FactValue,
    Has,
    Lookup,
    Term,
    evaluate,
    holds,
)

# What a byte that is no UTF-8 is written as on its way here: half a rune, where a template cut it.
REPLACEMENT: Final = "\ufffd".encode()
_REPLACED: Final = re.compile(b"(?:" + REPLACEMENT + b")+")

# Docker prints the first 12 hex digits of an id as its short form (internal/stringid).
SHORT_ID = 12
_PREFIX = "sha256:"


class State(msgspec.Struct, frozen=True):
    """One assumption about a container."""

    facts: Mapping[str, FactValue] = {}
    guards: Mapping[Term, bool] = {}
    checks: tuple[tuple[Term, bytes], ...] = ()  # terms whose printed text is known, their facts not


def assign(state: State, name: str, value: FactValue) -> State | None:
    """The state with one more fact; None when that cannot be."""
    if isinstance(value, bytes) and not (fits(name, value) and is_text(value)):
        return None
    facts = dict(state.facts)
    for fact, text in ((name, value), *_follows(name, value)):
        merged = _merged(facts.get(fact), text)
        if merged is None:
            return None
        facts[fact] = merged
    if not _ids_agree(facts):
        return None
    return State(facts, state.guards, state.checks)


def _follows(name: str, value: FactValue) -> tuple[tuple[str, FactValue], ...]:
    """A full id tells its short form; an image's does not tell which of the two it has."""
    if name == "FullID" and isinstance(value, bytes):
        return (("ID", value[:SHORT_ID]),)
    return ()


def _ids_agree(facts: Mapping[str, FactValue]) -> bool:
    for short, full, starts in (("ID", "FullID", (0,)), ("ImageID", "ImageFullID", (0, len(_PREFIX)))):
        one, other = facts.get(short), facts.get(full)
        if not isinstance(one, bytes) or not isinstance(other, bytes):
            continue
        if one not in [other[start : start + SHORT_ID] for start in starts]:
            return False
    return True


def _merged(old: FactValue | None, new: FactValue) -> FactValue | None:
    """What both say, None when they contradict each other."""
    if old is None or old == new:
        return new
    both = [value for value in _possible(old) if value in _possible(new)]
    return both[0] if both else None


def _possible(value: FactValue) -> tuple[FactValue, ...]:
    if value is NOTHING:
        return (ABSENT, b"")
    return (ABSENT, NO_VALUE) if value is UNSAID else (value,)


def is_text(value: bytes) -> bool:
    """Docker's facts come out of JSON: a text that begins or ends within a rune is none."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def agree(made: bytes, text: bytes) -> bool:
    """Whether what a template made can be this text of a tag."""
    return made == text or (REPLACEMENT in text and _replaced(made) == _replaced(text))


def _replaced(text: bytes) -> bytes:
    return _REPLACED.sub(REPLACEMENT, text.decode("utf-8", "replace").encode())


def check(state: State, term: Term, text: bytes) -> State:
    """The state that remembers what a term printed."""
    known = (term, text) in state.checks
    return state if known else State(state.facts, state.guards, (*state.checks, (term, text)))


def suppose(state: State, condition: Term, truth: bool) -> State | None:
    """The state in which a condition holds, or does not; None when it is known to be otherwise."""
    decided = holds(condition, state.facts)
    if decided is not None:
        return state if decided == truth else None
    if state.guards.get(condition, truth) != truth:
        return None
    supposed = State(state.facts, {**state.guards, condition: truth}, state.checks)
    if isinstance(condition, Lookup | Has):
        return _suppose_entry(supposed, condition, truth)
    return supposed


def _suppose_entry(state: State, condition: Lookup | Has, truth: bool) -> State | None:
    """A false entry is empty or absent; a true one is a text, which is told when only one is left."""
    entry = condition.entry if isinstance(condition, Has) else condition
    if not truth:
        empty: FactValue = b"" if entry.missing is None else NOTHING
        return assign(state, entry.name, ABSENT if isinstance(condition, Has) else empty)
    found = state.facts.get(entry.name)
    texts = () if found is None else [value for value in _possible(found) if isinstance(value, bytes)]
    return assign(state, entry.name, texts[0]) if texts else state


def survives(state: State) -> bool:
    """Whether everything that was put off is true as far as the facts tell."""
    for term, text in state.checks:
        try:
            value = evaluate(term, state.facts)
        except TemplateError:
            return False
        if value is not UNKNOWN and not agree(printed(value), text):
            return False
    return all(holds(term, state.facts) in (None, truth) for term, truth in state.guards.items())


def constant(term: Term) -> bytes | None:
    """The text of a constant string."""
    return term.value if isinstance(term, Const) and isinstance(term.value, bytes) else None
