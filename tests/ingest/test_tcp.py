"""Listeners of the stream protocols."""

import asyncio
import socket
import stat
from pathlib import Path

import pytest

from ingest.entries import Protocol
from ingest.gate import Gate
from ingest.tcp import listen_tcp, listen_unix, remove_stale
from tests.ingest.bench import Journals, ack, data, frame


async def test_a_port_is_open_only_when_serving_begins(journals: Journals) -> None:
    """Until the resend window is loaded nobody may be taken in."""
    journal = journals()
    server = await listen_tcp(Gate(journal.metrics), journal, Protocol.FORWARD, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)
    await server.start_serving()
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    server.close()


async def test_a_port_in_use_is_an_error(journals: Journals) -> None:
    journal = journals()
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="address already in use"),
    ):
        await listen_tcp(Gate(journal.metrics), journal, Protocol.FORWARD, *taken.getsockname())


async def test_lines_over_a_unix_socket(journals: Journals, tmp_path: Path) -> None:
    journal = journals()
    path = tmp_path / "run" / "logdock.sock"
    server = await listen_unix(Gate(journal.metrics), journal, Protocol.FORWARD, path)
    await server.start_serving()
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(frame("line", "c1"))
    assert await asyncio.wait_for(reader.readexactly(len(ack("c1"))), 10) == ack("c1")
    assert data(journal) == [frame("line", "c1")]
    writer.close()
    server.close()


async def test_a_dead_socket_is_replaced(journals: Journals, tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    journal = journals()
    server = await listen_unix(Gate(journal.metrics), journal, Protocol.FORWARD, path)
    server.close()


def test_what_is_alive_or_no_socket_stays(tmp_path: Path) -> None:
    live, file = tmp_path / "live", tmp_path / "file"
    file.write_text("somebody's")
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind(str(live))
        alive.listen()
        remove_stale(live)
        remove_stale(file)
        remove_stale(tmp_path / "nothing there")
        assert live.is_socket()
        assert file.read_text() == "somebody's"


async def test_a_live_socket_is_an_error(journals: Journals, tmp_path: Path) -> None:
    journal = journals()
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind(str(tmp_path / "sock"))
        alive.listen()
        with pytest.raises(OSError, match="already in use"):
            await listen_unix(Gate(journal.metrics), journal, Protocol.FORWARD, tmp_path / "sock")
