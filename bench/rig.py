"""What the benchmarks share: the machine's line, payload files, the sender in Go, and servers as processes.

CPU of a server is its user + system time from /proc/PID/stat, in ticks of 10 ms: 0.02 us an event at 500,000
events. All work is done on loopback, sender and receiver on the same cores, so rates are lower bounds and CPU
per event is the figure to trust.
"""

import os
import platform
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec
import payload

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("LOGDOCK_BENCH_CACHE", Path(tempfile.gettempdir()) / "logdock-bench"))
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 30.0
STOP_SECONDS = 30.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy

_LENGTH = struct.Struct("<I")


class Row(msgspec.Struct, frozen=True):
    """One line of a table. `good` says whether the target is met, None where there is none."""

    what: str
    measured: str
    target: str = ""
    good: bool | None = None


def at_most(what: str, value: float, limit: float, unit: str, digits: int = 2) -> Row:
    """A row whose value must not be above `limit`."""
    return Row(what, f"{value:,.{digits}f} {unit}", f"<= {limit:g} {unit}", value <= limit)


def at_least(what: str, value: float, limit: float, unit: str, digits: int = 0) -> Row:
    """A row whose value must not be below `limit`."""
    return Row(what, f"{value:,.{digits}f} {unit}".rstrip(), f">= {limit:,g} {unit}".rstrip(), value >= limit)


def show(title: str, rows: Sequence[Row]) -> None:
    """Print the machine and one table."""
    print(f"\n{title}\n{machine()}\n")
    wide = max(len(row.what) for row in rows)
    print(f"| {'what':{wide}} | {'measured':>22} | {'target':>18} |  |\n|{'-' * (wide + 2)}|---:|---:|---|")
    for row in rows:
        mark = {True: "ok", False: "MISSED", None: ""}[row.good]
        print(f"| {row.what:{wide}} | {row.measured:>22} | {row.target:>18} | {mark} |", flush=True)


def machine() -> str:
    """Cores, processor, kernel, load of others, and the versions that matter."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown processor"
    )
    names = ("uvloop", "msgpack", "msgspec", "orjson", "duckdb", "pyarrow", "elasticsearch")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, load {load}\n"
        f"Python {platform.python_version()}, {versions}"
    )


# -- payload -------------------------------------------------------------------------------------------


def frames(count: int, *, acks: bool = False) -> list[Path]:
    """Files of about `count` Docker frames in all, one a connection; made once."""
    folder = CACHE / f"frames-{count}{'-acks' if acks else ''}"
    if not folder.exists():
        aside = folder.with_name(f"{folder.name}.{os.getpid()}")
        aside.mkdir(parents=True)
        for number, stream in enumerate(payload.messages(count, acks)):
            data = b"".join(part for frame in stream for part in (_LENGTH.pack(len(frame)), frame))
            (aside / f"{number}.frames").write_bytes(data)
        aside.rename(folder)
    return sorted(folder.glob("*.frames"))


def split(data: bytes) -> Iterator[bytes]:
    """The frames of such a file."""
    at = 0
    while at < len(data):
        (size,) = _LENGTH.unpack_from(data, at)
        yield data[at + _LENGTH.size : (at := at + _LENGTH.size + size)]


class Sent(msgspec.Struct):
    """What the sender reports: see loadgen/main.go."""

    frames: int
    bytes: int
    seconds: float
    cpu: float
    p50: float = 0
    p99: float = 0

    @property
    def rate(self) -> float:
        return self.frames / self.seconds


def go() -> str:
    """The compiler's command."""
    return shutil.which("go") or "/usr/local/go/bin/go"


def loadgen() -> Path:
    """The sender, built outside of the repository."""
    binary = CACHE / "loadgen"
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run([go(), "build", "-o", str(binary), "."], cwd=HERE / "loadgen", check=True)
    return binary


def send(address: str, files: Sequence[Path], *options: str) -> Sent:
    """Send files of frames; options as in loadgen/main.go."""
    return _run("send", *options, address, *map(str, files))


def bulk(url: str, bodies: Sequence[Path], connections: int) -> Sent:
    """Post bodies with the bare client."""
    return _run("bulk", f"-connections={connections}", url, *map(str, bodies))


def _run(*arguments: str) -> Sent:
    done = subprocess.run([CACHE / "loadgen", *arguments], check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Sent)


# -- processes -----------------------------------------------------------------------------------------


class Process:
    """A server under measurement."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                arguments, stdout=output, stderr=output, cwd=log.parent, env=_environment()
            )
        self.pid = self._child.pid

    @property
    def cpu(self) -> float:
        """Seconds used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS  # utime and stime: proc(5)

    def memory(self, name: str) -> float:
        """MiB: VmRSS is now, VmHWM the most so far."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))

    def stop(self) -> float:
        """SIGTERM; returns the CPU seconds of its whole life. Raises when it does not end well."""
        self._child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._child.returncode = os.waitstatus_to_exitcode(status)
                if self._child.returncode:
                    raise SystemExit(f"it ended with {self._child.returncode}: {self.log.read_text()}")
                return usage.ru_utime + usage.ru_stime
            time.sleep(0.02)
        raise SystemExit(f"it did not stop: {self.log.read_text()}")

    def kill(self) -> None:
        """End it if it still runs."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()


def _environment() -> dict[str, str]:
    """This one, without settings of logdock: the benchmark gives all of them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOGDOCK_")}


class Server:
    """A process that writes addresses.json into its data folder when it is up."""

    def __init__(self, process: Process, data: Path) -> None:
        self.process, self.data = process, data
        file = data / "addresses.json"
        wait_until(file.exists, process, START_SECONDS)
        self.addresses = msgspec.json.decode(file.read_bytes())

    @property
    def forward(self) -> str:
        return str(self.addresses["forward"][0])

    def get(self, path: str) -> bytes:
        """GET on its HTTP port."""
        with DIRECT.open(f"http://{self.addresses['http']}{path}", timeout=30) as answer:
            return bytes(answer.read())

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = self.get("/metrics").decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


@contextmanager
def logdock(*options: str, keep: Path | None = None) -> Iterator[Server]:
    """`logdock serve` on free ports, with a data folder of its own; with `keep`, its data stays there."""
    command = [str(Path(sys.executable).with_name("logdock")), "serve"]
    ports = ["--http=127.0.0.1:0", "--forward=127.0.0.1:0", "--gelf-udp=off", "--gelf-tcp=off"]
    with _folder() as scratch:
        data = keep or scratch
        yield from _served([*command, *ports, f"--data={data}", *options], data)


@contextmanager
def journal_only(sync: str, keep: Path | None = None) -> Iterator[Server]:
    """Receivers and journal without a pipeline (idle_pipeline.py); with `keep`, its journal stays there."""
    with _folder() as data:
        target = keep or data
        yield from _served([sys.executable, str(HERE / "idle_pipeline.py"), str(target), sync], target)


def _served(command: list[str], data: Path) -> Iterator[Server]:
    (data / "addresses.json").unlink(missing_ok=True)  # of an earlier run
    process = Process(command, data.parent / f"{data.name}.log")
    try:
        yield Server(process, data)
    finally:
        process.kill()


@contextmanager
def _folder() -> Iterator[Path]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        data = Path(name) / "data"
        data.mkdir()
        yield data


def wait_until(holds: Callable[[], bool], process: Process, seconds: float, look: float = 0.02) -> None:
    """Wait for holds() to be true, or end the benchmark with what `process` logged. Seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds} s in vain: {process.log.read_text()}")
        time.sleep(look)


def host_port(address: object) -> tuple[str, int]:
    """An address of `Server.addresses`, as sockets take it."""
    host, _, port = str(address).rpartition(":")
    return host, int(port)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The lowest and the highest: what the noise was."""
    return f"[{min(values):.{digits}f}-{max(values):.{digits}f}]"
