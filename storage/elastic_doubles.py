"""Lines that went twice while somebody else rolled the data stream over: the second copy is taken out again.

`create` refuses a known id only within one backing index. A body whose answer was lost goes again, and when
the stream was rolled over in between, by a lifecycle or by hand, both may be stored: nobody can forbid that
beforehand. So the ids of such bodies are remembered, and looked up in all backing indices afterwards.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import orjson

from storage.elastic_client import Client
from storage.elastic_search import PARAMETERS
from storage.metrics import Metrics
from storage.store import StoreUnavailable

log = logging.getLogger("logdock.storage")

# When to look: at once, for a search must not show a line twice for long; and when the first body, whose
# answer never came, has certainly ended (it waits at most a minute for its shard; bulk API, `timeout`).
LOOK_AFTER_SECONDS = (1.0, 90.0)
MAX_IDS = 200_000  # remembered, some 25 MB: many times what is on its way at once
IDS_AT_ONCE = 5_000  # of one search: twice as many hits are its limit

_SEARCH = f"filter_path=hits.hits._id,hits.hits._index&{PARAMETERS}"
_VERDICTS = "filter_path=items.*.status"


class Suspects(msgspec.Struct):
    """Ids of one body that went again. `index`: the write index before it first went, None if unknown."""

    ids: list[str]
    index: str | None
    since: float
    looked: int = 0  # times


class _Hit(msgspec.Struct):
    id: str = msgspec.field(name="_id")
    index: str = msgspec.field(name="_index")


class _Hits(msgspec.Struct):
    hits: list[_Hit] = []


class _Found(msgspec.Struct):
    hits: _Hits = msgspec.field(default_factory=_Hits)


class _Status(msgspec.Struct):
    status: int = 0


class _Reply(msgspec.Struct):
    items: list[dict[str, _Status]] = []


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
        for start in range(0, len(ids), IDS_AT_ONCE):
            found = await self._find(ids[start : start + IDS_AT_ONCE])
            times = Counter(hit.id for hit in found)
            twice = [hit for hit in found if times[hit.id] > 1]
            twice.sort(key=lambda hit: (hit.id, age.get(hit.index, len(age))))
            later = [hit for before, hit in pairwise(twice) if before.id == hit.id]
            if later:
                await self._delete(later)

    async def _find(self, ids: Sequence[str]) -> list[_Hit]:
        body = {
            "size": 2 * IDS_AT_ONCE,
            "query": {"ids": {"values": ids}},
            "_source": False,
            "sort": ["_doc"],
        }
        reply = await self._client.ask("POST", f"/{self._stream}/_search?{_SEARCH}", body)
        return msgspec.json.decode(reply or b"{}", type=_Found).hits.hits

    async def _delete(self, hits: Sequence[_Hit]) -> None:
        lines = [orjson.dumps({"delete": {"_index": hit.index, "_id": hit.id}}) for hit in hits]
        reply = await self._client.bulk(f"/_bulk?refresh=true&{_VERDICTS}", b"\n".join([*lines, b""]))
        items = msgspec.json.decode(reply, type=_Reply).items
        gone = sum(status.status in (200, 404) for item in items for status in item.values())
        self._removed.inc(gone)
        log.info("%d lines were stored twice, across a roll-over: the second copies are removed", gone)
        if gone < len(hits):
            raise StoreUnavailable(f"{len(hits) - gone} second copies could not be removed yet")


def _is_due(suspects: Suspects) -> bool:
    return time.monotonic() - suspects.since >= LOOK_AFTER_SECONDS[suspects.looked]
