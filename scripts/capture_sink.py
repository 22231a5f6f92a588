"""A receiver that keeps what Docker's log drivers and other senders put on the wire, byte for byte.

Forward and GELF over TCP are kept a connection each, datagrams with their time and sender. Chunks are
acknowledged so that a sender which waits for that goes on. It knows no more of the protocols than that.
"""

import base64
import json
import selectors
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgpack

UDP_BUFFER = 16 << 20  # bytes; a 300 KB line comes as 226 datagrams at once
SO_RCVBUFFORCE = 33  # socket(7); lets root go over net.core.rmem_max


@dataclass
class Connection:
    peer: socket.socket
    data: bytearray = field(default_factory=bytearray)
    unpacker: Any = field(default_factory=lambda: msgpack.Unpacker(raw=True, strict_map_key=False))


class Sink:
    """`kind` is forward, gelf-tcp or gelf-udp; `address` what it listens on. Used as a context manager."""

    def __init__(self, kind: str, unix: Path | None = None) -> None:
        self.kind = kind
        self.connections: list[Connection] = []
        self.datagrams: list[tuple[float, str, bytes]] = []
        self.socket = listening(kind, unix)
        self.address = str(unix) if unix else "127.0.0.1:{1}".format(*self.socket.getsockname())
        self.last = self.start = time.monotonic()
        self._ending = Event()
        self._thread = Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Sink":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        for connection in self.connections:
            connection.peer.close()
        self.socket.close()

    def wait_quiet(self, seconds: float) -> None:
        """Until nothing has come for so long."""
        while time.monotonic() - self.last < seconds:
            time.sleep(0.05)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            while not self._ending.is_set():
                for key, _ in selector.select(0.05):
                    self.last = time.monotonic()
                    self._handle(selector, key.data)

    def _handle(self, selector: selectors.BaseSelector, connection: Connection | None) -> None:
        if self.kind == "gelf-udp":
            data, peer = self.socket.recvfrom(65_536)
            self.datagrams.append((self.last - self.start, f"{peer[0]}:{peer[1]}", data))
        elif connection is None:
            connection = Connection(self.socket.accept()[0])
            self.connections.append(connection)
            selector.register(connection.peer, selectors.EVENT_READ, connection)
        else:
            self._read(selector, connection)

    def _read(self, selector: selectors.BaseSelector, connection: Connection) -> None:
        data = connection.peer.recv(65_536)
        if not data:
            selector.unregister(connection.peer)
            return
        connection.data += data
        if self.kind == "forward":
            connection.unpacker.feed(data)
            for message in connection.unpacker:
                acknowledge(connection.peer, message)

    def write(self, folder: Path, name: str) -> list[Path]:
        """The files of one case; a second connection's is NAME.c2.…"""
        if self.kind == "gelf-udp":
            path = folder / f"{name}.gelf-udp.jsonl"
            path.write_text("".join(map(datagram_line, self.datagrams)))
            return [path]
        written = []
        for number, connection in enumerate(self.connections, 1):
            path = folder / f"{name}{'' if number == 1 else f'.c{number}'}.{self.kind}.bin"
            path.write_bytes(connection.data)
            written.append(path)
        return written


def listening(kind: str, unix: Path | None) -> socket.socket:
    if unix:
        unix.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(unix))
        server.listen()
        return server
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "gelf-udp" else socket.SOCK_STREAM)
    if kind == "gelf-udp":
        try:
            server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, UDP_BUFFER)
        except OSError:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)
    server.bind(("127.0.0.1", 0))
    if kind != "gelf-udp":
        server.listen()
    return server


def acknowledge(peer: socket.socket, message: Any) -> None:
    if isinstance(message, list) and message and isinstance(message[-1], dict) and b"chunk" in message[-1]:
        peer.sendall(msgpack.packb({b"ack": message[-1][b"chunk"]}, use_bin_type=False))


def datagram_line(datagram: tuple[float, str, bytes]) -> str:
    at, sender, data = datagram
    return json.dumps({"t": round(at, 6), "from": sender, "b64": base64.b64encode(data).decode()}) + "\n"
