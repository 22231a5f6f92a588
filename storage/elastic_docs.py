"""Events as the lines of an Elasticsearch bulk body, and documents back as Events, exactly.

Building a line is the hot path: what all lines of an origin share is rendered once, the rest is one
bytes-format. A document keeps the whole event in its source. What Elasticsearch would refuse or could not
find again stays in the source but out of the index, and `logdock.marks` says which part that is:

    fields  some parsed field is not indexed, or not as it is compared (`_SPECIAL`)
    origin  some label, or the tag, is not indexed
    tokens  a word too long to be one token: part of it may straddle a cut
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from parsers.event import Event, Origin
from storage.elastic_template import IGNORE_ABOVE, MAX_TERM_BYTES, MAX_TOKEN

SECOND = 1_000_000_000  # nanoseconds
LAST_TIME = (1 << 63) - 1  # the last nanosecond of date_nanos, 2262-04-11; the first one is 0

MAX_ORIGINS = 20_000  # rendered origins kept, some 2 KB each; more containers than one host starts in a day
MAX_SECONDS = 4_096  # rendered seconds kept: more than an hour of lines arriving in any order

MARK_FIELDS, MARK_ORIGIN, MARK_TOKENS = "fields", "origin", "tokens"

# Tokens end at a space at the latest (Unicode Annex 29), so nothing shorter is ever cut.
_LONG_TOKEN = re.compile(rf"[^ \t\r\n]{{{MAX_TOKEN + 1}}}")

# What makes fields worth a second look, raw or escaped: NUL, which `flattened` refuses in a key, and the
# Kelvin sign and the dotted I: their lower case begins with an ASCII letter, and its folding does not know.
_SPECIAL = re.compile(rb"\\u0000|\\u0130|\\u212[aA]|\xc4\xb0|\xe2\x84\xaa")
_NUL = b"\\u0000"

_ACTION = b'{"create":{"_id":"%b.%x.%x"}}\n'
_LINE = (
    _ACTION + b'{"@timestamp":"%b%09dZ","message":%b,"event":{"created":"%b","sequence":%d},'
    b'%b%b,"offset":%d%b%b'
)


class Shared(msgspec.Struct, frozen=True, gc=False):
    """The bytes that all lines of one origin share."""

    journal: bytes
    head: bytes  # up to inside `logdock`
    plain: bytes  # from there to the end
    fields: bytes  # the same, as a format that takes the parsed fields
    marks: tuple[str, ...]


class Writer:
    """Renders events as bulk lines. Not for several threads."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, str], Shared] = {}
        self._seconds: dict[int, bytes] = {}
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
        extra, docker = b"", shared.plain
        if event.printed or shared.marks or not 0 < timestamp < LAST_TIME or len(message) > MAX_TOKEN:
            return self._unusual(event, shared, said, message, False)
        if fields is not None:
            rendered = _rendered(event)
            if len(rendered) > IGNORE_ABOVE or _special(rendered):
                return self._unusual(event, shared, said, message, False)
            docker = shared.fields % rendered
            extra = b',"json_line":true' if event.json_line else b""
        return _LINE % (
            shared.journal, event.position, event.index,
            self._seconds.get(second) or self._second(second), nanosecond,
            message, self._created, event.sequence, said, shared.head, event.offset, extra, docker,
        )  # fmt: skip

    def degraded(self, event: Event) -> bytes:
        """The event with nothing in the index that Elasticsearch may refuse; the source is still whole."""
        event = _encodable(event)
        shared = _share(event.journal, event.origin, degraded=True)
        self._observed, self._created = event.observed, time_text(event.observed).encode()
        return self._unusual(event, shared, self._say(event), orjson.dumps(event.message), True)

    def _unusual(self, event: Event, shared: Shared, said: bytes, message: bytes, degraded: bool) -> bytes:
        clamped = min(max(event.timestamp, 0), LAST_TIME)
        extra: list[tuple[str, bytes]] = []
        if event.timestamp <= 0 or event.timestamp >= LAST_TIME:
            extra.append(("timestamp", b"%d" % event.timestamp))
        marks = list(shared.marks)
        if len(message) > MAX_TOKEN and _LONG_TOKEN.search(event.message):
            marks.append(MARK_TOKENS)
        docker = shared.plain
        if event.fields is not None:
            rendered = _rendered(event)
            if degraded or _special(rendered) or not _short(event.fields):
                marks.append(MARK_FIELDS)
            if not degraded and _NUL not in rendered:
                docker = shared.fields % rendered
            elif not event.json_line:
                extra.append(("fields", orjson.dumps(_json(event.fields).decode())))
            if event.json_line:
                extra.append(("json_line", b"true"))
        if event.printed:
            extra.append(("printed", _printed(event)))
        if marks:
            extra.append(("marks", orjson.dumps(marks)))
        rendered = b"".join(b',"%b":%b' % (name.encode(), value) for name, value in extra)
        second, nanosecond = divmod(clamped, SECOND)
        return _LINE % (
            shared.journal, event.position, event.index, self._second(second), nanosecond,
            message, self._created, event.sequence, said, shared.head, event.offset, rendered, docker,
        )  # fmt: skip

    def _share(self, journal: str, origin: Origin) -> Shared:
        if len(self._shared) >= MAX_ORIGINS:
            self._shared.clear()
        shared = self._shared[journal, origin.key] = _share(journal, origin)
        return shared

    def _say(self, event: Event) -> bytes:
        """`log` and `tags`: few combinations, shared by nearly all lines."""
        log = {k: v for k, v in (("level", event.level), ("iostream", event.stream)) if v is not None}
        parts = [b'"log":%b,' % orjson.dumps(log)] if log else []
        if event.flags:
            parts.append(b'"tags":%b,' % orjson.dumps(event.flags))
        if len(self._said) >= MAX_SECONDS:
            self._said.clear()
        said = self._said[event.stream, event.level, event.flags] = b"".join(parts)
        return said

    def _second(self, second: int) -> bytes:
        known = self._seconds.get(second)
        if known is not None:
            return known
        if len(self._seconds) >= MAX_SECONDS:
            self._seconds.clear()
        rendered = self._seconds[second] = _second_text(second).encode()
        return rendered


def time_text(nanoseconds: int) -> str:
    """A time as date_nanos takes it, `2026-11-24T01:02:03.123456789Z`; the nearest one it takes."""
    second, nanosecond = divmod(min(max(nanoseconds, 0), LAST_TIME), SECOND)
    return f"{_second_text(second)}{nanosecond:09d}Z"


def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")


def digest(origin: Origin) -> str:
    """The name of an origin inside Elasticsearch: the same in every process and for every journal."""
    return hashlib.blake2b(origin.key.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _share(journal: str, origin: Origin, degraded: bool = False) -> Shared:
    container = origin.container
    indexed = not degraded and _flat(origin.labels)
    head: dict[str, Any] = {
        "container": _known(
            id=container.id,
            name=container.name,
            image={"name": container.image} if container.image is not None else None,
            labels=dict(origin.labels) if indexed and origin.labels else None,
        ),
        "service": _known(name=origin.service),
        "host": {"name": origin.host},
    }
    logdock = _known(
        origin=digest(origin),
        journal=journal,
        service_source=origin.service_source,
        tag_template=origin.tag_template,
        labels=None if indexed or not origin.labels else _json(origin.labels).decode(),
        tag_fields=_json(origin.tag_fields).decode() if degraded and origin.tag_fields else None,
    )
    docker = _known(tag=origin.tag, tag_fields=None if degraded else dict(origin.tag_fields) or None)
    found = all(len(value) <= IGNORE_ABOVE for value in (*origin.labels.values(), origin.tag or ""))
    rest = _json(docker)[1:] + b"}\n"
    opened = _json({name: part for name, part in head.items() if part} | {"logdock": logdock})
    comma = b"," if docker else b""
    return Shared(
        journal=journal.encode(),
        head=opened[1:-2],
        plain=b'},"docker":{' + rest if docker else b"}}\n",
        fields=b'},"docker":{"fields":%b' + (comma + rest).replace(b"%", b"%%"),
        marks=() if indexed and found else (MARK_ORIGIN,),
    )


def _flat(labels: Mapping[str, str]) -> bool:
    """Whether `flattened` takes them: no NUL in a key, and key and value within one Lucene term."""
    return all(
        "\0" not in key and len(key.encode("utf-8", "replace")) + 4 * IGNORE_ABOVE < MAX_TERM_BYTES
        for key in labels
    )


def _rendered(event: Event) -> bytes:
    """The fields as one JSON object on one line.

    What Elasticsearch may refuse of it beside NUL (twenty levels, a key of 32 KB, one key twice) is rare and
    shows in its verdict: the document is sent again without them.
    """
    if (
        event.json_line
    ):  # a line feed in valid JSON is white space (RFC 8259, section 2); here it ends the line
        return event.message.encode().replace(b"\n", b" ")
    return _json(event.fields)


def _special(rendered: bytes) -> bool:
    return (b"\\u" in rendered or not rendered.isascii()) and _SPECIAL.search(rendered) is not None


def _short(value: Any) -> bool:
    """Whether all texts in it are short enough to be indexed."""
    if isinstance(value, str):
        return len(value) <= IGNORE_ABOVE
    if isinstance(value, Mapping):
        return all(map(_short, value.values()))
    return all(map(_short, value)) if isinstance(value, list | tuple) else True


def _printed(event: Event) -> bytes:
    return orjson.dumps([(base64.b64encode(p.data).decode(), p.stream, p.timestamp) for p in event.printed])


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, which msgspec writes in full; lone surrogates
        return msgspec.json.encode(_utf8(value), enc_hook=str)


def _utf8(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_utf8(key): _utf8(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_utf8(item) for item in value]
    return value


def _encodable(event: Event) -> Event:
    message = _utf8(event.message)
    json_line = event.json_line and message == event.message
    return msgspec.structs.replace(event, message=message, json_line=json_line)


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
