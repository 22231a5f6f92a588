"""Lines that went twice while somebody else rolled the data stream over: the second copy is taken out again.

`create` refuses a known id only within one backing index. A body whose answer was lost goes again, and when
the stream was rolled over in between, by a lifecycle or by hand, both may be stored: nobody can forbid that
beforehand. So the ids of such bodies are remembered, and looked up in all backing indices afterwards.
"""

import logging
import time
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from storage.elastic import backing as elastic_backing
from storage.elastic import deleting as elastic_deleting
from storage.elastic.client import Client
from storage.elastic.hits import Hit
from storage.elastic.search import copies
from storage.metrics import Metrics

log = logging.getLogger("logdock.storage")

# When to look: at once, for a search must not show a line twice for long; and when the first body, whose
# answer never came, has certainly ended (it waits at most a minute for its shard; bulk API, `timeout`).
LOOK_AFTER_SECONDS = (1.0, 90.0)
MAX_IDS = 200_000  # remembered, some 25 MB: many times what is on its way at once


class Suspects(msgspec.Struct):
    """Ids of one body that went again. `index`: the write index before it first went, None if unknown."""

    ids: list[str]
    index: str | None
    since: float
    looked: int = 0  # times


class Doubles:
    """Remembers bodies that went again, and removes what they stored a second time."""

    def __init__(self, client: Client, stream: str, metrics: Metrics) -> None:
        self._client, self._stream = client, stream
        self._removed = metrics.doubles_removed
        self._suspects: dict[str, Suspects] = {}  # by their first id: a body may go again many times

    def note(self, ids: Sequence[str], index: str | None) -> None:
        """A body with these ids goes again. `index`: the write index before it first went, if known."""
        if not ids:
            return
        before = self._suspects.pop(ids[0], None)
        known = before.ids if before is not None and len(before.ids) > len(ids) else list(ids)
        self._suspects[ids[0]] = Suspects(known, index, time.monotonic())
        while sum(len(suspects.ids) for suspects in self._suspects.values()) > MAX_IDS:
            gone = self._suspects.pop(next(iter(self._suspects)))
            log.warning("%d lines that went twice are not looked after: too many did", len(gone.ids))

    @property
    def due(self) -> bool:
        """Whether `look` has something to do."""
        return any(map(_is_due, self._suspects.values()))

    async def look(self, indices: Sequence[str]) -> None:
        """Remove second copies of what is due. `indices`: the backing indices, oldest first.

        Raises StoreUnavailable or Refused; then the rest is still due.
        """
        for first, suspects in list(self._suspects.items()):
            if not _is_due(suspects):
                continue
            if suspects.index is None or indices[-1:] != [suspects.index]:
                await self._remove(suspects.ids, indices)
            suspects.looked += 1
            if suspects.looked == len(LOOK_AFTER_SECONDS) and self._suspects.get(first) is suspects:
                del self._suspects[first]

    async def _remove(self, ids: Sequence[str], indices: Sequence[str]) -> None:
        age = {index: place for place, index in enumerate(indices)}
        found = await copies(self._client, self._stream, ids)
        found.sort(key=lambda hit: (hit.id, age.get(hit.index, len(age))))
        later = [hit for before, hit in pairwise(found) if before.id == hit.id]
        for start in range(0, len(later), elastic_deleting.IDS_AT_ONCE):
            some = later[start : start + elastic_deleting.IDS_AT_ONCE]
            await elastic_deleting.delete(self._client, some, self._count)
        if later:
            await elastic_backing.refresh(self._client, self._stream)

    def _count(self, gone: Sequence[Hit]) -> None:
        self._removed.inc(len(gone))
        log.info("%d lines were stored twice, across a roll-over: the second copies are removed", len(gone))


def _is_due(suspects: Suspects) -> bool:
    return time.monotonic() - suspects.since >= LOOK_AFTER_SECONDS[suspects.looked]
