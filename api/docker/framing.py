"""Events -> the bytes of `docker logs`: exactly what the container printed, in Docker's frames.

    [stream 1|2|3] [0 0 0] [length, 32 bits, big endian] [payload]     moby pkg/stdcopy/stdcopy.go

One frame holds one entry: a line with its newline, or a piece of a long line (moby daemon/logger/copier.go
cuts lines every 16,384 bytes, and only the last piece has the newline). With timestamps or details, each
entry begins with them, so a long line has them in its middle too, as with Docker's own drivers
(moby api/server/httputils/write_log_stream.go).

Docker's GELF driver does not mark pieces (daemon/logger/gelf/gelf.go): a message of a piece's size has its
newline only when the next one of its stream has another time, because pieces have that of their line's start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote_plus

from api.docker.params import LogOptions
from parsers.event import Event, Origin
from parsers.join import PIECE
from storage.times import rfc3339

STDOUT, STDERR, SYSTEM_ERROR = 1, 2, 3
SHORT_ID = 12
MAX_KNOWN = 1_000  # containers whose details are remembered, some 1 kB each; more only cost time

_HEADS = {STDOUT: bytes((STDOUT, 0, 0, 0)), STDERR: bytes((STDERR, 0, 0, 0))}
_UNENDED = frozenset(("joined", "unterminated", "incomplete"))  # flags of what is not a line and its newline

Details = Callable[[Origin], bytes]
Entry = tuple[int, int, bytes]  # timestamp, stream, payload without what -t and --details add


def system_error(message: str) -> bytes:
    """What makes a client say "error from daemon in stream" and end with an error."""
    payload = f"Error grabbing logs: {message}\n".encode()
    return bytes((SYSTEM_ERROR, 0, 0, 0)) + len(payload).to_bytes(4, "big") + payload


def count_entries(event: Event) -> int:
    """How many entries of Docker's an event is; `--tail` counts these."""
    return 1 if is_one_line(event) else sum(1 for _ in entries(event))


def is_unmarked_piece(event: Event, size: int) -> bool:
    """Whether it is a piece of a line that came over GELF, or a whole line of just that size (of bytes).

    At least a piece's size: three bytes stand for one that is not UTF-8. Over fluentd all pieces are marked.
    """
    return size >= PIECE and event.origin.container.id is not None and _UNENDED.isdisjoint(event.flags)


def is_one_line(event: Event) -> bool:
    """Whether it is its message and a newline."""
    return not event.printed and (not event.flags or _UNENDED.isdisjoint(event.flags))


def entries(event: Event) -> Iterator[Entry]:
    """The entries that an event was made of."""
    stream = STDERR if event.stream == "stderr" else STDOUT
    if not event.printed:
        yield from _pieces(event.timestamp, stream, event.message.encode(), event.flags)
        return
    last = len(event.printed) - 1
    for number, line in enumerate(event.printed):
        own = STDERR if line.stream == "stderr" else STDOUT
        yield from _pieces(line.timestamp, own, line.data, event.flags if number == last else ())


def _pieces(timestamp: int, stream: int, data: bytes, flags: tuple[str, ...]) -> Iterator[Entry]:
    """A line as Docker had it: whole, or cut every PIECE bytes when it was joined from pieces.

    A line of exactly n pieces is followed by an empty one that only brings the newline. A line that waited
    too long left without its end when all that is there are whole pieces.
    """
    unended = "unterminated" in flags or ("incomplete" in flags and data and len(data) % PIECE == 0)
    end = b"" if unended else b"\n"
    if "joined" not in flags:
        yield timestamp, stream, data + end
        return
    cut = (len(data) - 1) // PIECE * PIECE if unended else len(data) // PIECE * PIECE
    for start in range(0, cut, PIECE):
        yield timestamp, stream, data[start : start + PIECE]
    yield timestamp, stream, data[cut:] + end


class Framer:
    """Turns events into frames for the options of one request."""

    def __init__(self, options: LogOptions, details: Details) -> None:
        self._options, self._make = options, details
        self._known: dict[str, bytes] = {}
        self._hidden = {STDOUT} if not options.stdout else {STDERR} if not options.stderr else set()
        self._unended: dict[tuple[str, int], int] = {}  # (container, stream): when the open line began

    def frames(self, events: Sequence[Event], skip: int = 0) -> bytes:
        """The frames of `events`, but for the first `skip` entries, which are of the first event."""
        if skip:
            return b"".join(self._entries(events[0])[skip:]) + self.frames(events[1:])
        parts: list[bytes] = []
        plain, hidden = not (self._options.timestamps or self._options.details), self._hidden
        for event in events:
            if not is_one_line(event):
                parts += self._entries(event)
                continue
            stream = STDERR if event.stream == "stderr" else STDOUT
            if stream in hidden:
                continue
            line = event.message.encode()
            if self._unended or len(line) >= PIECE:
                parts += self._entries(event)
                continue
            if not plain:
                line = self._prefix(event.origin, event.timestamp) + line
            parts += (_HEADS[stream], (len(line) + 1).to_bytes(4, "big"), line, b"\n")
        return b"".join(parts)

    def _entries(self, event: Event) -> list[bytes]:
        """One frame for each entry; an empty one for a stream that is not wanted."""
        found = list(entries(event))
        timestamp, stream, payload = found[0]
        before = self._newline(event, timestamp, stream)
        if len(found) == 1 and is_unmarked_piece(event, len(payload) - 1):
            self._unended[event.origin.container.id or "", stream] = timestamp
            found = [(timestamp, stream, payload[:-1])]
        frames = [self._frame(event.origin, *entry) for entry in found]
        return [before + frames[0], *frames[1:]]

    def _newline(self, event: Event, timestamp: int, stream: int) -> bytes:
        """The newline that the line before was left without, unless this goes on with it."""
        if not self._unended:
            return b""
        began = self._unended.pop((event.origin.container.id or "", stream), timestamp)
        return b"" if began == timestamp else self._plain(stream)

    def end(self) -> bytes:
        """What is missing when nothing more comes."""
        return b"".join([self._plain(stream) for _, stream in self._unended])

    def _plain(self, stream: int) -> bytes:
        return b"" if stream in self._hidden else _HEADS[stream] + b"\0\0\0\1\n"

    def _frame(self, origin: Origin, timestamp: int, stream: int, payload: bytes) -> bytes:
        if stream in self._hidden:
            return b""
        body = self._prefix(origin, timestamp) + payload
        return _HEADS[stream] + len(body).to_bytes(4, "big") + body

    def _prefix(self, origin: Origin, timestamp: int) -> bytes:
        time = rfc3339(timestamp).encode() + b" " if self._options.timestamps else b""
        return time + self._details(origin) + b" " if self._options.details else time

    def _details(self, origin: Origin) -> bytes:
        known = self._known.get(origin.key)
        if known is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._known[origin.key] = self._make(origin)
        return known


def attributes(pairs: Iterable[tuple[str, str]]) -> bytes:
    """What --details prints: sorted by key, query-escaped, with commas between them."""
    return ",".join(f"{quote_plus(key)}={quote_plus(text)}" for key, text in sorted(pairs)).encode()


def container_details(origin: Origin) -> bytes:
    """Labels, and the tag where it is not the one that Docker uses when none is set (json-file's attrs)."""
    pairs = dict(origin.labels)
    identity = origin.container.id or ""
    if origin.tag and origin.tag != identity[:SHORT_ID]:
        pairs.setdefault("tag", origin.tag)
    return attributes(pairs.items())
