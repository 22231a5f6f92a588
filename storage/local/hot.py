"""The hot set of the embedded store: events not sealed yet, as Arrow batches that DuckDB reads in place."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import lt

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from parsers.event import Event
from storage.local import columns
from storage.local.catalogue import Span
from storage.local.origins import Origins

BATCH_ROWS = 4096  # folding these takes 3 ms of the event loop; many small ones cost queries
PENDING_BYTES = 8 * 2**20  # of messages: long lines are folded earlier, so that memory is counted in time

Key = tuple[str, int, int]  # journal, position, index
Unstorable = Callable[[Event, str], None]

_NOT_STORABLE = (UnicodeEncodeError, OverflowError, TypeError, ValueError, pa.ArrowException)


class Batch(msgspec.Struct, frozen=True, eq=False):
    """Some rows in memory, with the same bounds that a FileEntry has of a file."""

    data: pa.RecordBatch
    rows: int
    bytes: int
    min_timestamp: int
    max_timestamp: int
    min_offset: int
    max_offset: int
    spans: tuple[Span, ...]
    origins: tuple[int, ...]


def make_batch(data: pa.RecordBatch) -> Batch:
    """A Batch of rows of columns.SCHEMA."""
    timestamps, offsets = bounds(data["timestamp"]), bounds(data["offset"])
    return Batch(
        data,
        data.num_rows,
        data.nbytes,
        *timestamps,
        *offsets,
        spans(data),
        tuple(data["origin"].unique().to_pylist()),
    )


def bounds(column: pa.Array) -> tuple[int, int]:
    """The lowest and the highest value, times as nanoseconds."""
    ends = pc.min_max(column.view(pa.int64()) if pa.types.is_timestamp(column.type) else column)
    return ends["min"].as_py(), ends["max"].as_py()


def spans(data: pa.RecordBatch) -> tuple[Span, ...]:
    """The range of positions of every journal in `data`."""
    journals = data["journal"].unique().to_pylist()
    if len(journals) == 1:
        return (Span(journals[0], *bounds(data["position"])),)
    return tuple(Span(j, *bounds(data.filter(pc.equal(data["journal"], j))["position"])) for j in journals)


def covers(spans: Iterable[Span], key: Key) -> bool:
    """Whether an event of this identity can be where these spans are."""
    return any(s.journal == key[0] and s.first <= key[1] <= s.last for s in spans)


def held(batch: Batch, keys: Iterable[Key]) -> set[Key]:
    """Which of `keys` are in the batch."""
    wanted = {key for key in keys if covers(batch.spans, key)}
    if not wanted:
        return set()
    positions = pa.array({key[1] for key in wanted}, pa.int64())
    hits = batch.data.filter(pc.is_in(batch.data["position"], positions))
    found = zip(*(hits[name].to_pylist() for name in ("journal", "position", "index")), strict=True)
    return wanted & set(found)


class Ids:
    """Tells events that are certainly new from those that may be here already.

    A journal is read forwards, so almost every id is above all before it; only what the joiner held, and
    what is appended again, needs a look.
    """

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}

    def raise_to(self, span: Span) -> None:
        """Everything up to the end of this span may be here already."""
        self._highest[span.journal] = max(self._highest.get(span.journal, -1), ((span.last + 1) << 32) - 1)

    def doubtful(self, events: Sequence[Event]) -> set[Key]:
        """The ids among `events` that may be stored already, or twice in `events`; usually none."""
        journal = events[0].journal
        keys = [event.position << 32 | event.index for event in events]
        highest = self._highest.get(journal, -1)
        if keys[0] > highest and all(map(lt, keys, islice(keys, 1, None))) and one_journal(events):
            self._highest[journal] = keys[-1]
            return set()
        return {
            (e.journal, e.position, e.index)
            for e, key in zip(events, keys, strict=True)
            if self._known(e, key)
        }

    def _known(self, event: Event, key: int) -> bool:
        if key <= self._highest.get(event.journal, -1):
            return True
        self._highest[event.journal] = key
        return False


def one_journal(events: Sequence[Event]) -> bool:
    """Whether all events are of one journal."""
    return len({event.journal for event in events}) == 1


class Hot:
    """Events in memory: the newest still as they came, the others folded into batches."""

    def __init__(self, origins: Origins, unstorable: Unstorable) -> None:
        self._origins = origins
        self._unstorable = unstorable
        self._pending: list[Event] = []
        self._pending_bytes = 0
        self._pending_keys: tuple[int, set[Key]] = (0, set())
        self._folded: tuple[int, Batch | None] = (0, None)
        self._batches: list[Batch] = []
        self._rows = 0
        self.bytes = 0  # of the batches

    @property
    def rows(self) -> int:
        """Events here, pending ones included."""
        return self._rows + len(self._pending)

    def add(self, events: Sequence[Event]) -> None:
        """Take events that are certainly new."""
        self._pending.extend(events)
        self._pending_bytes += sum([len(event.message) for event in events])
        while len(self._pending) >= BATCH_ROWS:
            self._fold(BATCH_ROWS)
        if self._pending_bytes >= PENDING_BYTES:
            self._fold(len(self._pending))

    def snapshot(self) -> list[Batch]:
        """Everything as batches, oldest first. Pending events stay so: small batches slow queries."""
        count, batch = self._folded
        if count != len(self._pending):
            try:
                batch = make_batch(self._columns(self._pending))
            except _NOT_STORABLE:
                self._fold(len(self._pending))
                return list(self._batches)
            self._folded = (len(self._pending), batch)
        return [*self._batches, batch] if batch is not None else list(self._batches)

    def held(self, keys: set[Key]) -> set[Key]:
        """Which of `keys` are here."""
        count, pending = self._pending_keys
        pending.update((e.journal, e.position, e.index) for e in islice(self._pending, count, None))
        self._pending_keys = (len(self._pending), pending)
        return (keys & pending).union(*(held(batch, keys) for batch in self._batches))

    def take(self) -> list[Batch]:
        """Everything, leaving nothing."""
        batches = self.snapshot()
        self._forget_pending(len(self._pending))
        self._batches, self._rows, self.bytes = [], 0, 0
        return batches

    def _fold(self, count: int) -> None:
        batch = self._build(self._pending[:count])
        self._forget_pending(count)
        if batch is not None:
            self._batches.append(batch)
            self._rows += batch.rows
            self.bytes += batch.bytes

    def _forget_pending(self, count: int) -> None:
        del self._pending[:count]
        self._pending_bytes = sum([len(event.message) for event in self._pending])
        self._pending_keys, self._folded = (0, set()), (0, None)

    def _build(self, events: Sequence[Event]) -> Batch | None:
        try:
            return make_batch(self._columns(events))
        except _NOT_STORABLE:
            kept = [good for event in events if (good := self._mended(event)) is not None]
        return make_batch(self._columns(kept)) if kept else None

    def _columns(self, events: Sequence[Event]) -> pa.RecordBatch:
        try:
            return columns.batch(events, self._origins.ids)
        except KeyError:
            self._origins.intern(event.origin for event in events)
        return columns.batch(events, self._origins.ids)

    def _mended(self, event: Event) -> Event | None:
        for candidate in (event, columns.storable(event)):
            try:
                self._columns([candidate])
                return candidate
            except _NOT_STORABLE as error:
                reason = str(error)
        self._unstorable(event, reason)
        return None
