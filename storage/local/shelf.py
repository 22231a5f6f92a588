"""The sealed files as the event loop sees them: what is there, what queries use, what may be deleted."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from storage.lists import OriginCount
from storage.local.catalogue import FileEntry, Sealed
from storage.local.disk import Contents
from storage.query import Query


class Shelf:
    """Changes only on the event loop. `delete` removes a file by name once nothing reads it."""

    def __init__(self, delete: Callable[[str], None]) -> None:
        self._delete = delete
        self._readers: Counter[str] = Counter()
        self._leaving: set[str] = set()
        self._missing: list[FileEntry] = []
        self.files: dict[str, FileEntry] = {}
        self.totals: dict[int, OriginCount] = {}

    def load(self, contents: Contents) -> None:
        """Take over what a start found."""
        self.files = {entry.name: entry for entry in contents.files}
        self.totals = {count.origin: count for count in contents.totals}
        self._missing = contents.missing

    def add(self, sealed: Sealed) -> None:
        """A new file with new lines."""
        self.files[sealed.entry.name] = sealed.entry
        self.totals = add_counts([*self.totals.values(), *sealed.counts])

    def swap(self, old: Sequence[FileEntry], sealed: Sealed) -> None:
        """A file with the lines of old ones."""
        self._remove(old)
        self.files[sealed.entry.name] = sealed.entry

    def removed(
        self, gone: Sequence[FileEntry], sealed: Sealed | None, totals: Iterable[OriginCount]
    ) -> None:
        """Files that are out of the catalogue, what took their place, and the lines of all that is left."""
        self._remove(gone)
        if sealed is not None:
            self.files[sealed.entry.name] = sealed.entry
        self.totals = {count.origin: count for count in totals}

    def hold(self) -> list[FileEntry]:
        """All files, kept on disk until `release`."""
        self._readers.update(self.files.keys())
        return list(self.files.values())

    def release(self, files: Iterable[FileEntry]) -> None:
        """The end of a `hold`."""
        for entry in files:
            self._readers[entry.name] -= 1
            if not self._readers[entry.name]:
                del self._readers[entry.name]
                self._delete_if_unused(entry.name)

    def notes(self, query: Query) -> list[str]:
        """What an answer must say about files that are gone."""
        return [
            f"{entry.rows} lines are missing: the sealed file {entry.name} is gone"
            for entry in self._missing
            if _overlaps(entry.min_timestamp, entry.max_timestamp, query)
        ]

    def _remove(self, entries: Sequence[FileEntry]) -> None:
        for entry in entries:
            del self.files[entry.name]
            self._leaving.add(entry.name)
            self._delete_if_unused(entry.name)

    def _delete_if_unused(self, name: str) -> None:
        if name in self._leaving and name not in self._readers:
            self._leaving.remove(name)
            self._delete(name)


def add_counts(counts: Iterable[OriginCount]) -> dict[int, OriginCount]:
    """Counts of several places as one per origin."""
    total: dict[int, OriginCount] = {}
    for count in counts:
        old = total.get(count.origin)
        total[count.origin] = count if old is None else _sum(old, count)
    return total


def _sum(a: OriginCount, b: OriginCount) -> OriginCount:
    return OriginCount(a.origin, a.lines + b.lines, min(a.first, b.first), max(a.last, b.last))


def _overlaps(first: int, last: int, query: Query) -> bool:
    after = query.since is None or last >= query.since
    return after and (query.until is None or first <= query.until)
