"""One line as Docker's drivers send it. Sources: daemon/logger/fluentd/fluentd.go, gelf/gelf.go, and their
vendored clients fluent-logger-golang and go-gelf."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import secrets
import socket
import ssl
import time
import zlib
from dataclasses import dataclass
from typing import Any

import msgpack

from api.doctor.setup import Setup
from api.doctor.target import Target

DIAL_SECONDS = 3.0  # fluent.go: the driver's own limit, which no option changes
ACK_SECONDS = 5.0  # a healthy receiver takes milliseconds; Docker itself would wait for ever
REFUSAL_SECONDS = 0.2  # until a closed udp port of this machine is reported back
MAX_ACK = 4096  # bytes: {"ack": 24 characters} has 31


class NoAckError(Exception):
    """The receiver answered something else, nothing, or closed the connection."""


@dataclass(frozen=True)
class Line:
    """One line of a made-up container."""

    identity: str
    text: str
    seconds: float

    @staticmethod
    def make() -> Line:
        identity = secrets.token_hex(32)
        return Line(identity, f"logdock doctor was here: {identity[:12]}", time.time())


def dial(target: Target) -> socket.socket:
    """Raises OSError; ssl.SSLCertVerificationError is one."""
    if target.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DIAL_SECONDS)
        connection.connect(target.path)
        return connection
    if target.scheme == "udp":
        return _dial_udp(target)
    plain = socket.create_connection((target.host or "127.0.0.1", target.port), DIAL_SECONDS)
    if target.scheme != "tls":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


def _dial_udp(target: Target) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        target.host or "127.0.0.1", target.port, type=socket.SOCK_DGRAM
    )[0]
    connection = socket.socket(family, kind, protocol)
    connection.connect(address)
    return connection


def send(connection: socket.socket, setup: Setup, line: Line) -> str | None:
    """Sends it; returns the chunk to be acknowledged. Over udp a refusal is waited for (OSError)."""
    if setup.driver == "fluentd":
        chunk = base64.b64encode(secrets.token_bytes(16)).decode() if setup.acknowledges else None
        connection.sendall(forward_message(line, chunk, setup.truth("fluentd-sub-second-precision")))
        return chunk
    data = gelf_message(line)
    if connection.type != socket.SOCK_DGRAM:
        connection.sendall(data + b"\0")
        return None
    connection.send(_compressed(data, setup.options.get("gelf-compression-type", "gzip")))
    connection.settimeout(REFUSAL_SECONDS)
    with contextlib.suppress(TimeoutError):
        connection.recv(1)
    return None


def _compressed(data: bytes, kind: str) -> bytes:
    if kind == "none":
        return data
    return zlib.compress(data) if kind == "zlib" else gzip.compress(data)


def forward_message(line: Line, chunk: str | None, sub_second: bool) -> bytes:
    """Message mode, the only one that Docker uses."""
    seconds = int(line.seconds)
    nanoseconds = int((line.seconds - seconds) * 1e9)
    moment = _event_time(seconds, nanoseconds) if sub_second else seconds
    record = {
        "container_id": line.identity,
        "container_name": "/logdock-doctor",
        "source": "stdout",
        "log": line.text,
    }
    message = [line.identity[:12], moment, record, {"chunk": chunk} if chunk else {}]
    packed: bytes = msgpack.packb(message)
    return packed


def _event_time(seconds: int, nanoseconds: int) -> msgpack.ExtType:
    return msgpack.ExtType(0, seconds.to_bytes(4, "big") + nanoseconds.to_bytes(4, "big"))


def gelf_message(line: Line) -> bytes:
    fields = {
        "version": "1.1",
        "host": socket.gethostname(),
        "short_message": line.text,
        "timestamp": int(line.seconds * 1000) / 1000,
        "level": 6,
        "_container_id": line.identity,
        "_container_name": "logdock-doctor",
        "_image_id": "",
        "_image_name": "logdock-doctor",
        "_command": "logdock doctor",
        "_tag": line.identity[:12],
        "_created": "1970-01-01T00:00:00Z",
    }
    return json.dumps(fields).encode()


def read_ack(connection: socket.socket, chunk: str) -> None:
    """Waits for the acknowledgement of `chunk`; raises NoAckError."""
    connection.settimeout(ACK_SECONDS)
    unpacker = msgpack.Unpacker(raw=False, max_buffer_size=MAX_ACK)
    try:
        while data := connection.recv(MAX_ACK):
            unpacker.feed(data)
            for answer in unpacker:
                return _compare(answer, chunk)
    except TimeoutError:
        raise NoAckError(f"no acknowledgement within {ACK_SECONDS:.0f} s") from None
    except (OSError, ValueError, msgpack.UnpackException) as error:
        raise NoAckError(f"no acknowledgement: {error}") from None
    raise NoAckError("the connection was closed instead of an acknowledgement")


def _compare(answer: Any, chunk: str) -> None:
    if not isinstance(answer, dict) or answer.get("ack") != chunk:
        raise NoAckError("the answer is not the acknowledgement of this line")
