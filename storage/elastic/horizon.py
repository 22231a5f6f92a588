"""Up to which offset a search in Elasticsearch sees everything, for answers that cannot wait for more."""

import time
from collections import deque
from collections.abc import Sequence

import msgspec

from parsers.event import Event

MAX_MARKS = 1000  # nobody asks, nothing is refreshed: then marks are merged, which only makes them coarser


class Mark(msgspec.Struct, frozen=True, gc=False):
    """The end of a chunk of events that was given to the queue."""

    number: int  # chunks put up to and including this one
    offset: int  # of its last event
    observed: int  # of its first event, nanoseconds
    events: int


class Horizon:
    """Follows chunks from the queue until a refresh has made them visible. No task, no lock."""

    def __init__(self) -> None:
        self.offset = -1  # everything of our journal up to here is visible
        self.chunks = 0  # so many are
        self._marks: deque[Mark] = deque()

    def begin(self, offset: int) -> None:
        """What earlier runs have stored and a search sees."""
        self.offset = max(self.offset, offset)

    def put(self, number: int, events: Sequence[Event]) -> None:
        """Chunk `number` with these events was put."""
        observed, count = events[0].observed, len(events)
        if len(self._marks) >= MAX_MARKS:
            last = self._marks.pop()
            observed, count = last.observed, last.events + count
        self._marks.append(Mark(number, events[-1].offset, observed, count))

    def refreshed(self, chunks: int) -> None:
        """A refresh began after the first `chunks` chunks were done, and has ended."""
        self.chunks = max(self.chunks, chunks)
        while self._marks and self._marks[0].number <= chunks:
            self.begin(self._marks.popleft().offset)

    @property
    def lines_behind(self) -> int:
        """Events that were put and that a search may not see yet."""
        return sum(mark.events for mark in self._marks)

    @property
    def seconds_behind(self) -> float:
        """Since the first of them was read from the network."""
        if not self._marks:
            return 0.0
        return max(0.0, (time.time_ns() - self._marks[0].observed) / 1e9)
