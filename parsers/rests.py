"""The rest of lines that were cut: pieces that are counted and left out until the last one has come.

A cut line has left already, and its records may be forgotten: an endless line must not hold the journal. So
what is to be known of it after a restart stands in the checkpoint itself, as a Rest.
"""

from collections.abc import Iterable

import msgspec

# Cut lines whose rest is on its way. Each is some 200 bytes in every checkpoint; beyond, the one that has
# been silent for longest is given up, and what still comes of it is an incomplete line.
MAX_RESTS = 256

# Connection, container's id and name, stream, partial_id: what pieces of one line have in common.
Key = tuple[int, str | None, str | None, str | None, str]


class Rest(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A cut line whose remaining pieces are swallowed, as a checkpoint keeps it."""

    connection: int
    container_id: str | None
    container_name: str | None
    stream: str | None
    partial_id: str
    seen: int  # pieces so far
    last: int  # the last piece's ordinal, 0 while it has not come
    idle: int  # nanoseconds since its latest piece
    observed: int  # nanoseconds: when the journal entry was written that was read last

    @property
    def key(self) -> Key:
        """What its pieces have in common."""
        return self.connection, self.container_id, self.container_name, self.stream, self.partial_id


class Rests:
    """All of them. `now` is the joiner's clock, in nanoseconds; it only grows."""

    def __init__(self) -> None:
        self._rests: dict[Key, tuple[int, int, int]] = {}  # (seen, last, touched); the longest silent first

    def __contains__(self, key: Key) -> bool:
        return key in self._rests

    @property
    def oldest(self) -> int | None:
        """When the one that is silent for longest had its latest piece; None when there are none."""
        return next(iter(self._rests.values()))[2] if self._rests else None

    def begin(self, key: Key, seen: int, last: int, now: int) -> None:
        """A line of `seen` pieces was cut."""
        self._rests[key] = (seen, last, now)
        if len(self._rests) > MAX_RESTS:
            del self._rests[next(iter(self._rests))]

    def swallow(self, key: Key, ordinal: int, last: bool, now: int) -> None:
        """One piece more; with the last one the matter ends. `ordinal` is 0 when pieces have none."""
        seen, end, _ = self._rests.pop(key)
        seen += 1
        if last:
            end = ordinal or seen
        if not 0 < end <= seen:
            self._rests[key] = (seen, end, now)

    def expire(self, limit: int) -> None:
        """Give up those that have been silent since `limit`."""
        self._rests = {key: rest for key, rest in self._rests.items() if rest[2] > limit}

    def close(self, connection: int) -> None:
        """Nothing more comes on this connection."""
        self._rests = {key: rest for key, rest in self._rests.items() if key[0] != connection}

    def clear(self) -> None:
        """Nothing more comes at all."""
        self._rests.clear()

    def saved(self, now: int, observed: int) -> tuple[Rest, ...]:
        """For a checkpoint; `observed` is what the journal's clock shows."""
        return tuple(
            Rest(*key, seen, last, now - touched, observed)
            for key, (seen, last, touched) in self._rests.items()
        )

    def restore(self, rests: Iterable[Rest], now: int) -> None:
        """Go on where `saved` was asked."""
        self._rests.update({rest.key: (rest.seen, rest.last, now - rest.idle) for rest in rests})
