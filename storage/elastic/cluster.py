"""What the store must know of its data stream: its template, its write index, what is in it already."""

import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from parsers.event import Event
from storage.elastic import backing as elastic_backing
from storage.elastic.client import Client, Refused
from storage.elastic.search import copies, hits
from storage.elastic.template import (
    MODES,
    TEMPLATE,
    VERSION,
    installed_version,
    mapped_version,
    mapping,
    template,
)

log = logging.getLogger("logdock.storage")

LOOK_SECONDS = 60  # how old the knowledge of the write index may be; a replay after a roll-over looks ids up

# Only what a verdict needs: without a filter a reply is as large as half the body.
_VERDICTS = "filter_path=errors,items.*._id,items.*.status,items.*.error"


class _RolledOver(msgspec.Struct):
    rolled_over: bool = False
    conditions: dict[str, bool] = {}


class Cluster:
    """One data stream of a cluster. All methods raise StoreUnavailable or Refused."""

    def __init__(self, client: Client, stream: str) -> None:
        self.index: str | None = None  # the write index as last seen
        self.indices: list[str] = []  # all backing indices as last seen, the oldest first
        self.bulk_path = f"/{stream}/_bulk?{_VERDICTS}"
        self._client, self._stream = client, stream
        self._looked = 0.0
        self._current: str | None = None  # the write index that was seen to be up to date, or made so
        self._left_alone = False

    async def install(self) -> None:
        """Bring the template and the write index up to our version, and say in the log what was done.

        Only while nothing is on its way: it may roll over.
        """
        present = await self._installed()
        if present is not None and present > VERSION:
            if not self._left_alone:
                log.warning("keeping the index template %s as it is: newer than ours, or not ours", TEMPLATE)
            self._left_alone = True
            return
        if present is None or present < VERSION:
            await self._put_template(present)
        index = await self.look()
        if index is not None and index != self._current:
            await self._bring_up_to_date(index)
            self._current = self.index

    async def behind(self) -> bool:
        """Whether `install` has something to do. Cheap, to be asked often: a cluster may be set up anew."""
        present = await self._installed()
        if present is None or present < VERSION:
            return True
        index = await self.look()
        if present > VERSION or index is None or index == self._current:
            return False
        if await self._mapped(index) < VERSION:
            return True
        self._current = index
        return False

    async def _put_template(self, present: int | None) -> None:
        refusal: Refused | None = None
        for mode in MODES:
            try:
                await self._client.ask("PUT", f"/_index_template/{TEMPLATE}", template(mode=mode))
            except Refused as error:
                if error.status != 400:
                    raise
                refusal = refusal or error
                log.info("this Elasticsearch takes no index template with index.mode %s: %s", mode, error)
                continue
            before = "there was none" if present is None else f"there was version {present}"
            log.info(
                "put version %d of index template %s, index.mode %s; %s", VERSION, TEMPLATE, mode, before
            )
            return
        raise refusal or AssertionError("there is a mode")

    async def _bring_up_to_date(self, index: str) -> None:
        version = await self._mapped(index)
        if version >= VERSION:
            return
        try:
            await self._client.ask("PUT", f"/{index}/_mapping", mapping())
        except Refused as refusal:
            await self.roll_over({})
            log.info(
                "rolled over from %s to %s for version %d of the mapping, which %s does not take: %s",
                index, self.index, VERSION, index, refusal,
            )  # fmt: skip
            if self.index is not None and await self._mapped(self.index) < VERSION:
                log.warning("another index template shapes %s: some filters may find nothing", self._stream)
            return
        log.info("brought the mapping of %s from version %d to %d", index, version, VERSION)

    async def _mapped(self, index: str) -> int:
        return mapped_version(msgspec.json.decode(await self._client.ask("GET", f"/{index}/_mapping")))

    async def due(self, conditions: dict[str, Any]) -> bool:
        """Whether `roll_over` with these conditions would do so now."""
        return await self._rollover("?dry_run=true", conditions)

    async def roll_over(self, conditions: dict[str, Any]) -> bool:
        """Go on in a new backing index if the conditions hold; whether they did.

        Elasticsearch judges them, so of several servers that write into one stream only one rolls over. Only
        while nothing is on its way: `create` does not notice ids that are in an older index.
        """
        done = await self._rollover("", conditions)
        await self.look()
        return done

    async def _rollover(self, parameters: str, conditions: dict[str, Any]) -> bool:
        reply = await self._client.ask(
            "POST", f"/{self._stream}/_rollover{parameters}", {"conditions": conditions}
        )
        said = msgspec.json.decode(reply, type=_RolledOver)
        largest = [met for name, met in said.conditions.items() if "max_" in name]
        least = [met for name, met in said.conditions.items() if "min_" in name]
        return said.rolled_over or (all(least) and (any(largest) or not largest))

    async def _installed(self) -> int | None:
        try:
            reply = await self._client.ask("GET", f"/_index_template/{TEMPLATE}")
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise
        return installed_version(msgspec.json.decode(reply))

    async def look(self) -> str | None:
        """The write index now; None when the data stream does not exist yet."""
        self.indices = await elastic_backing.names(self._client, self._stream)
        self.index = self.indices[-1] if self.indices else None
        self._looked = time.monotonic()
        return self.index

    async def look_if_stale(self) -> None:
        """Look again now and then. Old knowledge is safe: it only makes a replay look up its ids."""
        if self.index is None or time.monotonic() - self._looked > LOOK_SECONDS:
            await self.look()

    async def refresh(self) -> None:
        """Make everything that was stored visible to searches."""
        await elastic_backing.refresh(self._client, self._stream)

    async def highest_offset(self, journal: str) -> int:
        """The highest offset of this journal's events in the stream, -1 when there is none."""
        await self.refresh()
        body = {
            "size": 1,
            "query": {"term": {"logdock.journal": journal}},
            "sort": [{"logdock.offset": {"order": "desc", "unmapped_type": "long"}}],
            "_source": False,
        }
        found = await hits(self._client, self._stream, body)
        return int(found[0].sort[0]) if found else -1

    async def absent(self, events: Sequence[Event], index: str | None) -> Sequence[Event]:
        """Those of `events` that must be sent again. `index`: the write index before they were first sent.

        While it still is, `create` itself refuses what is known. It would not in a newer backing index, so
        then the ids are looked up in all of them. None: nobody knows where they may be.
        """
        current = await self.look()
        if current is None or current == index:
            return events
        await self.refresh()
        ids = [event.id for event in events]
        known = {hit.id for hit in await copies(self._client, self._stream, ids)}
        return [event for event in events if event.id not in known]
