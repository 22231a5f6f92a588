"""Reading the journal back: the one way from a socket to the pipeline, live and after a crash alike."""

import logging
import os
from typing import BinaryIO

from ingest.entries import HEADER_BYTES, Damage, Entry, decode_entries, entry_length
from ingest.journal import Journal
from ingest.segments import Segment, set_aside

log = logging.getLogger("logdock.ingest.journal")


class Reader:
    """Reads entries in order from `position` on, at most some bytes at a time."""

    def __init__(self, journal: Journal, position: int) -> None:
        self.position = position
        self._journal = journal
        self._file: BinaryIO | None = None
        self._segment: Segment | None = None

    def read(self, limit: int) -> list[Entry]:
        """Whole entries, about `limit` bytes of them; [] when there is nothing more now.

        Damage is not an error of the caller: what follows it in that segment is set aside and reported,
        and reading goes on with the next segment.
        """
        while (segment := self._segment_at_position()) is not None:
            try:
                entries = self._read_from(segment, limit)
            except Damage as damage:
                self._set_aside(segment, damage)
                continue
            if entries:
                self.position = entries[-1].end
                return entries
            # The segment ends with a piece of an entry: the writer was killed in the middle of it.
            self._set_aside(segment, Damage(self.position, "torn entry"))
        return []

    def _segment_at_position(self) -> Segment | None:
        """The segment to read from; moves `position` over the gap between two runs."""
        for segment in self._journal.segments:
            if max(self.position, segment.base) < self._end(segment):
                self.position = max(self.position, segment.base)
                return segment
        return None

    def _end(self, segment: Segment) -> int:
        return min(segment.end, self._journal.readable)

    def _read_from(self, segment: Segment, limit: int) -> list[Entry]:
        file = self._open(segment)
        at = self.position - segment.base
        available = self._end(segment) - self.position
        data = os.pread(file.fileno(), min(max(limit, HEADER_BYTES), available), at)
        wanted = entry_length(data, 0, self.position)
        if wanted is not None and wanted > len(data) and wanted <= available:
            data = os.pread(file.fileno(), wanted, at)
        return _until_damage(data, self.position)

    def _open(self, segment: Segment) -> BinaryIO:
        if self._segment is not segment or self._file is None:
            self.close()
            self._file = segment.path.open("rb")
            self._segment = segment
        return self._file

    def _set_aside(self, segment: Segment, damage: Damage) -> None:
        self.close()
        lost = segment.end - damage.position
        if segment is self._journal.segments[-1]:
            self._journal.roll()  # what is written from now on must not stand behind the damage
        if segment is self._journal.segments[-1]:
            raise RuntimeError(f"the journal being written is damaged: {damage}")
        target = set_aside(segment, damage.position)
        text = f"{damage}: {lost} bytes set aside in {target.name}"
        log.error("damaged journal: %s", text)
        self._journal.damaged.append(text)
        self._journal.metrics.journal_damaged.inc(lost)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._segment = None


def _until_damage(data: bytes, position: int) -> list[Entry]:
    """The entries before the first damage; Damage only when there are none, so none is lost to it."""
    entries: list[Entry] = []
    try:
        for entry in decode_entries(data, position):
            entries.append(entry)  # noqa: PERF402 - a comprehension would lose what came before the damage
    except Damage:
        if not entries:
            raise
    return entries
