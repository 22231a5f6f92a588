"""Readers of the live tail that never give up: a lost connection is taken up with the last id that came."""

import asyncio
import contextlib
import json
from urllib.parse import urlencode

from tests.real.server import host_port

RETRY_SECONDS = 0.1
MAX_CHUNK = 64 << 20


class Follower:
    """Reads server-sent events over HTTP/1.1 by hand: what it costs must not be what is measured.

    `lines` are (offset, message) in the order in which they came, `told` everything that is no line. With
    `restless` seconds it leaves and comes back that often by itself.
    """

    def __init__(self, address: str, query: dict[str, str], restless: float | None = None) -> None:
        self.address = host_port(address)
        self.query = query
        self.restless = restless
        self.last: str | None = None
        self.lines: list[tuple[int, str]] = []
        self.told: list[tuple[str, str]] = []
        self.connections = 0
        self.beats = 0

    async def run(self) -> None:
        """For ever, until it is cancelled."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(self.restless):
                    await self._read()
            await asyncio.sleep(RETRY_SECONDS)

    async def _read(self) -> None:
        reader, writer = await asyncio.open_connection(*self.address, limit=MAX_CHUNK)
        try:
            writer.write(self._request())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            self.connections += 1
            await self._messages(reader)
        finally:
            writer.close()

    def _request(self) -> bytes:
        host, port = self.address
        resume = "" if self.last is None else f"Last-Event-ID: {self.last}\r\n"
        path = f"/api/v1/logs/tail?{urlencode(self.query)}"
        return f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{resume}\r\n".encode()

    async def _messages(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            rest += (await reader.readexactly(size + 2))[:-2]
            *blocks, rest = rest.split(b"\n\n")
            for block in blocks:
                self._take(block)

    def _take(self, block: bytes) -> None:
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n"))
        self.beats += b"" in fields
        if b"id" in fields:
            self.last = fields[b"id"].decode()
        if fields.get(b"event") == b"log":
            self.lines.append((int(fields[b"id"]), json.loads(fields[b"data"])["message"]))
        elif b"event" in fields:
            self.told.append((fields[b"event"].decode(), fields[b"data"].decode()))
