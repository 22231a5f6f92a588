"""The file that remembers over a restart which containers have ended.

Without it nothing would be known of them, and whoever follows one would wait for its next line. A container
that was started again while this server was away counts as ended until it speaks.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import msgspec

from ingest.presence import Presence
from storage.durable import write_durably

log = logging.getLogger("logdock.ingest")

FILE = "ended.json"  # in the journal's folder: at most presence.MAX_CONTAINERS ids, 1.3 MB
SAVE_SECONDS = 2.0  # what ended later than this before kill -9 is forgotten


class Ends:
    """`keep` runs beside the pipeline and is cancelled at its end."""

    def __init__(self, presence: Presence, folder: Path) -> None:
        self._presence = presence
        self._file = folder / FILE
        self._saved = 0

    def recall(self) -> None:
        """What the file says holds from now on. A file that is none says nothing."""
        try:
            self._presence.recall(msgspec.json.decode(self._file.read_bytes(), type=list[str]))
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as problem:
            log.warning("cannot read %s: %s", self._file, problem)
        self._saved = self._presence.changes

    async def keep(self) -> None:
        """Save what changes, until cancelled, and then once more."""
        try:
            while True:
                await asyncio.sleep(SAVE_SECONDS)
                if self._presence.changes != self._saved:
                    await asyncio.to_thread(self._save, *self._now())
        finally:
            if self._presence.changes != self._saved:
                self._save(*self._now())

    def _now(self) -> tuple[int, list[str]]:
        return self._presence.changes, self._presence.ended()

    def _save(self, changes: int, ended: list[str]) -> None:
        try:
            write_durably(self._file, msgspec.json.encode(ended))
            self._saved = changes
        except OSError as problem:
            log.warning("cannot write %s: %s", self._file, problem.strerror)
