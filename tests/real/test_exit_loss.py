"""A container prints everything at once and exits: does every line arrive?

dockerd gives an exited container's lines ten seconds, and those that its driver has queued less: what is
missing then is the end of what was printed. Nothing before it may be missing, doubled or out of order.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.real.conftest import Launcher
from tests.real.dockerd import Dockerd
from tests.real.outages import connect, metric
from tests.real.server import Logdock

pytestmark = pytest.mark.docker

MANY, FEW = 200_000, 10_000
QUIET_SECONDS = 3.0  # nothing more came for so long: nothing more comes
PATIENCE = 60.0

ASYNC, ACK = {"fluentd-async": "true"}, {"fluentd-request-ack": "true"}
NON_BLOCKING = {"mode": "non-blocking"}


@dataclass(frozen=True)
class Case:
    """How it is sent. `best` is the fewest of 200,000 lines that a bare receiver written in C saw lost.

    `most` is what is allowed here, and `only_the_end` that nothing else may be missing.
    """

    name: str
    address: str
    options: dict[str, str]
    best: int = 0
    most: int = 0
    only_the_end: bool = False
    counted: bool = False  # what is missing is in the server's own count of drops


ACKED = Case("ack", "forward", ACK)
PLAIN = Case("plain", "forward", {})
# What README recommends: dockerd sends the queue to its end, however long that takes. Two of its goroutines
# share the connection then. About once in six exits one waits for ever for an ack that the other swallowed,
# until that connection is closed.
RECOMMENDED = Case("ack, queue", "forward", {**ACK, **NON_BLOCKING, "max-buffer-size": "64m"})
# Ten seconds for 200,000 lines are 50 us for each round trip. With answers after 5 us, from C, it takes 38;
# with answers after 20 us, dockerd falls asleep each time and it takes 125. So the end is missing.
MANY_ACKED = Case("ack", "forward", ACK, 0, MANY * 9 // 10, only_the_end=True)
CASES = (
    PLAIN,
    # dockerd throws the driver's queue away at the exit: what had not been sent by then
    Case("async", "forward", ASYNC, 22_000, MANY // 2, only_the_end=True),
    # its buffer of 1 MB holds what the receiver has not taken, unless dockerd gets no time to send
    Case("non-blocking", "forward", NON_BLOCKING, 0, MANY // 4),
    Case("non-blocking 100m", "forward", {**NON_BLOCKING, "max-buffer-size": "100m"}),
    MANY_ACKED,
    RECOMMENDED,
    Case("ack, async", "forward", {**ACK, **ASYNC}, 180_000, MANY, only_the_end=True),
    Case("gelf tcp", "gelf_tcp", {}),
    # gzip makes dockerd spend a core on 2,200 lines a second
    Case("gelf udp, gzip", "gelf_udp", {}, 171_583, 190_000),
    # without back-pressure: what the kernel drops while others have the processor, and counts
    Case("gelf udp, none", "gelf_udp", {"gelf-compression-type": "none"}, 0, MANY // 2, counted=True),
)


@dataclass
class Result:
    """What became of one container's lines."""

    case: Case
    daemon: str
    printed: int
    kept: list[str]
    seconds: float
    drops: int  # counted by the server meanwhile

    @property
    def numbers(self) -> list[int]:
        return [int(text) for text in self.kept]

    @property
    def lost(self) -> int:
        return self.printed - len(set(self.kept))

    def row(self) -> str:
        order = "yes" if self.numbers == sorted(self.numbers) else "NO"
        return (
            f"{self.case.name:<20} {self.daemon:<5} {self.printed:>8,} {self.lost:>8,} {self.case.best:>8,} "
            f"{len(self.kept) - len(set(self.kept)):>4} {order:>5} {self.seconds:>6.1f} s"
            + (f"  {self.drops:,} dropped by the kernel" if self.drops else "")
        )

    def faults(self) -> Iterator[str]:
        where = f"{self.case.name} on {self.daemon}:"
        numbers = self.numbers
        if self.lost > self.case.most:
            yield f"{where} {self.lost} of {self.printed} lost"
        if len(set(numbers)) != len(numbers):
            yield f"{where} {len(numbers) - len(set(numbers))} doubled"
        if numbers != sorted(numbers):
            yield f"{where} out of order"
        if self.case.counted and self.lost > self.drops:
            yield f"{where} {self.lost} lost, {self.drops} counted"
        if self.case.only_the_end and numbers != list(range(1, len(numbers) + 1)):
            yield f"{where} more than the end is missing"


HEAD = f"{'case':<20} {'':<5} {'printed':>8} {'lost':>8} {'best':>8} {'dup':>4} {'order':>5}"


def print_and_exit(server: Logdock, daemon: Dockerd, case: Case, lines: int) -> Result:
    """Run one container, and ask for its lines when no more come."""
    containers = connect(daemon)
    begun, drops = time.monotonic(), kernel_drops(server)
    identity = containers.run(*log_config(server, case), f"seq 1 {lines}")
    end = begun + PATIENCE
    changed, before = time.monotonic(), -1.0
    while (now := time.monotonic()) < end and now - changed < QUIET_SECONDS:
        taken = metric(server, "logdock_frames_total") + metric(server, "logdock_events_total")
        if taken != before:
            changed, before = now, taken
        time.sleep(0.2)
    kept = [event["message"] for event in server.export(container=identity, order="asc")]
    containers.remove(identity)
    containers.api.close()
    return Result(case, daemon.version, lines, kept, changed - begun, kernel_drops(server) - drops)


def kernel_drops(server: Logdock) -> int:
    return int(metric(server, "logdock_udp_kernel_drops"))


def log_config(server: Logdock, case: Case) -> tuple[str, dict[str, str]]:
    address: str = getattr(server, case.address)
    if case.address == "forward":
        return "fluentd", {"fluentd-address": address, **case.options}
    return "gelf", {"gelf-address": f"{case.address.removeprefix('gelf_')}://{address}", **case.options}


def judge(results: Sequence[Result], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{HEAD}")
        for result in results:
            print(result.row())
    assert [fault for result in results for fault in result.faults()] == []


def test_few_lines_fit_into_the_ten_seconds(
    logdock: Launcher, dockerd20: Dockerd, dockerd26: Dockerd, capsys: pytest.CaptureFixture[str]
) -> None:
    server = logdock()
    results: list[Result] = []
    for cases in ((PLAIN, ACKED), [RECOMMENDED] * 3):
        jobs = [(daemon, case) for daemon in (dockerd20, dockerd26) for case in cases]
        with ThreadPoolExecutor(len(jobs)) as pool:
            results += pool.map(lambda job: print_and_exit(server, job[0], job[1], FEW), jobs)
    judge(results, capsys)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_way_to_exit(
    logdock: Launcher, dockerd20: Dockerd, dockerd26: Dockerd, capsys: pytest.CaptureFixture[str]
) -> None:
    server = logdock()
    results = [
        print_and_exit(server, daemon, case, MANY) for daemon in (dockerd20, dockerd26) for case in CASES
    ]
    judge(results, capsys)
