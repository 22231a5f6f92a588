"""What is said about whether a container lives. logdock sees lines, not processes: all of it is a guess.

Docker's words are kept where they are true: State is one of Docker's, because programs compare it, and
Status, which people read, always says when the last line came.
"""

from __future__ import annotations

from api.units import human_duration
from storage.times import SECOND

# Most programs say something within ten minutes (a health check, a timer, a request). A shorter time would
# call quiet ones dead, a longer one keeps the dead of a busy host alive.
RUNNING_SECONDS = 600

STATES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")
ZERO_TIME = "0001-01-01T00:00:00Z"  # Go's: never


def is_running(last_seen: int, now: int) -> bool:
    """Whether its last line (nanoseconds) is so young that it counts as running."""
    return now - last_seen <= RUNNING_SECONDS * SECOND


def state(last_seen: int, now: int) -> str:
    """Docker's State."""
    return "running" if is_running(last_seen, now) else "exited"


def status(first_seen: int, last_seen: int, now: int) -> str:
    """Docker's Status."""
    last = f"last line {ago(last_seen, now)}"
    if not is_running(last_seen, now):
        return last.capitalize()
    return f"Up {human_duration(max(0, now - first_seen) / SECOND)} ({last})"


def ago(moment: int, now: int) -> str:
    """How long ago, in Docker's words."""
    return f"{human_duration(max(0, now - moment) / SECOND)} ago"
