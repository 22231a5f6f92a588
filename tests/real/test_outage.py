"""The receiver is away for a while: killed, restarted, frozen, or not there yet. What becomes of the lines?

Real containers of real daemons print numbered lines into a real logdock, with the log options that people
use. What may be lost is Docker's own loss, measured with a bare receiver that came back in no time; beside
each limit stands why.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.conftest import Launcher
from tests.real.dockerd import Dockerd
from tests.real.outages import FAST_LINES, HEAD, Printer, Run
from tests.real.server import Logdock

pytestmark = pytest.mark.docker

ASYNC, ACK = {"fluentd-async": "true"}, {"fluentd-request-ack": "true"}
PATIENT = {"gelf-tcp-max-reconnect": "20", "gelf-tcp-reconnect-delay": "1"}
QUEUE = {"mode": "non-blocking", "max-buffer-size": "64m"}

Limit = Callable[[Printer], float]


def nothing(_: Printer) -> float:
    return 0


def dying(_: Printer) -> float:
    """A killed process is 10 to 60 ms in the kernel's hands, which takes its memory apart before its sockets
    and accepts lines for it meanwhile. Here a line comes each 10 ms."""
    return 10


def meanwhile(printer: Printer) -> float:
    """What was printed while nobody listened, and a few that were on their way."""
    return printer.marks["back"] - printer.marks["away"] + 5


def at_most(lines: int) -> Limit:
    return lambda _: lines


@dataclass(frozen=True)
class Case:
    """What is printed, how, and how much of it may be missing."""

    name: str
    address: str
    options: dict[str, str]
    lost: Limit = nothing
    fast: bool = False
    exits: bool = False  # when it has printed; else it stays, so that Docker has time
    starts: bool = True

    def enough(self, one: Printer) -> bool:
        return bool(one.refusal) or one.lost <= self.lost(one)


@dataclass(frozen=True)
class Times:
    """Seconds from the containers' start; `lines` is what slow ones print, a hundred a second."""

    away: float
    back: float
    lines: int
    end: float


COLLECT_PATIENCE = 60.0  # seconds until all that was sent can be asked for; Docker's pauses grow to 20

LONG = Times(3, 8, 1000, 40)
SHORT = Times(1.5, 4.0, 500, 20)


# -- ways to be away -----------------------------------------------------------------------------------


def killed(server: Logdock) -> None:
    server.kill()


def terminated(server: Logdock) -> None:
    if server.running():
        assert server.stop() == 0


def frozen(server: Logdock) -> None:
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)


def come_back(server: Logdock) -> None:
    """Listen again; one that had ended was launched before, so that its ports open about now."""
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGCONT)
    server.wait_open()


def outage(
    server: Logdock, daemons: Sequence[Dockerd], cases: Sequence[Case], times: Times,
    how: Callable[[Logdock], None], folder: Path, lead: float,
) -> Run:  # fmt: skip
    """Print, go away, come back, print on; then ask for what is kept.

    `lead` is how long the server takes to open its ports: it is launched that much earlier.
    """
    lead = min(lead, times.back - times.away)
    run = Run(server, daemons, [printer(case, times) for case in cases], folder)
    run.mark("away")
    run.start()
    if times.away:
        time.sleep(times.away)
        run.mark("away")
        how(server)
    time.sleep(max(0.0, times.back - times.away - lead))
    if not server.running():
        server.launch()
    else:
        time.sleep(lead)
    come_back(server)
    run.mark("back")
    run.wait(times.end)
    server.wait_ready()
    by_name = {case.name: case for case in cases}
    run.collect(COLLECT_PATIENCE, lambda one: by_name[one.name].enough(one))
    run.remove()
    return run


def printer(case: Case, times: Times) -> Printer:
    lines = FAST_LINES if case.fast else times.lines
    return Printer(case.name, case.address, case.options, lines, case.fast, case.exits)


def judge(runs: Sequence[tuple[str, Sequence[Case], Run]], capsys: pytest.CaptureFixture[str]) -> None:
    """Print the table, then fail for all that is wrong in it."""
    with capsys.disabled():
        print(f"\n{HEAD}")
        for title, _, run in runs:
            print(f"-- {title}")
            for one in run.printers:
                print(one.row())
    wrong = [text for title, cases, run in runs for one in run.printers for text in faults(title, cases, one)]
    assert not wrong, "\n".join(wrong)


def faults(title: str, cases: Sequence[Case], one: Printer) -> Iterator[str]:
    """What is wrong with one container's lines."""
    case = next(case for case in cases if case.name == one.name)
    where = f"{title}, {one.name}, {one.daemon}:"
    if bool(one.refusal) is case.starts:
        yield f"{where} started: {not one.refusal}; {one.refusal}"
    if not case.starts or one.refusal:
        return
    if not one.printed or one.lost > case.lost(one):
        yield f"{where} {one.lost} of {one.printed} lost, {case.lost(one)} allowed"
    if one.doubled or one.odd or not one.in_order:
        yield f"{where} {one.doubled} doubled, never printed {one.odd[:3]}, in order: {one.in_order}"


# -- the short form ------------------------------------------------------------------------------------

SHORT_KILL = (
    Case("plain", "forward", {}, dying),
    Case("ack", "forward", ACK),
    Case("gelf tcp, patient", "gelf_tcp", PATIENT, dying),
    Case("gelf udp", "gelf_udp", {}, meanwhile),
)
SHORT_TERM = (
    Case("plain", "forward", {}),
    Case("gelf tcp, patient", "gelf_tcp", PATIENT),
)
SHORT_FREEZE = (
    Case("ack", "forward", ACK),
    Case("plain", "forward", {}),
    Case("gelf udp", "gelf_udp", {}),  # a frozen process has a big buffer
)


def test_short_outages(
    logdock: Launcher, dockerd20: Dockerd, dockerd26: Dockerd, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Three servers at once, each with its containers on both daemons."""
    plans = [
        ("killed", SHORT_KILL, killed),
        ("SIGTERM", SHORT_TERM, terminated),
        ("frozen", SHORT_FREEZE, frozen),
    ]
    runs: list[tuple[str, Sequence[Case], Run]] = []

    def one(title: str, cases: Sequence[Case], how: Callable[[Logdock], None]) -> None:
        folder = tmp_path / title
        folder.mkdir()
        daemons = [dockerd20, dockerd26]
        run = outage(servers[title], daemons, cases, SHORT, how, folder, lead)
        runs.append((title, cases, run))

    servers = {title: logdock(start=False) for title, _, _ in plans}
    lead = 0.0
    for server in servers.values():
        server.launch()
        lead = max(lead, server.wait_open())
    for server in servers.values():
        server.wait_ready()
    threads = [threading.Thread(target=one, args=plan, daemon=True) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == len(plans)
    judge(runs, capsys)


# -- the long form -------------------------------------------------------------------------------------

LIMITED = {**ASYNC, "fluentd-buffer-limit": "100"}
GIVES_UP = {"fluentd-max-retries": "1", "fluentd-retry-wait": "500ms"}
SMALL_QUEUE = {"mode": "non-blocking", "max-buffer-size": "1m"}

# Beside each limit: what Docker lost with the bare receiver.
KILL_SLOW = (
    Case("plain", "forward", {}, dying),  # 0
    Case("async", "forward", ASYNC, dying),  # 0
    Case("async, limit 100", "forward", LIMITED, at_most(800)),  # 707: its pauses grow, up to the end
    Case("max-retries 1", "forward", GIVES_UP, at_most(550)),  # 450: each line is given up after a second
    Case("ack", "forward", ACK),  # 0, and 1 doubled
    Case("ack, async", "forward", {**ACK, **ASYNC}),
    Case("ack, queue", "forward", {**ACK, **QUEUE}),
    Case("gelf udp", "gelf_udp", {}, meanwhile),  # 363: all of those 5 seconds
    Case("gelf tcp", "gelf_tcp", {}, lambda one: dying(one) + 2),  # 1: a line is given up after 3 seconds
    Case("gelf tcp, patient", "gelf_tcp", PATIENT, dying),  # 0
)
KILL_FAST = (
    Case("plain, fast", "forward", {}, at_most(19_428), fast=True),  # 19,428: the socket's buffers
    Case("ack, fast", "forward", ACK, fast=True),
)
KILL_QUEUED = (
    Case("async, fast", "forward", ASYNC, at_most(346_845), True, exits=True),  # thrown away at the exit
    Case(
        "non-blocking 1m, fast", "forward", SMALL_QUEUE, at_most(267_033), True, exits=True
    ),  # no room in 1 MB
)
TERM_SLOW = (
    Case("plain", "forward", {}),  # 1: after an orderly end a write vanishes; a reset loses none
    Case("async", "forward", ASYNC),
    Case("ack", "forward", ACK),
    Case("ack, async", "forward", {**ACK, **ASYNC}),
    Case("ack, queue", "forward", {**ACK, **QUEUE}),
    Case("gelf udp", "gelf_udp", {}, meanwhile),
    Case("gelf tcp", "gelf_tcp", {}, at_most(2)),  # a line is given up after 3 seconds
    Case("gelf tcp, patient", "gelf_tcp", PATIENT),  # 1
)
FREEZE_SLOW = (
    Case("plain", "forward", {}),
    Case("ack", "forward", ACK),  # 761: the bare receiver never answered
    Case("ack, async", "forward", {**ACK, **ASYNC}),
    Case("gelf tcp", "gelf_tcp", {}),
    Case("gelf udp", "gelf_udp", {}),
)
FREEZE_FAST = (
    Case("plain, fast", "forward", {}, fast=True),  # 0
    Case("ack, fast", "forward", ACK, fast=True),
)
DOWN = (
    Case("plain", "forward", {}, starts=False),
    Case("gelf tcp", "gelf_tcp", {}, starts=False),
    Case("async", "forward", ASYNC),  # 1000: its pauses grew beyond the container's end; these stay
    Case("ack, async", "forward", {**ACK, **ASYNC}),
    Case("async, exits", "forward", ASYNC, at_most(1000), exits=True),
    Case("gelf udp", "gelf_udp", {}, meanwhile),
)
LONG_FORMS: dict[str, tuple[Sequence[Case], Callable[[Logdock], None]]] = {
    "killed": (KILL_SLOW, killed),
    "killed, fast": (KILL_FAST, killed),
    "killed, queued": (KILL_QUEUED, killed),
    "SIGTERM": (TERM_SLOW, terminated),
    "frozen": (FREEZE_SLOW, frozen),
    "frozen, fast": (FREEZE_FAST, frozen),
    "down at start": (DOWN, terminated),
}


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("title", LONG_FORMS)
def test_long_outages(
    title: str, logdock: Launcher, dockerd20: Dockerd, dockerd26: Dockerd, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    cases, how = LONG_FORMS[title]
    server = logdock(start=False)
    server.launch()
    lead = server.wait_open()
    server.wait_ready()
    times = LONG
    if title == "down at start":
        times = Times(0, LONG.back, LONG.lines, LONG.end)
        assert server.stop() == 0
    # fast ones need the machine for themselves: one daemon after the other
    together = [[dockerd20], [dockerd26]] if cases[0].fast else [[dockerd20, dockerd26]]
    runs = []
    for number, daemons in enumerate(together):
        folder = tmp_path / str(number)
        folder.mkdir()
        runs.append((title, cases, outage(server, daemons, cases, times, how, folder, lead)))
    judge(runs, capsys)
