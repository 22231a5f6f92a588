"""The time for retention: that of the wall clock at the first start since boot, going on without its steps.

Retention deletes for good. A wall clock that jumps ahead, by a wrong time server or a hand, must not expire
everything at once; one that jumps back must not stop the sealing of files.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from storage.durable import write_durably

log = logging.getLogger("logdock.storage")

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TOLD_NS = 3_600_000_000_000  # a wall clock that was set by an hour is worth a word


def steady_clock(
    wall: Callable[[], int] = time.time_ns,
    elapsed: Callable[[], int] = time.monotonic_ns,
    file: Path | None = None,
) -> Callable[[], int]:
    """A clock in nanoseconds since the epoch that only goes on. Unlike `wall`, `elapsed` is never set."""
    begun = _anchor(file, wall() - elapsed())
    told = 0

    def now() -> int:
        nonlocal told
        steady = begun + elapsed()
        apart = wall() - steady
        if abs(apart - told) > TOLD_NS:
            told = apart
            log.warning(
                "this machine's clock was set by %+.0f s: retention keeps to the old one until the next boot",
                apart / 1e9,
            )
        return steady

    return now


def _anchor(file: Path | None, begun: int) -> int:
    """The wall clock at the zero of the elapsed one, as the first process since the machine's boot saw it."""
    if file is None:
        return begun
    try:
        boot = BOOT_ID.read_text().strip()
        known = file.read_text().split() if file.exists() else []
        if len(known) == 2 and known[0] == boot:
            return int(known[1])
        write_durably(file, f"{boot} {begun}\n".encode())
    except (OSError, ValueError) as problem:
        log.warning("cannot keep the time of this start in %s: %s", file, problem)
    return begun
