"""Bulk bodies until every event in them is stored, or kept in quarantine because it never will be.

created, known already   done
refused (reply.py)       the document is at fault: once more without what may be to blame, then quarantine
doubtful                 again a few times; then as if refused
again                    the server's state is at fault: these events again, later
413                      the body is too large: its halves, down to one event
no answer, or one that   the whole body again, later; what may have arrived meanwhile is looked up when
  cannot be believed     `create` would not notice (another write index)

A sender waits for its body while the server is at fault. When only the body is, the sender goes on with the
next one, and the body's rest is seen to beside it: its good neighbours wait for nothing.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from parsers.event import Event
from storage.elastic.client import Refused
from storage.elastic.docs import Writer
from storage.elastic.health import Health, Reporter
from storage.elastic.pace import FLOOR_BYTES, Pace, rest
from storage.elastic.parcel import STRIKES, Parcel, at_fault, halves, reason_of
from storage.elastic.post import Compression, Post, Send
from storage.elastic.render import Renderer
from storage.elastic.reply import Outcome
from storage.metrics import Metrics
from storage.store import OnRejected, Rejection, StoreUnavailable

log = logging.getLogger("logdock.storage")

SENDERS = 3  # bodies on their way: Elasticsearch indexes on several cores while it receives the next one
FIRST_PAUSE, LAST_PAUSE = 0.1, 10.0  # seconds between attempts, doubling; so late is a return noticed
MAX_ASIDE = 8  # bodies whose rest is seen to beside the senders; with more, senders wait for their own
OVERSIZE = 2  # times the present pace: a larger body is cut before it is sent
PUT_BACK_SECONDS = 20.0  # an operator waits for the answer


def nothing() -> None:
    """What is called when nobody wants to know."""


class Delivery:
    """Delivers bodies. `send` posts one body; `absent` keeps of some events those not in the stream yet."""

    def __init__(
        self,
        send: Send,
        absent: Callable[[Sequence[Event], str | None], Awaitable[Sequence[Event]]],
        on_rejected: OnRejected,
        metrics: Metrics,
        writer: Writer | None = None,
        compression: Compression | None = None,
    ) -> None:
        self.health, self.reporter = Health(), Reporter()
        self.pace = Pace(SENDERS)
        self.writer = writer or Writer()
        self._renderer = Renderer(self.writer)
        self._post = Post(send, self.pace, metrics, compression or Compression())
        self._absent = absent
        self._on_rejected, self._metrics = on_rejected, metrics
        self._taken = 0  # replies with verdicts on documents: while they come, the server is not away
        self._aside = 0
        self._recovered = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def body_bytes(self) -> int:
        """What a body should hold now."""
        return self.pace.body_bytes

    async def close(self) -> None:
        """Give up what is on its way; it may arrive or not."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def deliver(
        self,
        events: Sequence[Event],
        body: bytes,
        index: str | None,
        uncertain: bool = False,
        done: Callable[[], None] = nothing,
    ) -> None:
        """Returns when the sender may take the next body; `done` is called once every event has its verdict.

        `index`: the write index as it was seen before the first attempt. `uncertain`: there has been one.
        """
        free = asyncio.get_running_loop().create_future()
        parcel = Parcel(list(events), index, uncertain, free, self._taken)
        task = asyncio.create_task(self._see_to(parcel, body, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(parcel.free)

    async def put_back(self, events: Sequence[Event]) -> list[Rejection]:
        """Deliver events that may be stored already; returns those refused. Raises StoreUnavailable."""
        free = asyncio.get_running_loop().create_future()
        free.set_result(None)
        parcel = Parcel(list(events), None, True, free, self._taken)
        parcel.returned, parcel.deadline = [], time.monotonic() + PUT_BACK_SECONDS
        await self._settle(parcel, b"")
        return parcel.returned

    async def _see_to(self, parcel: Parcel, body: bytes, done: Callable[[], None]) -> None:
        """Only cancelling ends it before every event has its verdict."""
        try:
            while True:
                try:
                    await self._settle(parcel, body)
                    break
                except Exception as error:  # a mistake of ours or of a library: no event is given up for it
                    log.exception("could not deliver %d events, will try again", len(parcel.events))
                    parcel.uncertain, body = True, b""
                    await self._rest(parcel, f"{type(error).__name__}: {error}", "defect")
            done()
        finally:
            if parcel.free.done():
                self._aside -= 1
            else:
                parcel.free.set_result(None)

    def _step_aside(self, parcel: Parcel) -> None:
        """Let the sender go on: only this body is at fault."""
        if not parcel.free.done() and self._aside < MAX_ASIDE:
            self._aside += 1
            parcel.free.set_result(None)

    # One attempt after the other

    async def _settle(self, parcel: Parcel, body: bytes) -> None:
        while parcel.events:
            body = body or await self._render(parcel)
            if not body:
                return None
            if len(parcel.events) > 1 and len(body) > OVERSIZE * self.pace.body_bytes:
                return await self._halve(parcel)
            try:
                if parcel.uncertain:
                    body = await self._look_up(parcel, body)
                    continue
                result = await self._post(body, parcel.events)
            except (StoreUnavailable, Refused) as error:
                parcel.uncertain = True
                if await self._failed(parcel, error, len(body)):
                    return await self._halve(parcel)
                body = b""
                continue
            body = b""
            await self._sort_out(parcel, result)
        return None

    async def _halve(self, parcel: Parcel) -> None:
        """Both at once: what is wrong with one must not hold up the other."""
        both = (self._settle(half, b"") for half in halves(parcel))
        for result in await asyncio.gather(*both, return_exceptions=True):
            if result is not None:
                raise result

    async def _look_up(self, parcel: Parcel, body: bytes) -> bytes:
        """Leave only what is not in the stream, of a body that may or may not have arrived."""
        left = await self._absent(parcel.events, parcel.index)
        parcel.uncertain = False
        if len(left) == len(parcel.events):
            return body
        parcel.events = list(left)
        if not left:
            self._good()
        return b""

    async def render(self, events: Sequence[Event], start: int, limit: int) -> tuple[bytes, int]:
        """As Writer.body. An event that cannot be rendered is rejected, its place in the answer is empty."""
        body, end, broken = self._renderer.chunk(events, start, limit)
        await self._reject(None, broken)
        return body, end

    async def _render(self, parcel: Parcel) -> bytes:
        body, broken = self._renderer.body(parcel.events, parcel.degraded)
        if broken:
            gone = {rejection.event.id for rejection in broken}
            parcel.events = [event for event in parcel.events if event.id not in gone]
            await self._reject(parcel, broken)
        return body

    # What came of it

    async def _failed(self, parcel: Parcel, error: StoreUnavailable | Refused, size: int) -> bool:
        """After an attempt without verdicts: wait, or return True for the halves to go each by itself."""
        large = isinstance(error, Refused) and error.status == 413 and size >= FLOOR_BYTES
        if isinstance(error, Refused) and error.status == 413:
            self.pace.too_large(size, time.monotonic())
            if len(parcel.events) > 1:
                self._count("too_large", len(parcel.events))
                return True
        fault = at_fault(parcel, error, large, self._taken)
        if parcel.strikes >= STRIKES:
            self._step_aside(parcel)
        if fault is None:
            await self._rest(parcel, str(error), reason_of(error))
            return False
        if len(parcel.events) > 1:
            return True
        kept = await self._refuse(parcel, {0: str(error)}, fault)
        parcel.events, parcel.strikes = parcel.events[: len(kept)], 0
        return False

    async def _sort_out(self, parcel: Parcel, result: Outcome) -> None:
        """Keep of the parcel what must go again, after a pause if the server's state is at fault."""
        again, refused = dict(result.again), dict(result.refused)
        verdicts = len(parcel.events) - len(again) - len(result.doubtful)
        for place, why in result.doubtful.items():
            alone = verdicts > 0 or self._taken > parcel.seen  # its neighbours, or other bodies, got through
            (refused if alone and parcel.doubt(parcel.events[place]) else again)[place] = why
        if verdicts:
            self._taken, parcel.pause = self._taken + 1, 0.0
        parcel.seen, parcel.strikes = self._taken, 0
        done = [e.id for place, e in enumerate(parcel.events) if place not in again and place not in refused]
        self._metrics.degraded.inc(sum(name in parcel.degraded for name in done))
        if verdicts and not result.again:
            self._good()
            if again or refused:
                self._step_aside(parcel)
        kept = await self._refuse(parcel, refused, "refused")
        parcel.events = [parcel.events[place] for place in sorted(kept | again.keys())]
        parcel.uncertain = result.uncertain
        if again:
            await self._rest(parcel, result.why, "busy" if result.busy else "not_now", len(again))

    async def _refuse(self, parcel: Parcel, refused: dict[int, str], reason: str) -> set[int]:
        """Degrade these documents, or put into quarantine those that have been; the places of the degraded.

        What is not refused for what it says, but for its size or effect, is no better when it is degraded.
        """
        rejected: list[Rejection] = []
        kept: set[int] = set()
        for place, why in refused.items():
            event = parcel.events[place]
            if reason != "refused" or event.id in parcel.degraded:
                rejected.append(Rejection(event, reason, why))
                continue
            self.reporter.report("Elasticsearch refused a document, which goes again without its fields", why)
            parcel.degraded[event.id] = why
            kept.add(place)
        self._count("degraded", len(kept))
        await self._reject(parcel, rejected)
        return kept

    async def _reject(self, parcel: Parcel | None, rejected: list[Rejection]) -> None:
        """Returns when they are durably in quarantine, however long that takes."""
        if parcel is not None and parcel.returned is not None:
            parcel.returned += rejected
            return
        pause = FIRST_PAUSE
        while rejected:
            try:
                await asyncio.to_thread(self._on_rejected, rejected)
                break
            except Exception as error:
                self.reporter.report("refused events wait for the quarantine", str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE)
        for rejection in rejected:
            self._metrics.rejected.labels(rejection.reason).inc()

    async def _rest(self, parcel: Parcel, why: str, reason: str, events: int = 0) -> None:
        """Wait before the next attempt. Raises StoreUnavailable when somebody waits who has waited enough."""
        self._count(reason, events or len(parcel.events))
        if parcel.deadline is not None and time.monotonic() > parcel.deadline:
            raise StoreUnavailable(why)
        if not parcel.free.done():
            self._recovered.clear()
            self.health.bad(why)
        parcel.pause = min(parcel.pause * 2, LAST_PAUSE) if parcel.pause else FIRST_PAUSE
        # Without jitter all that failed together would come back together.
        seconds = random.uniform(0.5, 1.0) * parcel.pause
        away = reason != "busy" and not parcel.strikes and not parcel.free.done()
        if away:
            await rest(self._recovered, FIRST_PAUSE, seconds)
        else:
            await asyncio.sleep(seconds)

    def _good(self) -> None:
        self.health.good()
        self._recovered.set()

    def _count(self, reason: str, events: int) -> None:
        if events:
            self._metrics.bulk_retries.labels(reason).inc(events)
