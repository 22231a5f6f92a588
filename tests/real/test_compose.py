"""The files in compose/: the image is built from a base made here, run, and logged to by its own Docker."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.conftest import missing
from tests.real.dockerd import REPOSITORY, Dockerd, DockerError

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

COMPOSE = REPOSITORY / "compose"
CACHE = Path(os.environ.get("LOGDOCK_TEST_CACHE", Path.home() / ".cache" / "logdock-tests"))
BASE = "python:3.12-slim"
FIRST_PORT = 20_000  # below those that the kernel gives to outgoing connections


def free_address(first: int) -> str:
    """A loopback address that nobody listens on now."""
    for port in range(first, first + 1000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return f"127.0.0.1:{port}"
    raise AssertionError(f"no free port from {first} on")


HTTP = free_address(FIRST_PORT)
FORWARD = free_address(FIRST_PORT + 1000)


def test_every_daemon_json_is_what_dockerd_accepts(dockerd26: Dockerd) -> None:
    """dockerd refuses to start with an unknown option or one that is not a string."""
    files = sorted(COMPOSE.glob("*.json"))
    assert files
    for file in files:
        written = json.loads(file.read_text())
        dockerd26.start(written)
        assert dockerd26.docker("info", "--format", "{{.LoggingDriver}}").strip() == written["log-driver"]


def test_the_systemd_unit_comes_before_docker() -> None:
    lines = (COMPOSE / "logdock.service").read_text().splitlines()
    assert "Before=docker.service" in lines
    if shutil.which("systemd-analyze"):
        unit = COMPOSE / "logdock.service"
        told = subprocess.run(
            ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
        )
        assert "Unknown" not in told.stderr, told.stderr


@pytest.fixture(scope="module")
def image(dockerd26: Dockerd, tmp_path_factory: pytest.TempPathFactory) -> str:
    """logdock:latest, built without a network from a made base and a folder of wheels."""
    dockerd26.start({})
    root = tmp_path_factory.mktemp("python") / "root"
    made = subprocess.run(
        [REPOSITORY / "scripts" / "make-python-root", root], capture_output=True, text=True, check=False
    )
    if made.returncode:
        missing(f"a Python to make {BASE} of: {made.stderr}")
    dockerd26.image(BASE, root)
    shutil.rmtree(root)
    wheels = wheelhouse(made.stdout.strip())
    context = tmp_path_factory.mktemp("context")
    build_context(context)
    dockerd26.docker(
        "build", "--network", "none", "--build-context", f"wheels={wheels}", "--build-arg", "PIP_NO_INDEX=1",
        "-f", str(context / "compose" / "Dockerfile"), "-t", "logdock:latest", str(context),
    )  # fmt: skip
    return "logdock:latest"


def wheelhouse(version: str) -> Path:
    """What requirements.lock pins, as wheels for that Python; downloaded once for each lock file."""
    lock = REPOSITORY / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()[:12]
    folder = CACHE / f"wheels-{digest}"
    if (folder / "complete").exists():
        return folder
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
    wheels = [*pip, "--only-binary", ":all:", "--python-version", version, "--no-deps"]
    for what in (["--requirement", str(lock)], ["setuptools>=77"]):
        done = subprocess.run([*wheels, *what], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (folder / "complete").touch()
    return folder


def build_context(context: Path) -> None:
    """What git would give someone: the repository's files, without what was built in it."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, names.split("\0")):
        if name.startswith(("tests/", "bench/")) or not (REPOSITORY / name).is_file():
            continue
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, context / name)


@pytest.fixture(scope="module")
def running(dockerd26: Dockerd, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dockerd]:
    """compose.yaml up, under a daemon.json that points everything else at it; ports moved out of the way."""
    assert image
    dockerd26.start(pointing_at_logdock())
    folder = tmp_path_factory.mktemp("up")
    override = folder / "override.yaml"
    override.write_text(
        f"services:\n  logdock:\n    ports: !override\n      - {HTTP}:8080\n      - {FORWARD}:24224\n"
    )
    compose = ("compose", "-f", str(COMPOSE / "compose.yaml"), "-f", str(override))
    try:
        dockerd26.docker(*compose, "up", "--detach", "--no-build", "--wait", "--wait-timeout", "60")
    except DockerError as problem:
        logs = dockerd26.docker(*compose, "logs", "--no-color")
        raise AssertionError(f"{problem}\n{logs}") from None
    yield dockerd26
    dockerd26.docker(*compose, "down", "--volumes")


def pointing_at_logdock() -> dict[str, Any]:
    daemon: dict[str, Any] = json.loads((COMPOSE / "fluentd.json").read_text())
    daemon["log-opts"]["fluentd-address"] = FORWARD
    return daemon


def test_a_container_beside_the_image_is_found_over_rest(running: Dockerd) -> None:
    labels = ["--label", "com.docker.compose.service=beside"]
    running.run("--name", "beside", *labels, "busybox:1", "sh", "-c", "echo from beside; sleep 1")
    assert wait_for_messages("/services/beside/logs", 1) == ["from beside"]


def wait_for_messages(path: str, count: int) -> list[str]:
    end = time.monotonic() + 20
    while True:
        answer = httpx.get(f"http://{HTTP}/api/v1{path}", params={"order": "asc"}, trust_env=False)
        assert answer.status_code == 200, answer.text
        messages = [event["message"] for event in answer.json()["events"]]
        if len(messages) >= count or time.monotonic() > end:
            return messages
        time.sleep(0.2)


def test_logdock_logs_to_the_local_driver_and_not_to_itself(running: Dockerd) -> None:
    container = running.inspect("logdock-logdock-1")
    assert container["HostConfig"]["LogConfig"]["Type"] == "local"
    assert running.docker("logs", "logdock-logdock-1") is not None
    assert wait_for_messages("/containers/logdock-logdock-1/logs", 0) == []


def test_ports_are_published_on_loopback_and_nobody_is_root(running: Dockerd) -> None:
    written = json.loads(
        running.docker("compose", "-f", str(COMPOSE / "compose.yaml"), "config", "--format", "json")
    )
    ports = written["services"]["logdock"]["ports"]
    assert len(ports) == 4
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert running.inspect("logdock-logdock-1")["Config"]["User"] == "10001:10001"


def test_a_stop_is_clean_and_the_lines_are_there_after_it(running: Dockerd) -> None:
    running.run("--name", "kept", "busybox:1", "sh", "-c", "echo kept over a restart; sleep 1")
    assert wait_for_messages("/containers/kept/logs", 1) == ["kept over a restart"]
    running.docker("stop", "logdock-logdock-1")
    assert running.inspect("logdock-logdock-1")["State"]["ExitCode"] == 0
    running.docker("start", "logdock-logdock-1")
    end = time.monotonic() + 20
    while running.inspect("logdock-logdock-1")["State"]["Health"]["Status"] != "healthy":
        assert time.monotonic() < end
        time.sleep(0.3)
    assert wait_for_messages("/containers/kept/logs", 1) == ["kept over a restart"]
