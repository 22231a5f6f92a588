"""How long a line takes from a real container's write to whoever follows it live.

    PYTHONPATH=. python bench/tail_docker.py [lines]      default 400; wants root, and dockerd as the tests do

A container of real dockerd (fluentd driver, its defaults and with the acknowledgements that README
recommends) prints the time some 30 times a second: bash takes it and writes it, so all of dockerd is in the
figure. Readers are those of tail.py.
"""

import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import rig
import tail

from tests.real.dockerd import Dockerd

LINES = 400
FOLLOWERS = (1, 100)
VERSIONS = ("20.10", "26.1")
PAUSE = 0.03  # seconds between two lines
WARM_LINES = 20  # not counted
PATIENCE = 60.0
IMAGE = "bash:1"
PRINT = 'echo "at ${EPOCHREALTIME/./}000 GET /cart HTTP/1.1 200 as long as lines of web servers are, about"'
SETTINGS = {
    "defaults": {},
    "acknowledged": {"fluentd-request-ack": "true", "mode": "non-blocking", "max-buffer-size": "64m"},
}


def image(daemon: Dockerd, root: Path) -> None:
    """A root file system with nothing but bash, which knows microseconds, and a sleep."""
    listed = subprocess.run(["ldd", "/bin/bash"], capture_output=True, text=True, check=True).stdout
    for file in ["/bin/bash", *re.findall(r"(/\S+) \(0x", listed)]:
        place = root / file.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    shutil.copy("/bin/busybox", root / "bin/sleep")
    daemon.image(IMAGE, root)


def start(daemon: Dockerd, forward: str, options: dict[str, str], lines: int) -> str:
    """A container that prints the time so many times; its id."""
    given = {"fluentd-address": forward, "fluentd-sub-second-precision": "true", **options}
    flags = [part for name, value in given.items() for part in ("--log-opt", f"{name}={value}")]
    loop = f"for ((i = 0; i < {lines}; i++)); do {PRINT}; sleep {PAUSE}; done"
    return daemon.run("-d", "--log-driver", "fluentd", *flags, IMAGE, "bash", "-c", loop)


def read(readers: Sequence[socket.socket], lines: int) -> Iterator[tuple[int, float]]:
    """(when it was written, milliseconds) of every line of every reader."""
    poll = select.epoll()
    peers = {peer.fileno(): peer for peer in readers}
    rest = dict.fromkeys(peers, b"")
    for descriptor in peers:
        poll.register(descriptor, select.EPOLLIN)
    left, end = len(readers) * lines, time.monotonic() + PATIENCE
    while left > 0 and time.monotonic() < end:
        for descriptor, _ in poll.poll(1):
            got = rest[descriptor] + peers[descriptor].recv(tail.RECEIVE)
            now = time.time_ns()
            whole = got.rfind(b"\n\n") + 1
            rest[descriptor] = got[whole:]
            for stamp in tail.STAMP.findall(got, 0, whole):
                left -= 1
                yield int(stamp), (now - int(stamp)) / 1e6


def measure(daemon: Dockerd, options: dict[str, str], followers: int, lines: int) -> list[float]:
    """Milliseconds of every line of every follower, sorted."""
    with rig.logdock() as server:
        address = rig.host_port(server.addresses["http"])
        readers = [tail.connect(address, "") for _ in range(followers)]
        container = start(daemon, server.forward, options, lines)
        found = sorted(read(readers, lines))
        daemon.docker("rm", "-f", container)
        for peer in readers:
            peer.close()
        server.process.stop()
    if len(found) < lines * followers:
        raise SystemExit(f"{lines * followers - len(found)} lines did not come")
    return sorted(milliseconds for _, milliseconds in found[WARM_LINES * followers :])


def rows(lines: int) -> Iterator[rig.Row]:
    """Measure, row by row."""
    for version in VERSIONS:
        with tempfile.TemporaryDirectory(prefix="ldt") as folder:
            daemon = Dockerd(version, Path(folder))
            daemon.start()
            try:
                image(daemon, Path(folder) / "root")
                for what, options in SETTINGS.items():
                    for followers in FOLLOWERS:
                        took = measure(daemon, options, followers, lines)
                        p90, p99 = (took[len(took) * share // 100] for share in (90, 99))
                        text = f"dockerd {version}, {what}, {followers} followers: median"
                        text += f", p90 {p90:.1f}, p99 {p99:.1f}, most {took[-1]:.1f}"
                        yield rig.at_most(text, took[len(took) // 2], tail.MOST_MS, "ms", 1)
            finally:
                daemon.stop()


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    rig.show(f"{Path(__file__).stem}: {lines} lines", list(rows(lines)))


if __name__ == "__main__":
    main()
