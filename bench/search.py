"""What people ask in an incident, of ten million lines of two days: logdock beside what else they could have.

    python bench/search.py [lines] [--keep FOLDER]     default 10,000,000; about fifteen minutes

Four columns: logdock on its embedded store, logdock on Elasticsearch, that same Elasticsearch asked without
logdock for the like of it, and VictoriaLogs (built from its Go module). Every question goes over HTTP on a
kept connection and is asked RUNS times, of containers and services in turn; medians of wall time, in
milliseconds. The peers answer by token where logdock answers by substring: what a user of each would write.
The second table is the same while every server takes PACED lines a second.

A question is good when it takes at most its target, and at most twice what the better of the two peers takes.
With --keep all data stays in FOLDER and is used again; Elasticsearch then is LOGDOCK_BENCH_ELASTICSEARCH.
"""

import argparse
import http.client
import multiprocessing
import queue
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import corpus
import msgspec
import questions
import rig
import to_elastic
import victorialogs

LINES = 10_000_000
RUNS = 15
SLOW, SLOW_RUNS = 3.0, 3  # seconds for a question: so many runs are enough then
PACED = 5_000  # lines a second
TICK = 0.05  # seconds between writes of the paced sender
PATIENCE = 1_800.0
CALM_SHARE, CALM_SECONDS = 0.15, 3.0  # of a core: no more sealing or merging
EXPORTED = 2_000_000
LEAST_EXPORT = 100_000.0  # lines a second
MOST_GROWTH = 64.0  # MiB while exporting
LOADED = "loaded"
TELL_LINES = 1_000_000
CONTEXT = multiprocessing.get_context("fork")


class Peers(msgspec.Struct):
    """What is running."""

    local: rig.Server
    elastic: rig.Server
    bare: str  # host:port of Elasticsearch
    victoria: victorialogs.Victoria

    @property
    def addresses(self) -> dict[str, str]:
        """host:port of HTTP, by column."""
        return {
            "local": str(self.local.addresses["http"]),
            "elastic": str(self.elastic.addresses["http"]),
            "bare": self.bare,
            "victoria": self.victoria.address,
        }

    @property
    def processes(self) -> tuple[rig.Process, ...]:
        return self.local.process, self.elastic.process, self.victoria.process


@contextmanager
def running(folder: Path) -> Iterator[Peers]:
    """All of them, with their data in `folder`."""
    for name in ("local", "elastic"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        url = stack.enter_context(to_elastic.elasticsearch())
        local = stack.enter_context(rig.logdock(keep=folder / "local"))
        elastic = stack.enter_context(rig.logdock(f"--store={url}", keep=folder / "elastic"))
        victoria = stack.enter_context(victorialogs.victorialogs(folder / "victoria"))
        yield Peers(local, elastic, url.partition("://")[2], victoria)
        local.process.stop()
        elastic.process.stop()


# -- loading -------------------------------------------------------------------------------------------


def load(peers: Peers, folder: Path, lines: int) -> None:
    """Send the corpus to everybody, once, and wait until it is stored and calm."""
    if not (folder / LOADED).exists():
        sent, begun = fill(peers, lines), time.monotonic()
        for server in (peers.local, peers.elastic):
            rig.wait_until(lambda server=server: stored(server) >= sent, server.process, PATIENCE, 1.0)
        (folder / LOADED).write_text(str(sent))
        print(f"stored {time.monotonic() - begun:.0f} s after the last was sent", file=sys.stderr)
    for process in peers.processes:
        calm(process)
    print("all calm", file=sys.stderr)


def fill(peers: Peers, lines: int) -> int:
    """Send it. Returns how many lines."""
    rows: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
    inserter = threading.Thread(target=insert, args=(peers.victoria, rows))
    inserter.start()
    sockets = [
        socket.create_connection(rig.host_port(server.forward)) for server in (peers.local, peers.elastic)
    ]
    sent, waiting, begun = 0, b"", time.monotonic()
    for part in corpus.slices(lines):
        for peer in sockets:
            peer.sendall(part.frames)
        waiting += part.rows
        sent += part.lines
        if len(waiting) > 4 << 20:
            rows.put(waiting)
            waiting = b""
        if sent // TELL_LINES > (sent - part.lines) // TELL_LINES:
            print(f"{sent:,} lines, {sent / (time.monotonic() - begun):,.0f}/s", file=sys.stderr)
    rows.put(waiting)
    rows.put(None)
    inserter.join()
    for peer in sockets:
        peer.close()
    return sent


def insert(victoria: victorialogs.Victoria, rows: "queue.Queue[bytes | None]") -> None:
    while (part := rows.get()) is not None:
        victoria.insert(part)


def stored(server: rig.Server) -> float:
    return server.metric("logdock_events_total")


def calm(process: rig.Process) -> None:
    """Wait until the process does next to nothing."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        before = process.cpu
        time.sleep(CALM_SECONDS)
        if process.cpu - before < CALM_SHARE * CALM_SECONDS:
            return
    raise SystemExit(f"process {process.pid} does not come to rest")


# -- asking --------------------------------------------------------------------------------------------


class Answer(msgspec.Struct):
    """Milliseconds, the median of RUNS; bytes of the last answer."""

    median: float
    most: float
    size: int


def ask(address: str, requests: Sequence[questions.Request]) -> Answer:
    """Ask each in turn, RUNS in all, over one connection."""
    connection = http.client.HTTPConnection(address, timeout=120)
    took: list[float] = []
    body = b""
    for number in range(RUNS):
        if number >= SLOW_RUNS and min(took) > SLOW * 1e3:
            break
        request = requests[number % len(requests)]
        begun = time.perf_counter()
        connection.request(request.method, request.path, request.body, dict(request.headers))
        answer = connection.getresponse()
        body = answer.read()
        took.append((time.perf_counter() - begun) * 1e3)
        if answer.status != http.client.OK:
            raise SystemExit(f"{address}{request.path}: {answer.status} {body[:500].decode()}")
    connection.close()
    return Answer(rig.median(took), max(took), len(body))


def table(peers: Peers, asked: Sequence[questions.Question], allowed: float) -> Iterator[rig.Row]:
    """A row for each question; `allowed` times its target is the target."""
    for question in asked:
        answers = {
            name: ask(address, requests)
            for name, address in peers.addresses.items()
            if (requests := getattr(question, name))
        }
        own = answers["local"].median
        best = min((answers[name].median for name in ("bare", "victoria") if name in answers), default=own)
        shown = "  ".join(
            f"{name} {answers[name].median:8.1f}" if name in answers else f"{name}        -"
            for name in peers.addresses
        )
        print(f"{question.what}: {shown}", file=sys.stderr, flush=True)
        good = own <= question.most * allowed and own <= 2 * best
        target = f"<= {question.most * allowed:g}, {2 * best:.0f}"
        yield rig.Row(question.what, shown, target, good)


# -- while lines arrive --------------------------------------------------------------------------------


@contextmanager
def paced(peers: Peers) -> Iterator[None]:
    """Every server takes PACED lines a second meanwhile."""
    senders = [
        CONTEXT.Process(target=send, args=(rig.host_port(peers.local.forward),), daemon=True),
        CONTEXT.Process(target=send, args=(rig.host_port(peers.elastic.forward),), daemon=True),
        CONTEXT.Process(target=send_rows, args=(peers.victoria,), daemon=True),
    ]
    for sender in senders:
        sender.start()
    time.sleep(2)
    try:
        yield
    finally:
        for sender in senders:
            if not sender.is_alive():
                raise SystemExit("a sender ended early")
            sender.terminate()
            sender.join()


def send(address: tuple[str, int]) -> None:
    """Docker's single messages, all busy containers taking turns, until it is ended."""
    with socket.create_connection(address) as peer:
        at_pace(lambda each: peer.sendall(b"".join(frame(*line) for line in each)))


def send_rows(victoria: victorialogs.Victoria) -> None:
    at_pace(lambda each: victoria.insert(b"".join(writer.json(at, line) for writer, at, line in each)))


def at_pace(write: Callable[[list[tuple[corpus.Writer, int, str]]], None]) -> None:
    """Hand on PACED lines a second, with the moment of their making."""
    writers = [
        corpus.Writer(life, 1.0, number) for number, life in enumerate(corpus.lives()[: corpus.ALWAYS])
    ]
    begun, made = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - begun) * PACED)
        turn = [writers[number % len(writers)] for number in range(made, due)]
        write([(writer, time.time_ns(), writer.line()) for writer in turn])
        made = due
        time.sleep(TICK)


def frame(writer: corpus.Writer, at: int, line: str) -> bytes:
    """A message as fluent-logger-golang writes it: [tag, time, record, option]."""
    entry = writer.entry(at, line)
    return b"\x94" + writer.packed_tag + entry[1:] + b"\x80"


# -- export --------------------------------------------------------------------------------------------


def export(server: rig.Server) -> Iterator[rig.Row]:
    """How fast everything leaves, and what memory that takes."""
    connection = http.client.HTTPConnection(str(server.addresses["http"]), timeout=120)
    before = server.process.memory("VmRSS")
    begun, lines, most = time.monotonic(), 0, before
    connection.request("GET", "/api/v1/logs/export?order=asc")
    answer = connection.getresponse()
    while lines < EXPORTED and (part := answer.read(1 << 20)):
        lines += part.count(b"\n")
        most = max(most, server.process.memory("VmRSS"))
    rate = lines / (time.monotonic() - begun)
    connection.close()
    yield rig.at_least(f"export of {lines:,} lines, lines/s", rate, LEAST_EXPORT, "")
    yield rig.at_most("memory it took", most - before, MOST_GROWTH, "MiB", 0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lines", type=int, nargs="?", default=LINES)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    rig.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=rig.CACHE) as scratch:
        folder = options.keep or Path(scratch)
        with running(folder) as peers:
            load(peers, folder, options.lines)
            addresses = peers.addresses
            asked = questions.all_of_them(addresses["local"], addresses["elastic"])
            rig.show(f"search: {options.lines:,} lines, at rest, ms", list(table(peers, asked, 1)))
            with paced(peers):
                rows = list(table(peers, asked, 2))
            rig.show(f"search: the same while each takes {PACED:,} lines/s, ms", rows)
            rig.show("export", list(export(peers.local)))


if __name__ == "__main__":
    main()
