"""The file that says how far an Elasticsearch has everything; it is replaced as a whole (durable.py)."""

from pathlib import Path

import msgspec

from storage.durable import write_durably
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


def write_commit(path: Path, commit: Commit) -> None:
    """Replace the commit file. Raises OSError."""
    write_durably(path, msgspec.json.encode(commit))


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
