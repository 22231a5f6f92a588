"""A pattern and a tag -> the facts that every reading of the tag has, and the readings where they differ.

First what is certain: a slot that stands at one place in all whole readings has its text, and a fact that is
settled settles its other slots. Only where that leaves something open are the readings gone through one by
one, within a budget: past it, what was certain is still told, and the rest is said to be ambiguous.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from parsers.inversion.certain import settle
from parsers.inversion.search import Search
from parsers.inversion.state import State, assign, survives
from parsers.inversion.symbolic import Symbolic
from parsers.inversion.terms import UNKNOWN, Lookup, Term, Whole, evaluate, show
from parsers.inversion.walk import Places

# Readings that are shown; one more and there are "more".
MAX_READINGS: Final = 32


class Reading(msgspec.Struct, frozen=True):
    """What a tag says.

    `fields`: what is the same in all readings, by the paths that the template uses. `ambiguous`: the readings
    of the other fields, when there are several (`more`: not all of them). `partial`: what expressions of
    fields printed, where that does not tell the field itself.
    """

    fields: Mapping[str, str]
    ambiguous: tuple[Mapping[str, str], ...] = ()
    more: bool = False
    partial: Mapping[str, str] = {}


def read(symbolic: Symbolic, tag: bytes, known: Mapping[str, bytes]) -> Reading | None:
    """The reading of a tag with the `known` facts held true; None when the template cannot have made it."""
    state: State | None = State()
    for name, value in known.items():
        state = None if state is None else assign(state, name, value)
    settled = None if state is None else settle(symbolic.pattern, tag, state)
    if settled is None:
        return None
    state, places, is_whole = settled
    if is_whole:
        return _reading(symbolic, [state], _partial(state), state, False) if survives(state) else None
    found, partial, more = _collect(symbolic, tag, state, places)
    if not found and not more:
        return None
    return _reading(symbolic, found, partial, state, more)


def _collect(
    symbolic: Symbolic, tag: bytes, state: State, places: Places
) -> tuple[list[State], dict[str, str], bool]:
    """The states of readings with different fields, what all tell in part, and whether there are more."""
    search = Search(tag, places)
    found: dict[frozenset[tuple[str, str]], State] = {}
    partial: dict[str, str] | None = None
    for end in search.states(symbolic.pattern, state):
        key = frozenset(_fields(symbolic, end).items())
        if key not in found and len(found) == MAX_READINGS:
            return list(found.values()), _partial(state), True
        found.setdefault(key, end)
        partial = _partial(end) if partial is None else _common([partial, _partial(end)])
    more = search.is_cut_short
    return list(found.values()), _partial(state) if more or partial is None else partial, more


def _reading(
    symbolic: Symbolic, states: list[State], partial: dict[str, str], certain: State, more: bool
) -> Reading:
    """What the readings have in common, and how they differ. When not all are known, `certain` has that."""
    readings = [_fields(symbolic, state) for state in states]
    common = _fields(symbolic, certain) if more else _common(readings)
    if (not more and len(readings) == 1) or not _untold(symbolic, common):
        return Reading(common, partial=partial)
    rest = [{name: text for name, text in one.items() if name not in common} for one in readings]
    return Reading(common, tuple(rest), more, partial)


def _untold(symbolic: Symbolic, fields: Mapping[str, str]) -> bool:
    """Whether the template uses facts that are not among the fields."""
    return any(not isinstance(term, Whole) and path not in fields for path, term in symbolic.paths.items())


def _common(readings: list[dict[str, str]]) -> dict[str, str]:
    first, *others = readings
    return {name: text for name, text in first.items() if all(one.get(name) == text for one in others)}


def _fields(symbolic: Symbolic, state: State) -> dict[str, str]:
    """The facts that are known, under the paths by which the template uses them."""
    found: dict[str, bytes] = {}
    for path, term in symbolic.paths.items():
        if isinstance(term, Whole) and term.kind != "time":
            found.update(_entries(term, state))
        else:
            value = _told(term, state)
            if value is not None:
                found[path] = value
    return {path: value.decode("utf-8", "replace") for path, value in found.items()}


def _told(term: Term, state: State) -> bytes | None:
    value: Any = (
        state.facts.get(term.name) if isinstance(term, Whole | Lookup) else evaluate(term, state.facts)
    )
    return value if isinstance(value, bytes) else None


def _entries(whole: Whole, state: State) -> Iterator[tuple[str, bytes]]:
    for name, value in state.facts.items():
        if isinstance(value, bytes) and (not whole.name or (name + ".").startswith(whole.name + ".")):
            yield name, value


def _partial(state: State) -> dict[str, str]:
    return {
        show(term): text.decode("utf-8", "replace")
        for term, text in state.checks
        if evaluate(term, state.facts) is UNKNOWN
    }
