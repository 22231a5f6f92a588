"""A journal without a server, and senders without Docker, for the tests of this room."""

import asyncio
import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgpack
import pytest

from ingest.entries import Entry, Kind, Protocol
from ingest.journal import Journal
from ingest.reader import Reader
from ingest.space import Space
from storage.metrics import Metrics

IDENTITY = "testjrnl"
ID = "ab" * 32
OTHER_ID = "cd" * 32


class Journals:
    """Opens journals in one folder, one after the other, and closes what is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open: list[Journal] = []

    def __call__(self, *, limit: int = 1 << 30, floor: int = 0, **options: Any) -> Journal:
        space = Space(self.folder, limit, floor)
        journal = Journal(self.folder, IDENTITY, Metrics(), space, **options)
        self.open.append(journal)
        return journal

    async def close(self, journal: Journal) -> None:
        self.open.remove(journal)
        await journal.close()

    async def kill(self, journal: Journal) -> None:
        """As kill -9 leaves it: what was written is there, what waits in memory is not."""
        self.open.remove(journal)
        journal._closed = True
        journal._pending.clear()
        syncer = journal._syncer
        syncer._waiting.clear()
        syncer._dirty = False
        syncer._work.put(None)
        await asyncio.to_thread(syncer._thread.join)
        os.close(journal._files.fd)

    async def close_all(self) -> None:
        for journal in list(self.open):
            await self.close(journal)


def entries(journal: Journal, position: int = 0, limit: int = 1 << 20) -> list[Entry]:
    """All that can be read back from `position` on."""
    reader = Reader(journal, position)
    found: list[Entry] = []
    while more := reader.read(limit):
        found += more
    reader.close()
    return found


def data(journal: Journal, position: int = 0) -> list[bytes]:
    """The raw bytes of all DATA entries."""
    return [entry.raw for entry in entries(journal, position) if entry.kind is Kind.DATA]


def put(journal: Journal, *raws: bytes, connection: int = 1, done: Callable[[], None] | None = None) -> None:
    """Append and write one DATA entry each."""
    for raw in raws:
        journal.append(Kind.DATA, Protocol.FORWARD, connection, b"10.0.0.1", raw, 1, done=done)
    journal.flush()


def frame(log: str | bytes, chunk: str | None = None, **more: Any) -> bytes:
    """One line as Docker's fluentd driver sends it. `more` overrides parts of the record."""
    record = {
        "container_id": ID, "container_name": "/shop-web-1", "source": "stdout", "log": log,
        **more,
    }  # fmt: skip
    option = {"chunk": chunk} if chunk is not None else {}
    if isinstance(log, bytes):
        record["log"] = log.decode("utf-8", "surrogateescape")
    packed = msgpack.packb([ID[:12], 1_700_000_000, record, option], unicode_errors="surrogateescape")
    return bytes(packed)


def part(log: str, ordinal: int, *, last: bool = False, line: str = "p1", **more: Any) -> bytes:
    """A piece of a line over 16 KiB."""
    marks = {"partial_message": "true", "partial_id": line, "partial_ordinal": str(ordinal)}
    return frame(log, **marks, partial_last="true" if last else "false", **more)


def packed_frames(logs: Sequence[str], tag: str = "app") -> bytes:
    """One PackedForward frame with a record for each of `logs`."""
    packed = b"".join(msgpack.packb([1_700_000_000, {"message": log}]) for log in logs)
    return bytes(msgpack.packb([tag, packed, {"size": len(logs)}]))


def opening(connection: int, peer: str = "10.0.0.1") -> Entry:
    """A journal entry: a connection begins."""
    return Entry(0, 0, Kind.OPEN, Protocol.FORWARD, 0, connection, peer, 0, b"")


def saying(connection: int, raw: bytes = b"", protocol: Protocol = Protocol.FORWARD) -> Entry:
    """A journal entry: something comes over it."""
    return Entry(0, 0, Kind.DATA, protocol, 0, connection, "10.0.0.1", 1, raw or frame("line"))


def closing(connection: int, how: bytes = b"", peer: str = "10.0.0.1") -> Entry:
    """A journal entry: it ends. `how`: one of the words of entries.py."""
    return Entry(0, 0, Kind.CLOSE, Protocol.FORWARD, 0, connection, peer, 0, how)


def ack(chunk: str) -> bytes:
    return bytes(msgpack.packb({"ack": chunk}))


def counted(metric: Any, *labels: str) -> float:
    """The value of a counter or gauge."""
    child = metric.labels(*labels) if labels else metric
    return float(child._value.get())


async def until(holds: Callable[[], Any], patience: float = 10.0) -> None:
    """Wait until it holds; a test that waits in vain fails here."""
    for pause in itertools.chain([0.0] * 20, itertools.repeat(0.005, int(patience / 0.005))):
        if holds():
            return
        await asyncio.sleep(pause)
    raise AssertionError("it never came true")


def append(journal: Journal, raw: bytes, done: Callable[[], None] | None = None, *keys: bytes) -> None:
    journal.append(Kind.DATA, Protocol.FORWARD, 1, b"10.0.0.1", raw, 1, keys, done)


class Writev:
    """writev that fails while `problem` is set, after having written `taken` bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.problem: OSError | None = None
        self.taken = 0
        self.calls = 0
        self._real = os.writev
        monkeypatch.setattr(os, "writev", self)

    def __call__(self, fd: int, buffers: Sequence[bytes]) -> int:
        self.calls += 1
        if self.problem is None:
            return self._real(fd, buffers)
        os.write(fd, b"".join(buffers)[: self.taken])
        raise self.problem
