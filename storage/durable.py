"""Files that outlive a crash: replaced as a whole, or added to.

After a replacing there is the old file or the new one, never a mixture. Write aside, sync, rename over, sync
the folder (rename(2): the new name appears atomically; fsync(2): the folder's own entry needs its own sync).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_durably(path: Path, data: bytes) -> None:
    """Replace `path` by `data`. Raises OSError; the old file is then still whole."""
    with replacing(path) as file:
        file.write(data)


def append_durably(path: Path, lines: bytes, size: int | None = None) -> None:
    """Add lines to a file, after cutting it off at `size` if that is given, and sync them.

    Raises OSError; some of the lines may then be there. A new file's name is not synced.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        if size is not None:
            os.ftruncate(descriptor, size)
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path, suffix: str = ".new") -> Iterator[BinaryIO]:
    """A file beside `path`, its name with `suffix`, which durably takes its place when the block ends well.

    Raises OSError. When the block or anything after it fails, what was written aside is deleted.
    """
    aside = path.with_name(path.name + suffix)
    opened = aside.open("wb")
    try:
        with opened as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Make `folder`, and what is missing above it, so that a power cut leaves it there. Raises OSError."""
    if not folder.is_dir():
        if not folder.parent.is_dir():
            make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)  # also when it is there: who made it may have died before this


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: files that were made, renamed or deleted there. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
