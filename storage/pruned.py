"""The record of what was removed on purpose, so that an answer can say so.

One small file of a data folder, `pruned.ndjson`: a JSON object a line, synced before `add` returns; a later
line of the same id replaces an earlier one. Old records are merged, so that it stays small.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from storage.durable import append_durably, make_folder, sync_folder, write_durably
from storage.metrics import Metrics
from storage.prune import Part, Pruned, PruneResult, State
from storage.prune_counts import largest

log = logging.getLogger("logdock.storage")

FILE = "pruned.ndjson"
MAX_RECORDS = 200  # kept apart; older ones are merged with the next of their kind
MAX_LINES = 600  # of the file before it is written anew: a prune writes two, a report of progress none


def pruned(
    name: str, at: int, reason: str, result: PruneResult, selection: str = "", state: State = "done"
) -> Pruned:
    """The record of a result; `name` is its id."""
    first, last = result.first or 0, result.last or 0
    return Pruned(
        name, at, reason, result.lines, first, last, result.bytes, selection, result.parts, result.more, state
    )


class PrunedLog:
    """The open record; in memory only without a file. Its methods may be called from any thread.

    A file that cannot be read as JSON in places is used as far as it can. Raises OSError.
    """

    def __init__(self, file: Path | None = None, metrics: Metrics | None = None) -> None:
        self._file, self._metrics = file, metrics or Metrics()
        self._lock = threading.Lock()
        self._lines = 0  # in the file
        self._torn = False  # its last line has no end
        self._records: dict[str, Pruned] = {}
        if file is not None:
            self._load(file)

    def _load(self, file: Path) -> None:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            return
        self._torn = bool(data) and not data.endswith(b"\n")
        for line in data.splitlines():
            self._lines += 1
            try:
                record = msgspec.json.decode(line, type=Pruned)
            except msgspec.DecodeError as error:
                log.warning("%s, line %d is not a record: %s", file, self._lines, error)
                continue
            if record.state == "running":  # the process that did it is gone
                record = msgspec.structs.replace(record, state="unknown")
            self._put(record)

    def _put(self, record: Pruned) -> None:
        records = {name: kept for name, kept in self._records.items() if name != record.id}
        self._records = records | {record.id: record}  # a new dict: readers in other threads keep theirs

    def show(self, record: Pruned) -> None:
        """How far a removal is: told at once, written only by `add`."""
        with self._lock:
            self._put(record)

    def add(self, record: Pruned) -> None:
        """Keep a record, durably. When that raises OSError it is still told until the process ends."""
        with self._lock:
            old = self._records.get(record.id)
            self._put(record)
            if record.state != "running" and (old is None or old.state == "running"):
                self._metrics.pruned_lines.labels(record.reason).inc(record.lines)
            if len(self._records) > MAX_RECORDS:
                self._records = merged(list(self._records.values()), MAX_RECORDS // 2)
            if self._file is not None:
                self._write(self._file, record)

    def _write(self, file: Path, record: Pruned) -> None:
        if self._lines >= MAX_LINES:
            data = b"".join(msgspec.json.encode(kept) + b"\n" for kept in self._records.values())
            write_durably(file, data)
            self._lines, self._torn = len(self._records), False
            return
        fresh = not file.exists()
        if fresh:
            make_folder(file.parent)
        line = b"\n" * self._torn + msgspec.json.encode(record) + b"\n"
        self._torn = True  # until it is all written
        append_durably(file, line)
        if fresh:
            sync_folder(file.parent)
        self._lines, self._torn = self._lines + 1, False

    def records(self) -> list[Pruned]:
        """All records, the newest first."""
        return sorted(self._records.values(), key=lambda record: record.at, reverse=True)


def merged(records: Sequence[Pruned], most: int) -> dict[str, Pruned]:
    """At most about `most` records by id: the newest as they are, the older ones one for each reason."""
    ordered = sorted(records, key=lambda record: record.at)
    old, new = ordered[: max(0, len(ordered) - most)], ordered[max(0, len(ordered) - most) :]
    running = [record for record in old if record.state == "running"]
    sums: dict[str, Pruned] = {}
    for record in old:
        if record.state != "running":
            sums[record.reason] = _sum(sums[record.reason], record) if record.reason in sums else record
    return {record.id: record for record in (*sums.values(), *running, *new)}


def _sum(a: Pruned, b: Pruned) -> Pruned:
    """Two records as one, under the name and the time of the later one."""
    parts, more = largest(_identified((*a.parts, *b.parts)))
    size = None if a.bytes is None or b.bytes is None else a.bytes + b.bytes
    return Pruned(
        b.id, b.at, b.reason, a.lines + b.lines, min(a.first, b.first), max(a.last, b.last), size,
        a.selection if a.selection == b.selection else "several prunes", parts, a.more + b.more + more,
        "unknown" if "unknown" in (a.state, b.state) else b.state,
    )  # fmt: skip


def _identified(parts: Iterable[Part]) -> Iterable[tuple[object, Part]]:
    return ((part.id or (part.name, ""), part) for part in parts)
