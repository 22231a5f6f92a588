"""Real Docker, real Elasticsearch and a real logdock process for the tests in this folder.

A part that this machine cannot give skips the test, with the reason; with LOGDOCK_REQUIRE_REAL=1 (as in CI)
it fails instead.
"""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.real.dockerd import Dockerd, DockerError
from tests.real.elastic_script import elasticsearch_script
from tests.real.server import Logdock

Launcher = Callable[..., Logdock]
Tell = Callable[[str], None]


def missing(reason: str) -> None:
    """Skip for want of something real; a failure where everything real is required."""
    if os.environ.get("LOGDOCK_REQUIRE_REAL") == "1":
        pytest.fail(f"required and missing: {reason}")
    pytest.skip(f"MISSING: {reason}")


def real_dockerd(version: str) -> Iterator[Dockerd]:
    if os.geteuid() != 0:
        missing("dockerd needs root")
    daemon = Dockerd(version, Path(f"/tmp/ld{os.getpid()}-{version.replace('.', '')}"))
    try:
        daemon.start()
    except (DockerError, OSError, subprocess.TimeoutExpired) as problem:
        missing(f"dockerd {version}: {problem}")
    yield daemon
    daemon.stop()


@pytest.fixture(scope="session")
def dockerd20() -> Iterator[Dockerd]:
    yield from real_dockerd("20.10")


@pytest.fixture(scope="session")
def dockerd26() -> Iterator[Dockerd]:
    yield from real_dockerd("26.1")


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[str]:
    """The URL of a real Elasticsearch: the given one, the running one, or one of our own, which
    tests/conftest.py ends."""
    given = os.environ.get("LOGDOCK_TEST_ELASTICSEARCH")
    if given:
        yield given
        return
    started = elasticsearch_script("up")
    if started.returncode:
        missing(f"Elasticsearch: {started.stderr[-500:]}")
    line = elasticsearch_script("env").stdout.strip()
    yield shlex.split(line)[-1].partition("=")[2]


def launcher(folder: Path, servers: list[Logdock]) -> Launcher:
    def launch(*options: str, environ: Mapping[str, str] | None = None, start: bool = True) -> Logdock:
        server = Logdock(folder / f"data{len(servers)}", options, environ)
        servers.append(server)
        return server.start() if start else server

    return launch


@pytest.fixture
def logdock(tmp_path: Path) -> Iterator[Launcher]:
    """logdock(*flags, environ={}, start=True): a server of its own, which must end cleanly after the test."""
    servers: list[Logdock] = []
    yield launcher(tmp_path, servers)
    end_all(servers)


@pytest.fixture(scope="module")
def logdock_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """The same, kept for all tests of a module."""
    servers: list[Logdock] = []
    yield launcher(tmp_path_factory.mktemp("logdock"), servers)
    end_all(servers)


def end_all(servers: list[Logdock]) -> None:
    codes = [server.stop() for server in servers if server.running()]
    assert codes == [0] * len(codes), f"exit codes after SIGTERM: {codes}"


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Print at once, whether the test fails or not."""

    def print_now(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return print_now
