"""From the journal to the store: read what is there, make events of it, hand them on, and again.

There is no timer in front of it and no queue beside it: the journal is the queue. After a crash it begins
at the store's last checkpoint and makes the same events with the same ids, because everything it knows
(also the time) comes from the journal.
"""

import asyncio
import itertools
import logging
import time
from collections import Counter
from collections.abc import Iterator

import msgspec

from ingest.decoding import Decoder
from ingest.entries import Entry, Kind, Protocol
from ingest.journal import Journal
from ingest.reader import Reader
from parsers.event import Event
from parsers.join import Joiner, Part
from parsers.normalize import Normalizer
from storage.metrics import Metrics
from storage.store import RUN_JUMP, Checkpoint, Held, Store, StoreUnavailable
from storage.tail import Tail

log = logging.getLogger("logdock.ingest.pipeline")

READ_BYTES = 256 << 10  # about 600 Docker lines: 2-3 ms of work between two looks at the sockets
SLICE_EVENTS = 1000  # an entry may expand (packed, compressed): no step makes more events than this
SMALL_STEP_BYTES = 32 << 10  # after less than this the pipeline lets some gather
GATHER_SECONDS = 0.02
RETRY_SECONDS = 1.0  # between attempts at a store that is away
# After a store could not be made durable. Each attempt at a full disk builds and writes a whole file for
# nothing; the store's own upkeep tries again meanwhile.
FLUSH_RETRY_SECONDS = 10.0
TICK_NS = 500_000_000  # an idle journal says the time this often while the joiner holds something

stamp = msgspec.structs.force_setattr


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
    ) -> None:
        self.checkpoint = Checkpoint()
        self.replayed = 0
        self._journal = journal
        self._store = store
        self._tail = tail
        self._decoder = Decoder(normalizer, journal.identity)
        self._joiner = joiner
        self._metrics = metrics
        self._reader = Reader(journal, 0)
        self._sequence = self._offset = self._next = 0
        self._index = 0  # records of the entry at `_next` that were handed on already
        self._items: Iterator[Event | Part] = iter(())
        self._entry: Entry | None = None
        self._entries: list[Entry] = []
        self._refeed: dict[int, dict[int, int]] = {}  # position -> {index: sequence} of records held before
        self._resume_at = self._resume_index = self._oldest_observed = 0
        self._records: Counter[Protocol] = Counter()  # read since the store last took events
        self._stopping = False
        self._flush_after = 0.0  # on the monotonic clock

    # -- state -----------------------------------------------------------------------------------------

    def restore(self, checkpoint: Checkpoint | None) -> None:
        """Begin where the store's durable state ends (None: at the beginning of the journal)."""
        self.checkpoint = start = checkpoint or Checkpoint()
        self._sequence, self._offset, self._next = start.sequence, start.offset, start.next
        self._resume_at, self._resume_index = start.next, start.index
        for held in start.held:
            self._refeed.setdefault(held.position, {})[held.index] = held.sequence
        self._reader.position = start.oldest

    @property
    def ready(self) -> bool:
        """The replay is done: everything of earlier runs was handed to the store."""
        return self._next >= self._journal.start_position

    @property
    def lag_bytes(self) -> int:
        return max(0, self._journal.position - max(self._next, self._journal.segments[0].base))

    @property
    def lag_seconds(self) -> float:
        if self.lag_bytes == 0 or not self._oldest_observed:
            return 0.0
        return max(0.0, (time.time_ns() - self._oldest_observed) / 1e9)

    # -- the loop --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read, make events, hand on, until `stop` was called and the journal is read to its end."""
        while not (self._stopping and self.caught_up):
            await self._wait_for_work()
            before = self._next
            await self._hand_on(self._step())
            moved = self._next - before
            gather = self.caught_up and moved < SMALL_STEP_BYTES and not self._stopping
            await asyncio.sleep(GATHER_SECONDS if gather else 0)

    def stop(self) -> None:
        """Let `run` end once it has handed on all that is in the journal now."""
        self._stopping = True
        self._journal.wake()

    @property
    def caught_up(self) -> bool:
        return self._entry is None and not self._entries and self._reader.position >= self._journal.position

    async def _wait_for_work(self) -> None:
        while self.caught_up and not self._stopping:
            try:
                await asyncio.wait_for(self._journal.wait(self._reader.position), TICK_NS / 1e9)
            except TimeoutError:
                if self._joiner.held():
                    self._journal.tick()
                await self._let_go()  # what has become durable meanwhile: a full journal waits for it

    def _step(self) -> list[Event]:
        """Make the next events: at most about SLICE_EVENTS, or what one read of the journal holds."""
        events: list[Event] = []
        if self._entry is None and not self._entries:
            self._entries = self._reader.read(READ_BYTES)
            self._entries.reverse()
        while len(events) < SLICE_EVENTS and (self._entry is not None or self._entries):
            if self._entry is None:
                self._begin(self._entries.pop(), events)
            self._advance(events)
        self._stamp(events)
        return events

    def _begin(self, entry: Entry, events: list[Event]) -> None:
        self._oldest_observed = entry.observed
        self._entry = entry
        self._items = iter(())
        self._index = 0
        if entry.position >= self._next:
            events += self._joiner.advance(entry.observed)
            if entry.kind is not Kind.DATA:
                self._mark(entry, events)
        if entry.kind is Kind.DATA:
            try:
                self._items = self._decode(entry)
            except Exception:
                self._undecodable(entry)

    def _decode(self, entry: Entry) -> Iterator[Event | Part]:
        """The records of `entry` that were not handed on before the checkpoint was taken."""
        if entry.position < self._next:
            self._held_before(entry)
            return iter(())
        skip = self._resume_index if entry.position == self._resume_at else 0
        items = self._decoder.decode(entry, self._sequence - skip)
        self._index = self._feed_held(entry, itertools.islice(items, skip))
        return items

    def _held_before(self, entry: Entry) -> None:
        """An entry before the checkpoint: only what the joiner held of it is fed, with its own sequence."""
        if entry.position in self._refeed:
            index, sequence = next(iter(self._refeed[entry.position].items()))
            self._feed_held(entry, self._decoder.decode(entry, sequence - index))

    def _feed_held(self, entry: Entry, items: Iterator[Event | Part]) -> int:
        """Give the joiner the records that it held; all others of `items` are in the store."""
        wanted = self._refeed.pop(entry.position, {})
        passed = 0
        for item in items:
            passed += 1
            if isinstance(item, Part) and item.event.index in wanted:
                self._joiner.add(item)
        return passed

    def _mark(self, entry: Entry, events: list[Event]) -> None:
        if entry.kind is Kind.CLOSE:
            connection = self._decoder.connection(entry)
            events += self._joiner.close(connection)
            self._decoder.forget(connection)
        elif entry.kind is Kind.START:
            events += self._joiner.close_all()
            self._decoder.begin_run()
            self._stamp(events)  # what closes now still belongs to the run before
            self._sequence += RUN_JUMP
            self._offset += RUN_JUMP

    def _advance(self, events: list[Event]) -> None:
        """Take items of the current entry until it ends or the slice is full."""
        entry = self._entry
        assert entry is not None
        room = max(1, SLICE_EVENTS - len(events))
        taken = self._take(entry, room)
        for item in taken:
            if isinstance(item, Event):
                events.append(item)
            else:
                events += self._joiner.add(item)
        self._index += len(taken)
        if entry.position >= self._next:
            self._sequence += len(taken)
            self._count(entry, len(taken))
        if len(taken) < room:
            self._finish(entry)
        elif entry.position >= self._next:
            self._next = entry.position

    def _take(self, entry: Entry, room: int) -> list[Event | Part]:
        taken: list[Event | Part] = []
        try:
            taken.extend(itertools.islice(self._items, room))
        except Exception:
            self._undecodable(entry)
        return taken

    def _undecodable(self, entry: Entry) -> None:
        """A decoder's own mistake must not stand in everybody's way, at every start again."""
        self._items = iter(())
        aside = self._journal.folder / f"{entry.position:020d}.undecodable"
        log.exception("cannot decode the rest of journal entry %#x: a copy is in %s", entry.position, aside)
        self._metrics.dropped.labels("undecodable").inc()
        aside.write_bytes(entry.raw)

    def _finish(self, entry: Entry) -> None:
        self._entry = None
        self._index = 0
        self._next = max(self._next, entry.end)

    def _count(self, entry: Entry, records: int) -> None:
        if records:
            self._records[entry.protocol] += records
        if entry.position < self._journal.start_position:
            self.replayed += records
            self._metrics.replayed.inc(records)

    def _stamp(self, events: list[Event]) -> None:
        offset = self._offset
        for event in events:
            if not event.offset:
                stamp(event, "offset", offset)
                offset += 1
        self._offset = offset

    # -- handing on ------------------------------------------------------------------------------------

    async def _hand_on(self, events: list[Event]) -> None:
        held = tuple(Held(*item) for item in self._joiner.held())
        self.checkpoint = Checkpoint(self._next, self._sequence, self._offset, held, self._index)
        while True:
            try:
                await self._store.append(events, self.checkpoint)
                break
            except StoreUnavailable as problem:
                log.warning("store takes nothing: %s; the journal holds what comes", problem)
                await asyncio.sleep(RETRY_SECONDS)
        self._tail.publish(events)
        self._tell(events)
        await self._let_go()

    def _tell(self, events: list[Event]) -> None:
        self._metrics.events.inc(len(events))
        for protocol, count in self._records.items():
            self._metrics.records.labels(protocol.label).inc(count)
        self._records.clear()
        for event in events:
            for flag in event.flags:
                self._metrics.marked.labels(flag).inc()
        for skipped in (self._decoder.skipped, self._joiner.dropped):
            for reason, count in skipped.items():
                self._metrics.dropped.labels(reason).inc(count)
            skipped.clear()

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
