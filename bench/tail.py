"""How long a line takes from the container's write to whoever follows it live: alone, and among hundreds.

    python bench/tail.py [lines a second] [seconds]      default 200 and 10

One sender writes Docker's single messages, each with the moment of its write; readers of server-sent events
take the time when they have the bytes. Sender, server and readers share the cores, and one process reads for
all readers: what it takes is in the figures, and beyond a core of it they are the reader's and not the
server's. Its share is in the table.
"""

import multiprocessing
import re
import resource
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgpack
import msgspec
import rig

RATE, SECONDS = 200, 10
FOLLOWERS = (1, 10, 100, 300)
MOST_MS = 100.0  # the median
WARM_LINES = 50  # not counted
PATIENCE = 30.0
RECEIVE = 1 << 20
IDENTITY = "ab" * 32
STAMP = re.compile(rb'"message":"at (\d+) ')
CONTEXT = multiprocessing.get_context("fork")


class Figure(msgspec.Struct):
    """Milliseconds of every line of every reader, sorted; CPU seconds of the server and of the readers."""

    took: list[float]
    server: float
    reader: float
    seconds: float
    dropped: float


def send(address: tuple[str, int], rate: float, lines: int) -> None:
    """Write `lines` single messages at an even pace."""
    begun = time.monotonic()
    with socket.create_connection(address) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(lines):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            peer.sendall(message())
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(RECEIVE):
            pass


def message() -> bytes:
    """A message of Docker's driver about the moment of its own writing."""
    record = {"container_id": IDENTITY, "container_name": "/web", "source": "stdout", "log": ""}
    record["log"] = (
        f"at {time.monotonic_ns()} GET /cart HTTP/1.1 200 as long as lines of web servers are, about"
    )
    return bytes(msgpack.packb(["docker.web", int(time.time()), record, {}]))


def connect(address: tuple[str, int], query: str) -> socket.socket:
    """A reader whose first message has come."""
    peer = socket.create_connection(address)
    host, port = address
    peer.sendall(f"GET /api/v1/logs/tail{query} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    got = b""
    while b"\n\n" not in got:
        got += peer.recv(RECEIVE)
    if not got.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(got.decode())
    peer.setblocking(False)
    return peer


def read(readers: Sequence[socket.socket], lines: int) -> Iterator[tuple[int, float]]:
    """(when it was written, milliseconds) of every line of every reader, until all have all or none comes."""
    poll = select.epoll()
    peers = {peer.fileno(): peer for peer in readers}
    for descriptor in peers:
        poll.register(descriptor, select.EPOLLIN)
    left, end = len(readers) * lines, time.monotonic() + PATIENCE + lines / RATE
    rest = dict.fromkeys(peers, b"")
    while left and time.monotonic() < end:
        for descriptor, _ in poll.poll(1):
            got = rest[descriptor] + peers[descriptor].recv(RECEIVE)
            now = time.monotonic_ns()
            whole = got.rfind(b"\n\n") + 1
            rest[descriptor] = got[whole:]
            for stamp in STAMP.findall(got, 0, whole):
                left -= 1
                yield int(stamp), (now - int(stamp)) / 1e6


def measure(followers: int, rate: float, seconds: float, query: str = "") -> Figure:
    """So many readers of one paced sender."""
    lines = int(rate * seconds) + WARM_LINES
    with rig.logdock() as server:
        readers = [connect(rig.host_port(server.addresses["http"]), query) for _ in range(followers)]
        sender = CONTEXT.Process(target=send, args=(rig.host_port(server.forward), rate, lines))
        cpu, own, begun = server.process.cpu, own_cpu(), time.monotonic()
        sender.start()
        found = sorted(read(readers, lines))
        took = sorted(milliseconds for _, milliseconds in found[WARM_LINES * followers :])
        figure = Figure(
            took, server.process.cpu - cpu, own_cpu() - own, time.monotonic() - begun,
            server.metric("logdock_tail_dropped_total"),
        )  # fmt: skip
        sender.join()
        for peer in readers:
            peer.close()
        server.process.stop()
    if len(found) + figure.dropped < lines * followers:
        raise SystemExit(f"{lines * followers - len(found)} lines did not come")
    return figure


def own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rows(rate: float = RATE, seconds: float = SECONDS) -> Iterator[rig.Row]:
    """Measure, row by row."""
    for followers in FOLLOWERS:
        yield from figures(f"{followers} followers of everything, {rate:g} lines/s", followers, rate, seconds)
    yield from figures("100 followers of everything, 1,000 lines/s", 100, 1000, seconds)


def figures(what: str, followers: int, rate: float, seconds: float) -> Iterator[rig.Row]:
    """One row for the latency, one for what it cost."""
    figure = measure(followers, rate, seconds)
    took = figure.took
    p90, p99 = (took[len(took) * share // 100] for share in (90, 99))
    text = f"{what}: median, p90 {p90:.1f}, p99 {p99:.1f}, most {took[-1]:.1f}"
    yield rig.at_most(text, took[len(took) // 2], MOST_MS, "ms", 1)
    each = figure.server / len(took) * 1e6
    shares = (
        f"server {figure.server / figure.seconds:.0%}, readers {figure.reader / figure.seconds:.0%} of a core"
    )
    yield rig.Row(f"  {shares}, dropped {figure.dropped:.0f}; server per line and reader", f"{each:.1f} us")


def main() -> None:
    numbers = [float(text) for text in sys.argv[1:]]
    rig.show(f"{Path(__file__).stem}: {numbers or (RATE, SECONDS)}", list(rows(*numbers)))


if __name__ == "__main__":
    main()
