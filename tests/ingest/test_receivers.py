"""All listeners of one server: where they listen, and that stopping takes in what is on the way."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest import receivers as receivers_module
from ingest.entries import Kind, Protocol, split_payloads
from ingest.gate import Gate
from ingest.receivers import Receivers
from tests.ingest.bench import Journals, data, entries, frame, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receivers_module, "QUIET_SECONDS", 0.05)


@pytest.fixture
async def receivers(journals: Journals) -> AsyncIterator[Receivers]:
    journal = journals()
    yield Receivers(Gate(journal.metrics), journal)


def port(address: str) -> int:
    return int(address.rpartition(":")[2])


async def test_addresses_say_where_it_really_listens(receivers: Receivers, tmp_path: Path) -> None:
    await receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
    await receivers.open_tcp(Protocol.FORWARD, "::1", 0)
    await receivers.open_tcp(Protocol.GELF_TCP, "127.0.0.1", 0)
    await receivers.open_unix(Protocol.FORWARD, tmp_path / "sock")
    receivers.open_udp("127.0.0.1", 0)
    await receivers.start()
    first, second, third = receivers.addresses["forward"]
    assert first.startswith("127.0.0.1:")
    assert second.startswith("[::1]:")
    assert third == f"unix://{tmp_path / 'sock'}"
    for host, address in (
        ("127.0.0.1", first),
        ("::1", second),
        ("127.0.0.1", receivers.addresses["gelf_tcp"][0]),
    ):
        _, writer = await asyncio.open_connection(host, port(address))
        writer.close()
    await receivers.stop()
    assert not (tmp_path / "sock").exists()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port(first))


async def test_the_heartbeat_is_beside_the_forward_port(receivers: Receivers) -> None:
    await receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(b"\0", ("127.0.0.1", port(receivers.addresses["forward"][0])))
        assert await asyncio.wait_for(loop.sock_recv(sender, 10), 10) == b"\0"
    await receivers.stop()


async def test_lines_need_no_heartbeat(receivers: Receivers, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody else may have the UDP port of that number."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        with socket.create_server(("127.0.0.1", 0)) as free:
            taken = free.getsockname()[1]
            other.bind(("127.0.0.1", taken))
        await receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", taken)
    assert receivers.addresses["forward"] == [f"127.0.0.1:{taken}"]
    assert "no UDP heartbeat" in caplog.text
    await receivers.stop()


async def test_stopping_reads_what_is_on_the_way(receivers: Receivers, journals: Journals) -> None:
    (journal,) = journals.open
    await receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
    receivers.open_udp("127.0.0.1", 0)
    await receivers.start()
    _, writer = await asyncio.open_connection("127.0.0.1", port(receivers.addresses["forward"][0]))
    lines = [frame(f"line {number}") for number in range(20_000)]
    writer.write(b"".join(lines))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(100):
            sender.sendto(b'{"n":%d}' % number, receivers.udp[0].address)
    await receivers.stop()
    journal.flush()
    taken = [entry for entry in entries(journal) if entry.kind is Kind.DATA]
    forward = b"".join(entry.raw for entry in taken if entry.protocol is Protocol.FORWARD)
    assert forward == b"".join(lines)
    datagrams = [p for e in taken if e.protocol is Protocol.GELF_UDP for p in split_payloads(e.raw)]
    assert datagrams == [b'{"n":%d}' % number for number in range(100)]
    writer.close()


async def test_stopping_ends_every_connection_and_says_so_in_the_journal(
    receivers: Receivers, journals: Journals
) -> None:
    (journal,) = journals.open
    await receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
    await receivers.start()
    address = port(receivers.addresses["forward"][0])
    peers = [await asyncio.open_connection("127.0.0.1", address) for _ in range(5)]
    for _, writer in peers:
        writer.write(frame("line"))
    await receivers.stop()
    journal.flush()
    kinds = [entry.kind for entry in entries(journal)]
    assert kinds.count(Kind.OPEN) == kinds.count(Kind.CLOSE) == 5
    assert b"".join(data(journal)) == frame("line") * 5
    for reader, writer in peers:
        with pytest.raises(ConnectionResetError):  # what it writes next must fail, and not vanish
            await asyncio.wait_for(reader.read(), 10)
        writer.close()


async def test_what_has_arrived_is_taken_when_it_ends(
    receivers: Receivers, journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender without acks takes it for delivered; it waits in the kernel while reading pauses."""
    (journal,) = journals.open
    monkeypatch.setattr("ingest.gate.TICK_SECONDS", 60)
    await receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
    await receivers.start()
    _, writer = await asyncio.open_connection("127.0.0.1", port(receivers.addresses["forward"][0]))
    writer.write(frame("one"))
    await until(lambda: data(journal) == [frame("one")])
    lines = [frame(f"{number}") for number in range(5000)]
    writer.write(b"".join(lines))
    await writer.drain()
    await receivers.stop()
    journal.flush()
    assert b"".join(data(journal)) == frame("one") + b"".join(lines)
    writer.close()


async def test_stopping_what_never_began(receivers: Receivers) -> None:
    await receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
    receivers.open_udp("127.0.0.1", 0)
    await receivers.stop()
