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
alone (moby pull request 38952); there the pieces of one stream follow each other, all of full size but a
last one without a newline, and the first record without the mark is the last piece. A short record with the
mark that continues no line is a line of a container with such a label.

The only clock is the journal's: `advance` is called with each entry's time before its records. That clock
may be set back (then no time has passed) and forward (then MAX_STEP_NS has), so a line waits for its timeout
as entries really come. Given the same entries, the same events leave, however the calls are batched, and
after a restart too: `held` says which records have to be fed again, `rests` what else must be known.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from parsers.clock import MAX_STEP_NS
from parsers.event import Event, Origin, Printed
from parsers.lines import clean, level_and_fields
from parsers.record import NANOSECONDS
from parsers.rests import Key, Rest, Rests

# The pieces of a line follow each other at once; only a program that writes slowly and without a newline
# (a progress bar) pauses in between, and it should be seen after a while.
TIMEOUT_NS = 30 * NANOSECONDS
# 64 pieces. Longer "lines" are binary output or dumps; Elasticsearch's and people's patience end earlier.
MAX_LINE_BYTES = 1 << 20
# All open lines together: memory, and how much of the journal a replay has to read again.
MAX_HELD_BYTES = 32 << 20
# Open lines: two streams of some thousand containers in the middle of a long line.
MAX_OPEN_LINES = 4096

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
    labelled: Origin | None = None  # of a short piece: when it ends no line, it is one with such a label


class _Line:
    """An open line. `parts` by ordinal."""

    __slots__ = ("first", "last", "parts", "size", "touched")

    def __init__(self, first: Event) -> None:
        self.first = first
        self.parts: dict[int, Part] = {}
        self.last = 0
        self.size = 0
        self.touched = 0

    @property
    def whole(self) -> bool:
        """Ordinals are distinct and none is above the last, so counting is enough."""
        return 0 < self.last <= len(self.parts)

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
        self._timeout = timeout_ns
        self._max_bytes = max_bytes
        self._max_held = max_held
        self._max_open = max_open
        self._open: dict[Key, _Line] = {}  # the least recently touched first
        self._rests = Rests()
        self._bytes = 0
        self._now = 0  # nanoseconds that have passed while there was something to wait for
        self._observed = 0  # of the latest entry
        self._deadline: int | None = None  # when the next line has waited too long, as `_now` counts

    @property
    def waiting(self) -> bool:
        """Whether something is to happen when nothing more comes: then it must be told the time."""
        return self._deadline is not None

    def held(self) -> tuple[tuple[int, int, int], ...]:
        """(position, index, sequence) of every record still held: a replay must feed them again."""
        events = (part.event for line in self._open.values() for part in line.parts.values())
        return tuple(sorted((event.position, event.index, event.sequence) for event in events))

    def rests(self) -> tuple[Rest, ...]:
        """What a replay must know beside the records that it feeds again."""
        return self._rests.saved(self._now, self._observed)

    def restore(self, rests: tuple[Rest, ...]) -> None:
        """Go on swallowing `rests`. To be called when the records that were held have been fed again."""
        self._rests.restore(rests, self._now)
        if rests:
            self._observed = rests[0].observed
        self._set_deadline()

    def add(self, part: Part) -> list[Event]:
        """Take one piece; what leaves because of it, expired lines first."""
        out = self.advance(part.event.observed)
        key = _key(part)
        if key in self._rests:
            self._swallow(key, part)
            return out
        line = self._open.get(key)
        if line is None and part.labelled is not None:
            return [*out, _finished(part.event, part.data, (), part.labelled)]
        if line is not None and _is_another(line, part):
            out.append(self._release(self._open.pop(key), "incomplete"))
            line = None
        if line is not None and part.ordinal in line.parts:
            self.dropped["duplicate_part"] += 1  # it does not count as a sign of life: a replay is without it
            return out
        self._take(key, line or _Line(part.event), part, out)
        self._make_room(out)
        self._set_deadline()
        return out

    def advance(self, observed: int) -> list[Event]:
        """Let go of lines that have waited too long, by the time of the next journal entry."""
        passed = observed - self._observed
        self._observed = observed
        if self._deadline is None or passed <= 0:
            return []
        self._now += min(passed, MAX_STEP_NS)
        if self._now < self._deadline:
            return []
        limit = self._now - self._timeout
        self._rests.expire(limit)
        return self._close_keys(
            [key for key, line in self._open.items() if line.touched <= limit], ended=False
        )

    def close(self, connection: int) -> list[Event]:
        """The connection has ended: nothing more comes for its lines."""
        if self._deadline is None:
            return []
        self._rests.close(connection)
        return self._close_keys([key for key in self._open if key[0] == connection], ended=True)

    def close_all(self) -> list[Event]:
        """Nothing more comes at all."""
        self._rests.clear()
        return self._close_keys(list(self._open), ended=True)

    def _take(self, key: Key, line: _Line, part: Part, out: list[Event]) -> None:
        tail = part.labelled is not None  # the end of an old engine's stream, without a newline
        ordinal = part.ordinal or len(line.parts) + 1
        line.parts[ordinal] = part
        if part.last or tail:
            line.last = ordinal
        line.size += len(part.data)
        self._bytes += len(part.data)
        if part.event.sequence < line.first.sequence:
            line.first = part.event
        line.touched = self._now
        self._open.pop(key, None)
        if line.whole:
            out.append(self._release(line, *(("unterminated",) if tail else ())))
        elif line.size > self._max_bytes:
            out.append(self._release(line, "truncated"))
            self._rests.begin(key, len(line.parts), line.last, self._now)
        else:
            self._open[key] = line

    def _swallow(self, key: Key, part: Part) -> None:
        self.dropped["truncated_part"] += 1
        self.dropped["truncated_bytes"] += len(part.data)
        self._rests.swallow(key, part.ordinal, part.last or part.labelled is not None, self._now)
        self._set_deadline()

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

    def _closed(self, line: _Line, ended: bool) -> Event:
        unterminated = ended and not line.last and line.contiguous
        return self._release(line, "unterminated" if unterminated else "incomplete")

    def _close_keys(self, keys: Iterable[Key], ended: bool) -> list[Event]:
        lines = sorted((self._open.pop(key) for key in keys), key=lambda line: line.first.sequence)
        self._set_deadline()
        return [self._closed(line, ended) for line in lines]

    def _make_room(self, out: list[Event]) -> None:
        while self._open and (len(self._open) > self._max_open or self._bytes > self._max_held):
            out.append(self._release(self._open.pop(next(iter(self._open))), "incomplete"))

    def _set_deadline(self) -> None:
        line, rest = next(iter(self._open.values()), None), self._rests.oldest
        touched = [at for at in (line.touched if line else None, rest) if at is not None]
        self._deadline = min(touched) + self._timeout if touched else None


def _key(part: Part) -> Key:
    container = part.event.origin.container
    return part.connection, container.id, container.name, part.event.stream, part.partial_id


def _is_another(line: _Line, part: Part) -> bool:
    """The same id and ordinal with other bytes, or an ordinal beyond the end, is another line's."""
    if not part.ordinal:
        return False
    if 0 < line.last < part.ordinal or (part.last and max(line.parts) > part.ordinal):
        return True
    same = line.parts.get(part.ordinal)
    return same is not None and same.data != part.data


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
