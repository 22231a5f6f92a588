"""One bulk body until every event in it has its verdict: stored, or refused for good.

201 created, 409 known already    done
400 the document is at fault      once more with the part left out of the index that may be to blame;
                                  then it is rejected
anything else (429, 5xx, 403...)  the server's state is at fault: those items again, later
413                               the body is too large: its halves
no answer                         the whole body again, later; what may have arrived meanwhile is
                                  looked up when `create` would not notice (another write index)
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from parsers.event import Event
from storage.elastic_client import Refused
from storage.elastic_docs import Writer
from storage.elastic_queue import BODY_BYTES
from storage.metrics import Metrics
from storage.store import OnRejected, Rejection, StoreUnavailable

log = logging.getLogger("logdock.storage")

FIRST_PAUSE, LAST_PAUSE = 0.1, 10.0  # seconds between attempts, doubling; so late is a return noticed
MIN_BODY_BYTES = 64 << 10  # 413 halves bodies down to this; a limit below would refuse single lines

NO_ERRORS = b'{"errors":false'


class _Error(msgspec.Struct):
    type: str = ""
    reason: str = ""
    caused_by: dict[str, object] | None = None


class _Verdict(msgspec.Struct):
    status: int
    error: _Error | None = None


class _Item(msgspec.Struct):
    create: _Verdict


class _Reply(msgspec.Struct):
    errors: bool
    items: list[_Item] = []


_reply = msgspec.json.Decoder(_Reply)


class Outcome(msgspec.Struct):
    """What to do with some of the items of a body, by their place in it."""

    again: list[int] = []
    refused: dict[int, str] = {}  # the document is at fault: what the server said
    why: str = ""  # the first reason to try again


def outcome(reply: bytes, count: int) -> Outcome:
    """The verdicts in a bulk reply for `count` items. Raises StoreUnavailable when it is no such reply."""
    if reply.startswith(NO_ERRORS):
        return Outcome()
    try:
        items = _reply.decode(reply).items
    except msgspec.DecodeError as error:
        raise StoreUnavailable(f"a bulk reply that is none: {error}") from error
    if len(items) != count:
        raise StoreUnavailable(f"a bulk reply with {len(items)} verdicts for {count} events")
    result = Outcome()
    for place, item in enumerate(items):
        status = item.create.status
        if status in (200, 201, 409):
            continue
        if status == 400:
            result.refused[place] = _said(item.create)
            continue
        result.again.append(place)
        result.why = result.why or f"{status} {_said(item.create)}"
    return result


def _said(verdict: _Verdict) -> str:
    error = verdict.error or _Error()
    cause = (error.caused_by or {}).get("reason")
    return " ".join(f"{error.type}: {error.reason}{f' ({cause})' if cause else ''}".split())[:500]


class Health:
    """Whether Elasticsearch takes events just now, and one log line for every distinct change of that."""

    def __init__(self) -> None:
        self.available = True
        self.last_error: str | None = None
        self._since = 0.0

    @property
    def bad_for(self) -> float:
        """Seconds since it last took events, 0 while it does."""
        return 0.0 if self.available else time.monotonic() - self._since

    def bad(self, why: str) -> None:
        if self.available or why != self.last_error:
            log.warning("Elasticsearch takes no events, will try again: %s", why)
        if self.available:
            self._since = time.monotonic()
        self.available, self.last_error = False, why

    def good(self) -> None:
        if not self.available:
            log.info("Elasticsearch takes events again")
        self.available = True


class Delivery:
    """Delivers bodies. `send` posts one body; `absent` keeps of some events those not in the stream yet."""

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[bytes]],
        absent: Callable[[Sequence[Event], str | None], Awaitable[Sequence[Event]]],
        on_rejected: OnRejected,
        metrics: Metrics,
    ) -> None:
        self.health = Health()
        self.body_bytes = BODY_BYTES
        self.writer = Writer()
        self._send, self._absent = send, absent
        self._on_rejected, self._metrics = on_rejected, metrics
        self._reported: set[str] = set()

    async def deliver(
        self, events: Sequence[Event], body: bytes, index: str | None, uncertain: bool = False
    ) -> None:
        """Returns when every event is stored, known or rejected. Only cancelling ends it earlier.

        `index`: the write index as it was seen before the first attempt. `uncertain`: there has been one.
        """
        degraded: dict[str, str] = {}  # id -> why the document was refused as a whole
        pause = FIRST_PAUSE
        while events:
            try:
                if uncertain:
                    events, body = await self._unknown(events, body, degraded, index)
                    uncertain = False
                result = outcome(await self._send(body), len(events)) if events else Outcome()
            except (StoreUnavailable, Refused) as error:
                if isinstance(error, Refused) and error.status == 413:
                    return await self._halve(events, degraded, index, str(error))
                uncertain = True
                pause = await self._rest(str(error), pause)
                continue
            events = self._left(events, result, degraded)
            body = self._render(events, degraded) if events else b""
            if result.again:
                pause = await self._rest(result.why, pause)
            else:
                self.health.good()
        return None

    def render(self, events: Sequence[Event], start: int, limit: int) -> tuple[bytes, int]:
        """As Writer.body. An event that cannot be rendered is rejected, its place in the answer is empty."""
        try:
            return self.writer.body(events, start, limit)
        except Exception:
            return self._up_to_broken(events, start, limit)

    def _up_to_broken(self, events: Sequence[Event], start: int, limit: int) -> tuple[bytes, int]:
        for place in range(start, len(events)):
            try:
                self.writer.line(events[place])
            except Exception as error:
                if place > start:
                    return self.writer.body(events[:place], start, limit)
                why = f"{type(error).__name__}: {error}"
                self._reject([Rejection(events[place], "unencodable", why)])
                return b"", place + 1
        return self.writer.body(events, start, limit)

    async def _rest(self, why: str, pause: float) -> float:
        """Wait before the next attempt; returns how long to wait before the one after."""
        self.health.bad(why)
        await asyncio.sleep(pause)
        return min(pause * 2, LAST_PAUSE)

    def _left(self, events: Sequence[Event], result: Outcome, degraded: dict[str, str]) -> list[Event]:
        """The events to send again; those refused twice are rejected."""
        rejected: list[Rejection] = []
        for place, why in result.refused.items():
            event = events[place]
            if event.id in degraded:
                rejected.append(Rejection(event, "refused", why))
            degraded[event.id] = why
            self._report(why)
        self._reject(rejected)
        gone = {rejection.event.id for rejection in rejected}
        places = sorted([*result.again, *result.refused])
        return [events[place] for place in places if not gone or events[place].id not in gone]

    async def _halve(
        self, events: Sequence[Event], degraded: dict[str, str], index: str | None, why: str
    ) -> None:
        if len(events) == 1:
            self._reject([Rejection(events[0], "too_large", why)])
            return
        self.body_bytes = max(self.body_bytes // 2, MIN_BODY_BYTES)
        self._report(f"bodies of at most {self.body_bytes} bytes from here on: {why}")
        middle = len(events) // 2
        for half in (events[:middle], events[middle:]):
            await self.deliver(half, self._render(half, degraded), index)

    async def _unknown(
        self, events: Sequence[Event], body: bytes, degraded: dict[str, str], index: str | None
    ) -> tuple[Sequence[Event], bytes]:
        """What is left of a body that may or may not have arrived."""
        left = await self._absent(events, index)
        return (events, body) if len(left) == len(events) else (left, self._render(left, degraded))

    def _render(self, events: Sequence[Event], degraded: dict[str, str]) -> bytes:
        writer = self.writer
        if not degraded:
            return b"".join(map(writer.line, events))
        return b"".join(writer.degraded(e) if e.id in degraded else writer.line(e) for e in events)

    def _reject(self, rejected: list[Rejection]) -> None:
        if not rejected:
            return
        for rejection in rejected:
            self._metrics.rejected.labels(rejection.reason).inc()
        self._on_rejected(rejected)

    def _report(self, why: str) -> None:
        """One log line per kind of reason; the rest of a reason names single documents."""
        kind = why.partition(" in document with id")[0]
        kind = kind.partition("] ")[2] or kind
        if kind not in self._reported and len(self._reported) < 1000:
            self._reported.add(kind)
            log.warning("Elasticsearch refused a document, sent it again without what it refused: %s", why)
