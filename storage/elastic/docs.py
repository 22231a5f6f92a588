"""Events as the lines of an Elasticsearch bulk body, and documents back as Events, exactly.

Building a line is the hot path: what all lines of an origin share is rendered once, the rest is one
bytes-format. A document keeps the whole event in its source. What Elasticsearch would refuse or could not
find again stays in the source but out of the index, and `logdock.marks` says which part that is:

    fields  some parsed field is not indexed, or not as it is compared (`_SPECIAL`)
    origin  some label, or the tag, is not indexed
    tokens  a word too long to be one token: part of it may straddle a cut; or one with a letter that Lucene
            takes for an ASCII one and `fold` does not, or the other way round (`_STRANGE`)
"""

import base64
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import orjson

from parsers.event import Event, Origin
from storage.elastic.ecs import Shared, data_stream, share
from storage.elastic.json import json_bytes, utf8
from storage.elastic.template import IGNORE_ABOVE, MAX_TOKEN, STREAM, is_indexed
from storage.times import SECOND, rfc3339, second_bytes

LAST_TIME = (1 << 63) - 1  # the last nanosecond of date_nanos, 2262-04-11; the first one is 0

MAX_ORIGINS = 20_000  # rendered origins kept, some 2 KB each; more containers than one host starts in a day
MAX_SAID = 4_096  # rendered combinations of stream, level and flags kept; lines have a handful

MARK_FIELDS, MARK_TOKENS = "fields", "tokens"

# Tokens end at a space at the latest (Unicode Annex 29), so nothing shorter is ever cut.
_LONG_TOKEN = re.compile(rf"[^ \t\r\n]{{{MAX_TOKEN + 1}}}")

# What makes fields worth a second look, raw or escaped: NUL, which `flattened` refuses in a key, and the
# Kelvin sign, the long s and the dotted I: the first two are ASCII letters when folded, and not every version
# of Elasticsearch knows; the last is none.
_SPECIAL = re.compile(rb"\\u0000|\\u0130|\\u017[fF]|\\u212[aA]|\xc4\xb0|\xc5\xbf|\xe2\x84\xaa")
_NUL = b"\\u0000"
_STRANGE = ("\u0130".encode(), "\u017f".encode())

_ACTION = b'{"create":{"_id":"%b.%x.%x"}}\n'
_LINE = (
    _ACTION + b'{"@timestamp":"%b%09dZ","message":%b,"event":{"created":"%b","sequence":%d'
    b'%b%b,"offset":%d%b%b%b%b'
)


class Writer:
    """Renders events as bulk lines for one data stream. Not for several threads."""

    def __init__(self, stream: str = STREAM) -> None:
        self._stream = stream
        kind = {"kind": "event", "module": "docker", "dataset": data_stream(stream)["dataset"]}
        self._event_end = b"," + json_bytes(kind)[1:] + b","
        self._shared: dict[tuple[str, str], Shared] = {}
        self._said: dict[tuple[str | None, str | None, tuple[str, ...]], bytes] = {}
        self._observed, self._created = -1, b""

    def body(self, events: Sequence[Event], start: int, limit: int) -> tuple[bytes, int]:
        """(lines, end): the events from `start` up to `end` as bulk lines of about `limit` bytes.

        At least one event is taken, however large.
        """
        lines: list[bytes] = []
        size, end, line = 0, start, self.line
        while end < len(events) and size < limit:
            lines.append(rendered := line(events[end]))
            size += len(rendered)
            end += 1
        return b"".join(lines), end

    def line(self, event: Event) -> bytes:
        """The two lines of one event: the action and the document."""
        origin, timestamp, fields = event.origin, event.timestamp, event.fields
        shared = self._shared.get((event.journal, origin.key)) or self._share(event.journal, origin)
        said = self._said.get((event.stream, event.level, event.flags))
        if said is None:
            said = self._say(event)
        if event.observed != self._observed:
            self._observed, self._created = event.observed, time_text(event.observed).encode()
        second, nanosecond = divmod(timestamp, SECOND)
        try:
            message = orjson.dumps(event.message)
        except TypeError:  # lone surrogates, which no event of ours has
            return self.line(_encodable(event))
        extra, opened, rendered, rest = b"", shared.plain, b"", b""
        if event.printed or shared.marks or not 0 < timestamp < LAST_TIME or _odd(message):
            return self._unusual(event, shared, said, message, False)
        if fields is not None:
            rendered = _rendered(event)
            if len(rendered) > IGNORE_ABOVE or _special(rendered):
                return self._unusual(event, shared, said, message, False)
            opened, rest = shared.fields, shared.rest
            extra = b',"json_line":true' if event.json_line else b""
        return _LINE % (
            shared.journal, event.position, event.index,
            second_bytes(second), nanosecond,
            message, self._created, event.sequence, said, shared.head, event.offset, extra,
            opened, rendered, rest,
        )  # fmt: skip

    def degraded(self, event: Event) -> bytes:
        """The event with nothing in the index that Elasticsearch may refuse; the source is still whole."""
        event = _encodable(event)
        shared = share(event.journal, event.origin, self._stream, degraded=True)
        self._observed, self._created = event.observed, time_text(event.observed).encode()
        return self._unusual(event, shared, self._say(event), orjson.dumps(event.message), True)

    def _unusual(self, event: Event, shared: Shared, said: bytes, message: bytes, degraded: bool) -> bytes:
        clamped = min(max(event.timestamp, 0), LAST_TIME)
        extra: list[tuple[str, bytes]] = []
        if event.timestamp <= 0 or event.timestamp >= LAST_TIME:
            extra.append(("timestamp", b"%d" % event.timestamp))
        marks = list(shared.marks)
        if _odd(message) and (_strange(message) or _LONG_TOKEN.search(event.message)):
            marks.append(MARK_TOKENS)
        opened, fields, rest = shared.plain, b"", b""
        if event.fields is not None:
            rendered = _rendered(event)
            if degraded or _special(rendered) or not _short(event.fields):
                marks.append(MARK_FIELDS)
            if not degraded and _NUL not in rendered:
                opened, fields, rest = shared.fields, rendered, shared.rest
            elif not event.json_line:
                extra.append(("fields", orjson.dumps(json_bytes(event.fields).decode())))
            if event.json_line:
                extra.append(("json_line", b"true"))
        if event.printed:
            original, printed = _printed(event)
            said = original + said
            extra.append(("printed", printed))
        if marks:
            extra.append(("marks", orjson.dumps(marks)))
        rendered = b"".join(b',"%b":%b' % (name.encode(), value) for name, value in extra)
        second, nanosecond = divmod(clamped, SECOND)
        return _LINE % (
            shared.journal, event.position, event.index, second_bytes(second), nanosecond,
            message, self._created, event.sequence, said, shared.head, event.offset, rendered,
            opened, fields, rest,
        )  # fmt: skip

    def _share(self, journal: str, origin: Origin) -> Shared:
        if len(self._shared) >= MAX_ORIGINS:
            self._shared.clear()
        shared = self._shared[journal, origin.key] = share(journal, origin, self._stream)
        return shared

    def _say(self, event: Event) -> bytes:
        """The end of `event`, `log` and `tags`: few combinations, shared by nearly all lines."""
        log = {k: v for k, v in (("level", event.level), ("iostream", event.stream)) if v is not None}
        parts = [self._event_end]
        if log:
            parts.append(b'"log":%b,' % orjson.dumps(log))
        if event.flags:
            parts.append(b'"tags":%b,' % orjson.dumps(event.flags))
        if len(self._said) >= MAX_SAID:
            self._said.clear()
        said = self._said[event.stream, event.level, event.flags] = b"".join(parts)
        return said


def time_text(nanoseconds: int) -> str:
    """A time as date_nanos takes it, `2026-11-24T01:02:03.123456789Z`; the nearest one it takes."""
    return rfc3339(min(max(nanoseconds, 0), LAST_TIME))


def _rendered(event: Event) -> bytes:
    """The fields as one JSON object on one line.

    What Elasticsearch may refuse of it beside NUL (twenty levels, a key of 32 KB, one key twice) is rare and
    shows in its verdict: the document is sent again without them.
    """
    if (
        event.json_line
    ):  # a line feed in valid JSON is white space (RFC 8259, section 2); here it ends the line
        return event.message.encode().replace(b"\n", b" ")
    return json_bytes(event.fields)


def _odd(message: bytes) -> bool:
    """Whether some of its words may not be indexed as they are looked for."""
    return len(message) > MAX_TOKEN or _strange(message)


def _strange(message: bytes) -> bool:
    return _STRANGE[0] in message or _STRANGE[1] in message


def _special(rendered: bytes) -> bool:
    return (b"\\u" in rendered or not rendered.isascii()) and _SPECIAL.search(rendered) is not None


def _short(value: Any) -> bool:
    """Whether all texts in it are short enough to be indexed."""
    if isinstance(value, str):
        return is_indexed(value)
    if isinstance(value, Mapping):
        return all(map(_short, value.values()))
    return all(map(_short, value)) if isinstance(value, list | tuple) else True


def _printed(event: Event) -> tuple[bytes, bytes]:
    """(`event.original` as a part of `event`, `logdock.printed`): the printed bytes are in one of them.

    One line that is text is there as people and Kibana read it. Others are in base64, one entry each.
    """
    if len(event.printed) == 1:
        (line,) = event.printed
        with suppress(UnicodeDecodeError):
            text = orjson.dumps(line.data.decode())
            return b',"original":' + text, orjson.dumps([(None, line.stream, line.timestamp)])
    printed = [(base64.b64encode(p.data).decode(), p.stream, p.timestamp) for p in event.printed]
    return b"", orjson.dumps(printed)


def _encodable(event: Event) -> Event:
    message = utf8(event.message)
    json_line = event.json_line and message == event.message
    return msgspec.structs.replace(event, message=message, json_line=json_line)
