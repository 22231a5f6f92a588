"""Where msgpack values end, found without building them.

A value may arrive in any cut. Every byte is looked at once: the unpacker keeps its place inside an unfinished
value, so a 64 MiB frame in small reads costs no more than in one.
"""

from itertools import pairwise
from typing import Any

import msgpack

NIL = 0xC0
# Array headers, by first byte: fixarray, array 16, array 32 (msgpack specification, "Array format family").
ARRAYS = frozenset({*range(0x90, 0xA0), 0xDC, 0xDD})
MAPS = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})
# str and bin families: the forward protocol lets a sender use either for tags, packed entries and chunks.
STRINGS = frozenset({*range(0xA0, 0xC0), 0xD9, 0xDA, 0xDB, 0xC4, 0xC5, 0xC6})

_WIDE_HEADS = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC4: 1, 0xC5: 2, 0xC6: 4}
BROKEN = (ValueError, msgpack.UnpackException)  # 0xc1, nesting beyond msgpack's own 1024 levels
# An unpacker never gives its buffer back; one that grew beyond this is replaced when its value is complete,
# so that a thousand connections that each sent one big frame do not keep a thousand big buffers.
_KEEP_BUFFER = 1 << 20


def new_unpacker() -> Any:
    """An unpacker that is only to skip: no limit of its own (ours are in front), a small first buffer."""
    return msgpack.Unpacker(max_buffer_size=0, read_size=4096)


class Boundaries:
    """Cuts a stream of msgpack values into whole values.

    `tail` is the start of the value that is still incomplete. After `broken` is set, nothing more is read.
    """

    def __init__(self) -> None:
        self.tail = bytearray()
        self.broken: Exception | None = None
        self._unpacker = new_unpacker()
        self._start = 0  # where the tail starts, as the unpacker counts
        self._held = 0  # the most that the unpacker may have held at once

    def feed(self, data: bytes) -> tuple[bytes, list[int]]:
        """The values that are now whole, back to back, and where each ends in them."""
        ends = self._ends(data)
        if not ends:
            self.tail += data
            return b"", ends
        if self._start:
            start = self._start
            ends = [end - start for end in ends]
        cut = ends[-1] - len(self.tail)
        raw = self._take(data, cut)
        self._start += ends[-1]
        self.tail = bytearray(memoryview(data)[cut:])
        if self._held > _KEEP_BUFFER:
            self._renew()
        return raw, ends

    def _ends(self, data: bytes) -> list[int]:
        ends: list[int] = []
        self._held = max(self._held, len(self.tail) + len(data))
        unpacker = self._unpacker
        skip, tell, append = unpacker.skip, unpacker.tell, ends.append
        try:
            unpacker.feed(data)
            while True:
                skip()
                append(tell())
        except msgpack.OutOfData:
            return ends
        except BROKEN as error:
            self.broken = error
            return ends

    def _take(self, data: bytes, cut: int) -> bytes:
        if self.tail:
            return b"".join((self.tail, memoryview(data)[:cut]))
        return data[:cut]

    def _renew(self) -> None:
        self._unpacker = new_unpacker()
        self._unpacker.feed(self.tail)
        self._start = 0
        self._held = len(self.tail)


def head(value: bytes | bytearray) -> tuple[int, int]:
    """(number of elements or bytes, size of the header) at the start of an array, map, str or bin."""
    first = value[0]
    if first in _WIDE_HEADS:
        width = _WIDE_HEADS[first]
        return int.from_bytes(value[1 : 1 + width], "big"), 1 + width
    if first >= 0xA0:
        return first & 0x1F, 1
    return first & 0x0F, 1


def string(value: bytes) -> bytes | None:
    """The content of a whole str or bin; None when the value is something else."""
    if not value or value[0] not in STRINGS:
        return None
    return value[head(value)[1] :]


def children(value: bytes) -> list[bytes]:
    """The elements of a whole array, or the keys and values of a whole map by turns, each still packed."""
    count, position = head(value)
    if value[0] in MAPS:
        count *= 2
    unpacker = new_unpacker()
    unpacker.feed(memoryview(value)[position:])
    edges = [position]
    for _ in range(count):
        unpacker.skip()
        edges.append(position + unpacker.tell())
    return [value[start:end] for start, end in pairwise(edges)]
