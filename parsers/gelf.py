"""GELF 1.1: TCP's framing, compressed datagrams, and the message itself.

Contract: bytes in, Frames or a GelfMessage out, DecodeError for the rest; nothing else leaves these.
(graylog-docs "GELF"; what Docker sends: moby daemon/logger/gelf/gelf.go and its go-gelf library.)

    TCP   JSON 0x00 JSON 0x00 ...           never compressed, never in chunks
    UDP   JSON | gzip(JSON) | zlib(JSON)    or chunks of those (chunks.py)
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from parsers.inflate import inflated
from parsers.jsontext import loads
from parsers.record import NANOSECONDS, DecodeError, Frames

# One message. Docker's are at most some 100 KiB (16 KiB of line, escaped); Graylog's TCP input takes 2 MiB.
MAX_FRAME = 2 << 20
# What one datagram or chunked message may become. Honest ones shrink to a tenth; 128 chunks are 180 KiB.
MAX_INFLATED = 8 << 20
# Container facts of this size at most are remembered (a thousand of them: 4 MiB, some 16 MiB when decoded).
_MAX_REMEMBERED = 4096

_BLANKS = b" \t\r\n"
_NUL = b"\0"
_BRACE = {b"{"}
_MAX_SECONDS = 9_200_000_000  # nanoseconds must fit in 64 bits: the year 2261
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)
# Only a key can stand in front of a colon: the quotes inside a JSON string are escaped.
_TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')
_STANDARD = ("version", "host", "short_message", "full_message", "timestamp", "level")


class NulSplitter:
    """Cuts one TCP connection's bytes into frames, each with its NUL. Empty ones are left out."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._tail = bytearray()

    @property
    def buffered(self) -> int:
        """Bytes of a message that is not whole yet."""
        return len(self._tail)

    def feed(self, data: bytes) -> Iterator[Frames]:
        """The messages that are now whole: one Frames, or none. DecodeError after the last good one."""
        cut = data.rfind(_NUL) + 1
        error = None
        if cut:
            raw = b"".join((self._tail, memoryview(data)[:cut]))
            self._tail.clear()
            frames = split(raw)
            count = len(frames)
            if {frame[:1] for frame in frames} != _BRACE:
                raw, count, error = _sorted_out(frames)
            if count:
                yield Frames(raw, count)
        if error is None:
            error = self._keep(data[cut:] if cut else data)
        if error is not None:
            raise error

    def rest(self) -> Frames | None:
        """At the connection's end: the last message, when only its NUL is missing."""
        tail = bytes(self._tail)
        try:
            loads(tail)
        except ValueError:
            return None
        self._tail.clear()
        return Frames(tail + _NUL, 1)

    def close(self) -> int:
        """At the connection's end: how many bytes of a truncated message are left (after rest())."""
        return self.buffered

    def _keep(self, data: bytes) -> DecodeError | None:
        self._tail += data if self._tail else data.lstrip(_BLANKS)
        if len(self._tail) > self._max_frame:
            return DecodeError("oversize", f"a message is longer than {self._max_frame} bytes")
        return _not_json(self._tail)


def split(raw: bytes) -> list[bytes]:
    """The messages in Frames.raw of a NulSplitter, without their NULs."""
    return raw.split(_NUL)[:-1]


def _sorted_out(frames: list[bytes]) -> tuple[bytes, int, DecodeError | None]:
    """The frames in front of the first that is no JSON object, without empty ones and blanks."""
    kept: list[bytes] = []
    for frame in frames:
        error = _not_json(frame)
        if error is not None:
            return b"".join(kept), len(kept), error
        frame = frame.lstrip(_BLANKS)
        if frame:
            kept.append(frame + _NUL)
    return b"".join(kept), len(kept), None


def _not_json(frame: bytes | bytearray) -> DecodeError | None:
    """What is wrong with the beginning of a frame, so that garbage need not be waited for."""
    start = frame if frame[:1] == b"{" else frame.lstrip(_BLANKS)
    if not start or start[:1] == b"{":
        return None
    return DecodeError("not_gelf", f"a message must be a JSON object, not {bytes(start[:16])!r}")


def looks_like_gelf(payload: bytes) -> bool:
    """A cheap look at a datagram (or at what its chunks made): may it be GELF?"""
    return _compression(payload) != "text" or payload.lstrip(_BLANKS)[:1] == b"{"


def inflate(payload: bytes, limit: int = MAX_INFLATED) -> bytes:
    """A datagram's JSON text, told by its first bytes to be gzip, zlib or plain. At most `limit` bytes.

    DecodeError: "inflated_too_big", or "malformed" for broken compression.
    """
    method = _compression(payload)
    if method == "text":
        return payload
    return b"".join(inflated(payload, method, limit))


def _compression(payload: bytes) -> str:
    """gzip's magic, or zlib's header: deflate with a checksum over two bytes (RFC 1950, section 2.2)."""
    if payload.startswith(b"\x1f\x8b"):
        return "gzip"
    if payload.startswith(b"\x78") and len(payload) > 1 and int.from_bytes(payload[:2], "big") % 31 == 0:
        return "zlib"
    return "text"


class GelfMessage(msgspec.Struct, gc=False):
    """One GELF message.

    `timestamp` is in nanoseconds, exactly as its digits say. `extra` holds every field of the sender's own,
    without its one leading underscore, and every other key under its name. It is shared between messages of
    one container: do not change it.
    """

    host: str | None = None
    short_message: str | None = None
    full_message: str | None = None
    timestamp: int | None = None
    level: int | None = None  # a syslog severity, unchecked
    extra: dict[str, Any] = {}


class _Standard(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The first part of Docker's messages: all that differs from line to line."""

    timestamp: msgspec.Raw = msgspec.Raw(b"")
    version: str | None = None
    host: str | None = None
    short_message: str | None = None
    full_message: str | None = None
    level: int | None = None


_STANDARD_PART = msgspec.json.Decoder(_Standard)


def decode(payload: bytes) -> GelfMessage:
    """One message from its JSON text (a trailing NUL is allowed). DecodeError("malformed") if it is none.

    Docker writes the container's facts behind the line's own, the same bytes for every line: they are decoded
    once and remembered. Any other order of keys gives the same message, only more slowly.
    """
    border = payload.find(b',"_', max(payload.find(b"_") - 2, 0))  # the one letter alone is found much sooner
    if border > 0 and len(payload) - border < _MAX_REMEMBERED:
        extra = _extra(payload[border:])
        if extra is not None:
            try:
                head = _STANDARD_PART.decode(payload[:border] + b"}")
            except _BROKEN:
                return _decode_any(payload)
            timestamp = _remembered_time(bytes(head.timestamp))
            if timestamp is not None:
                return GelfMessage(
                    head.host, head.short_message, head.full_message, timestamp, head.level, extra
                )
    return _decode_any(payload)


@lru_cache(maxsize=1024)
def _extra(part: bytes) -> dict[str, Any] | None:
    """The own fields in `,"_a":1,"_b":2}`; None when it is not that, or holds other keys too."""
    try:
        fields = loads(b"{" + part[1:].rstrip(_NUL))
    except ValueError:
        return None
    if any(not key.startswith("_") for key in fields):
        return None
    return {key[1:]: value for key, value in fields.items()}


def _decode_any(payload: bytes) -> GelfMessage:
    text = payload.rstrip(_NUL)
    try:
        fields = loads(text)
    except ValueError as error:
        raise DecodeError("malformed", f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise DecodeError("malformed", f"a message must be a JSON object: {text[:32]!r}")
    message = GelfMessage(
        _text(fields.get("host")),
        _text(fields.get("short_message")),
        _text(fields.get("full_message")),
        _time(fields.get("timestamp"), text),
        _level(fields.get("level")),
    )
    message.extra = {
        _own_name(key): value for key, value in fields.items() if not _is_told(key, value, message)
    }
    return message


def _is_told(key: str, value: Any, message: GelfMessage) -> bool:
    """Whether the message says this key already. A level or time that could not be read stays an extra."""
    if key == "level" or key == "timestamp":
        return value is None or getattr(message, key) is not None
    return key in _STANDARD


def _own_name(key: str) -> str:
    return key[1:] if key.startswith("_") else key


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _level(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if digits.isascii() and digits.lstrip("-").isdigit() and len(digits) < 10 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1 << 31 else None
    return value if isinstance(value, int) else None


def _time(value: Any, text: bytes) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, float):
        return nanoseconds(_digits(value, text))
    return nanoseconds(str(value).encode())


def _digits(value: float, text: bytes) -> bytes:
    """The number as it was written: a float of today's seconds is only exact to 238 ns."""
    for match in _TIMESTAMP.finditer(text):
        if float(match[1]) == value:
            return match[1]
    return repr(value).encode()


def nanoseconds(digits: bytes) -> int | None:
    """Seconds written in decimal as nanoseconds since the epoch; None if they say nothing (0, no number)."""
    seconds, _, fraction = digits.partition(b".")
    if seconds.isdigit() and len(seconds) <= 10 and (fraction.isdigit() or not fraction):
        whole = int(seconds) * NANOSECONDS + int(fraction[:9].ljust(9, b"0"))
        return whole if 0 < whole < _MAX_SECONDS * NANOSECONDS else None
    return _odd_nanoseconds(digits)


def _odd_nanoseconds(digits: bytes) -> int | None:
    try:
        seconds = Decimal(digits.decode().strip())
        if not seconds.is_finite() or not seconds or abs(seconds) > _MAX_SECONDS:
            return None
    except (ArithmeticError, UnicodeDecodeError):
        return None
    return int(seconds * NANOSECONDS) or None


_remembered_time = lru_cache(maxsize=1024)(nanoseconds)
