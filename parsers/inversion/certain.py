"""What every reading of a tag has in common.

A slot that stands at one place in all whole readings has its text there, and a fact that is settled settles
its other slots, until nothing more follows.
"""

from __future__ import annotations

from parsers.gotemplate import TemplateError
from parsers.inversion.functions import printed
from parsers.inversion.patterns import Alt, Guard, Loop, Pattern, Seq, Slot, slots
from parsers.inversion.state import State, is_text
from parsers.inversion.terms import UNKNOWN, Term, evaluate
from parsers.inversion.undo import bind, decide
from parsers.inversion.walk import Places, find_places, single


def settle(pattern: Pattern, tag: bytes, state: State) -> tuple[State, Places, bool] | None:
    """What is true in every reading, the places that are left, and whether nothing is open."""
    while True:  # each round settles a fact that the one before has not, and they are few
        places = find_places(pattern, tag, _known_texts(pattern, state))
        if places is None:
            return None
        settling = _Settling(tag, places, state)
        if not settling.visit(pattern):
            return None
        if settling.state == state or settling.is_whole:
            return settling.state, places, settling.is_whole
        state = settling.state


def _known_texts(pattern: Pattern, state: State) -> dict[int, bytes]:
    texts = {slot.number: text_of(slot.term, state) for slot in slots(pattern)}
    return {number: text for number, text in texts.items() if text is not None}


def text_of(term: Term, state: State) -> bytes | None:
    """What the term prints, where the facts say it and a tag can hold it."""
    try:
        value = evaluate(term, state.facts)
    except TemplateError:
        return None
    text = None if value is UNKNOWN else printed(value)
    return text if text is None or is_text(text) else None


class _Settling:
    """One pass over the parts of a pattern that every reading has."""

    def __init__(self, tag: bytes, places: Places, state: State) -> None:
        self._tag = tag
        self._places = places
        self.state = state
        self.is_whole = True  # every part stands at one place

    def visit(self, pattern: Pattern) -> bool:
        """False when the facts contradict each other."""
        match pattern:
            case Seq(parts):
                return all(self.visit(part) for part in parts)
            case Slot():
                return self._slot(pattern)
            case Guard(term, truth):
                return self._take(decide(self.state, term, truth))
            case Alt(number, options):
                alive = [
                    option for place, option in enumerate(options) if (number, place) in self._places.alive
                ]
                if len(alive) == 1:
                    return self.visit(alive[0])
                self.is_whole = False
            case Loop():
                self.is_whole = False
        return True

    def _slot(self, slot: Slot) -> bool:
        start = single(self._places.starts.get(slot.number, 0))
        end = single(self._places.ends.get(slot.number, 0))
        if start is None or end is None:
            self.is_whole = False
            return True
        return self._take(bind(self.state, slot.term, self._tag[start:end]))

    def _take(self, state: State | None) -> bool:
        if state is not None:
            self.state = state
        return state is not None
