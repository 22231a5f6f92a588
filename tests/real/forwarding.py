"""A forward sender as Docker's driver is one: one message, wait for its ack, the next."""

import base64
import contextlib
import hashlib
import os
import socket
import struct
import threading
import time
from typing import Any

import msgpack

from tests.real.server import host_port

ACK_PATIENCE = 5.0  # seconds without an answer after which a sender reconnects, as Docker's read timeout does
RECONNECT_PAUSE = 0.02  # seconds


def container_id(*seed: object) -> str:
    return hashlib.sha256(repr(seed).encode()).hexdigest()


def record(container: str, text: str, name: str = "sender", stream: str = "stdout") -> dict[str, str]:
    return {"container_id": container, "container_name": f"/{name}", "source": stream, "log": text}


def event_time(seconds: float) -> msgpack.ExtType:
    whole = int(seconds)
    return msgpack.ExtType(0, struct.pack(">II", whole, int((seconds - whole) * 1e9)))


def new_chunk() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def message(tag: str, body: dict[str, str], option: dict[str, Any], when: Any = None) -> bytes:
    packed: bytes = msgpack.packb([tag, int(time.time()) if when is None else when, body, option])
    return packed


class Sender(threading.Thread):
    """Sends numbered lines of one container until told to stop; what is not acknowledged is sent again.

    Even senders send Docker's single messages with whole seconds, odd ones arrays of entries with EventTime.
    `acked` lines, and no others, are promised to be kept.
    """

    def __init__(self, number: int, address: str, seed: str, pause: float = 0.0) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.name = f"sender{number}-{seed}"
        self.container = container_id(seed, number)
        self.address = host_port(address)
        self.pause = pause
        self.entries = 1 if number % 2 == 0 else 10
        self.acked = 0
        self.resent = 0
        self.ending = threading.Event()
        self.socket: socket.socket | None = None

    def text(self, line: int) -> str:
        return f"line {line} of {self.name}"

    def run(self) -> None:
        while not self.ending.is_set():
            chunk = new_chunk()
            self.deliver(self.frame(chunk), chunk)
            self.acked += self.entries
            time.sleep(self.pause)
        self.close()

    def frame(self, chunk: str) -> bytes:
        bodies = [self.body(self.acked + 1 + i) for i in range(self.entries)]
        if self.entries == 1:
            return message("kill", bodies[0], {"chunk": chunk})
        now = time.time()
        entries = [[event_time(now), body] for body in bodies]
        packed: bytes = msgpack.packb(["kill", entries, {"chunk": chunk, "size": len(entries)}])
        return packed

    def body(self, line: int) -> dict[str, str]:
        return record(self.container, self.text(line), self.name)

    def deliver(self, frame: bytes, chunk: str) -> None:
        """Until it is acknowledged: over as many connections as that takes."""
        while True:
            try:
                self.exchange(frame, chunk)
                return
            except OSError:
                self.close()
                self.resent += 1
                time.sleep(RECONNECT_PAUSE)

    def exchange(self, frame: bytes, chunk: str) -> None:
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=ACK_PATIENCE)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(frame)
        unpacker = msgpack.Unpacker()
        while True:
            data = self.socket.recv(4096)
            if not data:
                raise ConnectionError("closed before the ack")
            unpacker.feed(data)
            for answer in unpacker:
                if answer != {"ack": chunk}:
                    raise AssertionError(f"wanted an ack of {chunk}, got {answer!r}")
                return

    def close(self) -> None:
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.close()
            self.socket = None


def started(count: int, address: str, seed: str, pause: float = 0.0) -> list[Sender]:
    senders = [Sender(number, address, seed, pause) for number in range(count)]
    for sender in senders:
        sender.start()
    return senders


def ended(senders: list[Sender]) -> None:
    """Tell all to stop after their present line, and wait for that."""
    for sender in senders:
        sender.ending.set()
    for sender in senders:
        sender.join(60)
        assert not sender.is_alive(), f"{sender.name} waits for an ack that does not come"
