"""What live followers see while the store is away: lines are shown from the journal before they are stored.

The pipeline stands still then, because it hands on in order. A second maker reads on from where it stands;
it makes the very same events (making.py), which the pipeline makes again for the store when it takes them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from ingest.journal import Journal
from ingest.making import Maker
from parsers.event import Event
from storage.store import Checkpoint
from storage.tail import Tail

log = logging.getLogger("logdock.ingest.pipeline")

AHEAD_SECONDS = 0.5  # a store that has not taken a batch by then is away: no follower should wait longer
MOST_BYTES = 256 << 20  # of journal to read for whoever begins to follow late: 10 s of work, in small steps


class Ahead:
    """At most one task. Once begun it goes on until the pipeline has reached it: beginning again is dear."""

    def __init__(self, journal: Journal, tail: Tail, make: Callable[[], Maker]) -> None:
        self._journal, self._tail, self._make = journal, tail, make
        self._maker: Maker | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def handing_on(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """The store is given `events`, after which the pipeline is at `checkpoint`."""
        self._timer = asyncio.get_running_loop().call_later(AHEAD_SECONDS, self._late, events, checkpoint)

    def handed_on(self, position: int) -> None:
        """The store has taken them, and with them all before `position`."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and (self._task.done() or self._next <= position):
            self._task.cancel()
            self._task = self._maker = None

    async def close(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def _next(self) -> int:
        return self._maker.next if self._maker is not None else 0

    def _late(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """Look as long as it lasts: somebody may begin to follow."""
        idle = self._task is None or self._task.done()
        if idle and self._tail.followed and self._journal.bytes_after(checkpoint.oldest) < MOST_BYTES:
            log.info("the store is away: followers are shown lines out of the journal")
            self._tail.publish(events, stored=False)
            self._maker = self._make()
            self._maker.restore(checkpoint)
            self._task = asyncio.get_running_loop().create_task(self._run(self._maker))
        self.handing_on(events, checkpoint)

    async def _run(self, maker: Maker) -> None:
        while True:
            if maker.caught_up:
                with contextlib.suppress(TimeoutError):  # a silent journal may have been damaged and rolled
                    async with asyncio.timeout(AHEAD_SECONDS):
                        await self._journal.wait(maker.read_to)
            self._tail.publish(maker.step(), stored=False)
            await asyncio.sleep(0)
