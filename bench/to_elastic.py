"""`logdock serve` in front of a real Elasticsearch, beside a bare bulk client on the same machine.

    python bench/to_elastic.py [events] [runs]      default 600,000 and 3

The bare client (loadgen bulk) posts the same documents, rendered beforehand, in 8 MB bodies over two
connections and reads one word of each reply: no shipper can be quicker. Both take turns on one warm server,
each run into a new index. logdock is done when its commit file says that Elasticsearch has everything.

The server is LOGDOCK_BENCH_ELASTICSEARCH, or one of its own (scripts/elasticsearch, 2 GB of heap) that is
ended and forgotten afterwards: what is sent to logs-docker-default stays there.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import rig

from parsers.event import Event
from parsers.forward import decode
from parsers.normalize import Normalizer, Source
from storage.elastic.commit import read_commit
from storage.elastic.docs import Writer
from storage.elastic.sending import COMMIT_FILE
from storage.elastic.template import STREAM
from storage.store import RUN_JUMP

EVENTS, RUNS = 600_000, 3
BODY_BYTES, CONNECTIONS = 8 << 20, 2
OWN_SERVER = {"LOGDOCK_ES_PORT": "19510", "LOGDOCK_ES_HEAP": "2g"}
ENTRY_FRAMES = 400  # about what one read of a busy connection brings
PATIENCE_SECONDS = 180.0
MOST_US, LEAST_SHARE = 9.0, 0.75


class Figure(msgspec.Struct):
    """One run: events/s, and CPU microseconds an event of the client and of Elasticsearch."""

    rate: float
    client: float
    server: float
    peak: float = 0  # MiB


@contextmanager
def elasticsearch() -> Iterator[str]:
    """The URL of a running server."""
    if url := os.environ.get("LOGDOCK_BENCH_ELASTICSEARCH"):
        yield url
        return
    script, settings = str(rig.HERE.parent / "scripts" / "elasticsearch"), {**OWN_SERVER, **os.environ}
    subprocess.run([script, "up"], env=settings, check=True)
    try:
        yield f"http://127.0.0.1:{settings['LOGDOCK_ES_PORT']}"
    finally:
        subprocess.run([script, "down"], env=settings, check=True)


def bodies(events: int, folder: Path) -> list[Path]:
    """The documents of the payload as bulk bodies: what logdock will send."""
    made, writer, place = _events(events), Writer(), 0
    files: list[Path] = []
    while place < len(made):
        body, place = writer.body(made, place, BODY_BYTES)
        files.append(folder / f"{len(files):04}.body")
        files[-1].write_bytes(body)
    return files


def _events(count: int) -> list[Event]:
    normalizer = Normalizer("here")
    made: list[Any] = []
    for number, file in enumerate(rig.frames(count)):
        frames = list(rig.split(file.read_bytes()))
        for at in range(0, len(frames), ENTRY_FRAMES):
            part = frames[at : at + ENTRY_FRAMES]
            source = Source("bench", len(made) << 10, time.time_ns(), "127.0.0.1", number)
            made += normalizer.forward(decode(b"".join(part), len(part)), source, len(made))
    return [event for event in made if isinstance(event, Event)]


def bare(url: str, files: list[Path]) -> Figure:
    before = server_cpu(url)
    sent = rig.bulk(f"{url}/logs-docker-bench{time.time_ns()}/_bulk?filter_path=errors", files, CONNECTIONS)
    return Figure(sent.rate, sent.cpu / sent.frames * 1e6, (server_cpu(url) - before) / sent.frames * 1e6)


def ours(url: str, events: int) -> Figure:
    """The whole server, from the socket to the commit."""
    with rig.logdock(f"--store={url}") as server:
        process = server.process
        before, used, started = server_cpu(url), process.cpu, time.monotonic()
        rig.send(server.forward, rig.frames(events))
        rig.wait_until(lambda: committed(server.data) >= events, process, PATIENCE_SECONDS)
        wall = time.monotonic() - started
        at_server = server_cpu(url) - before
        peak = process.memory("VmHWM")
        cpu = process.stop() - used
    return Figure(events / wall, cpu / events * 1e6, at_server / events * 1e6, peak)


def committed(data: Path) -> int:
    """How many events Elasticsearch has made durable, as the commit file says."""
    commit = read_commit(data / COMMIT_FILE)
    return commit.checkpoint.offset - RUN_JUMP if commit else 0


def server_cpu(url: str) -> float:
    """CPU seconds that Elasticsearch has used."""
    nodes = msgspec.json.decode(ask(url, "/_nodes/stats/process"))["nodes"]
    return float(sum(node["process"]["cpu"]["total_in_millis"] for node in nodes.values())) / 1e3


def new_index(url: str) -> None:
    """Let logdock's data stream go on in an empty index."""
    ask(url, f"/{STREAM}/_rollover", "POST")


def ask(url: str, path: str, method: str = "GET") -> bytes:
    with rig.DIRECT.open(urllib.request.Request(url + path, method=method), timeout=60) as answer:
        return bytes(answer.read())


def rows(events: int = EVENTS, runs: int = RUNS) -> Iterator[rig.Row]:
    """Measure, row by row."""
    rig.loadgen()
    with elasticsearch() as url, tempfile.TemporaryDirectory(dir=rig.CACHE) as folder:
        ours(url, events)  # makes the index template, and warms the server
        files = bodies(events, Path(folder))
        bare(url, files)
        taken = []
        for _ in range(runs):
            new_index(url)
            taken.append((bare(url, files), ours(url, events)))
    yield from table([pair[0] for pair in taken], [pair[1] for pair in taken])


def table(theirs: list[Figure], mine: list[Figure]) -> Iterator[rig.Row]:
    cpus = [figure.client for figure in mine]
    shares = [a.rate / b.rate for a, b in zip(mine, theirs, strict=True)]
    what = f"forward to Elasticsearch, CPU per event of logdock {rig.spread(cpus)}"
    yield rig.at_most(what, rig.median(cpus), MOST_US, "us")
    what = f"forward to Elasticsearch, share of the bare bulk client's rate {rig.spread(shares)}"
    yield rig.at_least(what, rig.median(shares), LEAST_SHARE, "", 2)
    for name, figures in (("logdock", mine), ("bare client", theirs)):
        rate, server = (
            rig.median([getattr(figure, key) for figure in figures]) for key in ("rate", "server")
        )
        yield rig.Row(f"  {name}; Elasticsearch's CPU {server:.1f} us an event", f"{rate:,.0f} events/s")
    yield rig.Row("  memory, the most", f"{max(figure.peak for figure in mine):.0f} MiB")


def main() -> None:
    numbers = [int(text) for text in sys.argv[1:]]
    rig.show(f"{Path(__file__).stem}: {numbers or (EVENTS, RUNS)}", list(rows(*numbers)))


if __name__ == "__main__":
    main()
