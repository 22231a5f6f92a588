"""What decoders hand on: frames to acknowledge, records to normalise; and the one error they raise."""

import struct
from typing import Any

import msgspec

Ext = msgspec.msgpack.Ext

_EVENT_TIME = struct.Struct(">II")
NANOSECONDS = 1_000_000_000


class DecodeError(Exception):
    """The sender broke the protocol and its framing is lost: that connection (or datagram) ends.

    `reason` is a short stable word for the counters, the message is for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Where one frame stands inside Frames.raw, when its sender asked for an acknowledgement."""

    start: int
    end: int
    chunk: bytes  # to be echoed byte for byte


class Frames(msgspec.Struct, frozen=True, gc=False):
    """Whole frames as they arrived, back to back: what the journal keeps.

    `acks` lists only those frames that carry a chunk; all the others need no answer.
    """

    raw: bytes
    count: int
    acks: tuple[Frame, ...] = ()


class Record(msgspec.Struct, gc=False, array_like=True):
    """One record of a Fluentd forward sender, in the shape of a message-mode frame.

    Strings of the sender are str where they are UTF-8, else bytes (only values of `record`; a tag or key
    that is not UTF-8 has its bad bytes replaced). `option` is the frame's option map.
    """

    tag: str
    time: int | Ext | None
    record: dict[str, Any]
    option: dict[str, Any] | None = None


def nanoseconds(time: Any) -> int | None:
    """A forward time as nanoseconds since the epoch; None when it says nothing (0, nil, not a time).

    Integers are whole seconds, EventTime (ext type 0) is two big-endian u32 (Forward Protocol
    Specification v1, "EventTime Ext Format"); read unsigned, it lasts until 2106.
    """
    if type(time) is int:
        return time * NANOSECONDS or None
    if not isinstance(time, Ext):
        return None
    data = bytes(time.data)
    if time.code == 0 and len(data) == 8:
        seconds, fraction = _EVENT_TIME.unpack(data)
        return seconds * NANOSECONDS + fraction or None
    return _timestamp(data) if time.code == -1 else None


def _timestamp(data: bytes) -> int | None:
    """msgpack's own Timestamp (msgpack specification, "Timestamp extension type"), as some senders use it."""
    number = int.from_bytes(data, "big")
    if len(data) == 4:
        return number * NANOSECONDS or None
    if len(data) == 8:
        return (number & 0x3_FFFF_FFFF) * NANOSECONDS + (number >> 34) or None
    if len(data) == 12:
        return int.from_bytes(data[4:], "big", signed=True) * NANOSECONDS + (number >> 64) or None
    return None
