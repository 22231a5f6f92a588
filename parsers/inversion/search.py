"""All readings of a tag, one after the other, within a budget."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from parsers.inversion.certain import text_of
from parsers.inversion.patterns import Alt, Chars, Guard, Lit, Loop, Pattern, Quoted, Seq, Slot
from parsers.inversion.state import State, survives
from parsers.inversion.terms import Call, Whole, parts
from parsers.inversion.undo import bind, decide
from parsers.inversion.walk import Places, Walker, positions

# Steps of the search through the readings of one tag: some milliseconds. The text of a tag can have more
# readings than anybody could look at.
MAX_STEPS: Final = 2_000
# Bytes that the search may put through template functions: half a second of the slowest. Without this limit a
# long tag would cost a step's time for each of its bytes.
MAX_WORK: Final = 1 << 19

_JSON: Final = json.JSONDecoder()

Todo = tuple[Any, "Todo"] | None
Frame = tuple[Todo, int, State]


class _Progress(msgspec.Struct, frozen=True):
    """Between the passes of a loop: the last one must have moved on."""

    position: int


class Search:
    """Goes through the readings of one tag, depth first; `is_cut_short` says that it had to stop."""

    def __init__(self, tag: bytes, places: Places) -> None:
        self._tag = tag
        self._places = places
        self._walker = Walker(tag)
        self._steps = 0
        self._work = 0
        self.is_cut_short = False

    def states(self, pattern: Pattern, state: State) -> Iterator[State]:
        stack: list[Iterator[Frame]] = [iter([((pattern, None), 0, state)])]
        while stack:
            frame = None if self._is_over() else next(stack[-1], None)
            if frame is None:
                stack.pop()
                continue
            end = self._advance(frame, stack)
            if end is None:
                continue
            self._work += sum(len(text) for _, text in end.checks)
            if survives(end):
                yield end

    def _is_over(self) -> bool:
        """Counts a step; whether there were too many."""
        self._steps += 1
        self.is_cut_short = self._steps > MAX_STEPS or self._work > MAX_WORK
        return self.is_cut_short

    def _advance(self, frame: Frame, stack: list[Iterator[Frame]]) -> State | None:
        """Follows one reading up to its next fork, which goes onto the stack, or to the end of the tag."""
        todo, at, state = frame
        while todo is not None:
            part, todo = todo
            match part:
                case Lit(text):
                    if not self._tag.startswith(text, at):
                        return None
                    at += len(text)
                case Seq(inner):
                    for piece in reversed(inner):
                        todo = (piece, todo)
                case Guard(term, truth):
                    supposed = decide(state, term, truth)
                    if supposed is None:
                        return None
                    state = supposed
                case _Progress(position):
                    if at == position:
                        return None
                case _:
                    stack.append(self._fork(part, todo, at, state))
                    return None
        return state if at == len(self._tag) else None

    def _fork(self, part: Any, todo: Todo, at: int, state: State) -> Iterator[Frame]:
        match part:
            case Slot():
                calls = sum(isinstance(term, Call) for term in parts(part.term))
                for end in self._ends(part, at, state):
                    if self._is_over():
                        return
                    self._work += (end - at) * calls
                    bound = bind(state, part.term, self._tag[at:end])
                    if bound is not None:
                        yield todo, end, bound
            case Alt(number, options):
                for place, option in enumerate(options):
                    if (number, place) in self._places.alive:
                        yield (option, todo), at, state
            case Loop(body):
                yield todo, at, state
                yield (body, (_Progress(at), (part, todo))), at, state
            case Chars() | Quoted():
                for end in positions(self._walker.step(part, 1 << at)):
                    yield todo, end, state

    def _ends(self, slot: Slot, at: int, state: State) -> Iterator[int]:
        alive = self._places.ends.get(slot.number, 0)
        known = text_of(slot.term, state)
        if known is not None:
            end = at + len(known)
            return iter([end] if self._tag.startswith(known, at) and alive >> end & 1 else [])
        if isinstance(slot.term, Call) and slot.term.function == "json" and _is_document(slot.term):
            ended = self._end_of_document(at)
            return iter([ended] if ended is not None and alive >> ended & 1 else [])
        return positions(self._walker.step(slot.shape, 1 << at) & alive)

    def _end_of_document(self, at: int) -> int | None:
        """JSON says itself where it ends. Its structure is ASCII, so each byte may count as a character."""
        try:
            return _JSON.raw_decode(self._tag.decode("latin-1"), at)[1]
        except (ValueError, RecursionError):
            return None


def _is_document(term: Call) -> bool:
    return isinstance(term.arguments[0], Whole)
