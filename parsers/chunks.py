"""GELF over UDP in chunks: datagrams in, whole payloads out. Time is an argument, in seconds, and only grows.

     0    2            10    11     12
    +----+-------------+-----+------+----------------
    |1e0f| message id  | seq | count| part (may be empty)
    +----+-------------+-----+------+----------------

At most 128 chunks, all within five seconds of the first, else everything of that id is dropped, late ones too
(graylog-docs "GELF via UDP"). go-gelf's last chunk is empty when the payload is a multiple of 1408 bytes.
"""

from collections import Counter

MAGIC = b"\x1e\x0f"
TIMEOUT = 5.0
MAX_CHUNKS = 128
# Messages that wait for chunks at once. A busy Docker host has a few; a spoofer must not have all memory.
MAX_PENDING = 4096
# Bytes that wait, all messages together: a thousand of Docker's longest messages (some 50 KiB).
MAX_BYTES = 64 << 20
# Ids that are done with, remembered so that a late or doubled chunk does not begin a message that never ends.
MAX_DONE = 16_384
_DONE_FOR = 12 * TIMEOUT  # a sender may use an id again after a minute
_HEADER = 12

Key = tuple[str, bytes]  # ids collide between hosts: the sender is part of the key


class _Pending:
    """A message some of whose chunks have arrived."""

    __slots__ = ("count", "parts", "size", "started")

    def __init__(self, count: int, started: float) -> None:
        self.count = count
        self.started = started
        self.parts: dict[int, bytes] = {}
        self.size = 0


class ChunkAssembler:
    """Joins chunks, in any order and any number of copies, of many senders at once.

    `dropped` counts by reason: "chunk_timeout" and "chunk_overflow" messages, "chunk_invalid" datagrams.
    """

    def __init__(
        self, max_pending: int = MAX_PENDING, max_bytes: int = MAX_BYTES, timeout: float = TIMEOUT
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self._max_pending = max_pending
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._pending: dict[Key, _Pending] = {}  # oldest first
        self._done: dict[Key, float] = {}  # oldest first
        self._bytes = 0

    @property
    def pending(self) -> int:
        """Messages that wait for chunks."""
        return len(self._pending)

    @property
    def buffered(self) -> int:
        """Bytes that wait for chunks."""
        return self._bytes

    def feed(self, datagram: bytes, sender: str, now: float) -> bytes | None:
        """The payload that is now whole: the datagram itself when it is no chunk, or what its chunks make."""
        if not datagram.startswith(MAGIC):
            return datagram
        self.expire(now)
        if not _is_valid(datagram):
            self.dropped["chunk_invalid"] += 1
            return None
        key = (sender, datagram[2:10])
        if key in self._done:
            return None
        return self._add(key, datagram[10], datagram[11], datagram[_HEADER:], now)

    def expire(self, now: float) -> int:
        """Drops messages that were not whole in time; how many. For a timer: silence must end them too."""
        expired = 0
        while (oldest := next(iter(self._pending.items()), None)) and self._is_late(oldest[1], now):
            self._drop(oldest[0], "chunk_timeout", now)
            expired += 1
        self._forget(now)
        return expired

    def _is_late(self, message: _Pending, now: float) -> bool:
        return now - message.started >= self._timeout

    def _add(self, key: Key, seq: int, count: int, part: bytes, now: float) -> bytes | None:
        message = self._pending.get(key)
        if message is None:
            message = self._pending[key] = _Pending(count, now)
        if message.count != count:
            self.dropped["chunk_invalid"] += 1
            return None
        if seq not in message.parts:
            message.parts[seq] = part
            message.size += len(part)
            self._bytes += len(part)
        if len(message.parts) == count:
            self._remove(key, now)
            return b"".join(message.parts[number] for number in range(count))
        self._make_room(now)
        return None

    def _make_room(self, now: float) -> None:
        while len(self._pending) > self._max_pending or self._bytes > self._max_bytes:
            self._drop(next(iter(self._pending)), "chunk_overflow", now)

    def _drop(self, key: Key, reason: str, now: float) -> None:
        self.dropped[reason] += 1
        self._remove(key, now)

    def _remove(self, key: Key, now: float) -> None:
        self._bytes -= self._pending.pop(key).size
        self._done[key] = now
        if len(self._done) > MAX_DONE:
            del self._done[next(iter(self._done))]

    def _forget(self, now: float) -> None:
        while (oldest := next(iter(self._done.items()), None)) and now - oldest[1] >= _DONE_FOR:
            del self._done[oldest[0]]


def _is_valid(datagram: bytes) -> bool:
    return len(datagram) >= _HEADER and 1 <= datagram[11] <= MAX_CHUNKS and datagram[10] < datagram[11]
