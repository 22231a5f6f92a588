"""Pruning the embedded store: whole files by their entries, the others by what they keep, written anew.

File by file, so that sealing has its turn in between; after a crash each file is as before or as after. What
is only in memory is sealed first: then no replay brings back what was pruned.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from storage.lists import OriginCount
from storage.local import files as local_files
from storage.local.catalogue import FileEntry
from storage.local.disk import Disk
from storage.local.keeper import Keeper
from storage.local.origins import Origins
from storage.local.removal import NEEDED, Removal, add
from storage.prune import PruneResult, Selection, State, selects_origin
from storage.prune_counts import Tally
from storage.store import StoreUnavailable


class Choice:
    """What a selection means for rows and files of numbered origins."""

    def __init__(self, selection: Selection, origins: Origins) -> None:
        self._selection, self._origins = selection, origins
        self._seen = 0
        self.numbers: frozenset[int] = frozenset()
        self.look()

    def look(self) -> None:
        """Take in the origins that are new."""
        known = list(self._origins.known.items())
        new = known[self._seen :]
        self.numbers |= frozenset(number for number, o in new if selects_origin(self._selection, o))
        self._seen = len(known)

    def touches(self, entry: FileEntry) -> bool:
        """Whether a file may hold such lines."""
        until = self._selection.until
        return not self.numbers.isdisjoint(entry.origins) and (until is None or entry.min_observed < until)

    def whole_time(self, entry: FileEntry) -> bool:
        """Whether of the file's lines none was observed too late."""
        return self._selection.until is None or entry.max_observed < self._selection.until

    def whole(self, entry: FileEntry) -> bool:
        """Whether a file holds nothing else."""
        return self.whole_time(entry) and self.numbers.issuperset(entry.origins)

    def going(self, batch: pa.RecordBatch) -> pa.Array:
        """Which rows go."""
        chosen = pc.is_in(batch["origin"], pa.array(sorted(self.numbers), pa.int32()))
        if self._selection.until is None:
            return chosen
        until = pa.scalar(self._selection.until, pa.int64())
        return pc.and_(chosen, pc.less(batch["observed"].cast(pa.int64()), until))


async def prune(keeper: Keeper, origins: Origins, selection: Selection) -> PruneResult:
    """See Store.prune. Raises StoreUnavailable, which says how many lines are gone already."""
    removal = keeper.removal("prune", selection.text)
    choice = Choice(selection, origins)
    try:
        await _whole_files(keeper, choice, removal)  # first: it needs no room on a full disk
        await keeper.flush()
        await _parts(keeper, choice, removal)
    except StoreUnavailable as error:
        await _keep(keeper, removal, "partial")
        if not removal.tally.lines:
            raise
        raise StoreUnavailable(f"{error}; {removal.tally.lines} lines are gone already") from error
    await _keep(keeper, removal, "done")
    result = removal.tally.result(removal.freed)
    return msgspec.structs.replace(result, notes=tuple(removal.notes))


async def _whole_files(keeper: Keeper, choice: Choice, removal: Removal) -> None:
    async with keeper.lock:
        entries = [entry for entry in keeper.shelf.files.values() if choice.whole(entry)]

        def work() -> Callable[[], None]:
            totals = removal.files(entries)
            removal.show()
            return lambda: keeper.shelf.removed(entries, None, totals)

        if entries:
            await keeper.write(work)


async def _parts(keeper: Keeper, choice: Choice, removal: Removal) -> None:
    """One file after the other, also those that a merge makes meanwhile."""
    looked_at: set[str] = set()
    while True:
        choice.look()
        async with keeper.lock:
            files = keeper.shelf.files.values()
            entry = next((e for e in files if e.name not in looked_at and choice.touches(e)), None)
            if entry is None:
                return
            looked_at.add(entry.name)
            await keeper.write(_thin, keeper, choice, removal, entry, looked_at)


def _thin(
    keeper: Keeper, choice: Choice, removal: Removal, entry: FileEntry, looked_at: set[str]
) -> Callable[[], None]:
    """Take the chosen lines out of one file."""
    changed = removal.lines(entry, choice.going)
    if changed is None:
        return lambda: None
    sealed, totals = changed
    if sealed is not None:
        looked_at.add(sealed.entry.name)
    removal.show()
    return lambda: keeper.shelf.removed([entry], sealed, totals)


async def _keep(keeper: Keeper, removal: Removal, state: State) -> None:
    def work() -> Callable[[], None]:
        removal.keep(state)
        return lambda: None

    async with keeper.lock:
        await keeper.write(work)


async def count(keeper: Keeper, origins: Origins, selection: Selection) -> PruneResult:
    """What `prune` would remove. The bytes are a share of the files' by lines, so only about right."""
    choice, tally, freed = Choice(selection, origins), Tally(), [0]
    async with keeper.lock:
        batches = keeper.batches()
        choice.look()
        files = [entry for entry in keeper.shelf.files.values() if choice.touches(entry)]

        def work() -> Callable[[], None]:
            add(tally, _rows([batch.data for batch in batches], choice), origins.known)
            for entry in files:
                counts = _of_file(keeper.disk, entry, choice)
                add(tally, counts, origins.known)
                freed[0] += entry.bytes * sum(c.lines for c in counts) // entry.rows
            return lambda: None

        await keeper.write(work)
    return tally.result(freed[0])


def _of_file(disk: Disk, entry: FileEntry, choice: Choice) -> Sequence[OriginCount]:
    """Lines of one file that go: out of the catalogue, if the time of none has to be looked at."""
    if choice.whole_time(entry):
        counts = disk.catalogue.counts([entry.name])
        return [count for count in counts if count.origin in choice.numbers]
    return _rows(local_files.read_slowly(disk.parquet / entry.name, NEEDED), choice)


def _rows(batches: Iterable[pa.RecordBatch], choice: Choice) -> Sequence[OriginCount]:
    going = [batch.select(NEEDED).filter(choice.going(batch)) for batch in batches]
    return local_files.counts([batch for batch in going if batch.num_rows])
