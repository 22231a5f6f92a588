"""The events of one bulk body that have no verdict yet, and whose fault it is when it does not arrive."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from parsers.event import Event
from storage.elastic.client import Busy, Refused, TimedOut, Unreachable
from storage.elastic.reply import Unbelievable
from storage.store import Rejection, StoreUnavailable

# A body is at fault when it fails again and again while others get through in between. Halves cost little;
# giving an event up must not happen to a server or a proxy that fails at random, however often it does.
STRIKES = 3  # then its halves go each by itself
LARGE_TRIES = 3  # for one event that is refused as too large
STUCK_STRIKES, STUCK_SECONDS = 20, 600.0  # for one event that is never answered; at half of all requests
# failing, one in a million would reach that many
DOUBTFUL_TRIES = 5  # for an event whose own verdict is a fault of the server, while its neighbours are stored


class Parcel(msgspec.Struct, eq=False):
    """Some events on their way. `free` is set when their sender need not wait for them."""

    events: list[Event]
    index: str | None  # the write index as it was seen before the first attempt
    uncertain: bool  # some of it may have arrived
    free: "asyncio.Future[None]"
    seen: int = 0  # bodies that had got through at the last failure of this one
    strikes: int = 0  # failures while others got through, in a row
    large: int = 0  # answers that it is too large, although it is one event
    since: float = msgspec.field(default_factory=time.monotonic)
    degraded: dict[str, str] = {}  # id -> why the whole document was refused
    doubts: Counter[str] = msgspec.field(default_factory=Counter)
    pause: float = 0.0  # the last one
    returned: list[Rejection] | None = None  # where rejections go instead of the quarantine
    deadline: float | None = None  # monotonic seconds after which somebody has waited enough

    def doubt(self, event: Event) -> bool:
        """Its verdict was doubtful; whether that is now enough to take it for refused."""
        self.doubts[event.id] += 1
        return self.doubts[event.id] % DOUBTFUL_TRIES == 0


def halves(parcel: Parcel) -> list[Parcel]:
    """Two parcels of its events; what is known of documents is shared."""
    middle = len(parcel.events) // 2
    made = []
    for events in (parcel.events[:middle], parcel.events[middle:]):
        half = Parcel(events, parcel.index, parcel.uncertain, parcel.free, parcel.seen)
        half.degraded, half.doubts = parcel.degraded, parcel.doubts
        half.returned, half.deadline = parcel.returned, parcel.deadline
        made.append(half)
    return made


def at_fault(parcel: Parcel, error: StoreUnavailable | Refused, large: bool, taken: int) -> str | None:
    """Note a failure; returns why the parcel must not go on as it is, None when time may mend it.

    `large`: one event, and the answer was that it is too large. `taken`: bodies that have got through.
    """
    if taken > parcel.seen:
        parcel.strikes += 1
    parcel.seen = taken
    if len(parcel.events) > 1:
        return "body" if parcel.strikes >= STRIKES else None
    if large:
        parcel.large += 1
        return "too_large" if parcel.large >= LARGE_TRIES else None
    if isinstance(error, Refused) and error.status == 400 and parcel.strikes >= STRIKES:
        return "refused"
    if parcel.strikes >= STUCK_STRIKES and time.monotonic() - parcel.since >= STUCK_SECONDS:
        return "undeliverable"
    return None


def reason_of(error: StoreUnavailable | Refused) -> str:
    """A failure in one word, for counters."""
    if isinstance(error, Refused):
        return "too_large" if error.status == 413 else "request_refused"
    kinds: Sequence[tuple[type[Exception], str]] = (
        (Busy, "busy"), (TimedOut, "timeout"), (Unreachable, "unreachable"), (Unbelievable, "unbelievable"),
    )  # fmt: skip
    return next((name for kind, name in kinds if isinstance(error, kind)), "unavailable")
