"""`docker service` against a real swarm, and against logdock after the service is gone: the same lines."""

import random
import socket
import time
from collections.abc import Iterator

import pytest

from tests.real.conftest import Launcher
from tests.real.dockercli import CLIENTS, docker
from tests.real.dockerd import Dockerd, DockerError
from tests.real.server import Logdock

pytestmark = pytest.mark.docker

NAME = f"pinger{random.randrange(1 << 32):08x}"
SCRIPT = (
    'for i in 1 2 3; do echo "out $i $HOSTNAME"; sleep 0.05; echo "err $i" >&2; sleep 0.05; done; sleep 99'
)
FORMS = [
    [], ["--raw"], ["-t"], ["--no-trunc"], ["--no-resolve"], ["--no-task-ids"],
    ["-t", "--no-trunc", "-n", "1"], ["--tail", "0"], ["-n", "2"], ["--since", "1h"],
    ["--since", "2099-01-01"],
]  # fmt: skip
REPLICAS = 3
TEMPLATE = "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"  # tells the image


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def swarm(dockerd26: Dockerd) -> Iterator[Dockerd]:
    dockerd26.lab("image", "bb:1")
    listen = f"127.0.0.1:{free_port()}"
    dockerd26.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", listen)
    yield dockerd26
    dockerd26.docker("swarm", "leave", "--force")
    if "docker_gwbridge" in dockerd26.docker("network", "ls"):
        dockerd26.docker("network", "rm", "docker_gwbridge")  # else its link stays


@pytest.fixture(scope="module")
def server(logdock_module: Launcher) -> Logdock:
    return logdock_module("--store", "memory", "--tag-template", TEMPLATE)


@pytest.fixture(scope="module")
def said(swarm: Dockerd, server: Logdock) -> dict[str, dict[tuple[str, ...], list[bytes]]]:
    """What swarm's own manager tells, by version of the client; the service is gone after that."""
    swarm.docker(
        "service", "create", "-d", "--name", NAME, "--replicas", str(REPLICAS), "--log-driver", "fluentd",
        "--log-opt", f"fluentd-address={server.forward}", "--log-opt", "fluentd-sub-second-precision=true",
        "--log-opt", f"tag={TEMPLATE}", "--log-opt", r"labels-regex=^com\.docker\.",
        "bb:1", "sh", "-c", SCRIPT,
    )  # fmt: skip
    server.find_after(f"/services/{NAME}/logs", 6 * REPLICAS)
    host = swarm.environ["DOCKER_HOST"]
    told = {version: {tuple(form): logs(version, host, form) for form in FORMS} for version in CLIENTS}
    for version in CLIENTS:
        told[version]["ls",] = listed(version, host)
        told[version]["ps",] = tasks(version, host)
    swarm.docker("service", "rm", NAME)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and gone_not_yet(swarm):
        time.sleep(0.2)
    return told


def gone_not_yet(swarm: Dockerd) -> bool:
    try:
        return bool(swarm.docker("ps", "-aq", "--filter", f"name={NAME}").strip())
    except DockerError:
        return True


def logs(version: str, host: str, form: list[str]) -> list[bytes]:
    """Lines of both streams. Docker keeps no order among tasks."""
    out, err, code = docker(version, host, "service", "logs", *form, NAME)
    assert code == 0, err
    return sorted(out.splitlines()) + sorted(err.splitlines())


def listed(version: str, host: str) -> list[bytes]:
    form = "{{.Name}} {{.Mode}} {{.Image}} {{.ID}}"
    return docker(version, host, "service", "ls", "--filter", f"name={NAME}", "--format", form)[
        0
    ].splitlines()


def tasks(version: str, host: str) -> list[bytes]:
    form = "{{.ID}} {{.Name}} {{.Image}} {{.Node}}"
    return sorted(docker(version, host, "service", "ps", NAME, "--format", form)[0].splitlines())


@pytest.mark.parametrize("version", CLIENTS)
@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_service_logs(
    version: str, form: list[str], server: Logdock, said: dict[str, dict[tuple[str, ...], list[bytes]]]
) -> None:
    theirs = said[version][tuple(form)]
    assert logs(version, f"tcp://{server.http}", form) == theirs
    if form in ([], ["-t"]):
        assert len(theirs) == 6 * REPLICAS


@pytest.mark.parametrize("version", CLIENTS)
def test_service_ls_ps_and_inspect(
    version: str, server: Logdock, said: dict[str, dict[tuple[str, ...], list[bytes]]]
) -> None:
    host = f"tcp://{server.http}"
    assert listed(version, host) == said[version]["ls",]
    assert tasks(version, host) == said[version]["ps",]
    identity = said[version]["ls",][0].split()[-1].decode()
    told = docker(version, host, "service", "inspect", "-f", "{{.ID}} {{.Spec.Name}}", NAME)[0].decode()
    assert told.startswith(identity) and told.endswith(f" {NAME}\n")
    assert docker(version, host, "inspect", "-f", "{{.Spec.Name}}", NAME)[0].decode() == f"{NAME}\n"


@pytest.mark.parametrize("version", CLIENTS)
def test_one_task_and_one_node(
    version: str, server: Logdock, said: dict[str, dict[tuple[str, ...], list[bytes]]]
) -> None:
    host = f"tcp://{server.http}"
    task = said[version]["ps",][0].split()[0].decode()
    out, err, code = docker(version, host, "service", "logs", "--raw", task)
    assert (code, out.count(b"\n"), err) == (0, 3, b"err 1\nerr 2\nerr 3\n")
    nodes = docker(version, host, "node", "ls", "--format", "{{.Hostname}}")[0].decode().split()
    assert nodes == [said[version]["ps",][0].split()[-1].decode()]
    assert docker(version, host, "service", "logs", "nothing")[1] == b"no such task or service: nothing\n"
