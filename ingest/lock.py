"""One process per data folder."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TextIO


class FolderInUse(Exception):  # noqa: N818 - says what is the case
    """Another process owns the data folder."""


def lock_folder(folder: Path) -> TextIO:
    """Own `folder` until the returned file is closed or the process ends. Raises FolderInUse."""
    path = folder / "lock"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise FolderInUse(
            f"data folder {folder} is in use by logdock pid {owner}; stop that one or choose another --data"
        ) from None
    file.seek(0)
    file.truncate()
    with contextlib.suppress(OSError):  # a full disk: only whoever comes second learns less
        file.write(f"{os.getpid()}\n")
        file.flush()
    return file
