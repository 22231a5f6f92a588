"""The disk is full for ten seconds: real dockerds resend seldom, lose nothing, and nothing is doubled."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.conftest import Launcher
from tests.real.disks import small_disk
from tests.real.dockerd import Dockerd
from tests.real.outages import HEAD, Printer, Run, metric

pytestmark = pytest.mark.docker

DISK = 256 << 20
FLOOR = "32MB"
BALLAST = 230 << 20  # leaves less than the floor
BLOCKED_SECONDS = 10.0
LINES = 1500
ACK = {"fluentd-request-ack": "true"}
QUEUE = {"mode": "non-blocking", "max-buffer-size": "64m"}
WAITERS = (
    Printer("ack", "forward", ACK, LINES),
    Printer("ack, queue", "forward", {**ACK, **QUEUE}, LINES),
    Printer("plain", "forward", {}, LINES),
    Printer("gelf tcp", "gelf_tcp", {}, LINES),
)
# A refused sender waits 1.5 s for its ack and Docker one second before it dials again, then longer: five
# times in ten seconds. More than two a second would be a loop that feeds itself.
MOST_DIALS = 2 * BLOCKED_SECONDS


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK) as folder:
        yield folder


def test_a_full_disk_makes_no_hot_loop(
    disk: Path, logdock: Launcher, dockerd20: Dockerd, dockerd26: Dockerd, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    server = logdock("--disk-floor", FLOOR, start=False)
    server.data, server.log = disk / "data", tmp_path / "log"
    server.start()
    run = Run(server, [dockerd20, dockerd26], WAITERS, tmp_path)
    run.start()
    time.sleep(1)
    before = metric(server, "logdock_connections_opened_total", protocol="forward")
    ballast = os.open(disk / "ballast", os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(ballast, 0, BALLAST)
    time.sleep(BLOCKED_SECONDS)
    assert server.get("/readyz").status_code == 503
    dials = metric(server, "logdock_connections_opened_total", protocol="forward") - before
    refused = metric(server, "logdock_refused_total", protocol="forward", reason="journal_blocked")
    gelf = metric(server, "logdock_refused_total", protocol="gelf_tcp")
    os.close(ballast)
    (disk / "ballast").unlink()
    run.wait(30)
    run.collect(40, lambda one: not one.lost)
    run.remove()
    with capsys.disabled():
        print(f"\nblocked for {BLOCKED_SECONDS:.0f} s: {dials:.0f} dials, {refused:.0f} refused\n{HEAD}")
        print("\n".join(one.row() for one in run.printers))
    acked = 2 * 2  # two printers with acks on two daemons
    assert acked <= refused <= dials + acked
    assert dials <= MOST_DIALS * acked
    assert gelf == 0
    for one in run.printers:
        assert (one.lost, one.doubled, one.odd, one.in_order) == (0, 0, [], True), one.row()
