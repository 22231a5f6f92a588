"""`logdock prune` on a real server that ends right after it, and in the middle of it."""

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import msgpack
import pytest

from tests.real.conftest import Launcher
from tests.real.forwarding import container_id, event_time, new_chunk, record
from tests.real.server import COMMAND, REPOSITORY, Logdock, host_port, until

SERVICES = ("web", "db", "worker")
SMALL_FILES = {"LOGDOCK_SEAL_ROWS": "1000"}
BATCH = 250
RUN = uuid4().hex  # of this file: the containers of another run in the same Elasticsearch are others


def frames(lines: int) -> list[tuple[str, bytes]]:
    """(chunk, packed entries) with lines of all services by turns."""
    made = []
    for first in range(0, lines, BATCH):
        entries = [[event_time(time.time()), body(n)] for n in range(first, min(first + BATCH, lines))]
        chunk = new_chunk()
        made.append((chunk, msgpack.packb(["prune", entries, {"chunk": chunk, "size": len(entries)}])))
    return made


def body(number: int) -> dict[str, str]:
    service = SERVICES[number % 3]
    label = {"com.docker.compose.service": service, "com.docker.compose.project": "shop"}
    return record(container_id(RUN, service), f"line {number}", f"shop-{service}-1") | label


def send(server: Logdock, made: Sequence[tuple[str, bytes]]) -> None:
    """Until every frame is acknowledged."""
    with socket.create_connection(host_port(server.forward), timeout=30) as connection:
        for chunk, frame in made:
            connection.sendall(frame)
            answer = b""
            while len(answer) < len(msgpack.packb({"ack": chunk})):
                answer += connection.recv(4096)
            assert msgpack.unpackb(answer) == {"ack": chunk}


def prune(server: Logdock, *flags: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "prune", "--server", server.http, *flags],
        cwd=REPOSITORY, input=answer, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def numbers(server: Logdock) -> list[int]:
    return sorted(int(event["message"].split()[1]) for event in server.export())


def all_kept(server: Logdock, lines: int) -> None:
    until(lambda: len(numbers(server)) >= lines, 60, lambda: f"only {len(numbers(server))} of {lines}")


def removed(server: Logdock) -> int:
    items = server.get("/api/v1/prune").json()["items"]
    return int(items[0]["lines"]) if items else 0


def of(service: str, lines: int) -> list[int]:
    return [n for n in range(lines) if SERVICES[n % 3] == service]


def but(service: str, lines: int) -> list[int]:
    return [n for n in range(lines) if SERVICES[n % 3] != service]


def killed_right_after(server: Logdock, lines: int) -> None:
    made = frames(lines)
    send(server, made)
    all_kept(server, lines)
    refused = prune(server, "--service", "web", answer="n\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"This will remove {lines // 3:,} lines" in refused.stderr

    done = prune(server, "--service", "web", answer="y\n")
    server.kill()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Removed {lines // 3:,} lines from ")
    server.start()
    assert numbers(server) == but("web", lines)
    send(server, made[:2])  # a sender that never heard the answer
    time.sleep(1.0)
    assert numbers(server) == but("web", lines)
    page = server.get("/api/v1/logs", service="web").json()
    assert page["events"] == [] and f"{lines // 3:,} lines of web from " in page["notes"][0]
    (told,) = server.get("/api/v1/prune").json()["items"]
    assert (told["lines"], told["state"], told["selection"]) == (lines // 3, "done", "service=web")
    counts = {item["name"]: item["lines"] for item in server.get("/api/v1/services").json()["items"]}
    assert counts == {"db": lines // 3, "worker": lines // 3}


def test_killed_right_after_a_prune(logdock: Launcher) -> None:
    killed_right_after(logdock(environ=SMALL_FILES), 6000)


@pytest.mark.elasticsearch
def test_killed_right_after_a_prune_in_elasticsearch(
    logdock: Launcher, elasticsearch: str, request: pytest.FixtureRequest
) -> None:
    """The stream of a server is fixed, and others may be using it: only our containers are touched."""
    server = logdock("--store", elasticsearch)
    ids = [container_id(RUN, service) for service in SERVICES]
    containers = [flag for one in ids for flag in ("--container", one)]
    request.addfinalizer(lambda: prune(server, *containers, "--force"))
    lines = 3000
    made = frames(lines)
    send(server, made)

    def ours() -> list[int]:
        return sorted(int(e["message"].split()[1]) for one in ids for e in server.export(container=one))

    until(lambda: len(ours()) >= lines, 60, lambda: f"only {len(ours())} of {lines}")
    done = prune(server, *containers, "--label", "com.docker.compose.service=web", "--force")
    server.kill()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Removed {lines // 3:,} lines from "), done.stdout
    server.start()
    send(server, made[:2])
    time.sleep(1.0)
    assert ours() == but("web", lines)


@pytest.mark.parametrize(("share", "end"), [(1, "kill"), (3000, "kill"), (1, "stop")])
def test_ended_in_the_middle_of_a_prune(logdock: Launcher, share: int, end: str) -> None:
    """Each file is as before or as after, and what is recorded is exactly what is gone."""
    server, lines = logdock(environ=SMALL_FILES), 24_000
    send(server, frames(lines))
    all_kept(server, lines)

    def ask() -> None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(
                f"http://{server.http}/api/v1/prune", json={"service": "web"}, timeout=30, trust_env=False
            )

    asking = threading.Thread(target=ask)
    asking.start()
    while asking.is_alive() and removed(server) < share:
        time.sleep(0.005)
    if end == "kill":
        server.kill()
    else:
        assert server.stop() == 0
    asking.join()
    server.start()
    left = numbers(server)
    assert len(left) == len(set(left))
    assert [n for n in left if SERVICES[n % 3] != "web"] == but("web", lines)
    gone = len(of("web", lines)) - len([n for n in left if SERVICES[n % 3] == "web"])
    recorded: list[dict[str, Any]] = server.get("/api/v1/prune").json()["items"]
    assert sum(item["lines"] for item in recorded) == gone
    again = prune(server, "--service", "web", "--force")
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith(f"Removed {len(of('web', lines)) - gone:,} lines")
    assert numbers(server) == but("web", lines)
    print(f"{gone} of {len(of('web', lines))} were gone when it ended")
