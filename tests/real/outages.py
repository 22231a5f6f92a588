"""Containers that print numbered lines while their receiver is away, and what is kept of the lines.

A container's progress stands in a file of this machine, so that it shows when its stdout blocks.
"""

import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.real.dockerd import Dockerd
from tests.real.rawdockerd import Containers
from tests.real.server import Logdock

# Lines a hundredth of a second apart, without a process for each pause: a read of a pipe that nobody writes.
SLOW = """mkfifo /tmp/p; exec 3<>/tmp/p; i=0
while [ $i -lt {lines} ]; do echo "line $i"; i=$((i+1)); echo $i > /w/n; read -t 0.009 -u 3 x; done
echo done > /w/done; {end}"""
FAST = """i=0; end=$(($(date +%s)+{seconds}))
while [ $i -lt {lines} ]; do echo "line $i"; i=$((i+1))
[ $((i % 500)) -ne 0 ] || {{ echo $i > /w/n; [ $(date +%s) -lt $end ] || break; }}; done
echo $i > /w/n; echo done > /w/done; {end}"""
# dockerd gives a container's last lines ten seconds after its exit: who stays, shows the outage alone
STAYS, EXITS = "sleep 600", "exit 0"
FAST_SECONDS = 12
FAST_LINES = 400_000
LOOK_SECONDS = 0.02
QUIET_SECONDS = 1.5  # nothing more was taken for so long: time to look what is there


@dataclass
class Printer:
    """One container. `address` names a listener of the server: forward, gelf_udp or gelf_tcp."""

    name: str
    address: str
    options: dict[str, str]
    lines: int
    fast: bool = False
    exits: bool = False
    folder: Path = Path()
    daemon: str = ""
    id: str = ""
    refusal: str = ""  # why it did not start
    still: float = 0.0  # seconds that its stdout stood still at most
    printed: int = 0
    marks: dict[str, int] = field(default_factory=dict)  # lines printed when something happened
    moved: float = 0.0
    kept: list[str] = field(default_factory=list)

    def create(self, containers: Containers, server: Logdock, folder: Path, daemon: str) -> None:
        self.folder, self.daemon = folder / f"{self.name}-{daemon}", daemon
        self.folder.mkdir()
        script = (FAST if self.fast else SLOW).format(
            lines=self.lines, seconds=FAST_SECONDS, end=EXITS if self.exits else STAYS
        )
        host = {
            "LogConfig": self._log_config(server), "NetworkMode": "none", "Binds": [f"{self.folder}:/w"]
        }  # fmt: skip
        made = containers.create(None, {}, Cmd=["/bin/busybox", "sh", "-c", script], HostConfig=host)
        assert made.status_code == 201, made.text
        self.id = made.json()["Id"]

    def _log_config(self, server: Logdock) -> dict[str, Any]:
        address: str = getattr(server, self.address)
        if self.address == "forward":
            return {"Type": "fluentd", "Config": {"fluentd-address": address, **self.options}}
        scheme = self.address.removeprefix("gelf_")
        return {"Type": "gelf", "Config": {"gelf-address": f"{scheme}://{address}", **self.options}}

    def look(self, now: float) -> None:
        """Read how far it has come."""
        try:
            printed = int((self.folder / "n").read_text() or self.printed)
        except FileNotFoundError:
            return
        if printed != self.printed:
            self.still = max(self.still, now - self.moved) if self.printed else 0.0
            self.printed, self.moved = printed, now

    @property
    def done(self) -> bool:
        return bool(self.refusal) or (self.folder / "done").exists()

    # -- what became of its lines ----------------------------------------------------------------------

    @property
    def numbers(self) -> list[int]:
        return [int(text[5:]) for text in self.kept if re.fullmatch(r"line \d+", text)]

    @property
    def lost(self) -> int:
        return self.printed - len(set(self.numbers))

    @property
    def doubled(self) -> int:
        return len(self.kept) - len(set(self.kept))

    @property
    def in_order(self) -> bool:
        return self.numbers == sorted(self.numbers)

    @property
    def odd(self) -> list[str]:
        """Kept lines that were never printed."""
        return [text for text in self.kept if not re.fullmatch(r"line \d+", text)]

    def row(self) -> str:
        order = "yes" if self.in_order else "NO"
        missing = sorted(set(range(self.printed)) - set(self.numbers))
        said = self.refusal or (f"first missing {missing[0]} of {self.marks}" if missing else "")
        return (
            f"{self.name:<24} {self.daemon:<5} {self.printed:>8,} {len(set(self.numbers)):>8,} "
            f"{self.lost:>8,} {self.doubled:>4} {order:>5} {self.still:>9.1f} s  {said[:90]}"
        )


HEAD = (
    f"{'case':<24} {'':<5} {'printed':>8} {'kept':>8} {'lost':>8} {'dup':>4} {'order':>5} {'stood still':>11}"
)


class Run:
    """Printers on some daemons before one server."""

    def __init__(
        self, server: Logdock, daemons: Sequence[Dockerd], printers: Sequence[Printer], folder: Path
    ) -> None:
        self.server = server
        self.printers: list[Printer] = []
        self._containers: dict[str, Containers] = {}
        self._stopped = threading.Event()
        self._watching = threading.Thread(target=self.watch, daemon=True)
        for daemon in daemons:
            api = connect(daemon)
            self._containers[daemon.version] = api
            for one in printers:
                mine = Printer(one.name, one.address, one.options, one.lines, one.fast, one.exits)
                mine.create(api, server, folder, daemon.version)
                self.printers.append(mine)

    def start(self) -> None:
        """Start all at once; one that cannot start says so in `refusal`."""
        self._watching.start()
        with ThreadPoolExecutor(len(self.printers)) as pool:
            list(pool.map(self._start, self.printers))

    def _start(self, printer: Printer) -> None:
        answer = self._containers[printer.daemon].start(printer.id)
        if answer.status_code >= 300:
            printer.refusal = answer.json()["message"]

    def watch(self) -> None:
        """Look at all progress until `collect`; runs in a thread of its own."""
        while not self._stopped.wait(LOOK_SECONDS):
            now = time.monotonic()
            for printer in self.printers:
                printer.look(now)

    def wait(self, seconds: float) -> None:
        """Return when all are done, or the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not all(printer.done for printer in self.printers):
            time.sleep(LOOK_SECONDS)

    def mark(self, what: str) -> None:
        """Remember how many lines each has printed now."""
        for printer in self.printers:
            printer.marks[what] = printer.printed

    def collect(self, seconds: float, enough: Callable[[Printer], bool]) -> None:
        """Ask for what is kept, until it is enough for everyone or the time is over."""
        end = time.monotonic() + seconds
        while True:
            self._wait_quiet(end)
            for printer in self.printers:
                if not printer.refusal:
                    events = self.server.export(container=printer.id, order="asc")
                    printer.kept = [event["message"] for event in events]
            if time.monotonic() > end or all(map(enough, self.printers)):
                break
        self._stopped.set()
        self._watching.join()

    def _wait_quiet(self, end: float) -> None:
        changed, before = time.monotonic(), -1.0
        while (now := time.monotonic()) < end and now - changed < QUIET_SECONDS:
            taken = metric(self.server, "logdock_frames_total") + metric(self.server, "logdock_events_total")
            if taken != before or metric(self.server, "logdock_pipeline_lag_bytes"):
                changed, before = now, taken
            time.sleep(0.2)

    def remove(self) -> None:
        with ThreadPoolExecutor(len(self.printers)) as pool:
            list(pool.map(lambda one: self._containers[one.daemon].remove(one.id), self.printers))
        for api in self._containers.values():
            api.api.close()


def connect(daemon: Dockerd) -> Containers:
    socket = daemon.environ["DOCKER_HOST"].removeprefix("unix://")
    transport = httpx.HTTPTransport(uds=socket, limits=httpx.Limits(max_connections=40))
    return Containers(httpx.Client(transport=transport, base_url="http://docker", timeout=60))


def metric(server: Logdock, name: str, **labels: str) -> float:
    """The sum of a metric over its labels, or over those that have these."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    lines = [
        line
        for line in server.get("/metrics").text.splitlines()
        if line.startswith((f"{name}{{", f"{name} "))
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines if all(want in line for want in wanted))
