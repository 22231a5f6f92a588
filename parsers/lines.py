"""One printed line: its clean text, the level that it declares, and its fields.

A level is only taken from where a program puts it on purpose: a key of a JSON or logfmt line, a prefix, a
bracket or a column of the line's header, the status of an access log. A level word in free text ("0 errors",
"err=nil", a URL) says nothing. The scanners are anchored at the start, possessive (they never backtrack
over a column) and look at the start of the line only: parsers/headers.py.
"""

import re
from typing import Any

import msgspec

from parsers.headers import LEVEL_OF, LEVEL_OF_LETTER, LEVEL_OF_WORD, level_of_text

# CSI (ECMA-48 5.4), OSC up to its BEL or ST (xterm ctlseqs), other two- and three-byte escapes. The text of
# an OSC is bounded so that an unfinished one cannot swallow a line.
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)|[ -/]++[0-~]|[0-Z\\^_`a-~])"
)

_LEVEL_OF_NUMBER = {
    10: "trace",
    20: "debug",
    30: "info",
    40: "warn",
    50: "error",
    60: "fatal",
}  # pino, bunyan

_LEVEL_KEYS = (
    "severity", "lvl", "log.level", "levelname", "loglevel", "log_level", "severity_text", "@l",
    "Level", "LEVEL", "Severity", "logLevel", "level_name",
)  # fmt: skip

# Deeper ones are text: writers end at 254 levels (orjson), with an answer or a document around the fields.
MAX_DEPTH = 200

_decode = msgspec.json.Decoder().decode  # exact also for integers beyond 64 bits, and quick
_NO_JSON = (msgspec.MsgspecError, ValueError, RecursionError)

# Empty lines and lines of a stack trace have no header.
_NO_HEADER = ("", "\t")


def clean(text: str) -> str:
    """The line without terminal escapes and without the one `\\r` that a terminal's newline brings."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    return text[:-1] if text.endswith("\r") else text


def level_and_fields(message: str) -> tuple[str | None, dict[str, Any] | None, bool]:
    """(level, fields, whether `message` is exactly the JSON object `fields`)."""
    first = message[:1]
    if first == "{" and message[-1] == "}":
        fields = json_object(message)
        return (None, None, False) if fields is None else (level_of_fields(fields), fields, True)
    if first in _NO_HEADER:
        return None, None, False
    return level_of_text(message), None, False


def json_object(text: str) -> dict[str, Any] | None:
    """The object that a JSON text is, None when it is none or nested deeper than MAX_DEPTH."""
    try:
        fields = _decode(text)
    except _NO_JSON:
        return None
    if type(fields) is not dict or (len(text) > 2 * MAX_DEPTH and _is_deep(text, fields)):
        return None
    return fields


def _is_deep(text: str, value: Any) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for part in level for item in (part.values() if type(part) is dict else part)
                 if type(item) is dict or type(item) is list]  # fmt: skip
    return bool(level)


def level_of_fields(fields: dict[str, Any]) -> str | None:
    """The level that a record declares under one of the usual keys, as a word or as pino's number."""
    value = fields.get("level")
    if type(value) is str:
        return LEVEL_OF.get(value) or _level_of_value(value)
    if value is not None:
        return _level_of_value(value)
    for key in _LEVEL_KEYS:
        if key in fields:
            return _level_of_value(fields[key])
    return _nested_level(fields)


def _level_of_value(value: Any) -> str | None:
    if type(value) is int:
        return _LEVEL_OF_NUMBER.get(value)
    if type(value) is not str:
        return None
    return LEVEL_OF_WORD.get(value.strip().lower())


def _nested_level(fields: dict[str, Any]) -> str | None:
    """ECS nests it (`log.level`), MongoDB abbreviates it (`s` beside the component `c`)."""
    log = fields.get("log")
    if type(log) is dict and "level" in log:
        return _level_of_value(log["level"])
    if type(fields.get("s")) is str and "c" in fields:
        return LEVEL_OF_LETTER.get(fields["s"][:1])
    return None
