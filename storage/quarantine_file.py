"""One file of the quarantine: a JSON object a line, each a refused event and why it was refused.

    {"quarantined":"2026-11-24T01:02:03.123456789Z","reason":"refused","said":"what the store said",
     "tries":1,"tried":"2026-11-24T01:02:03.123456789Z","id":"k3v9x0ab.1a.0",
     "timestamp":"2026-11-24T01:02:03.000000000Z","container":"web","service":"web","host":"node-a",
     "event":{...the whole event, so that a retry sends exactly it...}}

Files only grow, except when `rewrite` replaces one as a whole. A line that cannot be read stays as it is.
"""

import json
import logging
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from parsers.event import Event, Origin, make_origin
from storage.durable import append_durably, replacing, sync_folder
from storage.times import parse_time, rfc3339

log = logging.getLogger("logdock.storage.quarantine")

BLOCK_BYTES = 64 << 10  # read at once when looking for the end of the last whole line


class Entry(msgspec.Struct, frozen=True):
    """A refused event. Times are nanoseconds; `quarantined` is unique and grows from entry to entry."""

    quarantined: int
    reason: str  # short and stable, for counters
    said: str  # what the store said the last time
    event: Event
    tries: int = 1  # how often a store has refused it
    tried: int = 0  # when it last did


class _Line(msgspec.Struct):
    quarantined: str | int
    reason: str
    event: Event
    said: str | None = None
    message: str = ""  # what `said` was called in the first version, which wrote times as numbers
    tries: int = 1
    tried: str | int = 0


_line = msgspec.json.Decoder(_Line)


def encode(entry: Entry) -> bytes:
    """The line of one entry. Any event can be written, also one that no store can encode.

    What no sender can have sent, such as a level that is no text, is written as the text that it looks like.
    """
    line = _encode(entry)
    try:
        decode(line)
    except ValueError:
        return _encode(msgspec.structs.replace(entry, event=_texts(entry.event)))
    return line


def _texts(event: Event) -> Event:
    changes = {
        name: str(value)
        for name in ("message", "stream", "level")
        if not isinstance(value := getattr(event, name), str | None)
    }
    flags = tuple(map(str, event.flags))
    fields = event.fields if isinstance(event.fields, Mapping | None) else {"fields": str(event.fields)}
    return msgspec.structs.replace(event, **changes, flags=flags, fields=fields)


def _encode(entry: Entry) -> bytes:
    event = entry.event
    container = event.origin.container
    head = {
        "quarantined": rfc3339(entry.quarantined),
        "reason": entry.reason,
        "said": entry.said,
        "tries": entry.tries,
        "tried": rfc3339(entry.tried),
        "id": event.id,
        "timestamp": rfc3339(event.timestamp),
        "container": container.name or container.id,
        "service": event.origin.service,
        "host": event.origin.host,
        "event": _plain(event),
    }
    try:
        return msgspec.json.encode(head) + b"\n"
    except (UnicodeEncodeError, TypeError, ValueError):  # lone surrogates, or objects that JSON does not know
        plain = msgspec.to_builtins(head, enc_hook=repr)
        return json.dumps(plain, separators=(",", ":"), default=repr).encode() + b"\n"


def _plain(event: Event) -> dict[str, Any]:
    """The event as JSON holds it; the key of its origin follows from the rest."""
    origin = msgspec.structs.asdict(event.origin)
    del origin["key"]
    return msgspec.structs.asdict(event) | {"origin": origin}


def decode(line: bytes) -> Entry:
    """The entry of one line. Raises ValueError when it is none."""
    found = _read(line)
    said = found.message if found.said is None else found.said
    quarantined, tried = _nanoseconds(found.quarantined), _nanoseconds(found.tried)
    event = msgspec.structs.replace(found.event, origin=_origin(found.event.origin))
    return Entry(quarantined, found.reason, said, event, found.tries, tried or quarantined)


def _read(line: bytes) -> _Line:
    try:
        return _line.decode(line)
    except msgspec.DecodeError as error:
        if b"\\ud" not in line:
            raise ValueError(str(error)) from error
    try:  # lone surrogates, which only this reader takes
        return msgspec.convert(json.loads(line), _Line)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _origin(origin: Origin) -> Origin:
    parts = msgspec.structs.asdict(origin)
    del parts["key"]
    return make_origin(parts.pop("container"), parts.pop("host"), **parts)


def _nanoseconds(moment: str | int) -> int:
    return moment if isinstance(moment, int) else parse_time(moment, 0)


class Segment:
    """What is known of one file without reading it again; changed only by the functions below."""

    def __init__(self, path: Path, number: int) -> None:
        self.path, self.number = path, number
        self.bytes = 0
        self.newest = 0  # the highest `quarantined`
        self.tried = 0  # the highest `tried`
        self.ids: set[int] = set()  # hashes of the ids: 60 bytes an event instead of 150
        self.reasons: Counter[str] = Counter()
        self.times: dict[str, array[int]] = {}  # timestamps by the key of their origin, for notes
        self.origins: dict[str, Origin] = {}
        self.damaged = 0  # lines that cannot be read
        self.sealed = False  # nothing is appended any more
        self.torn = False  # an append failed: the file may be longer than `bytes`

    def know(self, entry: Entry) -> None:
        """An entry is in the file."""
        origin = entry.event.origin
        self.ids.add(hash(entry.event.id))
        self.newest = max(self.newest, entry.quarantined)
        self.tried = max(self.tried, entry.tried)
        self.reasons[entry.reason] += 1
        self.origins[origin.key] = origin
        clamped = min(max(entry.event.timestamp, -(1 << 63)), (1 << 63) - 1)
        self.times.setdefault(origin.key, array("q")).append(clamped)


def load(path: Path, number: int) -> Segment:
    """What is in a file. The end that a crash left torn was never promised to anybody: it is cut off."""
    _mend(path)
    segment = Segment(path, number)
    with path.open("rb") as file:
        for line in file:
            segment.bytes += len(line)
            try:
                segment.know(decode(line))
            except ValueError:
                segment.damaged += 1
    if segment.damaged:
        log.error("%s: %d lines cannot be read; they stay in it", path, segment.damaged)
    return segment


def _mend(path: Path) -> None:
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        whole = _whole_lines(file, size)
        if whole < size:
            log.warning("%s: cut off %d bytes of a line that was not written to its end", path, size - whole)
            file.truncate(whole)


def _whole_lines(file: BinaryIO, size: int) -> int:
    """Up to where the file holds whole lines."""
    while size:
        start = max(0, size - BLOCK_BYTES)
        file.seek(start)
        end = file.read(size - start).rfind(b"\n")
        if end >= 0:
            return start + end + 1
        size = start
    return 0


def append(segment: Segment, entries: list[Entry]) -> None:
    """Add entries durably. Raises OSError; then the file holds nothing of them once it is used again."""
    lines = b"".join(map(encode, entries))
    size, torn = segment.bytes, segment.torn
    segment.torn = True
    append_durably(segment.path, lines, size if torn else None)
    if not size:
        sync_folder(segment.path.parent)
    segment.torn = False
    segment.bytes += len(lines)
    for entry in entries:
        segment.know(entry)


def append_line(path: Path, line: bytes) -> None:
    """Add a line durably. Raises OSError."""
    append_durably(path, line)
    sync_folder(path.parent)


def read(file: BinaryIO) -> Iterator[Entry]:
    """The entries of an open file, in its order."""
    for line in file:
        try:
            yield decode(line)
        except ValueError:
            continue


def rewrite(segment: Segment, change: Callable[[Entry], Entry | None]) -> Segment:
    """The segment with every entry as `change` returns it, without those for which that is None.

    Raises OSError; the file is then as it was. An empty file is deleted.
    """
    with segment.path.open("rb") as old, replacing(segment.path) as new:
        for line in old:
            new.write(_changed(line, change))
    fresh = load(segment.path, segment.number)
    if not fresh.bytes:
        segment.path.unlink()
        sync_folder(segment.path.parent)
    return fresh


def _changed(line: bytes, change: Callable[[Entry], Entry | None]) -> bytes:
    try:
        entry = decode(line)
    except ValueError:
        return line
    changed = change(entry)
    if changed is entry:
        return line
    return encode(changed) if changed is not None else b""
