"""The files of the journal: `<position>.log` segments, `<position>.keys` of deleted ones, set-aside damage.

A position is a byte offset in the endless journal; a segment's name is the position it begins at. Each run
of the process begins at a later multiple of 2^40, so a position that a power cut took back is never used
a second time (an event id stored under it would swallow a new line). Runs are numbered by the minute they
begin in, or by one more than the last where that is later: so a data folder that was restored from a backup,
whose own count is old, does not use again what Elasticsearch has stored under it since.
"""

import logging
import os
from pathlib import Path

import msgspec

from ingest.entries import KEY_BYTES, Damage, decode_entries, entry_keys
from ingest.resends import WINDOW_KEYS
from storage.durable import sync_folder, write_durably

log = logging.getLogger("logdock.ingest.journal")

RUN_BITS = 40  # 2^40 bytes a run, 2^23 runs until positions outgrow a signed 64-bit integer: in 2041
FIRST_RUN = 1_767_225_600  # 2026-01-01 UTC, in seconds since the epoch
RUN_SECONDS = 60
LAST_TIMED_RUN = 1 << 22  # a clock that is years ahead must not use up the runs there are


class Segment(msgspec.Struct):
    """One file. `size` is what has been written to it."""

    path: Path
    base: int
    size: int

    @property
    def end(self) -> int:
        return self.base + self.size


def segment_path(folder: Path, base: int) -> Path:
    return folder / f"{base:020d}.log"


def existing_segments(folder: Path) -> list[Segment]:
    """The segments on disk, oldest first."""
    paths = sorted(path for path in folder.glob("*.log") if path.stem.isdigit())
    return [Segment(path, int(path.stem), path.stat().st_size) for path in paths]


def next_run(folder: Path, segments: list[Segment], now: float) -> int:
    """The number of this run, recorded durably before anything is written under it.

    `now` is in seconds since the epoch. On a full disk it cannot be recorded; then the clock alone keeps the
    next run apart, should a power cut take this one's segment.
    """
    file = folder / "run"
    before = int(file.read_text()) if file.exists() else 0
    newest = segments[-1].end >> RUN_BITS if segments else 0  # of the end: a run may outgrow its 2^40
    timed = int(now - FIRST_RUN) // RUN_SECONDS
    run = max(before + 1, newest + 1, timed if timed <= LAST_TIMED_RUN else 0)
    try:
        write_durably(file, str(run).encode())
    except OSError as problem:
        log.warning("cannot record run %d: %s", run, problem)
    return run


def set_aside(segment: Segment, position: int) -> Path:
    """Move what stands in `segment` from `position` on into a file of its own, and cut the segment there."""
    target = segment.path.with_name(f"{position:020d}.damaged")
    at = position - segment.base
    with segment.path.open("r+b") as file:
        file.seek(at)
        with target.open("wb") as copy:
            while block := file.read(1 << 20):
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        file.truncate(at)
        os.fsync(file.fileno())
    segment.size = at
    sync_folder(segment.path.parent)
    return target


def leave_keys(segment: Path, keys: bytes) -> None:
    """Keep a segment's resend keys for when its lines are forgotten; an empty file says that it has none.

    Only once the segment is synced: keys without their lines would swallow what was never acknowledged.
    """
    write_durably(segment.with_suffix(".keys"), keys)


def prune_keys(folder: Path) -> None:
    """Delete key files beyond the window: a long run leaves one behind for every segment.

    On disk the window counts keys, not minutes: the clock may have been set meanwhile, and after an hour's
    stop senders come with what they sent an hour ago.
    """
    room = WINDOW_KEYS * KEY_BYTES
    for path in sorted(folder.glob("*.keys"), reverse=True):
        size = path.stat().st_size
        if room <= 0:
            path.unlink()
        room -= size


def recent_keys(folder: Path, before: int) -> list[bytes]:
    """The newest resend keys on disk, oldest first: at most WINDOW_KEYS.

    Segments from position `before` on are still being written.
    """
    blocks: list[bytes] = []
    room = WINDOW_KEYS * KEY_BYTES
    paths = [path for suffix in ("log", "keys") for path in folder.glob(f"*.{suffix}")]
    for path in sorted((path for path in paths if path.stem < f"{before:020d}"), reverse=True):
        if room <= 0:
            break
        block = _keys_of(path)[-room:]
        room -= len(block)
        blocks.append(block)
    joined = b"".join(reversed(blocks))
    return [joined[at : at + KEY_BYTES] for at in range(0, len(joined), KEY_BYTES)]


def _keys_of(path: Path) -> bytes:
    if path.suffix == ".keys":
        block = path.read_bytes()
        return block[: len(block) // KEY_BYTES * KEY_BYTES]
    if path.with_suffix(".keys").exists():
        return b""  # the key file beside it is read instead
    block = scan_keys(path)
    try:
        leave_keys(path, block)  # a run that was killed left none
    except OSError as problem:  # a full disk: the next start scans again
        log.warning("cannot keep the resend keys of %s: %s", path.name, problem)
    return block


def scan_keys(path: Path) -> bytes:
    """The resend keys of a segment that has no key file yet: those of the run that was killed.

    Only of entries that are whole: what a power cut left half written was never acknowledged.
    """
    found = bytearray()
    with path.open("rb") as file:
        data = file.read()
        os.fsync(file.fileno())  # a resend of what is known here is acknowledged without another look at it
    try:
        for entry in decode_entries(data, 0):
            found += entry_keys(data, entry.position)
    except Damage:
        pass  # the reader meets it too, and reports it
    return bytes(found)
