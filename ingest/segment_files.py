"""The journal's files as the writer sees them: the one being written, and those before it."""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.segments import Segment, leave_keys, prune_keys, segment_path
from ingest.writing import Pending, cut_off, write_batch
from storage.durable import sync_folder

log = logging.getLogger("logdock.ingest.journal")


class SegmentFiles:
    """All segments of one journal, oldest first; the last one is written. `fd` is its descriptor."""

    def __init__(self, folder: Path, segments: list[Segment], base: int) -> None:
        self.segments = segments
        self.fd = -1
        self._folder = folder
        self._keys = bytearray()  # resend keys of the segment being written
        self._open(base)

    @property
    def active(self) -> Segment:
        """The one being written."""
        return self.segments[-1]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(segment.size for segment in self.segments)

    def after(self, position: int) -> int:
        """Bytes from `position` on: runs begin far apart, so a difference of positions says nothing."""
        return sum(max(0, segment.end - max(segment.base, position)) for segment in self.segments)

    def write(self, batch: Sequence[Pending]) -> None:
        """All of it or nothing: raises OSError, after which the file is as it was."""
        try:
            self.active.size += write_batch(self.fd, batch)
        except OSError:
            cut_off(self.fd, self.active.size)
            raise
        self._keys += b"".join(key for p in batch for key in p.keys)

    def roll(self, switch: Callable[[int, Callable[[], None]], None]) -> None:
        """Go on in a new segment. When that is not possible, go on in this one.

        `switch` takes the new descriptor, and what to call once the old file is durable.
        """
        path, keys = self.active.path, bytes(self._keys)
        try:
            self._open(self.active.end)
        except OSError as problem:
            log.error("cannot begin another journal segment: %s", problem)
            return
        switch(self.fd, lambda: self._leave_keys(path, keys))

    def forget(self, position: int) -> None:
        """Delete the segments that lie wholly before `position`; their resend keys stay for their time."""
        while len(self.segments) > 1 and self.segments[0].end <= position:
            self.drop_oldest()

    def drop_oldest(self) -> None:
        """Delete the first segment, which must not be the one being written."""
        self.segments.pop(0).path.unlink(missing_ok=True)

    def close(self) -> None:
        """After the last write and sync."""
        self._leave_keys(self.active.path, bytes(self._keys))
        os.close(self.fd)

    def _open(self, base: int) -> None:
        path = segment_path(self._folder, base)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        sync_folder(self._folder)
        self.fd = fd
        self.segments.append(Segment(path, base, 0))
        self._keys = bytearray()

    def _leave_keys(self, path: Path, keys: bytes) -> None:
        try:
            leave_keys(path, keys)
            prune_keys(self._folder)
        except OSError as problem:  # costs a resend check, or a scan at the next start
            log.warning("cannot keep the resend keys of %s: %s", path.name, problem)
