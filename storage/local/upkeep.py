"""Which files of the embedded store to merge and which to let go: decisions only, no disk in here."""

from collections.abc import Iterable, Sequence

from storage.local.catalogue import FileEntry
from storage.retention import too_old

MERGE_FILES = 8  # neighbours worth one rewrite: fewer would rewrite the same lines too often
MERGE_BYTES = 32 * 2**20  # of what is merged at once: bounds the memory of a merge
MERGE_SPAN = 86_400_000_000_000  # nanoseconds: what is merged leaves at most a day late


def mergeable(files: Iterable[FileEntry], full_rows: int, banned: frozenset[str]) -> list[FileEntry]:
    """A run of small neighbours in time to merge into one file of at most `full_rows` rows; [] for none."""
    run: list[FileEntry] = []
    for entry in sorted(files, key=lambda e: (e.min_observed, e.name)):
        if entry.rows >= full_rows // 4 or entry.name in banned:
            continue
        if run and not _fits(run, entry, full_rows):
            if len(run) >= MERGE_FILES:
                return run
            run = []
        run.append(entry)
    return run if len(run) >= MERGE_FILES else []


def _fits(run: Sequence[FileEntry], entry: FileEntry, full_rows: int) -> bool:
    return (
        sum(e.rows for e in run) + entry.rows <= full_rows
        and sum(e.bytes for e in run) + entry.bytes <= MERGE_BYTES
        and entry.max_observed - run[0].min_observed <= MERGE_SPAN
    )


def expired(files: Iterable[FileEntry], now: int, seconds: float | None) -> list[FileEntry]:
    """Files whose newest line was observed more than `seconds` before `now` (nanoseconds)."""
    return [entry for entry in files if too_old(entry.max_observed, now, seconds)]


def surplus(files: Iterable[FileEntry], most_bytes: int | None) -> list[FileEntry]:
    """The files observed longest ago that must go for the rest to take at most `most_bytes`."""
    if most_bytes is None:
        return []
    oldest_first = sorted(files, key=lambda e: (e.max_observed, e.name))
    excess = sum(entry.bytes for entry in oldest_first) - most_bytes
    leaving: list[FileEntry] = []
    for entry in oldest_first:
        if excess <= 0:
            break
        leaving.append(entry)
        excess -= entry.bytes
    return leaving
