"""The one port behind which events rest, and the few values that cross it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from parsers.event import Container, Event
from parsers.rests import Rest
from storage.by import By
from storage.counts import Facets, Histogram
from storage.prune import Pruned, PruneResult, Selection
from storage.query import Page, Query

# After a power cut the last numbers given out may be lost with the journal's unsynced end. Every run of the
# process jumps further than any such loss can be (0.2 s), so no sequence or offset is ever given twice.
RUN_JUMP = 1 << 20


def after_jump(number: int, run: int) -> int:
    """The first sequence or offset of run number `run`: whole jumps after `number`, the last one before.

    At least `run` jumps from 0: runs are numbered by the clock, so a data folder that was restored from a
    backup does not give out again what clients have seen since.
    """
    return number + max(1, run - number // RUN_JUMP) * RUN_JUMP


class StoreUnavailable(Exception):  # noqa: N818 - the house's word: time will mend it
    """The store cannot answer now; the same call may work later (HTTP 503)."""


class Held(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record that the joiner still holds: replay must feed it again."""

    position: int
    index: int
    sequence: int


class Checkpoint(msgspec.Struct, frozen=True):
    """How far the pipeline has read: where a replay starts and how its counters go on.

    Everything before journal position `next` is in the store, and of the entry that stands there the first
    `index` records, except the records in `held`.
    """

    next: int = 0
    sequence: int = 0  # the sequence that the next record gets
    offset: int = 0  # the offset that the next emitted event gets
    held: tuple[Held, ...] = ()
    index: int = 0  # records of the entry at `next` that are in the store already
    rests: tuple[Rest, ...] = ()  # what the joiner knows of lines whose records need not be fed again

    @property
    def oldest(self) -> int:
        """The lowest journal position that a replay needs."""
        return min((h.position for h in self.held), default=self.next)


class Rejection(msgspec.Struct, frozen=True):
    """The store will never take this event; it goes to quarantine, not away."""

    event: Event
    reason: str  # short and stable, for counters
    message: str  # what the store said


class ContainerSummary(msgspec.Struct, frozen=True):
    """A container that was seen, living or gone. Times are nanoseconds of `timestamp`."""

    container: Container
    service: str | None
    host: str
    lines: int
    first_seen: int
    last_seen: int
    service_source: str | None = None
    labels: Mapping[str, str] = {}
    tag_fields: Mapping[str, str] = {}


class NameSummary(msgspec.Struct, frozen=True):
    """A service, label key or label value that was seen."""

    name: str
    lines: int
    first_seen: int
    last_seen: int
    containers: int = 0


class Lag(msgspec.Struct, frozen=True):
    """What a store has taken and has not stored yet. Only one that is elsewhere has any."""

    lines: int = 0
    seconds: float = 0.0  # since the oldest of them was read from the network
    problem: str | None = None  # why it takes nothing just now


OnRejected = Callable[[Sequence[Rejection]], None]


class Store(Protocol):
    """Where events rest. Implementations: memory (the reference), local (Parquet), Elasticsearch.

    One pipeline appends; any number of readers ask, at the same time. `search` sees every event whose
    append has returned. All methods but `close` may raise StoreUnavailable.
    """

    name: str  # "memory", "local" or "elasticsearch"

    async def start(self) -> Checkpoint | None:
        """Open; returns the newest durable checkpoint, None when this data folder never had one."""

    async def append(self, events: Sequence[Event], checkpoint: Checkpoint) -> None:
        """Take events in order. `checkpoint` is the pipeline's state after the last of them.

        Events whose id the store already has are kept, not doubled. May wait (back-pressure). Returning
        does not mean durable: `safe` tells. `events` may be empty: then only the checkpoint moves on.
        """

    def lag(self) -> Lag:
        """How far behind it is."""

    async def put_back(self, events: Sequence[Event]) -> Sequence[Rejection]:
        """Take events that were refused once, in any order; all but those returned are durable then.

        Those returned are refused again, and nobody else is told of them. Those that are here already are
        not doubled. The checkpoint stays where it is.
        """

    def safe(self) -> Checkpoint | None:
        """The newest checkpoint whose events are all durable: the journal before it may be forgotten."""

    async def flush(self) -> None:
        """Make everything appended durable, so that `safe` equals the last checkpoint appended."""

    async def search(self, query: Query) -> Page:
        """Events matching `query`, in its order, at most `query.limit`, with a cursor for the rest."""

    async def histogram(self, query: Query, by: By | None, buckets: int) -> Histogram:
        """Lines over time: at most `buckets` buckets over the time asked for, where it is open up to the
        first and last match. `query`'s filters apply, its page and order do not.
        """

    async def facets(self, query: Query, by: By, limit: int) -> Facets:
        """The `limit` values with the most lines among those that `query`'s filters let through."""

    async def get(self, event_id: str) -> Event | None:
        """One event by its public id."""

    async def find_containers(self, ref: str) -> list[Container]:
        """The distinct containers whose name or id is `ref`, or whose id begins with it (at most 100)."""

    async def containers(self, query: Query) -> list[ContainerSummary]:
        """Every container seen, newest last_seen first; `query`'s origin filters apply (the rest do not)."""

    async def services(self, query: Query) -> list[NameSummary]:
        """Every service seen, by name."""

    async def labels(self, query: Query) -> list[NameSummary]:
        """Every label key seen, by name."""

    async def label_values(self, key: str, query: Query) -> list[NameSummary]:
        """Every value of one label, by value."""

    async def prune(self, selection: Selection, dry_run: bool) -> PruneResult:
        """Remove the selected lines whose append has returned, for good; a dry run only counts them.

        What went is recorded, also when StoreUnavailable is raised half way; its text then says how many.
        """

    def pruned(self) -> list[Pruned]:
        """What was removed on purpose so far, the newest first."""

    async def close(self) -> None:
        """Release everything. Does not flush: what is not safe is replayed from the journal."""
