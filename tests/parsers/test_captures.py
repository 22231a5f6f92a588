"""Bytes from real senders (tests/wire, made by scripts/capture.py) decode to what their sidecars expect."""

import base64
import hashlib
import itertools
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import graypy
import pygelf
import pytest
from fluent.sender import FluentSender

from parsers import forward, gelf
from parsers.chunks import ChunkAssembler
from parsers.record import Ext, Record
from tests.parsers.wire import ODD, WAYS, feed_way

WIRE = Path(__file__).parent.parent / "wire"
CASES = sorted(path.stem for path in WIRE.glob("*.json"))
LONG = 20_000  # bytes; longer captures are cut at odd sizes instead of at every byte
OWN = ("host", "short_message", "full_message", "timestamp", "level")


def sidecar(case: str) -> dict[str, Any]:
    return json.loads((WIRE / f"{case}.json").read_text())


def streams(case: str, kind: str) -> list[bytes]:
    """The connections of a capture, in the order they were opened."""
    return [
        path.read_bytes()
        for path in [WIRE / f"{case}.{kind}.bin", *sorted(WIRE.glob(f"{case}.c*.{kind}.bin"))]
    ]


def cases(kind: str) -> list[str]:
    return [case for case in CASES if list(WIRE.glob(f"{case}.{kind}"))]


def test_there_are_captures_of_every_kind() -> None:
    assert len(cases("forward.bin")) > 20
    assert len(cases("gelf-tcp.bin")) > 2
    assert len(cases("gelf-udp.jsonl")) > 5
    assert len(CASES) == sum(len(cases(k)) for k in ("forward.bin", "gelf-tcp.bin", "gelf-udp.jsonl"))


def matches(value: Any, expected: Any) -> bool:
    """Whether a decoded value is the one of the sidecar, whose long or odd values are digests."""
    if isinstance(expected, dict) and ({"b64", "sha256"} & expected.keys()):
        data = value if isinstance(value, bytes) else value.encode()
        if "b64" in expected:
            return data == base64.b64decode(expected["b64"])
        return len(data) == expected["bytes"] and hashlib.sha256(data).hexdigest() == expected["sha256"]
    if isinstance(expected, dict):
        return value.keys() == expected.keys() and all(matches(value[key], expected[key]) for key in expected)
    return value == expected


def time_of(expected: Any) -> int | Ext:
    if isinstance(expected, dict):
        return Ext(0, expected["sec"].to_bytes(4, "big") + expected["nsec"].to_bytes(4, "big"))
    return expected


def same_record(record: Record, expected: dict[str, Any]) -> bool:
    told = expected["tag"], time_of(expected["time"])
    return (record.tag, record.time) == told and matches(without_marks(record, expected), expected["record"])


def without_marks(record: Record, expected: dict[str, Any]) -> dict[str, Any]:
    """A sidecar's `records` are lines: a part that is its whole line stands there without Docker's marks."""
    if "option" in expected:  # one of `wire`, as it was sent
        return record.record
    wanted = expected["record"]
    return {
        key: value for key, value in record.record.items() if key in wanted or not key.startswith("partial_")
    }


def expected_records(expect: dict[str, Any]) -> list[dict[str, Any]]:
    """As on the wire: where long lines came in parts, the sidecar has both."""
    if "wire" not in expect:
        return expect["records"]
    return [
        dict(zip(("tag", "time", "record", "option"), message, strict=False)) for message in expect["wire"]
    ]


def assert_all(decoded: list[Any], expect: dict[str, Any], same: Callable[[Any, Any], bool]) -> None:
    expected = expected_records(expect)
    if "records_note" in expect:  # only the first ones and the last are written down
        decoded = [*decoded[: len(expected) - 1], decoded[-1]]
    for got, wanted in itertools.zip_longest(decoded, expected):
        assert same(got, wanted), (got, wanted)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", cases("forward.bin"))
def test_forward(case: str, way: str) -> None:
    expect = sidecar(case)["expect"]
    records: list[Record] = []
    chunks: list[bytes] = []
    for data in streams(case, "forward"):
        fed = feed_way(forward.ForwardSplitter, way, data, b"\x94\xa1", ODD if len(data) > LONG else 1)
        assert (fed.raw, fed.error, fed.buffered) == (data, None, 0)
        records += forward.decode(fed.raw, fed.count)
        chunks += [chunk for _, chunk in fed.acks]
    assert len(records) == expect["wire_messages"]
    assert_all(records, expect, same_record)
    assert [chunk.decode() for chunk in chunks] == expect.get("acks", [])
    assert [forward.ack(chunk).hex() for chunk in chunks] == expect.get("ack_bytes_hex", [])


def same_gelf(message: gelf.GelfMessage, expected: dict[str, Any]) -> bool:
    own = {key: getattr(message, key) for key in OWN}
    wanted = {key: expected.get(key) for key in OWN}
    wanted["timestamp"] = gelf.nanoseconds(str(wanted["timestamp"]).encode())
    extra = {key.removeprefix("_"): expected[key] for key in expected.keys() - {*OWN, "version"}}
    return matches(own, wanted) and matches(message.extra, extra)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", cases("gelf-tcp.bin"))
def test_gelf_over_tcp(case: str, way: str) -> None:
    messages = []
    for data in streams(case, "gelf-tcp"):
        fed = feed_way(gelf.NulSplitter, way, data, b'{"a', ODD if len(data) > LONG else 1)
        assert (fed.raw, fed.error, fed.buffered) == (data, None, 0)
        messages += [gelf.decode(frame) for frame in gelf.split(fed.raw)]
    assert_all(messages, sidecar(case)["expect"], same_gelf)


@pytest.mark.parametrize("order", ["as sent", "backwards and doubled"])
@pytest.mark.parametrize("case", cases("gelf-udp.jsonl"))
def test_gelf_over_udp(case: str, order: str) -> None:
    lines = [json.loads(line) for line in (WIRE / f"{case}.gelf-udp.jsonl").read_text().splitlines()]
    datagrams = [(base64.b64decode(line["b64"]), line["from"]) for line in lines]
    if order != "as sent":
        datagrams = [d for d in reversed(datagrams) for _ in range(2 if d[0].startswith(b"\x1e\x0f") else 1)]
    chunks = ChunkAssembler()
    payloads = [whole for data, sender in datagrams if (whole := chunks.feed(data, sender, 0.0)) is not None]
    assert all(gelf.looks_like_gelf(payload) for payload in payloads)
    messages = [gelf.decode(gelf.inflate(payload)) for payload in payloads]
    assert_all(messages if order == "as sent" else messages[::-1], sidecar(case)["expect"], same_gelf)
    assert (chunks.pending, chunks.buffered, chunks.dropped.total()) == (0, 0, 0)


@contextmanager
def listening() -> Iterator[tuple[int, Callable[[], bytes]]]:
    """A loopback port, and what one connection to it sent until it closed."""
    got: list[bytes] = []

    def take(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(65536):
                got.append(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=take, args=(server,), daemon=True)
        thread.start()

        def received() -> bytes:
            thread.join(10)
            return b"".join(got)

        yield server.getsockname()[1], received


@pytest.mark.parametrize("way", WAYS)
def test_fluent_logger(way: str) -> None:
    with listening() as (port, received):
        sender = FluentSender("app", host="127.0.0.1", port=port, nanosecond_precision=True)
        assert sender.emit_with_time(
            "web", 1_700_000_000, {"log": "first", "n": 1, "deep": {"a": [1.5, None, True]}}
        )
        assert sender.emit_with_time(None, 1_700_000_001.25, {"log": "두 번째"})
        sender.close()
        data = received()
    fed = feed_way(forward.ForwardSplitter, way, data, b"\x94\xa1")
    records = list(forward.decode(fed.raw, fed.count))
    assert [(r.tag, r.record) for r in records] == [
        ("app.web", {"log": "first", "n": 1, "deep": {"a": [1.5, None, True]}}),
        ("app", {"log": "두 번째"}),
    ]
    assert records[0].time == 1_700_000_000
    assert records[1].time == Ext(0, (1_700_000_001).to_bytes(4, "big") + (250_000_000).to_bytes(4, "big"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("handler_of", [pygelf.GelfTcpHandler, graypy.GELFTCPHandler])
def test_gelf_clients_over_tcp(handler_of: Any, way: str) -> None:
    with listening() as (port, received):
        handler = handler_of(host="127.0.0.1", port=port)
        handler.handle(
            logging.LogRecord("shop", logging.WARNING, "a.py", 3, "stock of %s low", ("tea",), None)
        )
        handler.close()
        data = received()
    fed = feed_way(gelf.NulSplitter, way, data, b'{"a')
    (message,) = [gelf.decode(frame) for frame in gelf.split(fed.raw)]
    assert (message.short_message, message.level) == ("stock of tea low", 4)
    assert message.timestamp is not None and message.timestamp > 1_700_000_000 * 10**9


@pytest.mark.parametrize("length", [20, 40_000])
@pytest.mark.parametrize("handler_of", [pygelf.GelfUdpHandler, graypy.GELFUDPHandler])
def test_gelf_clients_over_udp(handler_of: Any, length: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        handler = handler_of(host="127.0.0.1", port=server.getsockname()[1], compress=False)
        line = "".join(chr(97 + n % 26) for n in range(length))
        handler.handle(logging.LogRecord("shop", logging.ERROR, "a.py", 3, line, (), None))
        chunks = ChunkAssembler()
        payload = None
        while payload is None:
            datagram, sender = server.recvfrom(65536)
            payload = chunks.feed(datagram, str(sender), 0.0)
        handler.close()
    message = gelf.decode(gelf.inflate(payload))
    assert (message.short_message, message.level) == (line, 3)
