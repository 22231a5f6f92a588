"""What is said about whether a container lives. logdock sees connections and lines, not processes.

Docker's drivers hold their connection for as long as the container runs, so while one is open its container
runs, and when the driver closes it, it has ended (ingest/presence.py). Where nothing is known of a connection
(GELF over UDP, after a restart of this server, or when this server closed it), the age of the last line
decides. Docker's words are kept: State is one of Docker's, because programs compare it.
"""

from __future__ import annotations

from api.docker.seen import Seen
from api.services import Services
from api.units import human_duration
from storage.times import SECOND

# Most programs say something within ten minutes (a health check, a timer, a request). A shorter time would
# call quiet ones dead, a longer one keeps the dead of a busy host alive.
RUNNING_SECONDS = 600
# When nothing is known, whoever follows waits for a container that has spoken within a day: to leave a quiet
# one is worse than to wait for a dead one. Nobody waits for what is long gone.
WAITING_SECONDS = 86_400

# The driver may dial again (ingest/presence.py): whoever follows is not sent away for that.
PATIENCE_SECONDS = 0.5

STATES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")
ZERO_TIME = "0001-01-01T00:00:00Z"  # Go's: never


def is_running(services: Services, one: Seen) -> bool:
    """Whether it counts as running now."""
    connected = services.presence.connected(one.lives)
    return _is_young(services, one, RUNNING_SECONDS) if connected is None else connected


def may_speak(services: Services, one: Seen) -> bool:
    """Whether it is worth to wait for its next line."""
    connected = services.presence.connected(one.lives, PATIENCE_SECONDS)
    return _is_young(services, one, WAITING_SECONDS) if connected is None else connected


def _is_young(services: Services, one: Seen, seconds: int) -> bool:
    return services.clock() - one.last_seen <= seconds * SECOND


def state(services: Services, one: Seen) -> str:
    """Docker's State."""
    return "running" if is_running(services, one) else "exited"


def status(services: Services, one: Seen) -> str:
    """Docker's Status. An exit code is not known; that it ended only when its driver said so."""
    connected = services.presence.connected(one.lives)
    last = ago(services, one.last_seen)
    if connected:
        return f"Up {_since(services, one.first_seen)}"
    if connected is not None:
        return f"Exited {last}"
    if is_running(services, one):
        return f"Up {_since(services, one.first_seen)} (last line {last})"
    return f"Last line {last}"


def ago(services: Services, moment: int) -> str:
    """How long ago, in Docker's words."""
    return f"{_since(services, moment)} ago"


def _since(services: Services, moment: int) -> str:
    return human_duration(max(0, services.clock() - moment) / SECOND)
