"""Real dockerd, whose daemon.json alone points at logdock: every line is found, in order, by every key.

Docker 20.10 logs into the embedded store and 26.1 into Elasticsearch, each through every driver.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.conftest import Launcher
from tests.real.dockerd import Dockerd
from tests.real.server import Logdock

pytestmark = pytest.mark.docker

TEMPLATE = "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"
SERVICE_LABEL = "com.docker.compose.service"
LINES = 200
LONG = "".join(f"{i:08d} " for i in range(0, 40_960, 9))[:40_960].encode()
ODD = [b"before", LONG, b"", b"bad \xff\xfe bytes", b"", "끝 ✓".encode()]
RUN = f"run{random.randrange(1 << 32):08x}"  # one Elasticsearch may have seen earlier runs

House = tuple[Logdock, Dockerd]


@pytest.fixture(scope="module", params=["local-20.10", "elasticsearch-26.1"])
def house(request: pytest.FixtureRequest, logdock_module: Launcher) -> Iterator[House]:
    template = ("--tag-template", TEMPLATE)
    if request.param == "local-20.10":
        daemon, store = request.getfixturevalue("dockerd20"), "local"
    else:
        daemon, store = request.getfixturevalue("dockerd26"), request.getfixturevalue("elasticsearch")
    server = logdock_module("--store", store, *template)
    yield server, daemon
    server.stop()


def fluentd(server: Logdock) -> dict[str, str]:
    return {"fluentd-address": server.forward, "tag": TEMPLATE, "labels-regex": r"^com\.docker\."}


def gelf(address: str) -> dict[str, str]:
    return {"gelf-address": address, "tag": TEMPLATE, "labels-regex": r"^com\.docker\."}


DAEMON_JSON: dict[str, Callable[[Logdock], dict[str, Any]]] = {
    "fluentd": lambda s: {"log-driver": "fluentd", "log-opts": fluentd(s)},
    "gelf-udp": lambda s: {"log-driver": "gelf", "log-opts": gelf(f"udp://{s.gelf_udp}")},
    "gelf-tcp": lambda s: {"log-driver": "gelf", "log-opts": gelf(f"tcp://{s.gelf_tcp}")},
    "fluentd-ack": lambda s: {
        "log-driver": "fluentd",
        "log-opts": {**fluentd(s), "fluentd-request-ack": "true", "fluentd-sub-second-precision": "true"},
    },
    "fluentd-async": lambda s: {
        "log-driver": "fluentd",
        "log-opts": {**fluentd(s), "fluentd-async": "true", "fluentd-request-ack": "true"},
    },
}


@pytest.mark.parametrize("driver", DAEMON_JSON)
def test_every_line_is_found_by_every_key(house: House, driver: str, tmp_path: Path) -> None:
    server, daemon = house
    daemon.start(DAEMON_JSON[driver](server))
    containers = [Printing(daemon, driver, service, tmp_path) for service in ("web", "api")]
    odd = Printing(daemon, driver, "odd", tmp_path, [*ODD], unfinished(driver))
    for container in (*containers, odd):
        daemon.docker("wait", container.id)
    for container in containers:
        assert_found(server, container)
    assert_odd_lines(server, odd, driver)


class Printing:
    """A container with compose's labels that prints numbered lines on both streams, or the lines given."""

    def __init__(
        self, daemon: Dockerd, driver: str, service: str, folder: Path,
        lines: list[bytes] | None = None, last: bytes = b"",
    ) -> None:  # fmt: skip
        self.service = f"{service}-{driver}-{RUN}"
        self.name = f"{self.service}-1"
        self.out = lines or [f"{self.service} out {i}".encode() for i in range(LINES)]
        self.err = [] if lines else [f"{self.service} err {i}".encode() for i in range(LINES)]
        printed = folder / service
        printed.mkdir()
        (printed / "out").write_bytes(b"".join(line + b"\n" for line in self.out) + last)
        (printed / "err").write_bytes(b"".join(line + b"\n" for line in self.err))
        labels = ["--label", "com.docker.compose.project=shop", "--label", f"{SERVICE_LABEL}={self.service}"]
        shell = ["busybox:1", "sh", "-c", script(driver)]
        self.id = daemon.run("-d", "--name", self.name, *labels, "-v", f"{printed}:/w:ro", *shell)


def script(driver: str) -> str:
    """Both streams at once; Docker's own limits need a pause in two cases.

    With acks and no queue, dockerd's two copiers take each other's acks (fluent-logger-golang, issue 103), so
    the streams follow each other. With a queue, dockerd throws away what is queued when the container exits.
    """
    if driver == "fluentd-ack":
        return "cat /w/out; sleep 0.5; cat /w/err >&2"
    both = "cat /w/out & cat /w/err >&2; wait"
    return f"{both}; sleep 1" if driver == "fluentd-async" else both


def assert_found(server: Logdock, container: Printing) -> None:
    wanted = {"stdout": texts(container.out), "stderr": texts(container.err)}
    keys = [
        f"/containers/{container.id}/logs", f"/containers/{container.id[:12]}/logs",
        f"/containers/{container.name}/logs", f"/services/{container.service}/logs",
        f"/labels/{SERVICE_LABEL}/{container.service}/logs",
    ]  # fmt: skip
    for key in keys:
        events = server.find_after(key, 2 * LINES)
        assert by_stream(events) == wanted, key
        assert_described(events[0], container)


def by_stream(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {
        stream: [event["message"] for event in events if event["stream"] == stream]
        for stream in ("stdout", "stderr")
    }


def assert_described(event: dict[str, Any], container: Printing) -> None:
    assert (event["container"]["id"], event["container"]["name"]) == (container.id, container.name)
    assert (event["service"], event["service_source"]) == (container.service, f"label:{SERVICE_LABEL}")
    assert event["labels"][SERVICE_LABEL] == container.service
    assert event["tag"] == f"docker/{container.name}/busybox:1/{container.id[:12]}"
    assert event["tag_fields"] == {"Name": container.name, "ImageName": "busybox:1", "ID": container.id[:12]}
    assert event["container"]["image"] == "busybox:1"


def unfinished(driver: str) -> bytes:
    """dockerd sends a last line without a newline at the container's exit, and throws its queue away then."""
    return b"" if driver == "fluentd-async" else b"no newline at the end"


def assert_odd_lines(server: Logdock, odd: Printing, driver: str) -> None:
    wanted = texts([*ODD, *filter(None, [unfinished(driver)])])
    is_gelf = driver.startswith("gelf")
    if is_gelf:  # the driver drops empty lines, and sends a long one as pieces without any mark
        wanted = [text for text in wanted if text]
        at = wanted.index(LONG.decode())
        wanted[at : at + 1] = [LONG[i : i + 16_384].decode() for i in range(0, len(LONG), 16_384)]
    events = server.find_after(f"/containers/{odd.id}/logs", len(wanted))
    assert [event["message"] for event in events] == wanted
    if not is_gelf:
        assert "joined" in next(event for event in events if len(event["message"]) > 40_000)["flags"]


def texts(lines: list[bytes]) -> list[str]:
    return [line.decode("utf-8", "replace") for line in lines]


@pytest.mark.parametrize("driver", ["fluentd", "gelf-udp"])
def test_compose_v2_services_are_found(
    driver: str, logdock: Launcher, dockerd26: Dockerd, tmp_path: Path
) -> None:
    server = logdock()
    dockerd26.start(DAEMON_JSON[driver](server))
    project = f"p{RUN}{driver.replace('-', '')}"
    services = {
        name: {
            "image": "busybox:1",
            "network_mode": "none",
            "command": ["sh", "-c", f"for i in $$(seq {LINES}); do echo {name} $$i; done; sleep 0.3"],
        }
        for name in ("front", "back")
    }
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": services}))
    compose = ("compose", "--project-name", project, "--project-directory", str(tmp_path))
    dockerd26.docker(*compose, "up", "--detach", "--quiet-pull")
    for name in services:
        events = server.find_after(f"/services/{name}/logs", LINES)
        assert [event["message"] for event in events] == [f"{name} {i}" for i in range(1, LINES + 1)]
        assert events[0]["container"]["name"] == f"{project}-{name}-1"
        assert events[0]["labels"]["com.docker.compose.project"] == project
    both = server.find(f"/labels/com.docker.compose.project/{project}/logs")
    assert len(both) == 2 * LINES
    dockerd26.docker(*compose, "down", "--timeout", "1")


@pytest.mark.parametrize("driver", ["fluentd"])
def test_a_second_life_of_a_name_joins_the_first(driver: str, logdock: Launcher, dockerd26: Dockerd) -> None:
    server = logdock()
    dockerd26.start(DAEMON_JSON[driver](server))
    ids = []
    for life in ("first", "second"):
        ids.append(dockerd26.run("-d", "--name", "twice", "busybox:1", "echo", life))
        dockerd26.docker("wait", "twice")
        dockerd26.docker("rm", "twice")
        time.sleep(1.1)  # Docker's times are whole seconds here
    assert [e["message"] for e in server.find_after("/containers/twice/logs", 2)] == ["first", "second"]
    assert [e["message"] for e in server.find(f"/containers/{ids[0][:10]}/logs")] == ["first"]
