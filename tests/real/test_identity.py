"""What real compose and swarm give: service, project, replica and one-off are told apart by it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.conftest import Launcher
from tests.real.dockerd import Dockerd
from tests.real.server import Logdock

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

COMPOSE_YAML = """
services:
  web:
    image: busybox:1
    network_mode: none
    scale: 2
    command: [sh, -c, "echo from PROJECT; sleep 1"]
"""


@pytest.fixture(scope="module")
def server(logdock_module: Launcher) -> Iterator[Logdock]:
    server = logdock_module()
    yield server
    server.stop()


def restarted(dockerd26: Dockerd, server: Logdock, **options: str) -> Dockerd:
    """dockerd whose containers log to `server`, with `options` besides the address."""
    log_opts = {"fluentd-address": server.forward, **options}
    dockerd26.start({"log-driver": "fluentd", "log-opts": log_opts})
    return dockerd26


def up_and_run(daemon: Dockerd, project: str, folder: Path) -> None:
    """Two replicas of one service, and one `compose run` of it."""
    (folder / "compose.yaml").write_text(COMPOSE_YAML.replace("PROJECT", project))
    compose = ("compose", "-p", project, "-f", str(folder / "compose.yaml"))
    daemon.docker(*compose, "up", "--detach")
    daemon.docker(*compose, "run", "--no-TTY", "web")
    daemon.docker(*compose, "down")


def containers(server: Logdock, service: str, words: str, count: int) -> list[dict[str, Any]]:
    """The containers of a service that printed `words`, once `count` lines have them."""
    events = server.find_after("/logs", count, q=f'"{words}"')
    ids = {event["container"]["id"] for event in events}
    items = server.get("/api/v1/containers", service=service).json()["items"]
    return [item for item in items if item["id"] in ids]


@pytest.mark.parametrize(
    ("options", "project", "source", "known"),
    [
        ({"labels-regex": r"^com\.docker\."}, "all-labels", "label:com.docker.compose.service", "all-labels"),
        ({"labels": "com.docker.compose.project"}, "one-label", "name:compose", "one-label"),
        ({}, "nolabels", "name:compose", "nolabels"),
        ({}, "no-labels", "name:compose?", None),
    ],
)
def test_compose(
    dockerd26: Dockerd, server: Logdock, tmp_path: Path,
    options: dict[str, str], project: str, source: str, known: str | None,
) -> None:  # fmt: skip
    up_and_run(restarted(dockerd26, server, **options), project, tmp_path)
    seen = [
        (item["service_source"], *map(item["service_detail"].get, ("project", "replica", "kind")))
        for item in containers(server, "web", f"from {project}", 3)
    ]
    which = (("1", "service"), ("2", "service"), (None, "oneoff"))
    assert sorted(seen, key=str) == sorted(((source, known, *one) for one in which), key=str)


def test_swarm(dockerd26: Dockerd, server: Logdock) -> None:
    daemon = restarted(dockerd26, server)
    daemon.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:0")
    try:
        run = ["--detach", "--network", "host", "busybox:1", "sh", "-c", "echo from swarm; sleep 60"]
        daemon.docker("service", "create", "--name", "my_job", "--replicas", "2", *run)
        daemon.docker("service", "create", "--name", "agent", "--mode", "global", *run)
        replicas = containers(server, "my_job", "from swarm", 3)
        (everywhere,) = containers(server, "agent", "from swarm", 3)
        node = daemon.docker("info", "--format", "{{.Swarm.NodeID}}").strip()
    finally:
        daemon.docker("swarm", "leave", "--force")
    assert {item["service_source"] for item in [*replicas, everywhere]} == {"name:swarm"}
    assert sorted(item["service_detail"]["replica"] for item in replicas) == ["1", "2"]
    task = everywhere["name"].rpartition(".")[2]
    assert everywhere["service_detail"] == {"replica": node, "task_id": task, "kind": "service"}
