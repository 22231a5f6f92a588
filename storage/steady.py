"""The time for retention: that of the wall clock at the start, going on without its steps.

Retention deletes for good. A wall clock that jumps ahead, by a wrong time server or a hand, must not expire
everything at once; one that jumps back must not stop the sealing of files.
"""

import logging
import time
from collections.abc import Callable

log = logging.getLogger("logdock.storage")

TOLD_NS = 3_600_000_000_000  # a wall clock that was set by an hour is worth a word


def steady_clock(
    wall: Callable[[], int] = time.time_ns,
    elapsed: Callable[[], int] = time.monotonic_ns,
) -> Callable[[], int]:
    """A clock in nanoseconds since the epoch that only goes on. Unlike `wall`, `elapsed` is never set."""
    begun = wall() - elapsed()
    told = 0

    def now() -> int:
        nonlocal told
        steady = begun + elapsed()
        apart = wall() - steady
        if abs(apart - told) > TOLD_NS:
            told = apart
            log.warning(
                "this machine's clock was set by %+.0f s: retention keeps to the old one until a restart",
                apart / 1e9,
            )
        return steady

    return now
