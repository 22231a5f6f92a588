"""Records of senders that are not Docker: which key is the message, what the others say."""

from typing import Any

import msgspec
import orjson

from parsers.event import Printed
from parsers.join import message_of
from parsers.lines import level_and_fields, level_of_fields
from parsers.values import plain, text_of

# The first of these that a record has is its message; without any, the record as JSON is.
_MESSAGE_KEYS = ("log", "message", "short_message")


class Line(msgspec.Struct, frozen=True, gc=False):
    """What an Event says of the line itself."""

    message: str
    level: str | None
    fields: dict[str, Any] | None
    json_line: bool
    printed: tuple[Printed, ...]


def line_of_record(record: dict[str, Any], stream: str | None, timestamp: int) -> Line:
    """A record's line. `record` is taken apart. A declared level among its keys goes before the message's."""
    for key in _MESSAGE_KEYS:
        value = record.get(key)
        if value is not None:
            del record[key]
            return line_of_parts(value, plain(record), stream, timestamp)
    fields = plain(record)
    message = orjson.dumps(fields).decode()
    return Line(message, level_of_fields(fields), fields, True, ())


def line_of_parts(value: Any, fields: dict[str, Any], stream: str | None, timestamp: int) -> Line:
    """A line whose message is `value` and whose sender gave `fields` beside it.

    A message that is a JSON object adds its keys to the fields; the sender's own win.
    """
    data = value if isinstance(value, bytes) else text_of(value).encode()
    message, printed = message_of(data, stream, timestamp)
    level, parsed, json_line = level_and_fields(message)
    if not fields:
        return Line(message, level, parsed, json_line, printed)
    level = level_of_fields(fields) or level
    return Line(message, level, {**parsed, **fields} if parsed else fields, False, printed)
