"""Fluentd's forward protocol, seen from the socket: where messages end and which want an acknowledgement.

Contract: bytes in, Frames out, DecodeError when the sender broke the protocol; nothing else leaves feed().
Frames that were whole before a bad byte are yielded before the error. Records are not decoded here (that is
decode(), which the pipeline calls on what the journal holds): this stands in front of every acknowledgement.

    message                      array of 2..4: [tag, time, record, option?]
                                                [tag, [[time, record], ...], option?]
                                                [tag, packed entries (bin or str), option?]
    heartbeat                    nil
    a connection that begins with { or [ holds the same in JSON (fluentd's in_forward)

(Forward Protocol Specification v1, "Message Modes".) Docker sends only the first form, one a write.
"""

import re
from collections.abc import Iterator
from itertools import accumulate
from operator import itemgetter

import msgspec

from parsers.boundaries import ARRAYS, MAPS, NIL, STRINGS, Boundaries, children, head, string
from parsers.forward_json import JsonValues, packed_message
from parsers.forward_records import decode as decode
from parsers.record import DecodeError, Frame, Frames

# The most bytes of one unfinished message. Docker's are some 17 KiB, Fluent Bit's chunks 2 MiB, fluentd's in
# memory 8 MiB. Frame, unpacker's copy and joined frame can stand side by side: 4 times this a connection.
MAX_FRAME = 64 << 20

_MESSAGE_HEADS = frozenset({0x92, 0x93, 0x94})
_MESSAGE_LENGTHS = range(2, 5)
_PACKED = ARRAYS | STRINGS  # the second element of every mode but Message
_JSON_STARTS = b"{["
# The word "chunk", sought by its rarest letters: a third quicker over a read than `in` (bench/decoders.py).
_CHUNK = re.compile(rb"unk(?<=chunk)")
_DOCKER_OPTION = b"\x81\xa5chunk"
_NIL = msgspec.Raw(b"\xc0")


class _Shape(msgspec.Struct, array_like=True, gc=False):
    """A message with all its elements still packed."""

    tag: msgspec.Raw
    second: msgspec.Raw
    third: msgspec.Raw = _NIL
    fourth: msgspec.Raw = _NIL


_SHAPES = msgspec.msgpack.Decoder(list[_Shape])
_ONE_SHAPE = msgspec.msgpack.Decoder(_Shape)
# Longer reads bring many messages; one of Docker's, with a full 16 KiB piece, is shorter.
_MAX_SINGLE = 32 << 10


class ForwardSplitter:
    """Cuts one connection's bytes into frames.

    `asked_for_acks`: this sender has sent a chunk at least once. `heartbeats`: nils so far, left out of the
    frames. `json`: the sender speaks JSON and wants its acks so.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.asked_for_acks = False
        self.heartbeats = 0
        self.json = False
        self._max_frame = max_frame
        self._begun = False
        self._values = Boundaries()
        self._texts = JsonValues()

    @property
    def buffered(self) -> int:
        """Bytes of a message that is not whole yet."""
        return len(self._texts.tail if self.json else self._values.tail)

    def feed(self, data: bytes) -> Iterator[Frames]:
        """The messages that are now whole: one Frames, or none. DecodeError after the last good one."""
        if not data:
            return
        if not self._begun:
            self._begun = True
            self.json = data[0] in _JSON_STARTS
        if self.json:
            yield from self._feed_json(data)
        else:
            yield from self._feed_packed(data)
        if self.buffered > self._max_frame:
            raise DecodeError("oversize", f"a message is longer than {self._max_frame} bytes")

    def close(self) -> int:
        """At the connection's end: how many bytes of a truncated message are left."""
        return self.buffered

    def _feed_packed(self, data: bytes) -> Iterator[Frames]:
        if not self._values.tail and len(data) <= _MAX_SINGLE and (frames := _single(data)) is not None:
            self.asked_for_acks = self.asked_for_acks or bool(frames.acks)
            yield frames
            return
        raw, ends = self._values.feed(data)
        error = None
        if ends and not _all_messages(raw, ends):
            raw, ends, error = self._sort_out(raw, ends)
        if ends:
            yield self._frames(raw, ends)
        if error is None:
            error = _head_error(self._values.tail)
        if error is not None:
            raise error
        if self._values.broken:
            raise DecodeError("malformed", f"not msgpack: {self._values.broken!r}")

    def _sort_out(self, raw: bytes, ends: list[int]) -> tuple[bytes, list[int], DecodeError | None]:
        """The messages in front of the first value that is none, without the heartbeats."""
        kept: list[bytes] = []
        kept_ends: list[int] = []
        size = start = 0
        for end in ends:
            value = raw[start:end]
            start = end
            error = _head_error(value)
            if error is not None:
                return b"".join(kept), kept_ends, error
            if value[0] == NIL:
                self.heartbeats += 1
                continue
            size += len(value)
            kept.append(value)
            kept_ends.append(size)
        return b"".join(kept), kept_ends, None

    def _feed_json(self, data: bytes) -> Iterator[Frames]:
        messages: list[bytes] = []
        error = None
        try:
            for text in self._texts.feed(data):
                messages.append(packed_message(text))  # noqa: PERF401 (those before an error must be kept)
        except DecodeError as caught:
            error = caught
        if messages:
            yield self._frames(b"".join(messages), list(accumulate(map(len, messages))))
        if error is not None:
            raise error

    def _frames(self, raw: bytes, ends: list[int]) -> Frames:
        acks = _acks(raw, ends)
        if acks:
            self.asked_for_acks = True
        return Frames(raw, len(ends), acks)


def _single(data: bytes) -> Frames | None:
    """A read that is one whole message, as every read is of a sender that waits for each ack; else None.

    A third of the way that such a message takes otherwise; what is odd about it is found on that way.
    """
    if data[0] not in _MESSAGE_HEADS or len(data) < 2 or data[1] not in STRINGS:
        return None
    try:
        shape = _ONE_SHAPE.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        return None
    chunk = _chunk(_option_of(shape))
    return Frames(data, 1, () if chunk is None else (Frame(0, len(data), chunk),))


def is_relayed(raw: bytes) -> bool:
    """Whether the first of these messages brings many entries, in an array or packed: Docker's never does."""
    tag = raw[head(raw)[1] :]
    size, width = head(tag)
    return tag[width + size] in _PACKED


def ack(chunk: bytes, *, json: bool = False) -> bytes:
    """The answer to one chunk: {"ack": chunk} as msgpack, or as JSON.

    The chunk goes as a str, whatever its bytes: fluent-logger-golang refuses a bin.
    """
    if json:
        return msgspec.json.encode({"ack": chunk.decode("utf-8", "replace")})
    return b"\x81\xa3ack" + _str_head(len(chunk)) + chunk


def _str_head(size: int) -> bytes:
    if size < 32:
        return bytes((0xA0 | size,))
    if size < 1 << 8:
        return bytes((0xD9, size))
    if size < 1 << 16:
        return b"\xda" + size.to_bytes(2, "big")
    return b"\xdb" + size.to_bytes(4, "big")


def _all_messages(raw: bytes, ends: list[int]) -> bool:
    """Whether every value begins as nearly all messages do; a quick test without a step for each."""
    if len(ends) == 1:
        return raw[0] in _MESSAGE_HEADS and raw[1] in STRINGS
    at_starts = itemgetter(0, *ends[:-1])
    return _MESSAGE_HEADS.issuperset(at_starts(raw)) and STRINGS.issuperset(at_starts(memoryview(raw)[1:]))


def _head_error(value: bytes | bytearray) -> DecodeError | None:
    """What is wrong with the beginning of a value (it may be cut anywhere), if it can be told already."""
    if not value or value[0] == NIL:
        return None
    if value[0] not in ARRAYS:
        return DecodeError("not_forward", f"a message must be an array, not {bytes(value[:16])!r}")
    size = {0xDC: 3, 0xDD: 5}.get(value[0], 1)
    if len(value) < size:
        return None
    if head(value)[0] not in _MESSAGE_LENGTHS:
        return DecodeError("not_forward", f"a message has 2 to 4 elements, not {head(value)[0]}")
    if len(value) > size and value[size] not in STRINGS:
        return DecodeError("not_forward", f"a tag must be a string: {bytes(value[:16])!r}")
    return None


def _acks(raw: bytes, ends: list[int]) -> tuple[Frame, ...]:
    if not _CHUNK.search(raw):
        return ()
    frames = []
    start = 0
    for end, option in zip(ends, _options(raw, ends), strict=True):
        chunk = _chunk(option)
        if chunk is not None:
            frames.append(Frame(start, end, chunk))
        start = end
    return tuple(frames)


def _options(raw: bytes, ends: list[int]) -> list[bytes]:
    try:
        shapes = _SHAPES.decode(b"\xdd" + len(ends).to_bytes(4, "big") + raw)
    except (msgspec.MsgspecError, RecursionError):
        return [_option(raw[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    return [_option_of(shape) for shape in shapes]


def _option_of(shape: _Shape) -> bytes:
    return bytes(shape.third if bytes(shape.second)[0] in _PACKED else shape.fourth)


def _option(frame: bytes) -> bytes:
    """The slow way, for what msgspec does not read (nesting beyond Python's own limit)."""
    parts = [*children(frame), b"\xc0", b"\xc0"]
    return parts[2] if parts[1][0] in _PACKED else parts[3]


def _chunk(option: bytes) -> bytes | None:
    if option.startswith(_DOCKER_OPTION) and len(option) == 8 + option[7] - 0xA0 < 8 + 32:  # one short str
        return option[8:]
    if b"chunk" not in option or option[0] not in MAPS:
        return None
    parts = children(option)
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        if string(key) == b"chunk":
            return string(value)
    return None
