"""What an operator does with the quarantine: offer its events to the store again, or throw them away.

Both go file by file, and a file changes as a whole (durable.py). Killed at any moment, an event is still
here or is in the store; one that is in both is offered again and found known, because stores keep one of
an id. What was thrown away is written down first, in dropped.ndjson.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import BinaryIO

import msgspec

from storage.quarantine import Quarantine
from storage.quarantine_file import Entry, Segment, append_line, read, rewrite
from storage.store import Rejection, Store
from storage.times import rfc3339

log = logging.getLogger("logdock.storage.quarantine")

WORK_SECONDS = 10.0  # after which an answer says "more": whoever asks sees progress, and no proxy gives up
DROPPED_FILE = "dropped.ndjson"


class Chosen(msgspec.Struct, frozen=True):
    """Which events an operator means: all of them, those of a reason, or some by id.

    `before`: only those that no store has refused at or after this moment (nanoseconds), so that a pass
    which takes several requests offers each once.
    """

    ids: frozenset[str] | None = None
    reason: str | None = None
    before: int | None = None

    def has(self, entry: Entry) -> bool:
        """Whether the entry is one of them."""
        if self.before is not None and entry.tried >= self.before:
            return False
        if self.reason is not None and entry.reason != self.reason:
            return False
        return self.ids is None or entry.event.id in self.ids


class Done(msgspec.Struct):
    """What came of it. `more`: there are more of the chosen; ask again with the same `before`."""

    taken: int = 0  # the store has them now
    refused: int = 0  # refused again: still here
    dropped: int = 0
    missing: list[str] = []  # ids that are not here
    more: bool = False
    before: int = 0


class Worker:
    """One retry or drop at a time on one quarantine."""

    def __init__(self, quarantine: Quarantine, clock: Callable[[], int] = time.time_ns) -> None:
        self.quarantine, self._clock = quarantine, clock
        self._one = asyncio.Lock()

    async def retry(self, store: Store, chosen: Chosen) -> Done:
        """Offer the chosen to the store. Raises StoreUnavailable, OSError; nothing is lost by either."""
        async with self._one:
            segments, end = self.quarantine.seal(), time.monotonic() + WORK_SECONDS
            chosen = msgspec.structs.replace(chosen, before=chosen.before or self._now(segments))
            done, found = Done(before=chosen.before or 0), set[str]()
            for segment in segments:
                entries = await asyncio.to_thread(_chosen, segment, chosen)
                if entries and found and time.monotonic() > end:
                    done.more = True
                    return done
                found.update(entry.event.id for entry in entries)
                await self._offer(store, segment, entries, done)
            done.missing = _missing(chosen, found)
            return done

    async def _offer(self, store: Store, segment: Segment, entries: list[Entry], done: Done) -> None:
        if not entries:
            return
        refused = await store.put_back([entry.event for entry in entries])
        changes = _after_retry(entries, refused, max(self._clock(), done.before))
        await self._rewrite(segment, changes)
        done.taken += len(entries) - len(refused)
        done.refused += len(refused)
        retried = self.quarantine.metrics.quarantine_retried
        retried.labels("taken").inc(len(entries) - len(refused))
        retried.labels("refused").inc(len(refused))

    def _now(self, segments: list[Segment]) -> int:
        """Later than every attempt so far, also when the clock was set back since."""
        return max(self._clock(), *(segment.tried + 1 for segment in segments), 0)

    async def drop(self, chosen: Chosen) -> Done:
        """Throw the chosen away, written down and counted. Raises OSError."""
        async with self._one:
            done = Done()
            found: set[str] = set()
            for segment in self.quarantine.seal():
                entries = await asyncio.to_thread(_chosen, segment, chosen)
                if not entries:
                    continue
                record = self.quarantine.folder / DROPPED_FILE
                await asyncio.to_thread(append_line, record, _record(entries, self._clock()))
                await self._rewrite(segment, dict.fromkeys([entry.event.id for entry in entries]))
                found.update(entry.event.id for entry in entries)
                done.dropped += len(entries)
                self.quarantine.metrics.dropped.labels("quarantine_dropped").inc(len(entries))
            if done.dropped:
                log.warning("%d events were dropped from the quarantine, as asked", done.dropped)
            done.missing = _missing(chosen, found)
            return done

    async def _rewrite(self, segment: Segment, changes: dict[str, Entry | None]) -> None:
        def change(entry: Entry) -> Entry | None:
            return changes.get(entry.event.id, entry)

        # Not to be given up in between: the file and what is known of it must not part ways.
        work = asyncio.ensure_future(asyncio.to_thread(rewrite, segment, change))
        work.add_done_callback(lambda done: self._replace(segment, done))
        await asyncio.shield(work)

    def _replace(self, segment: Segment, done: "asyncio.Future[Segment]") -> None:
        if not done.cancelled() and done.exception() is None:
            self.quarantine.replace(segment, done.result())


def _chosen(segment: Segment, chosen: Chosen) -> list[Entry]:
    if chosen.ids is not None and not any(hash(name) in segment.ids for name in chosen.ids):
        return []
    if not segment.bytes:
        return []
    file: BinaryIO
    with segment.path.open("rb") as file:
        return [entry for entry in read(file) if chosen.has(entry)]


def _after_retry(entries: list[Entry], refused: Sequence[Rejection], now: int) -> dict[str, Entry | None]:
    changes: dict[str, Entry | None] = dict.fromkeys([entry.event.id for entry in entries])
    known = {entry.event.id: entry for entry in entries}
    for rejection in refused:
        entry = known[rejection.event.id]
        changes[rejection.event.id] = msgspec.structs.replace(
            entry, reason=rejection.reason, said=rejection.message, tries=entry.tries + 1, tried=now
        )
    return changes


def _missing(chosen: Chosen, found: set[str]) -> list[str]:
    return sorted(chosen.ids - found) if chosen.ids is not None else []


def _record(entries: list[Entry], now: int) -> bytes:
    """What is kept of dropped events: enough to say later whose lines are missing, and when they were."""
    origins = [entry.event.origin for entry in entries]
    times = [entry.event.timestamp for entry in entries]
    record = {
        "dropped": rfc3339(now),
        "events": len(entries),
        "reasons": Counter(entry.reason for entry in entries),
        "containers": Counter(o.container.name or o.container.id or o.host for o in origins),
        "first": rfc3339(min(times)),
        "last": rfc3339(max(times)),
        "ids": [entry.event.id for entry in entries],
    }
    return msgspec.json.encode(record) + b"\n"
