"""From the journal to the store: read what is there, make events of it, hand them on, and again.

There is no timer in front of it and no queue beside it: the journal is the queue. After a crash it begins
at the store's last checkpoint and makes the same events again (making.py).
"""

import asyncio
import logging
import time

from ingest.ahead import Ahead
from ingest.ends import Ends
from ingest.journal import Journal
from ingest.making import Maker
from ingest.presence import Presence
from parsers.event import Event
from parsers.join import Joiner
from parsers.normalize import Normalizer
from storage.metrics import Metrics
from storage.store import Checkpoint, Store, StoreUnavailable
from storage.tail import Tail

log = logging.getLogger("logdock.ingest.pipeline")

SMALL_STEP_BYTES = 32 << 10  # after less than this the pipeline lets some gather
GATHER_SECONDS = 0.02
RETRY_SECONDS = 1.0  # between attempts at a store that is away
# After a store could not be made durable. Each attempt at a full disk builds and writes a whole file for
# nothing; the store's own upkeep tries again meanwhile.
FLUSH_RETRY_SECONDS = 10.0
TICK_NS = 500_000_000  # an idle journal says the time this often while the joiner holds something


class Pipeline:
    """Runs as one task. `checkpoint` is its state after the last entry it handed on."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        tail: Tail,
        normalizer: Normalizer,
        joiner: Joiner,
        metrics: Metrics,
        ahead: Ahead | None = None,
    ) -> None:
        self.checkpoint = Checkpoint()
        self.replayed = 0
        self.problem: str | None = None  # why the store does not take what it was given last
        self._journal = journal
        self._store = store
        self._tail = tail
        self._metrics = metrics
        self._ahead = ahead
        self.presence = Presence()
        self._maker = Maker(journal, normalizer, joiner, self.presence)
        self._stopping = False
        self._flush_after = 0.0  # on the monotonic clock

    # -- state -----------------------------------------------------------------------------------------

    def restore(self, checkpoint: Checkpoint | None) -> None:
        """Begin where the store's durable state ends (None: at the beginning of the journal)."""
        self.checkpoint = checkpoint or Checkpoint()
        self._maker.restore(checkpoint)

    @property
    def ready(self) -> bool:
        """The replay is done: everything of earlier runs was handed to the store."""
        return self._maker.next >= self._journal.start_position

    @property
    def read_to(self) -> int:
        """The journal position up to which it has read: what stands before is in its memory or handed on."""
        return self._maker.read_to

    @property
    def lag_bytes(self) -> int:
        return self._journal.bytes_after(self._maker.next)

    @property
    def lag_seconds(self) -> float:
        if self.lag_bytes == 0 or not self._maker.oldest_observed:
            return 0.0
        return max(0.0, (time.time_ns() - self._maker.oldest_observed) / 1e9)

    # -- the loop --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read, make events, hand on, until `stop` was called and the journal is read to its end."""
        ends = Ends(self.presence, self._journal.folder)
        ends.recall()
        keeping = asyncio.create_task(ends.keep(), name="ends")
        try:
            await self._run()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _run(self) -> None:
        while not self._finished:
            await self._wait_for_work()
            before = self._maker.next
            await self._hand_on(self._maker.step())
            moved = self._maker.next - before
            gather = self.caught_up and moved < SMALL_STEP_BYTES and not self._stopping
            await asyncio.sleep(GATHER_SECONDS if gather else 0)

    def stop(self) -> None:
        """Let `run` end once it has handed on all that is in the journal now."""
        self._stopping = True
        self._journal.wake()

    @property
    def caught_up(self) -> bool:
        return self._maker.caught_up

    @property
    def _finished(self) -> bool:
        """To stop, and what is written but not synced yet has been read too."""
        return self._stopping and self.caught_up and self._maker.read_to >= self._journal.position

    async def _wait_for_work(self) -> None:
        while self.caught_up and not self._finished:
            try:
                async with asyncio.timeout(TICK_NS / 1e9):
                    await self._journal.wait(self._maker.read_to)
            except TimeoutError:
                if self._maker.holds and not self._stopping:
                    self._journal.tick()
                await self._let_go()  # what has become durable meanwhile: a full journal waits for it

    # -- handing on ------------------------------------------------------------------------------------

    async def _hand_on(self, events: list[Event]) -> None:
        self.checkpoint = self._maker.checkpoint
        if self._ahead is not None:
            self._ahead.handing_on(events, self.checkpoint)
        await self._store_them(events)
        if self._ahead is not None:
            self._ahead.handed_on(self.checkpoint.next)
        self._tail.publish(events)
        self.presence.apply()
        self._tell(events)
        await self._let_go()

    async def _store_them(self, events: list[Event]) -> None:
        while True:
            try:
                await self._store.append(events, self.checkpoint)
                self.problem = None
                return
            except StoreUnavailable as problem:
                self.problem = str(problem)
                log.warning("store takes nothing: %s; the journal holds what comes", problem)
            except Exception as problem:  # a mistake of ours: as ids are known, to try again is safe
                self.problem = f"{type(problem).__name__}: {problem}"
                log.exception("store failed, will try again; the journal holds what comes")
            await asyncio.sleep(RETRY_SECONDS)

    def _tell(self, events: list[Event]) -> None:
        self._metrics.events.inc(len(events))
        maker = self._maker
        for protocol, count in maker.records.items():
            self._metrics.records.labels(protocol.label).inc(count)
        maker.records.clear()
        for event in events:
            for flag in event.flags:
                self._metrics.marked.labels(flag).inc()
        for reason, count in maker.skipped():
            self._metrics.dropped.labels(reason).inc(count)
        self.replayed += maker.replayed
        self._metrics.replayed.inc(maker.replayed)
        maker.replayed = 0

    async def _let_go(self) -> None:
        """Forget what is durable; when the journal is half full, ask the store to make more durable."""
        first, safe = self._journal.segments[0], self._store.safe()
        done = safe.oldest if safe else 0
        # only if that frees the first segment: else every step would seal a file of its own
        pressed = self._journal.under_pressure and time.monotonic() >= self._flush_after
        if pressed and done < first.end <= self.checkpoint.oldest:
            log.info("journal half full: sealing early (safe up to %s)", done)
            try:
                await self._store.flush()
            except StoreUnavailable as problem:  # the journal fills up and senders wait
                log.warning("cannot seal early: %s", problem)
                self._flush_after = time.monotonic() + FLUSH_RETRY_SECONDS
        if (safe := self._store.safe()) is not None:
            self._journal.forget(safe.oldest)
