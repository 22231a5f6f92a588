"""Clients that nobody here wrote deliver into a real logdock, and what they sent is found."""

import hashlib
import logging
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import graypy
import pygelf
import pytest
from fluent import event as fluent_event
from fluent import sender as fluent_sender

from tests.real.conftest import Launcher, missing
from tests.real.server import Logdock, host_port

CLIENTS = Path(__file__).parent / "clients"
CACHE = Path(os.environ.get("LOGDOCK_TEST_CACHE", Path.home() / ".cache" / "logdock-tests"))
COUNT = 50
BUILD_PATIENCE = 240  # seconds for npm or go to fetch and build


@pytest.fixture(scope="module")
def server(logdock_module: Launcher) -> Logdock:
    return logdock_module()


def found(server: Logdock, count: int = COUNT, **params: Any) -> list[dict[str, Any]]:
    return server.find_after("/logs", count, **params)


def messages(events: list[dict[str, Any]]) -> list[str]:
    return [event["message"] for event in events]


def numbered(prefix: str) -> list[str]:
    return [f"{prefix} {i}" for i in range(COUNT)]


def test_fluent_logger_for_python(server: Logdock) -> None:
    host, port = host_port(server.forward)
    sender = fluent_sender.FluentSender("python", host=host, port=port, nanosecond_precision=True)
    for i in range(COUNT):
        assert sender.emit("lines", {"message": f"python {i}", "number": i}), sender.last_error
    sender.close()
    events = found(server, tag="python.lines")
    assert messages(events) == numbered("python")
    assert [event["fields"]["number"] for event in events] == list(range(COUNT))


def test_fluent_logger_global_sender(server: Logdock) -> None:
    host, port = host_port(server.forward)
    fluent_sender.setup("global", host=host, port=port)
    fluent_event.Event("follow", {"message": "one event"})
    fluent_sender.get_global_sender().close()
    assert messages(found(server, 1, tag="global.follow")) == ["one event"]


@pytest.mark.parametrize("mode", ["Message", "Forward", "PackedForward", "CompressedPackedForward"])
def test_fluent_org_logger_for_node(server: Logdock, node: Path, mode: str) -> None:
    port = host_port(server.forward)[1]
    ran(["node", "forward.mjs", str(port), mode, str(COUNT)], node)
    assert messages(found(server, tag=f"node.{mode}")) == numbered(f"node {mode}")


def test_fluent_logger_for_go(server: Logdock, go_sender: Path) -> None:
    ran([str(go_sender), str(host_port(server.forward)[1]), str(COUNT)], go_sender.parent)
    assert messages(found(server, tag="golang")) == numbered("golang")


@pytest.mark.parametrize("adapter", ["udp", "tcp"])
def test_gelf_pro_for_node(server: Logdock, node: Path, adapter: str) -> None:
    address = server.gelf_udp if adapter == "udp" else server.gelf_tcp
    ran(["node", "gelf.mjs", adapter, str(host_port(address)[1]), str(COUNT)], node)
    assert sorted(messages(found(server, q=f'"gelf-pro {adapter}"'))) == sorted(
        numbered(f"gelf-pro {adapter}")
    )


def handlers(server: Logdock) -> dict[str, logging.Handler]:
    udp, tcp, http = (host_port(a) for a in (server.gelf_udp, server.gelf_tcp, server.http))
    return {
        "pygelf-udp": pygelf.GelfUdpHandler(host=udp[0], port=udp[1], compress=True, chunk_size=300),
        "pygelf-udp-plain": pygelf.GelfUdpHandler(host=udp[0], port=udp[1], compress=False),
        "pygelf-tcp": pygelf.GelfTcpHandler(host=tcp[0], port=tcp[1]),
        "pygelf-http": pygelf.GelfHttpHandler(host=http[0], port=http[1], compress=True),
        "graypy-udp": graypy.GELFUDPHandler(udp[0], udp[1]),
        "graypy-tcp": graypy.GELFTCPHandler(tcp[0], tcp[1]),
        "graypy-http": graypy.GELFHTTPHandler(http[0], http[1], compress=False),
    }


@pytest.mark.parametrize(
    "client",
    [
        "pygelf-udp",
        "pygelf-udp-plain",
        "pygelf-tcp",
        "pygelf-http",
        "graypy-udp",
        "graypy-tcp",
        "graypy-http",
    ],
)
def test_gelf_handlers_for_python(server: Logdock, client: str) -> None:
    everyone = handlers(server)
    logger = logging.Logger(client, logging.DEBUG)  # outside the tree: nothing else hears it
    logger.addHandler(everyone[client])
    long = "x" * 3000  # more than a datagram of chunk_size holds, also compressed
    for i in range(COUNT):
        logger.warning("%s %d", client, i)
    logger.error("%s %s", client, long)
    for handler in everyone.values():
        handler.close()
    events = found(server, COUNT + 1, q=f'"{client} "')
    assert sorted(messages(events)) == sorted([*numbered(client), f"{client} {long}"])
    assert {event["level"] for event in events} == {"warn", "error"}


@pytest.fixture(scope="session")
def node() -> Path:
    """The senders and their packages, installed once outside the repository."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            missing(tool)
    folder = copied("node", ("package.json", "package-lock.json"))
    if not (folder / "node_modules").exists():
        ran(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
    for script in (CLIENTS / "node").glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


@pytest.fixture(scope="session")
def go_sender() -> Path:
    if shutil.which("go") is None:
        missing("go")
    folder = copied("go", ("go.mod", "go.sum", "main.go"))
    binary = folder / "sender"
    if not binary.exists():
        ran(["go", "build", "-o", str(binary), "."], folder)
    return binary


def copied(kind: str, names: tuple[str, ...]) -> Path:
    """A cache folder that holds these files, named after what is in them."""
    digest = hashlib.sha256(b"".join((CLIENTS / kind / name).read_bytes() for name in names)).hexdigest()[:12]
    folder = CACHE / f"{kind}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(CLIENTS / kind / name, folder)
    return folder


def ran(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=BUILD_PATIENCE, check=False
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
