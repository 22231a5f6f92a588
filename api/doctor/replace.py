"""A file replaced at once, so that dockerd sees the old one or the new one, never half of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

MAX_BACKUPS = 1000  # FILE.bak, FILE.bak.1 ...: more of them mean that something else is wrong


def replace_file(path: Path, data: bytes) -> Path:
    """Writes `data` in place of the file, with its mode and owner; the path of the copy of the old one.

    A link stays a link: the file that it leads to is replaced. Raises OSError; then the file is as it was.
    """
    real = path.resolve(strict=True)
    backup = _backup(real)
    status = real.stat()
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(handle, "wb") as made:
            made.write(data)
            made.flush()
            os.fchmod(made.fileno(), status.st_mode & 0o7777)
            with contextlib.suppress(PermissionError):  # only root may give a file away
                os.fchown(made.fileno(), status.st_uid, status.st_gid)
            os.fsync(made.fileno())
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(real.parent)
    return backup


def _backup(real: Path) -> Path:
    """A copy beside it, under a name that is free."""
    for number in range(MAX_BACKUPS):
        backup = real.with_name(f"{real.name}.bak" + (f".{number}" if number else ""))
        try:
            os.close(os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        shutil.copy2(real, backup)
        return backup
    raise OSError(None, f"there are {MAX_BACKUPS} backups already")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
