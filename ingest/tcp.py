"""Listeners of the stream protocols: TCP and unix sockets."""

import asyncio
import contextlib
import os
import socket
import stat
from pathlib import Path

from ingest.entries import Protocol
from ingest.gate import Gate
from ingest.journal import Journal
from ingest.stream import Connection

BACKLOG = 4096  # every container of a host redials at once when an outage ends
UNIX_MODE = 0o660  # root and the group: dockerd runs as root


async def listen_tcp(
    gate: Gate, journal: Journal, protocol: Protocol, host: str, port: int
) -> asyncio.Server:
    """Listen on `host`:`port` (0: any free one). Raises OSError."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: Connection(gate, journal, protocol), host, port, backlog=BACKLOG, reuse_address=True,
        start_serving=False,
    )  # fmt: skip


async def listen_unix(gate: Gate, journal: Journal, protocol: Protocol, path: Path) -> asyncio.Server:
    """Listen on a unix socket; one that a dead process left behind is replaced. Raises OSError."""
    remove_stale(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sock = socket.socket(socket.AF_UNIX)  # our own: asyncio takes a path over from whoever listens there
    try:
        sock.bind(str(path))
        os.chmod(path, UNIX_MODE)  # noqa: PTH101 - one syscall at start
        return await asyncio.get_running_loop().create_unix_server(
            lambda: Connection(gate, journal, protocol), sock=sock, backlog=BACKLOG, start_serving=False
        )
    except BaseException:
        sock.close()
        raise


def remove_stale(path: Path) -> None:
    """Unlink a socket that nobody listens on; a live one or another kind of file stays and bind says so."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.stat().st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
