"""One bulk request: at the right pace, compressed where that pays, and its reply read."""

import asyncio
import gzip
import statistics
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from parsers.event import Event
from storage.elastic.client import Busy, TimedOut
from storage.elastic.pace import Pace
from storage.elastic.reply import Outcome, outcome
from storage.metrics import Metrics

Send = Callable[[bytes, bool], Awaitable[bytes]]
"""Posts one body; the second argument says that it is gzip."""

GZIP_LEVEL = 1  # log lines become a tenth; higher levels take several times as long for little more
MIN_PACKED_BYTES = 64 << 10  # smaller bodies take one round trip either way
SAMPLES = 5  # bodies of each kind that the choice rests on
PROBE_EVERY = 32  # bodies, after which the other kind gets a chance: links and servers change
PAYS = 0.8  # of the time of plain bodies: less is noise, and compressing takes a core that others may need


class Compression:
    """Whether to compress bodies. With "auto": while they get through quicker for it.

    What counts is the time from here to durable, compressing included, so that neither the link's speed nor
    the server's need be known apart. On this machine's own loopback it never pays and is not tried.
    """

    def __init__(self, mode: str = "off") -> None:
        self._mode = mode
        self._times: dict[bool, deque[float]] = {kind: deque(maxlen=SAMPLES) for kind in (False, True)}
        self._since_probe = 0

    def wanted(self, size: int) -> bool:
        """Whether the next body, of so many bytes, should be compressed."""
        if self._mode != "auto" or size < MIN_PACKED_BYTES:
            return self._mode == "on" and size >= MIN_PACKED_BYTES
        for kind, times in self._times.items():
            if len(times) < SAMPLES:
                return kind
        self._since_probe += 1
        if self._since_probe >= PROBE_EVERY:
            self._since_probe = 0
            return not self._pays()
        return self._pays()

    def took(self, packed: bool, size: int, seconds: float) -> None:
        """A body was answered."""
        if size >= MIN_PACKED_BYTES:
            self._times[packed].append(seconds / size)

    def _pays(self) -> bool:
        return statistics.median(self._times[True]) < PAYS * statistics.median(self._times[False])


def compression(mode: str, urls: str) -> Compression:
    """For `mode` "auto", "on" or "off", and the hosts in `urls` (separated by commas)."""
    if mode == "auto" and all(_is_loopback(url.strip()) for url in urls.split(",")):
        mode = "off"
    return Compression(mode)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Post:
    """Posts bodies with `send`."""

    def __init__(self, send: Send, pace: Pace, metrics: Metrics, compression: Compression) -> None:
        self._send, self._pace, self._metrics, self._compression = send, pace, metrics, compression

    async def __call__(self, body: bytes, events: Sequence[Event]) -> Outcome:
        """The verdicts on the events of a body. Raises StoreUnavailable or Refused."""
        pace, size = self._pace, len(body)
        async with pace.turn():
            begun = time.monotonic()
            try:
                reply = await self._sent(body)
            except Busy:
                pace.too_many(size)
                raise
            except TimedOut:
                pace.unanswered(size)
                raise
            finally:
                now = time.monotonic()
                self._measure(now - begun)
        result = outcome(reply, events)
        if result.busy:
            pace.too_many(size)
        else:
            pace.answered(size, now - begun, now)
        return result

    async def _sent(self, body: bytes) -> bytes:
        packed, begun = self._compression.wanted(len(body)), time.monotonic()
        self._metrics.bulk_in_flight.set(self._pace.flying)
        data = await asyncio.to_thread(gzip.compress, body, GZIP_LEVEL) if packed else body
        reply = await self._send(data, packed)
        self._compression.took(packed, len(body), time.monotonic() - begun)
        return reply

    def _measure(self, seconds: float) -> None:
        metrics, pace = self._metrics, self._pace
        metrics.bulk_seconds.observe(seconds)
        metrics.bulk_in_flight.set(pace.flying - 1)
        metrics.bulk_body_bytes.set(pace.body_bytes)
