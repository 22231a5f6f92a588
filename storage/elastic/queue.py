"""Which events wait, which are on their way, and up to which checkpoint everything has arrived.

Bodies finish in any order; a checkpoint counts only when everything before it is done. No clock, no task.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from parsers.event import Event
from storage.store import Checkpoint

BODY_BYTES = 8 << 20
"""The most that one bulk body holds, some 9,000 lines: larger ones gain nothing and cost memory twice."""
CHUNK_BYTES = 1 << 20  # the grain of which bodies are made
WAITING_BYTES = 2 * BODY_BYTES  # two bodies ready while others are on their way: then `append` waits


class Chunk(msgspec.Struct, eq=False):
    """Some events in order, rendered. `checkpoint` holds once all of it and all before it is done."""

    events: Sequence[Event]
    body: bytes
    checkpoint: Checkpoint | None = None
    taken: bool = False
    done: bool = False
    index: str | None = None  # the write index as seen before it was sent

    def lighten(self) -> None:
        """All but a few of its events are done: let go of what only the others need."""
        self.events, self.body = self.events[:1], b""


class Queue:
    """Chunks in order of arrival."""

    def __init__(self) -> None:
        self.appended = 0  # chunks ever put
        self.finished = 0  # chunks done, counted from the first without a hole
        self.waiting_bytes = 0
        self.checkpoint: Checkpoint | None = None  # the newest with everything before it done
        self._open: deque[Chunk] = deque()
        self._waiting: deque[Chunk] = deque()

    @property
    def full(self) -> bool:
        return self.waiting_bytes >= WAITING_BYTES

    @property
    def lines(self) -> int:
        """Events that are not done."""
        return sum(len(chunk.events) for chunk in self._open)

    @property
    def in_flight(self) -> bool:
        """Some chunk was taken and is not done."""
        return any(chunk.taken and not chunk.done for chunk in self._open)

    @property
    def oldest(self) -> Chunk | None:
        """The first chunk that is not done."""
        return self._open[0] if self._open else None

    def put(self, chunk: Chunk) -> None:
        self.appended += 1
        self.waiting_bytes += len(chunk.body)
        self._open.append(chunk)
        self._waiting.append(chunk)

    def move(self, checkpoint: Checkpoint) -> None:
        """A checkpoint after all that was put."""
        if self._open:
            self._open[-1].checkpoint = checkpoint
        else:
            self.checkpoint = checkpoint

    def take(self, limit: int, index: str | None) -> list[Chunk]:
        """What waits, up to about `limit` bytes and at least one chunk; empty when nothing waits."""
        taken: list[Chunk] = []
        size = 0
        while self._waiting and (not taken or size + len(self._waiting[0].body) <= limit):
            chunk = self._waiting.popleft()
            chunk.index, chunk.taken = index, True
            size += len(chunk.body)
            taken.append(chunk)
        self.waiting_bytes -= size
        return taken

    def finish(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            chunk.done = True
            chunk.events, chunk.body = (), b""
        while self._open and self._open[0].done:
            self.checkpoint = self._open.popleft().checkpoint or self.checkpoint
            self.finished += 1
