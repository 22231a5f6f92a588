"""A server that has what docs/api.md talks about, and the examples in there."""

import re
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from parsers.event import Container, Event, make_origin
from storage.metrics import Metrics
from storage.quarantine import Quarantine
from storage.store import Rejection
from tests.real.forwarding import Sender, event_time, message, new_chunk
from tests.real.server import REPOSITORY, Logdock

PAGE = REPOSITORY / "docs" / "api.md"
SECTION = re.compile(r"^### (GET|POST) (\S+)$", re.MULTILINE)
BLOCK = re.compile(r"(?:^    .*\n|^\n(?=    ))+", re.MULTILINE)
SERVER = "127.0.0.1:8080"
LINE = "k3v9x0ab.1a.0"  # the id of a line in the examples
TEMPLATE = "docker/{{.Name}}/{{.ImageName}}/{{.ID}}"
CONTAINER = "3b6cd1b00f2a" + "4d" * 26
VOLATILE = {
    "id", "timestamp", "observed", "first_seen", "last_seen", "first", "last", "at", "until", "tried",
    "quarantined", "before", "next", "store_problem", "host", "start",
}  # fmt: skip


class Example(NamedTuple):
    """One request of the page, and the answer that stands below it (None: none does)."""

    method: str
    path: str
    command: str
    answer: str | None


def examples() -> list[Example]:
    """Every example of every endpoint's section."""
    parts = SECTION.split(PAGE.read_text())[1:]
    return [
        Example(method, path, *example)
        for method, path, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        for example in _of(text.split("\n## ")[0])
    ]


def _of(text: str) -> list[tuple[str, str | None]]:
    blocks = [re.sub("^    ", "", block, flags=re.MULTILINE).strip() for block in BLOCK.findall(text)]
    found: list[tuple[str, str | None]] = []
    for block in blocks:
        command, _, answer = block.partition("\n")
        assert command.startswith("curl "), f"an example begins with its command, not with {command!r}"
        found.append((command, answer.strip() or None))
    return found


def fill_quarantine(data: Path) -> None:
    """Two events that a store refused, before the server starts."""
    origin = make_origin(
        Container("7c" * 32, "shop-worker-1", "worker:2"), "node-a", service="worker",
        service_source="name:compose",
    )  # fmt: skip
    now = time.time_ns()
    texts = '{"status": "n/a"}', "x" * 100
    events = [Event("k3v9x0ab", n, 0, now, now, n, n, text, origin, "stdout") for n, text in enumerate(texts)]
    said = ("refused", "mapper_parsing_exception"), ("too_large", "413 Request Entity Too Large")
    quarantine = Quarantine(data / "quarantine", Metrics())
    quarantine.take([Rejection(event, *why) for event, why in zip(events, said, strict=True)])


def send(server: Logdock, line: str, service: str = "web") -> None:
    """A line of one of the containers in the examples, acknowledged."""
    sender, chunk = Sender(0, server.forward, "unused"), new_chunk()
    identity, name = (CONTAINER, "shop-web-1") if service == "web" else ("d0" * 32, f"shop-{service}-1")
    body = {"container_id": identity, "container_name": f"/{name}", "source": "stdout", "log": line}
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": service}
    tag = f"docker/{name}/nginx:1.27/{identity[:12]}"
    sender.exchange(message(tag, {**body, **labels}, {"chunk": chunk}, event_time(time.time())), chunk)
    sender.close()


def prepared(server: Logdock) -> str:
    """Send what the examples are about, remove something, and return the id of the line."""
    send(server, "of a service that is pruned", "db")
    server.find_after("/services/db/logs", 1)
    answer = httpx.post(f"http://{server.http}/api/v1/prune", json={"service": ["db"]}, trust_env=False)
    assert answer.json()["lines"] == 1
    send(server, '{"level": "error", "msg": "GET /cart", "status": 502}')
    return str(server.find_after("/services/web/logs", 1)[0]["id"])


def run(command: str, server: Logdock, line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as the page has it, but for the address and the id of the line."""
    command = command.replace(SERVER, server.http).replace(LINE, line).replace("curl ", "curl -sS ", 1)
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )


def same(shown: Any, real: Any, where: str = "answer") -> None:
    """The same keys and kinds everywhere, and the same texts but for times and ids. … stands for anything."""
    if shown == "…":
        return
    assert kind(shown) == kind(real) or where.rpartition(".")[2] in VOLATILE, f"{where}: {shown!r}, {real!r}"
    if isinstance(shown, dict):
        assert shown.keys() == real.keys(), f"{where}: {sorted(shown.keys() ^ real.keys())}"
        for name, value in shown.items():
            same(value, real[name], f"{where}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(real), f"{where}: {len(real)} items, shown are {len(shown)}"
        for number, value in enumerate(shown):
            same(value, real[number], f"{where}[{number}]")
    elif isinstance(shown, str) and where.rpartition(".")[2] not in VOLATILE:
        start, elided, _ = shown.partition("…")
        assert real.startswith(start) if elided else real == shown, f"{where}: {shown!r}, {real!r}"


def kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)
