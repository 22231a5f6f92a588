"""Events that a store will never take: kept whole and readable in the data folder instead of vanishing.

An event counts as handled only once it is here, so `take` returns when it is on the disk and raises when it
is not: whoever delivers waits then, and the journal keeps the event. The same holds when the quarantine is
full: throwing the oldest away would lose lines without a word, and only counting them would too. Full, it
holds up delivery; the journal grows, /metrics and the log say why, and an operator retries or drops.

The folder holds rejected-000001.ndjson and so on (quarantine_file.py), the oldest first; rejected.ndjson is
that of the first version. Only the newest grows. quarantine_work.py takes events out again.
"""

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.durable import make_folder
from storage.metrics import Metrics
from storage.quarantine_file import Entry, Segment, append, load, read
from storage.query import Query, matches_origin
from storage.store import Rejection

log = logging.getLogger("logdock.storage.quarantine")

LIMIT_BYTES = 512 << 20  # some 350,000 lines: half of what a small disk keeps free, and far from an accident
SEGMENT_BYTES = 8 << 20  # a file is replaced as a whole when something leaves it: a tenth of a second

_NAME = re.compile(r"rejected(?:-(\d{6,}))?\.ndjson")


class QuarantineFull(OSError):  # noqa: N818 - as a disk is full
    """Nothing more may be put into the quarantine before something has left it."""


class Quarantine:
    """The quarantine in `folder`. `take` may be called from any thread, everything else from one.

    Opening reads what is there. Raises OSError when it cannot.
    """

    def __init__(self, folder: Path, metrics: Metrics, limit: int = LIMIT_BYTES) -> None:
        self.folder, self.metrics = folder, metrics
        self._limit = limit
        self._lock = threading.Lock()  # guards what follows and the newest file
        self._segments = _load(folder)
        self._logged: set[str] = set()
        self._published: set[str] = set()  # reasons that the gauge shows
        self._publish()

    def __len__(self) -> int:
        """Events here."""
        return sum(self.reasons.values())

    @property
    def reasons(self) -> Counter[str]:
        """Events here by reason."""
        with self._lock:
            return self._by_reason()

    def _by_reason(self) -> Counter[str]:
        return sum((segment.reasons for segment in self._segments), Counter[str]())

    @property
    def bytes(self) -> int:
        """On the disk."""
        return sum(segment.bytes for segment in self._segments)

    def take(self, rejections: Sequence[Rejection]) -> None:
        """Keep what a store refused; durable when it returns. What is here already is not listed twice.

        Raises OSError (QuarantineFull when the limit is reached): then nothing of it is here.
        """
        with self._lock:
            fresh = self._fresh(rejections)
            if not fresh:
                return
            if self.bytes >= self._limit:
                text = f"the quarantine holds {self.bytes} bytes and takes no more: see `logdock quarantine`"
                raise QuarantineFull(text)
            if not self.folder.is_dir():
                make_folder(self.folder)
            append(self._newest(), fresh)
            self._publish()
        for entry in fresh:
            self.metrics.quarantined.labels(entry.reason).inc()
            self._tell(entry)

    def _fresh(self, rejections: Sequence[Rejection]) -> list[Entry]:
        newest = max((segment.newest for segment in self._segments), default=0)
        stamp = max(time.time_ns(), newest + 1)  # unique and growing, also when the clock steps back
        known: set[int] = set()
        fresh: list[Entry] = []
        for rejection in rejections:
            name = hash(rejection.event.id)
            if name in known or any(name in segment.ids for segment in self._segments):
                continue
            known.add(name)
            at = stamp + len(fresh)
            fresh.append(Entry(at, rejection.reason, rejection.message, rejection.event, 1, at))
        return fresh

    def _newest(self) -> Segment:
        """The file that grows. Only under the lock."""
        last = self._segments[-1] if self._segments else None
        if last is None or last.sealed or last.bytes >= SEGMENT_BYTES:
            number = last.number + 1 if last is not None else 1
            self._segments.append(Segment(self.folder / f"rejected-{number:06}.ndjson", number))
        return self._segments[-1]

    def _tell(self, entry: Entry) -> None:
        if entry.reason not in self._logged and len(self._logged) < 1000:
            self._logged.add(entry.reason)
            log.error("event %s is in quarantine (%s): %s", entry.event.id, entry.reason, entry.said)

    def seal(self) -> list[Segment]:
        """All files, none of which grows from here on."""
        with self._lock:
            for segment in self._segments:
                segment.sealed = True
            return list(self._segments)

    def replace(self, old: Segment, new: Segment) -> None:
        """A file was rewritten."""
        with self._lock:
            place = self._segments.index(old)
            self._segments[place : place + 1] = [new] if new.bytes else []
            new.sealed = True
            self._publish()

    def entries(self, wanted: Callable[[Entry], bool], after: int, limit: int) -> list[Entry]:
        """At most `limit` entries that are `wanted`, put here after the moment `after`, the oldest first."""
        found: list[Entry] = []
        with self._opened() as files:
            for newest, file in files:
                if newest <= after:
                    continue
                for entry in read(file):
                    if entry.quarantined > after and wanted(entry):
                        found.append(entry)
                        if len(found) == limit:
                            return found
        return found

    @contextmanager
    def _opened(self) -> Iterator[list[tuple[int, BinaryIO]]]:
        """All files as they are at one moment, whatever replaces them meanwhile."""
        with ExitStack() as stack:
            with self._lock:
                segments = [segment for segment in self._segments if segment.bytes]
                opened: list[tuple[int, BinaryIO]] = [
                    (s.newest, stack.enter_context(s.path.open("rb"))) for s in segments
                ]
            yield opened

    def count(self, query: Query) -> int:
        """How many events here have an origin and a time that `query` lets through."""
        with self._lock:
            return sum(_count(segment, query) for segment in self._segments)

    def note(self, query: Query) -> list[str]:
        """What an answer to `query` should say about it. Filters on the line itself are not looked at."""
        count = self.count(query) if self._segments else 0
        if not count:
            return []
        lines = "1 line" if count == 1 else f"{count} lines"
        verb = "is" if count == 1 else "are"
        return [f"{lines} of these containers and times {verb} in quarantine: see `logdock quarantine list`"]

    def _publish(self) -> None:
        """Only under the lock, or before anybody has it."""
        metrics = self.metrics
        reasons = self._by_reason()
        for reason in {*reasons, *self._published}:
            metrics.quarantine_events.labels(reason).set(reasons[reason])
        self._published = set(reasons)
        metrics.quarantine_bytes.set(self.bytes)
        metrics.quarantine_full.set(self.bytes >= self._limit)


def _load(folder: Path) -> list[Segment]:
    """The files of the folder. What a replacing left behind when the process died is deleted."""
    numbered: list[tuple[int, Path]] = []
    for path in folder.glob("rejected*.ndjson*"):
        match = _NAME.fullmatch(path.name)
        if match is not None:
            numbered.append((int(match[1] or 0), path))
        elif path.name.endswith(".new"):
            path.unlink()
    segments = [load(path, number) for number, path in sorted(numbered)]
    for segment in segments[:-1]:
        segment.sealed = True
    if segments and not segments[-1].number:
        segments[-1].sealed = True
    return segments


def _count(segment: Segment, query: Query) -> int:
    total = 0
    for key, times in segment.times.items():
        if not matches_origin(query, segment.origins[key]):
            continue
        if query.since is None and query.until is None:
            total += len(times)
        else:
            total += sum(_within(query, moment) for moment in times)
    return total


def _within(query: Query, moment: int) -> bool:
    after = query.since is None or moment >= query.since
    return after and (query.until is None or moment <= query.until)
