"""What a real logdock process does when things go wrong around it."""

import contextlib
import os
import random
import socket
import subprocess
import time
from pathlib import Path

import httpx
import msgpack
import pytest

from tests.real.conftest import Launcher
from tests.real.forwarding import Sender, container_id, ended, new_chunk, record, started
from tests.real.server import COMMAND, REPOSITORY, Logdock, host_port

KEEP_IN_JOURNAL = {"LOGDOCK_SEAL_ROWS": "100000000"}
PORTS_OPEN_WITHIN = 3.0  # seconds. The promise is one; a shared test machine with two cores gets two more


def test_a_second_process_on_a_data_folder_refuses_and_names_the_first(logdock: Launcher) -> None:
    server = logdock()
    assert server.process is not None
    off = [word for flag in ("--forward", "--gelf-udp", "--gelf-tcp") for word in (flag, "off")]
    second = subprocess.run(
        [*COMMAND, "serve", "--http", "127.0.0.1:0", *off, "--data", str(server.data)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert second.returncode != 0
    assert str(server.process.pid) in second.stderr
    assert server.get("/readyz").status_code == 200


def test_sigterm_under_load_drains_and_exits_with_0(logdock: Launcher) -> None:
    server = logdock()
    senders = started(4, server.forward, "sigterm")
    time.sleep(1.5)
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 10
    server.start()
    ended(senders)
    for sender in senders:
        assert_kept(server, sender)


def assert_kept(server: Logdock, sender: Sender) -> None:
    wanted = [sender.text(line) for line in range(1, sender.acked + 1)]
    server.find_after("/logs", 1, container=sender.container, q=f'"line {sender.acked} of"')
    kept = [event["message"] for event in server.export(container=sender.container, order="asc")]
    assert kept == wanted


def send_acked(server: Logdock, container: str, lines: range) -> None:
    sender = Sender(0, server.forward, "unused")
    for line in lines:
        chunk = new_chunk()
        frame = msgpack.packb(["t", int(time.time()), record(container, f"kept {line}"), {"chunk": chunk}])
        sender.exchange(frame, chunk)
    sender.close()


def newest_segment(server: Logdock) -> Path:
    return max(path for path in (server.data / "journal").glob("*.log") if path.stat().st_size)


def torn(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 7)


def flipped(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-20, os.SEEK_END)
        last = file.read(1)
        file.seek(-20, os.SEEK_END)
        file.write(bytes([last[0] ^ 0xFF]))


@pytest.mark.parametrize("damage", [torn, flipped])
def test_a_damaged_journal_tail_is_set_aside_and_reported(logdock: Launcher, damage: object) -> None:
    server = logdock(environ=KEEP_IN_JOURNAL)
    container = container_id("torn")
    send_acked(server, container, range(100))
    server.kill()
    assert callable(damage)
    damage(newest_segment(server))
    server.start()
    kept = [event["message"] for event in server.find_after("/logs", 99, container=container)]
    assert kept == [f"kept {line}" for line in range(99)]
    assert list((server.data / "journal").glob("*.damaged"))
    assert "aside" in server.get("/readyz").text
    assert metric(server, "journal_damaged_bytes") > 0
    send_acked(server, container, range(100, 110))
    assert len(server.find_after("/logs", 109, container=container)) == 109


def metric(server: Logdock, name: str) -> float:
    """The sum of one counter over its labels."""
    lines = [line for line in server.get("/metrics").text.splitlines() if not line.startswith("#")]
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if name in line.partition("{")[0].partition(" ")[0]
    )


def test_garbage_on_a_port_costs_only_its_own_connection(logdock: Launcher) -> None:
    server = logdock()
    container = container_id("garbage")
    chance = random.Random(7)
    healthy = socket.create_connection(host_port(server.forward))
    healthy.sendall(msgpack.packb(["t", int(time.time()), record(container, "before"), {}]))
    for _ in range(20):
        rubbish = chance.randbytes(3000)
        for address in (server.forward, server.gelf_tcp, server.http):
            poke(address, rubbish)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(rubbish[:1400], host_port(server.gelf_udp))
            datagrams.sendto(b"\x1e\x0f" + rubbish[:600], host_port(server.gelf_udp))
    poke(server.forward, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    healthy.sendall(msgpack.packb(["t", int(time.time()), record(container, "after"), {}]))
    events = server.find_after("/logs", 2, container=container)
    assert [event["message"] for event in events] == ["before", "after"]
    assert server.get("/readyz").status_code == 200
    healthy.close()


def poke(address: str, data: bytes) -> None:
    with socket.create_connection(host_port(address), timeout=5) as peer:
        peer.settimeout(0.2)
        with contextlib.suppress(OSError):
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass


@pytest.mark.parametrize(
    ("host", "answered"),
    [("127.0.0.1", True), ("localhost", True), ("evil.example", False), ("127.0.0.1.evil.example", False)],
)
def test_the_http_port_answers_only_to_loopback_names(logdock: Launcher, host: str, answered: bool) -> None:
    server = logdock()
    port = host_port(server.http)[1]
    for path in ("/api/v1/logs", "/healthz", "/"):
        answer = httpx.get(f"http://{server.http}{path}", headers={"Host": f"{host}:{port}"}, trust_env=False)
        assert (answer.status_code < 400) is answered, (path, answer.status_code)


def test_the_ports_open_before_a_big_journal_is_replayed(
    logdock: Launcher, capsys: pytest.CaptureFixture[str]
) -> None:
    server = logdock(environ=KEEP_IN_JOURNAL)
    container = container_id("big")
    lines = 200_000
    fill(server, container, lines)
    server.kill()
    server.launch()
    opened = server.wait_open()
    with socket.create_connection(host_port(server.forward), timeout=5):
        accepted = time.monotonic() - server.started
    early = server.ready()
    ready = server.wait_ready()
    with capsys.disabled():
        print(f"\nreplay of {lines} lines: ports open {opened:.2f} s, ready {ready:.2f} s after start")
    assert accepted < PORTS_OPEN_WITHIN
    assert not early or ready < PORTS_OPEN_WITHIN
    assert server.get(f"/api/v1/containers/{container}/logs", limit=1).json()["events"]
    assert sum(1 for _ in server.export(container=container)) == lines


def fill(server: Logdock, container: str, lines: int) -> None:
    """Many lines in few acknowledged frames."""
    sender = Sender(0, server.forward, "unused")
    now = int(time.time())
    for first in range(0, lines, 1000):
        chunk = new_chunk()
        entries = [[now, record(container, f"big {first + i}")] for i in range(1000)]
        sender.exchange(msgpack.packb(["t", entries, {"chunk": chunk}]), chunk)
    sender.close()
