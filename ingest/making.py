"""Journal entries -> events: reads on from a checkpoint, and always knows the one it stands at.

Everything it knows (also the time) comes from the journal, so after a crash it makes the same events with
the same ids. No store, no task; the only files it touches are the journal's.
"""

import itertools
import logging
from collections import Counter
from collections.abc import Iterator

import msgspec

from ingest.decoding import Decoder
from ingest.entries import Entry, Kind, Protocol, run_of
from ingest.journal import Journal
from ingest.presence import Presence
from ingest.reader import Reader
from parsers.event import Event
from parsers.join import Joiner, Part
from parsers.normalize import Normalizer
from storage.durable import write_durably
from storage.store import Checkpoint, Held, after_jump

log = logging.getLogger("logdock.ingest.pipeline")

READ_BYTES = 256 << 10  # about 600 Docker lines: 2-3 ms of work between two looks at the sockets
SLICE_EVENTS = 1000  # an entry may expand (packed, compressed): no step makes more events than this

stamp = msgspec.structs.force_setattr


class Maker:
    """Makes the events of one journal in order.

    `next` is the journal position before which everything was made, `records` counts what was read of each
    protocol and `replayed` what an earlier run had taken in; whoever publishes them resets them.
    `presence` is told who is connected.
    """

    def __init__(
        self, journal: Journal, normalizer: Normalizer, joiner: Joiner, presence: Presence | None = None
    ) -> None:
        self._presence = presence
        self.next = 0
        self.replayed = 0
        self.undecodable = 0
        self.oldest_observed = 0  # of the entry that it is at, nanoseconds; 0 before any
        self.records: Counter[Protocol] = Counter()
        self._journal = journal
        self._decoder = Decoder(normalizer, journal.identity)
        self._joiner = joiner
        self._reader = Reader(journal, 0)
        self._sequence = self._offset = 0
        self._index = 0  # records of the entry at `next` that were handed on already
        self._items: Iterator[Event | Part] = iter(())
        self._entry: Entry | None = None
        self._entries: list[Entry] = []
        self._refeed: dict[int, dict[int, int]] = {}  # position -> {index: sequence} of records held before
        self._start: Checkpoint | None = None  # until it is reached
        self._resume_at = self._resume_index = 0

    def restore(self, checkpoint: Checkpoint | None) -> None:
        """Begin where the store's durable state ends (None: at the beginning of the journal)."""
        start = checkpoint or Checkpoint()
        self._sequence, self._offset, self.next = start.sequence, start.offset, start.next
        self._resume_at, self._resume_index, self._start = start.next, start.index, start
        for held in start.held:
            self._refeed.setdefault(held.position, {})[held.index] = held.sequence
        self._reader.position = start.oldest

    @property
    def checkpoint(self) -> Checkpoint:
        """After all that was made so far."""
        if self._start is not None:
            return self._start  # nothing was made yet, and only some of what was held may have been read
        held = tuple(Held(*item) for item in self._joiner.held())
        rests = self._decoder.suspended(self._joiner.rests())
        return Checkpoint(self.next, self._sequence, self._offset, held, self._index, rests)

    @property
    def read_to(self) -> int:
        """The journal position up to which it has read: what stands before is in its memory or made."""
        return self._reader.position

    @property
    def caught_up(self) -> bool:
        """Everything that can be read of the journal now was made into events, or is held."""
        return self._entry is None and not self._entries and self._reader.position >= self._journal.readable

    @property
    def holds(self) -> bool:
        """The joiner waits for more of some line or trace."""
        return self._joiner.waiting

    def skipped(self) -> Iterator[tuple[str, int]]:
        """What became no event since the last call, by reason."""
        for counts in (self._decoder.skipped, self._joiner.dropped):
            yield from list(counts.items())
            counts.clear()
        if self.undecodable:
            yield "undecodable", self.undecodable
            self.undecodable = 0

    def step(self) -> list[Event]:
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
        self.oldest_observed = entry.observed
        self._entry = entry
        self._items = iter(())
        self._index = 0
        again = entry.position < self.next
        if self._start is not None and not again:
            self._joiner.restore(self._decoder.resumed(self._start.rests))
            self._start = None
        events += self._joiner.advance(entry.observed)  # also again: its clock must have gone as far
        if entry.kind is not Kind.DATA and not again:
            self._mark(entry, events)
        if entry.kind is Kind.DATA:
            try:
                self._items = self._decode(entry, events)
            except Exception:
                self._undecodable(entry)

    def _decode(self, entry: Entry, events: list[Event]) -> Iterator[Event | Part]:
        """The records of `entry` that were not handed on before the checkpoint was taken."""
        if entry.position < self.next:
            self._held_before(entry, events)
            return iter(())
        skip = self._resume_index if entry.position == self._resume_at else 0
        items = self._decoder.decode(entry, self._sequence - skip)
        self._index = self._feed_held(entry, itertools.islice(items, skip), events)
        return items

    def _held_before(self, entry: Entry, events: list[Event]) -> None:
        """An entry before the checkpoint: only what the joiner held of it is fed, with its own sequence."""
        if entry.position in self._refeed:
            index, sequence = next(iter(self._refeed[entry.position].items()))
            self._feed_held(entry, self._decoder.decode(entry, sequence - index), events)

    def _feed_held(self, entry: Entry, items: Iterator[Event | Part], events: list[Event]) -> int:
        """Give the joiner the records that it held; all others of `items` are in the store.

        Nothing leaves it again, unless an earlier version of this program has held what now is not held.
        """
        wanted = self._refeed.pop(entry.position, {})
        passed = 0
        for item in items:
            passed += 1
            if isinstance(item, Part) and item.event.index in wanted:
                events += self._joiner.add(item)
        return passed

    def _mark(self, entry: Entry, events: list[Event]) -> None:
        if self._presence is not None and self._is_of_this_run(entry):
            self._presence.mark(entry)
        if entry.kind is Kind.CLOSE:
            connection = self._decoder.connection(entry)
            events += self._joiner.close(connection)
            self._decoder.forget(connection)
        elif entry.kind is Kind.START:
            events += self._joiner.close_all()
            self._decoder.begin_run()
            self._stamp(events)  # what closes now still belongs to the run before
            run = run_of(entry)
            self._sequence, self._offset = after_jump(self._sequence, run), after_jump(self._offset, run)

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
        if taken and entry.connection and self._presence is not None and self._is_of_this_run(entry):
            self._presence.spoke(entry, _event_of(taken[-1]).origin.container)
        if entry.position >= self.next:
            self._sequence += len(taken)
            self._count(entry, len(taken))
        if len(taken) < room:
            self._finish(entry)
        elif entry.position >= self.next:
            self.next = entry.position

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
        self.undecodable += 1
        try:
            write_durably(aside, entry.raw)  # the journal forgets it
        except OSError as problem:
            log.error("cannot keep %s: %s", aside, problem)

    def _finish(self, entry: Entry) -> None:
        self._entry = None
        self._index = 0
        self.next = max(self.next, entry.end)

    def _count(self, entry: Entry, records: int) -> None:
        if records:
            self.records[entry.protocol] += records
        if not self._is_of_this_run(entry):
            self.replayed += records

    def _is_of_this_run(self, entry: Entry) -> bool:
        return entry.position >= self._journal.start_position

    def _stamp(self, events: list[Event]) -> None:
        offset = self._offset
        for event in events:
            if not event.offset:
                stamp(event, "offset", offset)
                offset += 1
        self._offset = offset


def _event_of(item: Event | Part) -> Event:
    return item if isinstance(item, Event) else item.event
