"""How much the journal may take: a limit of its own, and a floor of free disk that it leaves to others."""

import os
import time
from pathlib import Path

CHECK_SECONDS = 0.5  # statvfs at most this often: the disk cannot fill by more than a floor in that time


class Space:
    """Says whether the journal may grow. `limit` and `floor` are bytes."""

    def __init__(self, folder: Path, limit: int, floor: int) -> None:
        self.limit = limit
        self._folder = folder
        self._floor = floor
        self._free = self._measure()
        self._checked = time.monotonic()

    def over_limit(self, size: int, more: int) -> str | None:
        """Why the journal may not grow from `size` by `more` bytes: "journal full: ..."."""
        if size + more > self.limit:
            return f"journal full: {size} bytes of {self.limit} (--journal-size) wait for the store"
        return None

    def below_floor(self, more: int) -> str | None:
        """Why the disk has no room for `more` bytes: "disk floor: ..."."""
        self._refresh()
        self._free -= more
        if self._free < self._floor:
            return f"disk floor: less than {self._floor} bytes are free (--disk-floor)"
        return None

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._checked >= CHECK_SECONDS or self._free < self._floor:
            self._free = self._measure()
            self._checked = now

    def _measure(self) -> int:
        status = os.statvfs(self._folder)
        return status.f_bavail * status.f_frsize
