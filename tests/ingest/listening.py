"""Listeners in front of a journal, and senders to them."""

import asyncio
import contextlib
import errno
import os
import threading
from collections.abc import Sequence

import pytest

from ingest.entries import Protocol
from ingest.gate import Gate
from ingest.journal import Journal
from ingest.receivers import Receivers
from tests.ingest.bench import counted


class Sender:
    """A client of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def receive(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), 10)

    async def end(self) -> bytes:
        """What comes until the server closes."""
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while more := await asyncio.wait_for(self.reader.read(1 << 16), 10):
                found += more
        return found

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class Listening:
    """A journal with listeners in front of it."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.gate = Gate(journal.metrics)
        self.receivers = Receivers(self.gate, journal)
        self.senders: list[Sender] = []

    async def open(self) -> None:
        await self.receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
        await self.receivers.open_tcp(Protocol.GELF_TCP, "127.0.0.1", 0)
        await self.journal.load_resends()
        await self.receivers.start()

    async def sender(self, protocol: str = "forward") -> Sender:
        host, _, port = self.receivers.addresses[protocol][0].rpartition(":")
        made = Sender(*await asyncio.open_connection(host, int(port)))
        self.senders.append(made)
        return made

    def refused(self, reason: str, protocol: str = "forward") -> float:
        return counted(self.journal.metrics.refused, protocol, reason)

    async def close(self) -> None:
        for sender in self.senders:
            await sender.close()
        await self.receivers.stop()


def full_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """writev fails until the event is set."""
    room = threading.Event()
    real = os.writev

    def writev(fd: int, buffers: Sequence[bytes]) -> int:
        if not room.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, buffers)

    monkeypatch.setattr(os, "writev", writev)
    return room
