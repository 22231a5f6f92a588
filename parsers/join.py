"""Docker's pieces of long lines, put together again.

Docker cuts a line every 16,384 bytes (moby daemon/logger/copier.go) and its fluentd driver marks each piece
with the line's partial_id, an ordinal from 1 and whether it is the last. Pieces are joined as bytes, because
the cut may fall inside a character. A line leaves, in this order of events,

    whole        every ordinal from 1 to the last is there
    "unterminated"  its connection ended, and nothing but the last piece is missing: the container exited
                 without a newline, which Docker sends as a piece that is not the last
    "incomplete" its connection ended, or nothing came for `timeout_ns`, or room was needed
    "truncated"  it grew beyond `max_bytes`: what is there leaves, the rest is swallowed and counted

A line of more than one piece also carries "joined". Engines before 19.03 mark pieces by partial_message
alone (moby pull request 38952); there the pieces of one stream follow each other, and the first record
without the mark is the last piece.

The only clock is the journal's: `now` and the `observed` of parts. Given the same entries, the same events
leave, however the calls are batched, when `advance` is called with each entry's time before its records.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from parsers.event import Event, Origin, Printed
from parsers.lines import clean, level_and_fields
from parsers.record import NANOSECONDS

# The pieces of a line follow each other at once; only a program that writes slowly and without a newline
# (a progress bar) pauses in between, and it should be seen after a while.
TIMEOUT_NS = 30 * NANOSECONDS
# 64 pieces. Longer "lines" are binary output or dumps; Elasticsearch's and people's patience end earlier.
MAX_LINE_BYTES = 1 << 20
# All open lines together: memory, and how much of the journal a replay has to read again.
MAX_HELD_BYTES = 32 << 20
# Open lines: two streams of some thousand containers in the middle of a long line.
MAX_OPEN_LINES = 4096
# A truncated line keeps its first record held, so that after a restart the rest is known to be its rest; a
# line without an end would hold the journal for ever.
MAX_PIN_NS = 600 * NANOSECONDS
# Containers whose `partial_message` turned out to be a label.
MAX_LABELLED = 10_000

# The size of every piece of Docker's but the last.
PIECE = 16_384


class Part(msgspec.Struct, frozen=True, gc=False):
    """One piece of a line. `event` is its record normalised, without a message."""

    event: Event
    data: bytes
    connection: int
    partial_id: str = ""  # "": an old engine's, or the record that ends such a sequence
    ordinal: int = 0  # from 1; 0: pieces are in order of arrival
    last: bool = False
    labelled: Origin | None = None  # of a piece that may be no piece, but a line with such a label


_Key = tuple[int, str | None, str | None, str | None, str]


class _Line:
    """An open line. `parts` by ordinal; `pinned` once it is truncated."""

    __slots__ = ("first", "last", "parts", "seen", "size", "swallowing", "touched")

    def __init__(self, part: Part) -> None:
        self.first = part.event
        self.parts: dict[int, Part] = {}
        self.last = 0
        self.seen = 0
        self.size = 0
        self.swallowing = False
        self.touched = 0

    @property
    def whole(self) -> bool:
        """Ordinals are distinct and none is above the last, so counting is enough."""
        return self.last > 0 and self.seen >= self.last

    @property
    def contiguous(self) -> bool:
        return max(self.parts) == len(self.parts)


class Joiner:
    """Holds pieces until their line is whole or has to go. `dropped` counts what was left out, by reason:
    "duplicate_part" (records), "truncated_part" (records swallowed), "truncated_bytes" (bytes left out)."""

    def __init__(
        self,
        timeout_ns: int = TIMEOUT_NS,
        max_bytes: int = MAX_LINE_BYTES,
        max_held: int = MAX_HELD_BYTES,
        max_open: int = MAX_OPEN_LINES,
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self.deadline: int | None = None  # `advance` does nothing before this time
        self._timeout = timeout_ns
        self._max_bytes = max_bytes
        self._max_held = max_held
        self._max_open = max_open
        self._open: dict[_Key, _Line] = {}  # the least recently touched first
        self._bytes = 0
        self._now = 0
        self._labelled: dict[_Key, None] = {}

    def held(self) -> tuple[tuple[int, int, int], ...]:
        """(position, index, sequence) of every record still held: a replay must feed them again."""
        events = (
            part.event
            for line in self._open.values()
            if not line.swallowing or self._now - line.first.observed < MAX_PIN_NS
            for part in line.parts.values()
        )
        return tuple(sorted((event.position, event.index, event.sequence) for event in events))

    def add(self, part: Part) -> list[Event]:
        """Take one piece; what leaves because of it, expired lines first."""
        out = self.advance(part.event.observed)
        key = _key(part)
        if part.labelled is not None and self._is_label(key, part, out):
            return out
        line = self._open.pop(key, None)
        if line is not None and self._is_another(line, part):
            out.append(self._release(line, "incomplete"))
            line = None
        if line is None:
            line = _Line(part)
        line.touched = self._now
        self._open[key] = line
        self._take(key, line, part, out)
        self._make_room(out)
        self._set_deadline()
        return out

    def advance(self, now: int) -> list[Event]:
        """Let go of lines that have waited too long. A time before the latest one changes nothing."""
        self._now = max(self._now, now)
        if self.deadline is None or self._now < self.deadline:
            return []
        limit = self._now - self._timeout
        return self._close_keys(
            [key for key, line in self._open.items() if line.touched <= limit], ended=False
        )

    def close(self, connection: int) -> list[Event]:
        """The connection has ended: nothing more comes for its lines."""
        if not self._open:
            return []
        return self._close_keys([key for key in self._open if key[0] == connection], ended=True)

    def close_all(self) -> list[Event]:
        """Nothing more comes at all."""
        return self._close_keys(list(self._open), ended=True)

    def _is_label(self, key: _Key, part: Part, out: list[Event]) -> bool:
        """Whether an id-less piece is a line with a label called partial_message; then its event is in `out`.

        An old engine's short piece ends its stream. When a second one follows, both were lines.
        """
        if len(part.data) >= PIECE:
            return False
        if key in self._labelled:
            out.append(_finished(part.event, part.data, (), part.labelled))
            return True
        line = self._open.get(key)
        if line is None or line.swallowing or len(line.parts[max(line.parts)].data) >= PIECE:
            return False
        if len(self._labelled) >= MAX_LABELLED:
            self._labelled.clear()
        self._labelled[key] = None
        del self._open[key]
        out.append(self._as_label(line) if len(line.parts) == 1 else self._release(line, "unterminated"))
        out.append(_finished(part.event, part.data, (), part.labelled))
        self._set_deadline()
        return True

    def _is_another(self, line: _Line, part: Part) -> bool:
        """The same id and ordinal with other bytes, or an ordinal beyond the end, is another line's."""
        if line.swallowing or not part.ordinal:
            return False
        if 0 < line.last < part.ordinal or (part.last and max(line.parts) > part.ordinal):
            return True
        same = line.parts.get(part.ordinal)
        return same is not None and same.data != part.data

    def _take(self, key: _Key, line: _Line, part: Part, out: list[Event]) -> None:
        ordinal = part.ordinal or line.seen + 1
        if not line.swallowing and ordinal in line.parts:
            self.dropped["duplicate_part"] += 1
            return
        line.seen += 1
        if part.last:
            line.last = ordinal
        if line.swallowing:
            self.dropped["truncated_part"] += 1
            self.dropped["truncated_bytes"] += len(part.data)
        else:
            line.parts[ordinal] = part
            line.size += len(part.data)
            self._bytes += len(part.data)
            if part.event.sequence < line.first.sequence:
                line.first = part.event
        if line.whole:
            del self._open[key]
            if not line.swallowing:
                out.append(self._release(line))
        elif line.size > self._max_bytes and not line.swallowing:
            out.append(self._truncate(line))

    def _truncate(self, line: _Line) -> Event:
        """What is there leaves; the line stays open to swallow the rest, held by its first record."""
        event = self._release(line, "truncated")
        first = next(part for part in line.parts.values() if part.event is line.first)
        line.parts = {1: first}
        line.size, line.swallowing = 0, True
        return event

    def _release(self, line: _Line, *flags: str) -> Event:
        self._bytes -= line.size
        parts = [line.parts[ordinal] for ordinal in sorted(line.parts)]
        if len(parts) > 1:
            flags = ("joined", *flags)
        if not line.contiguous and "incomplete" not in flags:
            flags = (*flags, "incomplete")
        data = b"".join(part.data for part in parts)
        if len(data) > self._max_bytes:
            self.dropped["truncated_bytes"] += len(data) - self._max_bytes
            data = data[: self._max_bytes]
            flags = flags if "truncated" in flags else (*flags, "truncated")
        return _finished(line.first, data, flags)

    def _as_label(self, line: _Line) -> Event:
        self._bytes -= line.size
        (part,) = line.parts.values()
        return _finished(part.event, part.data, (), part.labelled)

    def _closed(self, line: _Line, ended: bool) -> Event:
        if not ended and len(line.parts) == 1 and _may_be_label(next(iter(line.parts.values()))):
            return self._as_label(line)  # an old engine's short piece comes only when its connection ends
        unterminated = ended and not line.last and line.contiguous
        return self._release(line, "unterminated" if unterminated else "incomplete")

    def _close_keys(self, keys: Iterable[_Key], ended: bool) -> list[Event]:
        lines = sorted((self._open.pop(key) for key in keys), key=lambda line: line.first.sequence)
        self._set_deadline()
        return [self._closed(line, ended) for line in lines if not line.swallowing]

    def _make_room(self, out: list[Event]) -> None:
        while self._open and (len(self._open) > self._max_open or self._bytes > self._max_held):
            line = self._open.pop(next(iter(self._open)))
            if not line.swallowing:
                out.append(self._release(line, "incomplete"))

    def _set_deadline(self) -> None:
        oldest = next(iter(self._open.values()), None)
        self.deadline = None if oldest is None else oldest.touched + self._timeout


def _key(part: Part) -> _Key:
    container = part.event.origin.container
    return part.connection, container.id, container.name, part.event.stream, part.partial_id


def _may_be_label(part: Part) -> bool:
    return part.labelled is not None and len(part.data) < PIECE


def _finished(event: Event, data: bytes, flags: tuple[str, ...], origin: Origin | None = None) -> Event:
    """`event` with the line `data`: decoded, cleaned and read now that it is whole."""
    message, printed = message_of(data, event.stream, event.timestamp)
    level, fields, json_line = level_and_fields(message)
    return Event(
        event.journal, event.position, event.index, event.timestamp, event.observed, event.sequence, 0,
        message, origin or event.origin, event.stream, level, fields, json_line, event.flags + flags, printed,
    )  # fmt: skip


def message_of(data: bytes, stream: str | None, timestamp: int) -> tuple[str, tuple[Printed, ...]]:
    """The message of a printed line, and what was printed where the message does not say it exactly."""
    message = clean(data.decode("utf-8", "replace"))
    if message.encode() == data:
        return message, ()
    return message, (Printed(data, stream, timestamp),)
