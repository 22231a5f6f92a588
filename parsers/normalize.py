"""A sender's record, normalised: who printed it, when, which level, which fields.

Docker's own records (container_id, source and log: moby daemon/logger/fluentd/fluentd.go) carry the line in
`log`, and every other key is a label. Any other sender's keys are fields.

The lines of one container differ only in `log`, `source` and their time. So what is left of a record is
compared with the previous record's: while it is equal, its Origin is the same object, and nothing else of
the record is looked at. All the rest of this file is for the first line of a container and for odd ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from parsers.clock import ANCIENT_NS, FUTURE_NS, MAX_TIMESTAMP, MIN_TIMESTAMP, marks
from parsers.containers import Containers, Known, bounded
from parsers.event import Event, Origin
from parsers.foreign import Line, line_of_parts, line_of_record
from parsers.headers import LEVEL_OF_SEVERITY
from parsers.join import PIECE, Part, message_of
from parsers.lines import level_and_fields
from parsers.pieces import Piece, take_piece
from parsers.record import NANOSECONDS, Record, nanoseconds
from parsers.rests import Rest
from parsers.tag import DEFAULT_TEMPLATE, TagTemplate
from parsers.values import plain, sound, text_of

if TYPE_CHECKING:
    from parsers.gelf import GelfMessage

STREAMS = ("stdout", "stderr")

# Connections with streams of old engines in the middle of a line (the longest ago goes), and streams of one.
MAX_UNFINISHED = 1000

# In the option of a record that had not its protocol's shape (parsers/packed.py).
_MALFORMED = "logdock_malformed"
_MISSING = object()
_DOCKERS_LEVELS = {6: "stdout", 3: "stderr"}  # daemon/logger/gelf/gelf.go, Log


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where an entry of the journal came from. `peer`: address without port, "" for a unix socket."""

    journal: str
    position: int
    observed: int  # nanoseconds
    peer: str
    connection: int


class Normalizer:
    """Keeps nothing but caches, and which streams of old engines are in the middle of a line."""

    def __init__(
        self, hostname: str, templates: Sequence[TagTemplate] = (TagTemplate.compile(DEFAULT_TEMPLATE),)
    ) -> None:
        self._containers = Containers(hostname, templates)
        self._recent: dict[int, Known] = {}  # by connection: its latest record
        self._unfinished: dict[int, set[tuple[str | None, str | None, str | None]]] = {}

    def forget(self, connection: int) -> None:
        """The connection has ended. Only frees memory: connection numbers are not used again."""
        self._recent.pop(connection, None)
        self._unfinished.pop(connection, None)

    def resume(self, rest: Rest) -> None:
        """A cut line's rest is still to come: an old engine's ends with an unmarked record."""
        if not rest.partial_id:
            self._begin(rest.connection, (rest.container_id, rest.container_name, rest.stream))

    def forward(
        self, records: Iterable[Record], source: Source, sequence: int, index: int = 0
    ) -> Iterator[Event | Part]:
        """One Event or Part for each record, in order and as they are asked for. Takes the records apart.

        Record i is index + i in its entry and sequence + i in the journal's order.
        """
        journal, position, observed = source.journal, source.position, source.observed
        earliest = observed - ANCIENT_NS if observed > ANCIENT_NS else 1
        furthest = observed + FUTURE_NS  # a time between them has no mark, if it is in order
        known = self._recent.get(source.connection)
        for record in records:
            data = record.record
            log = data.pop("log", _MISSING)
            stream = data.pop("source", _MISSING)
            time = record.time
            timestamp = time * NANOSECONDS if type(time) is int else nanoseconds(time) or 0
            if (
                known is not None
                and data == known.meta
                and record.tag == known.tag
                and type(log) is str
                and stream in STREAMS
                and earliest <= timestamp <= furthest
                and known.latest[stream] <= timestamp
                and "\x1b" not in log
                and "\r" not in log
                and (log.isascii() or log == sound(log))
                and not (record.option and _MALFORMED in record.option)
            ):
                known.latest[stream] = timestamp
                level, fields, json_line = level_and_fields(log)
                yield Event(
                    journal, position, index, timestamp, observed, sequence, 0, log,
                    known.origin, stream, level, fields, json_line, known.flags,
                )  # fmt: skip
            else:
                yield self._unusual(record, log, stream, timestamp, source, sequence, index)
                known = self._recent.get(source.connection)
            sequence += 1
            index += 1

    def gelf(self, message: GelfMessage, source: Source, sequence: int, index: int) -> Event:
        """The event of one GELF message. Docker's are known by their container id."""
        docker = self._containers.of_docker_gelf(message, source.peer)
        known = docker or self._containers.of_gelf(message, source.peer)
        stream = _DOCKERS_LEVELS.get(message.level or 0) if docker else None
        timestamp, flags = _time(message.timestamp or 0, source.observed, known, stream)
        line = _gelf_line(message, stream, timestamp) if docker else _other_gelf_line(message, timestamp)
        return _event(source, sequence, index, timestamp, line, known.origin, stream, flags)

    def _unusual(
        self,
        record: Record,
        log: Any,
        stream: Any,
        timestamp: int,
        source: Source,
        sequence: int,
        index: int,
    ) -> Event | Part:
        """Any record that is not like its connection's latest one in all but its line."""
        data = record.record
        if log is _MISSING or stream is _MISSING or "container_id" not in data:
            data.update((k, v) for k, v in (("log", log), ("source", stream)) if v is not _MISSING)
            return self._foreign(record, timestamp, source, sequence, index)
        if stream not in STREAMS:
            data["source"], stream = stream, None  # a label of that name has overwritten it
        piece = take_piece(data) if "partial_message" in data else None
        known = self._containers.of_docker(record.tag, data, source.peer)
        raw = log if isinstance(log, bytes) else text_of(log).encode()
        short = len(raw) < PIECE
        piece = self._piece_or_end(piece, short, known, stream, source.connection)
        timestamp, flags = _time(timestamp, source.observed, known, stream, record.option)
        line = _line(raw, stream, timestamp) if piece is None else _NO_LINE
        event = _event(source, sequence, index, timestamp, line, known.origin, stream, flags)
        if piece is None:
            return event
        labelled = None
        if short and not piece.id and not piece.last:
            meta = {**data, "partial_message": "true"}
            labelled = self._containers.of_docker(record.tag, meta, source.peer).origin
        return Part(event, raw, source.connection, piece.id, piece.ordinal, piece.last, labelled)

    def _piece_or_end(
        self, piece: Piece | None, short: bool, known: Known, stream: str | None, connection: int
    ) -> Piece | None:
        """`piece`, or the last piece that an unmarked record is to an old engine's stream of pieces.

        An unmarked record is remembered as the connection's latest, unless the next one like it might be such
        an end.
        """
        if piece is not None and piece.id:
            return piece
        container = known.origin.container
        key = (container.id, container.name, stream)
        streams = self._unfinished.get(connection, _NO_STREAMS)
        if piece is not None and not short:
            self._begin(connection, key)
        elif key in streams:
            streams.discard(key)
            if not streams:
                del self._unfinished[connection]
            return piece or Piece("", 0, True)
        elif piece is None and not streams:
            bounded(self._recent)[connection] = known
        return piece

    def _begin(self, connection: int, key: tuple[str | None, str | None, str | None]) -> None:
        streams = self._unfinished.setdefault(connection, set())
        if len(self._unfinished) > MAX_UNFINISHED:
            del self._unfinished[next(iter(self._unfinished))]
        if len(streams) >= MAX_UNFINISHED:
            streams.clear()
        streams.add(key)
        self._recent.pop(connection, None)

    def _foreign(self, record: Record, timestamp: int, source: Source, sequence: int, index: int) -> Event:
        data = record.record
        known = self._containers.of_record(record.tag, data, source.peer)
        stream = data.get("source")
        stream = stream if stream in STREAMS else None
        timestamp, flags = _time(timestamp, source.observed, known, stream, record.option)
        line = line_of_record(data, stream, timestamp)
        return _event(source, sequence, index, timestamp, line, known.origin, stream, flags)


_NO_LINE = Line("", None, None, False, ())
_NO_STREAMS: set[Any] = set()


def _time(
    timestamp: int,
    observed: int,
    known: Known,
    stream: str | None,
    option: dict[str, Any] | None = None,
) -> tuple[int, tuple[str, ...]]:
    """The timestamp and all flags so far: a sender's time that says nothing (0) is replaced by `observed`."""
    flags = known.flags
    if option and _MALFORMED in option:
        flags = (*flags, "malformed")
    if not timestamp:
        return observed, (*flags, "no_timestamp")
    if MIN_TIMESTAMP <= timestamp <= MAX_TIMESTAMP:
        return timestamp, flags + marks(timestamp, observed, known.latest, stream)
    # mostly milliseconds where seconds belong: the end of all time would be told instead, for every line
    return observed, (*flags, "no_timestamp", "clock_future" if timestamp > 0 else "clock_ancient")


def _line(raw: bytes, stream: str | None, timestamp: int) -> Line:
    message, printed = message_of(raw, stream, timestamp)
    return Line(message, *level_and_fields(message), printed)


def _gelf_line(message: GelfMessage, stream: str | None, timestamp: int) -> Line:
    text = sound(message.short_message)
    if "\x1b" in text or text.endswith("\r"):
        return _line(text.encode(), stream, timestamp)
    return Line(text, *level_and_fields(text), ())


def _other_gelf_line(message: GelfMessage, timestamp: int) -> Line:
    """Docker's level only marks the stream; any other sender's is its own word (syslog's severities)."""
    fields = plain(message.extra)
    if message.full_message and message.full_message != message.short_message:
        fields["full_message"] = sound(message.full_message)
    line = line_of_parts(message.short_message, fields, None, timestamp)
    severity = message.level
    if severity is None or not 0 <= severity < len(LEVEL_OF_SEVERITY):
        return line
    return Line(line.message, LEVEL_OF_SEVERITY[severity], line.fields, line.json_line, line.printed)


def _event(
    source: Source, sequence: int, index: int, timestamp: int,
    line: Line, origin: Origin, stream: str | None, flags: tuple[str, ...],
) -> Event:  # fmt: skip
    return Event(
        source.journal, source.position, index, timestamp, source.observed, sequence, 0,
        line.message, origin, stream, line.level, line.fields, line.json_line, flags, line.printed,
    )  # fmt: skip
