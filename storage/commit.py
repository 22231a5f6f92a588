"""One small file that is replaced as a whole: after any crash it is the old one or the new one.

Write aside, sync, rename over, sync the folder (rename(2): the new name appears atomically; fsync(2): the
folder's own entry needs its own sync).
"""

import os
from pathlib import Path

import msgspec

from storage.store import Checkpoint


class Commit(msgspec.Struct, frozen=True):
    """How far an Elasticsearch has everything.

    `index` is the write index as it was seen before any event after `checkpoint` was sent: while it still
    is the write index, `create` refuses what a replay sends twice.
    """

    checkpoint: Checkpoint
    journal: str
    stream: str
    index: str | None = None


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, durably. Raises OSError; the old file is then still whole."""
    aside = path.with_name(path.name + ".new")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_commit(path: Path, commit: Commit) -> None:
    """Replace the commit file. Raises OSError."""
    write_atomically(path, msgspec.json.encode(commit))


def read_commit(path: Path) -> Commit | None:
    """The commit in `path`, None when there is no file. Raises ValueError when it is damaged."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(data, type=Commit)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} is damaged ({error}); delete it to replay the whole journal") from error
