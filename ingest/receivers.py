"""Every ingest listener of one server, opened and closed together."""

import asyncio
import logging
from pathlib import Path

from ingest.entries import Protocol
from ingest.gate import Gate
from ingest.journal import Journal
from ingest.tcp import listen_tcp, listen_unix
from ingest.udp import GelfUdp, listen_heartbeat

log = logging.getLogger("logdock.ingest")

QUIET_SECONDS = 0.1  # a sender that was silent this long has nothing on the way
LAST_LOOKS = 20  # in QUIET_SECONDS: whether all have ended; a peer that does not read may never
DRAIN_SECONDS = 1.5  # at most this long is read on when stopping: without acks, what is unread is lost


class Receivers:
    """Listeners; `addresses` says by protocol where they really listen."""

    def __init__(self, gate: Gate, journal: Journal) -> None:
        self.addresses: dict[str, list[str]] = {"forward": [], "gelf_udp": [], "gelf_tcp": []}
        self.udp: list[GelfUdp] = []
        self._gate = gate
        self._journal = journal
        self._servers: list[asyncio.Server] = []
        self._heartbeats: list[asyncio.DatagramTransport] = []
        self._sockets: list[Path] = []
        journal.on_blocked.append(gate.journal_blocked)
        journal.on_unblocked.append(gate.resume_all)

    async def open_tcp(self, protocol: Protocol, host: str, port: int) -> None:
        """Forward (with its UDP heartbeat beside it) or GELF over TCP. Raises OSError."""
        server = await listen_tcp(self._gate, self._journal, protocol, host, port)
        self._servers.append(server)
        host, port = server.sockets[0].getsockname()[:2]
        self.addresses[protocol.label].append(_join(host, port))
        if protocol is Protocol.FORWARD:
            try:
                self._heartbeats.append(await listen_heartbeat(self._gate, host, port))
            except OSError as problem:  # only Fluentd's heartbeat_type udp wants it; lines come over TCP
                log.warning("no UDP heartbeat on %s: %s", _join(host, port), problem)

    async def open_unix(self, protocol: Protocol, path: Path) -> None:
        self._servers.append(await listen_unix(self._gate, self._journal, protocol, path))
        self._sockets.append(path)
        self.addresses[protocol.label].append(f"unix://{path}")

    def open_udp(self, host: str, port: int) -> None:
        receiver = GelfUdp(self._gate, self._journal, host, port)
        self.udp.append(receiver)
        self.addresses["gelf_udp"].append(_join(*receiver.address))

    async def start(self) -> None:
        """Begin to take lines in."""
        for server in self._servers:
            await server.start_serving()
        for receiver in self.udp:
            receiver.start()

    async def stop(self) -> None:
        """Listen no more, read what is on the way, then close every connection."""
        for server in self._servers:
            server.close()
        for path in self._sockets:
            path.unlink(missing_ok=True)
        end = asyncio.get_running_loop().time() + DRAIN_SECONDS
        before = -1
        while asyncio.get_running_loop().time() < end and before != self._gate.received:
            before = self._gate.received
            await asyncio.sleep(QUIET_SECONDS)
        for connection in list(self._gate.connections):
            connection.close()
        for receiver in self.udp:
            receiver.close()
        for heartbeat in self._heartbeats:
            heartbeat.close()
        for _ in range(LAST_LOOKS):  # the closing connections write their last entries
            if not self._gate.connections:
                break
            await asyncio.sleep(QUIET_SECONDS / LAST_LOOKS)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
