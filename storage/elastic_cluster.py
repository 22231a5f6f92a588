"""What the store must know of its data stream: its template, its write index, what is in it already."""

import logging
import time
from collections.abc import Sequence

import msgspec

from parsers.event import Event
from storage.elastic_client import Client, Refused
from storage.elastic_search import hits
from storage.elastic_template import TEMPLATE, VERSION, installed_version, template

log = logging.getLogger("logdock.storage")

IDS_AT_ONCE = 5_000  # of one look-up: half of what a search may return, in case an id is there twice
LOOK_SECONDS = 60  # how old the knowledge of the write index may be; a replay after a roll-over looks ids up

# Only what a verdict needs: without a filter a reply is as large as half the body.
_VERDICTS = "filter_path=errors,items.*.status,items.*.error"


class _DataStream(msgspec.Struct):
    backing_indices: list[str] = []


class _Resolved(msgspec.Struct):
    data_streams: list[_DataStream] = []


class Cluster:
    """One data stream of a cluster. All methods raise StoreUnavailable or Refused."""

    def __init__(self, client: Client, stream: str) -> None:
        self.index: str | None = None  # the write index as last seen
        self.bulk_path = f"/{stream}/_bulk?{_VERDICTS}"
        self._client, self._stream = client, stream
        self._looked = 0.0

    async def install(self) -> None:
        """Put our template, unless the server has it or a newer one.

        The template of a data stream shapes only its next backing index, so a new version starts one.
        """
        present = await self._installed()
        if present is not None and present >= VERSION:
            if present > VERSION:
                log.warning(
                    "keeping the index template %s that is there: newer than ours, or not ours", TEMPLATE
                )
            return
        await self._client.ask("PUT", f"/_index_template/{TEMPLATE}", template())
        if present is not None and await self.look() is not None:
            await self._client.ask("POST", f"/{self._stream}/_rollover")

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
        try:
            reply = await self._client.ask("GET", f"/_resolve/index/{self._stream}")
        except Refused as refusal:
            if refusal.status != 404:
                raise
            reply = b"{}"
        streams = msgspec.json.decode(reply, type=_Resolved).data_streams
        self.index = streams[0].backing_indices[-1] if streams else None
        self._looked = time.monotonic()
        return self.index

    async def look_if_stale(self) -> None:
        """Look again now and then. Old knowledge is safe: it only makes a replay look up its ids."""
        if self.index is None or time.monotonic() - self._looked > LOOK_SECONDS:
            await self.look()

    async def refresh(self) -> None:
        """Make everything that was stored visible to searches."""
        await self._client.ask("POST", f"/{self._stream}/_refresh?ignore_unavailable=true")

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
        known: set[str] = set()
        for start in range(0, len(events), IDS_AT_ONCE):
            ids = [event.id for event in events[start : start + IDS_AT_ONCE]]
            body = {
                "size": 2 * IDS_AT_ONCE,
                "query": {"ids": {"values": ids}},
                "_source": False,
                "sort": ["_doc"],
            }
            known.update(hit.id for hit in await hits(self._client, self._stream, body))
        return [event for event in events if event.id not in known]
