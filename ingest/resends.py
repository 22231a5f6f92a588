"""Which frames were journalled already: a bounded window of resend keys.

Docker's driver resends the same bytes with the same chunk when an ack did not reach it
(vendor/github.com/fluent/fluent-logger-golang, writeWithRetry). A key is a hash of chunk and frame, so the
same chunk with other content is new. The window survives a restart: every journal entry holds the keys of
its frames (entries.py), and when a segment is deleted its keys stay behind in a small file. After a restart
all of the last million count, however old they are.
"""

from collections.abc import Iterable, Sequence

from xxhash import xxh3_64_intdigest, xxh3_128_digest

from parsers.record import Frame, Frames

# A million keys cost about 90 MB and cover 30 seconds of the fastest four acknowledging containers that
# dockerd can serve, or ten minutes of 1,600 lines/s; a resend follows a lost connection within seconds.
WINDOW_KEYS = 1_000_000
WINDOW_SECONDS = 600


def resend_key(chunk: bytes, frame: bytes | memoryview) -> bytes:
    """16 bytes; collisions between different frames of one window are beyond 1 in 10^26."""
    return xxh3_128_digest(frame, xxh3_64_intdigest(chunk))


def without(raw: bytes, frames: Iterable[Frame]) -> bytes:
    """`raw` without those frames (in order)."""
    kept, at = [], 0
    for frame in frames:
        kept.append(raw[at : frame.start])
        at = frame.end
    return b"".join([*kept, raw[at:]])


class Resends:
    """The window, as two generations: the older one is forgotten when the younger is full or old."""

    def __init__(self, now: float, limit: int = WINDOW_KEYS, seconds: float = WINDOW_SECONDS) -> None:
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._half = limit // 2
        self._seconds = seconds
        self._turned = now

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def __contains__(self, key: bytes) -> bool:
        return key in self._young or key in self._old

    def add(self, keys: Iterable[bytes], now: float) -> None:
        """Remember keys; a key is kept for at least `seconds` or half of `limit` further keys."""
        if len(self._young) >= self._half or now - self._turned >= self._seconds:
            self._old, self._young, self._turned = self._young, set(), now
        self._young.update(keys)

    def load(self, keys: list[bytes], now: float) -> None:
        """Remember many keys, oldest first, within the window's limit."""
        for at in range(0, len(keys), self._half):
            self.add(keys[at : at + self._half], now)


def only_new(frames: Frames, keys: Sequence[bytes], known: Resends) -> tuple[bytes, list[bytes]]:
    """`frames.raw` without the frames that are known (or there twice), and the keys of those that stay.

    `keys`: of frames.acks, in order.
    """
    if len(keys) == 1 and keys[0] not in known:
        return frames.raw, list(keys)
    new: dict[bytes, None] = {}
    gone: list[Frame] = []
    for frame, key in zip(frames.acks, keys, strict=True):
        if key in known or key in new:
            gone.append(frame)
        else:
            new[key] = None
    return without(frames.raw, gone) if gone else frames.raw, list(new)
