"""`--live` against the whole server in process, and against receivers that do something else."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from api.doctor import engine, live, wire
from api.doctor.setup import Setup
from tests.api.running import Running

ACK = {"fluentd-request-ack": "true"}


def setup(driver: str, address: str, **options: str) -> Setup:
    return Setup(driver, {f"{driver}-address": address, **options}, engine.told("26.1"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    running = Running(tmp_path / "data")
    await running.start(forward=["127.0.0.1:0", f"unix://{tmp_path}/forward.sock"])
    yield running
    await running.stop()


def url(server: Running) -> str:
    host, port = server.address("http")
    return f"http://{host}:{port}"


def addresses(server: Running, folder: Path) -> dict[str, Setup]:
    def at(name: str) -> str:
        host, port = server.address(name)
        return f"{host}:{port}"

    return {
        "fluentd": setup("fluentd", at("forward")),
        "fluentd-ack": setup("fluentd", f"tcp://{at('forward')}", **ACK),
        "fluentd-unix": setup("fluentd", f"unix://{folder}/forward.sock", **ACK),
        "gelf-udp": setup("gelf", f"udp://{at('gelf_udp')}"),
        "gelf-udp-none": setup("gelf", f"udp://{at('gelf_udp')}", **{"gelf-compression-type": "none"}),
        "gelf-tcp": setup("gelf", f"tcp://{at('gelf_tcp')}"),
    }


@pytest.mark.parametrize(
    "name", ["fluentd", "fluentd-ack", "fluentd-unix", "gelf-udp", "gelf-udp-none", "gelf-tcp"]
)
async def test_one_line_through_each_target(server: Running, tmp_path: Path, name: str) -> None:
    trial = await asyncio.to_thread(live.try_target, addresses(server, tmp_path)[name], url(server))
    assert trial.findings == ()
    assert trial.connected is not None and trial.found is not None
    assert 0 <= trial.connected <= trial.found < live.FIND_SECONDS
    assert (trial.acknowledged is not None) is ("ack" in name or "unix" in name)
    [message] = await server.lines()
    assert message.startswith("logdock doctor was here: ")


async def test_each_way_to_a_target_is_tried_once(server: Running, tmp_path: Path) -> None:
    known = addresses(server, tmp_path)
    pairs = [
        ("a", known["fluentd"]),
        ("b", known["fluentd"]),
        ("b", known["fluentd-ack"]),
        ("c", known["gelf-tcp"]),
    ]
    trials = await asyncio.to_thread(live.try_all, pairs, url(server))
    assert len(trials) == 3 and len(await server.lines()) == 3


def test_nothing_to_try() -> None:
    [trial] = live.try_all(
        [("f", setup("json-file", "")), ("f", setup("gelf", "nonsense"))], "http://127.0.0.1:1"
    )
    assert [finding.code for finding in trial.findings] == ["live-skipped"]


@pytest.fixture
def receiver() -> Iterator[Callable[[Callable[[socket.socket], object]], str]]:
    """receiver(what it does with a connection) -> its address."""
    servers: list[socket.socket] = []

    def start(do: Callable[[socket.socket], object]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run() -> None:
            connection, _ = server.accept()
            do(connection)

        threading.Thread(target=run, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


def codes(made: Setup, server: str = "http://127.0.0.1:1") -> list[str]:
    return [finding.code for finding in live.try_target(made, server).findings]


def test_nobody_listens() -> None:
    for made in (
        setup("fluentd", "127.0.0.1:1"),
        setup("gelf", "udp://127.0.0.1:1"),
        setup("fluentd", "unix:///no"),
    ):
        trial = live.try_target(made, "http://127.0.0.1:1")
        assert [finding.code for finding in trial.findings] == ["live-connect"] and trial.connected is None
        assert str(made.target) in trial.findings[0].message
    waiting = setup("fluentd", "127.0.0.1:1", **{"fluentd-async": "true"})
    assert "containers start and run" in live.try_target(waiting, "x").findings[0].effect


def test_never_acknowledged(receiver: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ACK_SECONDS", 0.1)
    kept: list[socket.socket] = []
    assert codes(setup("fluentd", receiver(kept.append), **ACK)) == ["live-ack"]
    assert codes(setup("fluentd", receiver(lambda c: c.close()), **ACK)) in (["live-ack"], ["live-connect"])


def test_not_tls(receiver: Callable[..., str]) -> None:
    address = receiver(
        lambda connection: (connection.recv(65536), connection.sendall(b"nonsense"), connection.close())
    )
    assert codes(setup("fluentd", f"tls://{address}")) == ["live-tls"]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """(certificate, key) of localhost, which nobody signed but itself."""
    made, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    wanted = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        made,
        *wanted,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


async def test_tls_against_the_systems_authorities(
    server: Running, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for dockerd, SSL_CERT_FILE names them; without it the certificate is not trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """TLS here, plain to the server, as a terminator in front of it does."""
        far_reader, far_writer = await asyncio.open_connection(*server.address("forward"))
        far_writer.write(await reader.read(65536))
        writer.write(await far_reader.read(65536))
        await writer.drain()
        for one in (far_writer, writer):
            one.close()

    front = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    made = setup("fluentd", f"tls://localhost:{front.sockets[0].getsockname()[1]}", **ACK)
    untrusted = await asyncio.to_thread(live.try_target, made, url(server))
    assert [finding.code for finding in untrusted.findings] == ["live-tls"]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    trusted = await asyncio.to_thread(live.try_target, made, url(server))
    assert trusted.findings == () and trusted.acknowledged is not None and trusted.found is not None
    front.close()


def test_the_server_cannot_be_asked(receiver: Callable[..., str]) -> None:
    kept: list[socket.socket] = []
    assert codes(setup("fluentd", receiver(kept.append))) == ["live-server"]


async def test_the_line_went_elsewhere(
    receiver: Callable[..., str], server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "FIND_SECONDS", 0.2)
    kept: list[socket.socket] = []
    made = setup("fluentd", receiver(kept.append))
    trial = await asyncio.to_thread(live.try_target, made, url(server))
    assert [finding.code for finding in trial.findings] == ["live-missing"] and trial.found is None
