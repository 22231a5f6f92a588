"""Every wire case three ways: whole, byte by byte, and with the start of another message behind it."""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import msgpack

from parsers.forward import ForwardSplitter, decode
from parsers.record import DecodeError, Frames, Record

WAYS = ("whole", "byte by byte", "trailing")
ODD = 7919  # a step for cases too long to go byte by byte


class Splitter(Protocol):
    @property
    def buffered(self) -> int: ...
    def feed(self, data: bytes) -> Iterable[Frames]: ...


class Fed(NamedTuple):
    """What one connection gave: equal for equal bytes, however they were cut."""

    raw: bytes
    count: int
    acks: list[tuple[bytes, bytes]]  # (frame, chunk)
    error: str | None
    buffered: int


def cuts(data: bytes, step: int) -> Iterable[bytes]:
    return (data[start : start + step] for start in range(0, len(data), step))


def feed(splitter: Splitter, parts: Iterable[bytes]) -> Fed:
    """Feeds the parts until one is refused."""
    got: list[Frames] = []
    error = None
    try:
        for part in parts:
            got.extend(frames for frames in splitter.feed(part))
    except DecodeError as caught:
        error = caught.reason
    return joined(got, error, splitter.buffered)


def joined(got: list[Frames], error: str | None, buffered: int) -> Fed:
    raw = b"".join(frames.raw for frames in got)
    acks = [(frames.raw[ack.start : ack.end], ack.chunk) for frames in got for ack in frames.acks]
    return Fed(raw, sum(frames.count for frames in got), acks, error, buffered)


def feed_way(new: Callable[[], Splitter], way: str, data: bytes, trailing: bytes, step: int = 1) -> Fed:
    """One case one way; the trailing bytes must stay behind, unread and unharmed."""
    if way == "whole":
        return feed(new(), [data])
    if way == "byte by byte":
        return feed(new(), cuts(data, step))
    fed = feed(new(), [data + trailing])
    assert fed.error is not None or fed.buffered == len(trailing)
    return fed._replace(buffered=fed.buffered - len(trailing) if fed.error is None else fed.buffered)


def pack(*parts: Any) -> bytes:
    """One array in msgpack: a message, or an entry."""
    return bytes(msgpack.packb(list(parts)))


def records_of(raw: bytes) -> tuple[list[Record], Counter[str]]:
    """What the pipeline makes of what the splitter lets through (all of it), and what it skipped."""
    skipped: Counter[str] = Counter()
    frames = list(ForwardSplitter().feed(raw))
    assert b"".join(f.raw for f in frames) == raw
    return [r for f in frames for r in decode(f.raw, f.count, skipped)], skipped


def peak_of(records: Iterable[Record]) -> tuple[int, int]:
    """How many there are, and the most bytes that taking them one by one needed."""
    tracemalloc.start()
    count = sum(1 for _ in records)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, peak
