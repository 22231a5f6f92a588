"""The version of what a data folder holds, so that an older logdock leaves a newer one's folder alone."""

import logging
from importlib.metadata import version
from pathlib import Path

import msgspec

from storage.durable import write_durably

log = logging.getLogger("logdock.serve")

FILE = "format"
CURRENT = 1  # add one when a logdock before the change would misread a folder written after it


class UnknownFormat(Exception):  # noqa: N818 - says what is the case
    """The data folder is of a newer logdock, or does not say clearly of which one."""


class Format(msgspec.Struct):
    """What the file holds: the number, and which logdock wrote it, for people."""

    format: int
    by: str = "an unknown version"


def claim_format(folder: Path) -> None:
    """Note that `folder` is now of this version; one without a note is as old as the first format.

    Raises UnknownFormat, and OSError when a note cannot be read. A full disk keeps no server from starting.
    """
    path = folder / FILE
    found = _read(path)
    if found is not None and found.format > CURRENT:
        raise UnknownFormat(
            f"data folder {folder} has format {found.format}, written by logdock {found.by};"
            f" this one, {version('logdock')}, knows formats up to {CURRENT}:"
            " start a newer one, or choose another --data"
        )
    if found is not None and found.format == CURRENT:
        return
    try:
        write_durably(path, msgspec.json.encode(Format(CURRENT, version("logdock"))) + b"\n")
    except OSError as problem:
        log.warning("cannot write %s: %s", path, problem.strerror)


def _read(path: Path) -> Format | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Format)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise UnknownFormat(
            f"{path} does not say which logdock wrote the folder ({problem}): restore that file from a copy,"
            " or delete it if this logdock wrote the folder"
        ) from None
