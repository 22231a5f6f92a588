"""The whole server in process, and senders to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from api.serve import Server
from api.settings import Settings, load_settings
from tests.ingest.bench import until


def settings(data: Path, **changes: Any) -> Settings:
    free = "127.0.0.1:0"
    given = dict.fromkeys(("http", "forward", "gelf_udp", "gelf_tcp"), free) | {"store": "memory"}
    return load_settings(data=data, **(given | changes))


class Running:
    """One server after another on one data folder, and senders to the current one."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.server: Server | None = None

    async def start(self, **changes: Any) -> Server:
        server = Server(settings(self.data, **changes))
        await server.start()
        self.server = server
        return server

    async def stop(self) -> None:
        server, self.server = self.server, None
        if server is not None:
            await asyncio.wait_for(server.stop(), 15)

    def address(self, name: str, at: int = 0) -> tuple[str, int]:
        assert self.server is not None
        where = self.server.addresses[name]
        text = where if isinstance(where, str) else cast(list[str], where)[at]
        host, _, port = text.rpartition(":")
        return host, int(port)

    async def send(self, *parts: bytes, name: str = "forward", wanted: bytes = b"") -> None:
        """Over one connection of its own, until `wanted` was answered."""
        reader, writer = await asyncio.open_connection(*self.address(name))
        writer.write(b"".join(parts))
        assert await asyncio.wait_for(reader.readexactly(len(wanted)), 10) == wanted
        writer.close()
        await writer.wait_closed()

    async def get(self, path: str) -> httpx.Response:
        host, port = self.address("http")
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            return await client.get(path)

    async def post(self, path: str, content: bytes) -> httpx.Response:
        host, port = self.address("http")
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            return await client.post(path, content=content)

    async def events(self) -> list[dict[str, Any]]:
        answer = await self.get("/api/v1/logs?limit=10000&order=asc")
        assert answer.status_code == 200, answer.text
        return cast(list[dict[str, Any]], answer.json()["events"])

    async def lines(self) -> list[str]:
        """In the order of the journal."""
        return [e["message"] for e in sorted(await self.events(), key=lambda e: e["sequence"])]

    async def settled(self) -> None:
        """Until everything in the journal can be asked for."""
        assert self.server is not None and self.server._house is not None
        journal, pipeline = self.server.journal, self.server._house.pipeline
        journal.flush()
        await until(lambda: pipeline.lag_bytes == 0 and pipeline.caught_up)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.receivers.QUIET_SECONDS", 0.02)
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process goes on, and has more to collect


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    made = Running(tmp_path / "data")
    yield made
    await made.stop()
