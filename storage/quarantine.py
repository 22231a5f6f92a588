"""Events that a store will never take: kept readable in the data folder instead of vanishing."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from storage.metrics import Metrics
from storage.store import Rejection

log = logging.getLogger("logdock.storage.quarantine")

FILE_BYTES = 256 << 20  # then the rest is only counted: a store that refuses all must not fill the disk


class Quarantine:
    """Appends rejected events to `folder`/rejected.ndjson, one JSON object a line."""

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        self._path = folder / "rejected.ndjson"
        self._metrics = metrics
        self._logged: set[str] = set()

    def take(self, rejections: Sequence[Rejection]) -> None:
        """Keep what a store refused (the store counts it). A full disk loses no good event: it is logged."""
        try:
            self._append(rejections)
        except OSError as problem:
            self._metrics.dropped.labels("quarantine_failed").inc(len(rejections))
            log.error("cannot quarantine %d events: %s", len(rejections), problem)

    def _append(self, rejections: Sequence[Rejection]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            for rejection in rejections:
                if rejection.reason not in self._logged:
                    self._logged.add(rejection.reason)
                    log.error("store refused an event (%s): %s", rejection.reason, rejection.message)
                if file.tell() < FILE_BYTES:
                    file.write(_line(rejection))
                else:
                    self._metrics.dropped.labels("quarantine_full").inc()


def _line(rejection: Rejection) -> bytes:
    event = rejection.event
    return (
        msgspec.json.encode(
            {
                "quarantined": time.time_ns(),
                "reason": rejection.reason,
                "message": rejection.message,
                "id": event.id,
                "event": event,
            }
        )
        + b"\n"
    )
