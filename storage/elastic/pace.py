"""How much is sent to Elasticsearch at once: bytes in a body, and bodies on their way.

Both grow slowly while answers come quickly and shrink by half when the server says that it is too much, as
TCP does (AIMD): it finds the server's present limit without being told, and again when the limit moves.

    answered soon         the next body may be STEP_BYTES larger, after some of them one more on its way
    answered late         half of this body, but not below SLOW_FLOOR_BYTES
    429 (too many)        half of this body, and one body at a time
    413 (too large)       half of this body; not that large again for REFUSED_SECONDS
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from storage.elastic.queue import BODY_BYTES

FLOOR_BYTES = 64 << 10  # below this it is not the size that is refused: single lines are as large
START_BYTES = 4 << 20
STEP_BYTES = 512 << 10  # from one half back to the whole within eight bodies
SLOW_FLOOR_BYTES = 1 << 20  # a server whose every answer takes its time needs fewer requests, not more
GOOD_SECONDS = 2.0  # a body of 8 MB takes 0.2 to 1 s on two cores: more can be asked of this server
SLOW_SECONDS = 8.0  # a fifteenth of what ends a request: the server is behind, and half may still be in time
REFUSED_SECONDS = 60.0  # after a 413; trying again costs one body a minute, and a proxy may be set up anew
FULL = 0.75  # a body of this share says something about the size; smaller ones are just what there was
STREAK = 8  # good answers in a row before one more body goes on its way


class Pace:
    """`most`: bodies on their way at best. Sizes are bytes, times seconds on one clock."""

    def __init__(self, most: int) -> None:
        self.body_bytes = START_BYTES
        self.allowed = self._most = most
        self.flying = 0
        self._streak = 0
        self._refused_bytes, self._refused_at = BODY_BYTES, float("-inf")
        self._landed = asyncio.Condition()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One body is on its way inside; waits until it may be."""
        async with self._landed:
            await self._landed.wait_for(lambda: self.flying < self.allowed)
            self.flying += 1
        try:
            yield
        finally:
            self.flying -= 1
            await asyncio.shield(self._land())

    async def _land(self) -> None:
        async with self._landed:
            self._landed.notify_all()

    def answered(self, size: int, seconds: float, now: float) -> None:
        """A body of so many bytes was answered."""
        if seconds > SLOW_SECONDS:
            self._shrink(size, SLOW_FLOOR_BYTES)
            return
        if seconds > GOOD_SECONDS:
            self._streak = 0
            return
        if size >= FULL * self.body_bytes:
            self.body_bytes = max(self.body_bytes, min(self.body_bytes + STEP_BYTES, self._cap(now)))
        self._streak += 1
        if self._streak >= STREAK and self.allowed < self._most:
            self._streak = 0
            self.allowed += 1

    def unanswered(self, size: int) -> None:
        """No answer came in time."""
        self._shrink(size, SLOW_FLOOR_BYTES)

    def too_many(self, size: int) -> None:
        """The server has too much to do."""
        self._shrink(size, FLOOR_BYTES)
        self.allowed = 1

    def too_large(self, size: int, now: float) -> None:
        """A body of so many bytes is not taken."""
        self._shrink(size, FLOOR_BYTES)
        self._refused_bytes, self._refused_at = max(size, FLOOR_BYTES), now

    def _shrink(self, size: int, floor: int) -> None:
        """From the size of that body, not from the present one: bodies sent together count once."""
        self.body_bytes = max(min(self.body_bytes, size // 2), min(floor, self.body_bytes))
        self._streak = 0

    def _cap(self, now: float) -> int:
        fresh = now - self._refused_at < REFUSED_SECONDS
        return min(BODY_BYTES, int(FULL * self._refused_bytes)) if fresh else BODY_BYTES


async def rest(woken: asyncio.Event, least: float, most: float) -> None:
    """Wait `least` seconds, and then until `woken` is set or `most` are over."""
    await asyncio.sleep(min(least, most))
    if most > least:
        with suppress(TimeoutError):
            async with asyncio.timeout(most - least):
                await woken.wait()
