"""A real `logdock serve` process, and asking it over REST."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from api.cli import main; main()"]
START_PATIENCE = 30.0  # seconds; ports open within one, but a test machine may be busy with two daemons
ARRIVAL_PATIENCE = (
    30.0  # seconds until lines that were sent can be asked for (Elasticsearch refreshes each second)
)


class Logdock:
    """One server on free ports. A `start` after `kill` or `stop` uses the same ports and data folder."""

    def __init__(
        self, data: Path, options: tuple[str, ...] = (), environ: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.options = options
        self.environ = {**os.environ, "PYTHONUNBUFFERED": "1", **(environ or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.addresses: dict[str, Any] = {}
        self.log = data.with_name(data.name + ".log")
        self.started = 0.0

    @property
    def http(self) -> str:
        return str(self.addresses["http"])

    @property
    def forward(self) -> str:
        return str(self.addresses["forward"][0])

    @property
    def gelf_udp(self) -> str:
        return str(self.addresses["gelf_udp"][0])

    @property
    def gelf_tcp(self) -> str:
        return str(self.addresses["gelf_tcp"][0])

    def launch(self) -> None:
        """Start the process and return at once."""
        addresses = self.data / "addresses.json"
        addresses.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", *self.listeners(), "--data", str(self.data), *self.options],
                cwd=REPOSITORY, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.started = time.monotonic()

    def listeners(self) -> list[str]:
        known = self.addresses
        wanted = ["--http", known.get("http", "127.0.0.1:0")]
        for flag, key in (("--forward", "forward"), ("--gelf-udp", "gelf_udp"), ("--gelf-tcp", "gelf_tcp")):
            for address in known.get(key, ["127.0.0.1:0"]):
                wanted += [flag, address]
        return wanted

    def wait_open(self) -> float:
        """Wait until the ports are open; seconds since the launch."""
        until(self.ports_known, START_PATIENCE, lambda: f"no open ports:\n{self.tail()}")
        return time.monotonic() - self.started

    def ports_known(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"logdock ended with {self.process.returncode}:\n{self.tail()}")
        with contextlib.suppress(OSError, ValueError):
            if (
                self.addresses
            ):  # known from an earlier life: the port itself tells, before the file is written
                socket.create_connection(host_port(self.forward), timeout=1).close()
            else:
                self.addresses = json.loads((self.data / "addresses.json").read_text())
            return True
        return False

    def wait_ready(self) -> float:
        until(self.ready, START_PATIENCE * 2, lambda: f"never ready:\n{self.tail()}")
        return time.monotonic() - self.started

    def ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return self.get("/readyz").status_code == 200
        return False

    def start(self) -> "Logdock":
        self.launch()
        self.wait_open()
        self.wait_ready()
        return self

    def stop(self) -> int:
        """SIGTERM; the exit code. A server that needs more than ten seconds has failed."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"SIGTERM took more than 10 s:\n{self.tail()}") from None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])

    def get(self, path: str, **params: Any) -> httpx.Response:
        with httpx.Client(base_url=f"http://{self.http}", trust_env=False, timeout=30) as client:
            return client.get(path, params=params)

    def find(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All events of a keyed query, oldest first, by following its cursor."""
        events: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            answer = self.get(f"/api/v1{path}", order="asc", limit=5000, **params, **cursor)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            events += page["events"]
            if page["next"] is None:
                return events
            cursor = {"cursor": page["next"]}

    def find_after(self, path: str, count: int, **params: Any) -> list[dict[str, Any]]:
        """`find`, as soon as there are `count` events (or more, or the patience is over)."""
        end = time.monotonic() + ARRIVAL_PATIENCE
        while True:
            events = self.find(path, **params)
            if len(events) >= count or time.monotonic() > end:
                return events
            time.sleep(0.25)

    def export(self, **params: Any) -> Iterator[dict[str, Any]]:
        with (
            httpx.Client(base_url=f"http://{self.http}", trust_env=False, timeout=120) as client,
            client.stream("GET", "/api/v1/logs/export", params=params) as answer,
        ):
            assert answer.status_code == 200, answer.read()
            for line in answer.iter_lines():
                if line:
                    yield json.loads(line)


def until(done: Callable[[], bool], seconds: float, problem: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(problem())
        time.sleep(0.02)


def host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
