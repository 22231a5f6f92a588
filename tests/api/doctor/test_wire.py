"""The bytes of one line, as Docker's drivers send it (compare the captures in tests/wire)."""

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator

import msgpack
import pytest

from api.doctor import engine, wire
from api.doctor.setup import Setup
from api.doctor.target import Target

LINE = wire.Line("ab" * 32, "hello", 1_700_000_000.5)


def test_a_forward_message() -> None:
    [tag, time, record, option] = msgpack.unpackb(wire.forward_message(LINE, None, False))
    assert (tag, time, option) == ("ab" * 6, 1_700_000_000, {})
    assert record == {
        "container_id": "ab" * 32, "container_name": "/logdock-doctor", "source": "stdout", "log": "hello",
    }  # fmt: skip
    [_, time, _, option] = msgpack.unpackb(wire.forward_message(LINE, "c2l4dGVlbg==", True))
    assert time == msgpack.ExtType(0, bytes.fromhex("6553f1001dcd6500")) and option == {
        "chunk": "c2l4dGVlbg=="
    }


def test_a_gelf_message() -> None:
    message = json.loads(wire.gelf_message(LINE))
    assert (message["version"], message["short_message"], message["timestamp"]) == (
        "1.1",
        "hello",
        1_700_000_000.5,
    )
    assert message["_container_id"] == "ab" * 32 and message["level"] == 6


def test_lines_differ() -> None:
    assert wire.Line.make().identity != wire.Line.make().identity


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def setup(driver: str = "fluentd", **options: str) -> Setup:
    return Setup(
        driver, {name.replace("_", "-"): value for name, value in options.items()}, engine.told("26.1")
    )


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda chunk: msgpack.packb({"ack": chunk}), None),
        (lambda chunk: msgpack.packb({"ack": chunk, "more": 1}), None),
        (lambda _: msgpack.packb({"ack": "other"}), "not the acknowledgement of this line"),
        (lambda _: msgpack.packb(["HELO", {}]), "not the acknowledgement"),
        (lambda _: b"\xc1", "no acknowledgement"),
        (lambda _: b"", "closed"),
    ],
)
def test_acknowledgements(
    pair: tuple[socket.socket, socket.socket], answer: object, problem: str | None
) -> None:
    ours, theirs = pair
    chunk = wire.send(ours, setup(fluentd_request_ack="true"), LINE)
    assert chunk is not None
    assert msgpack.unpackb(theirs.recv(65536))[3] == {"chunk": chunk}
    theirs.sendall(answer(chunk))  # type: ignore[operator]
    theirs.shutdown(socket.SHUT_WR)
    if problem is None:
        wire.read_ack(ours, chunk)
        return
    with pytest.raises(wire.NoAckError, match=problem):
        wire.read_ack(ours, chunk)


def test_silence(pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ACK_SECONDS", 0.05)
    with pytest.raises(wire.NoAckError, match="no acknowledgement within"):
        wire.read_ack(pair[0], "x")


def test_without_request_ack_nothing_is_waited_for(pair: tuple[socket.socket, socket.socket]) -> None:
    assert wire.send(pair[0], setup(), LINE) is None


def test_gelf_over_tcp_ends_in_a_zero_byte(pair: tuple[socket.socket, socket.socket]) -> None:
    wire.send(pair[0], setup("gelf", gelf_address="tcp://h:1"), LINE)
    assert pair[1].recv(65536).endswith(b"}\0")


@pytest.mark.parametrize(
    ("kind", "unpack"), [("none", bytes), ("gzip", gzip.decompress), ("zlib", zlib.decompress)]
)
def test_gelf_over_udp(kind: str, unpack: object) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        target = Target("udp", "127.0.0.1", server.getsockname()[1])
        with wire.dial(target) as connection:
            wire.send(connection, setup("gelf", gelf_compression_type=kind), LINE)
        assert json.loads(unpack(server.recv(65536)))["short_message"] == "hello"  # type: ignore[operator]


def test_a_closed_udp_port_is_noticed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    with wire.dial(Target("udp", "127.0.0.1", port)) as connection, pytest.raises(ConnectionRefusedError):
        wire.send(connection, setup("gelf"), LINE)


def test_tls_to_a_port_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "DIAL_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        with pytest.raises(OSError):
            wire.dial(Target("tls", "127.0.0.1", server.getsockname()[1]))
