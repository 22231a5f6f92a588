"""The Elasticsearch store alone: what an event costs on its way in, beside a bare bulk client.

    eval "$(scripts/elasticsearch env)"; python bench/store_elastic.py [EVENTS] [RUNS]

Events are made before the clock starts. The bare client sends the same documents, rendered beforehand, in
8 MB bodies over two connections and reads nothing of the replies: no shipper can be faster. Both take turns
on one warm server, each run into a data stream of its own. CPU is of this process.
"""

import asyncio
import gc
import http.client
import os
import platform
import queue
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import orjson
import payload
import uvloop

from parsers.event import Container, Event, make_origin
from parsers.lines import level_and_fields
from storage.elastic.docs import Writer
from storage.elastic.store import ElasticStore
from storage.metrics import Metrics
from storage.query import ContainerRef, Query
from storage.store import Checkpoint, Rejection

EVENTS, RUNS = 400_000, 3
SLICE = 2_000  # events per append, as the pipeline hands them on
BODY, CONNECTIONS = 8 << 20, 2
START = payload.FIRST_SECOND * 1_000_000_000
JOURNAL = "4f1c2a9be07d"


class Figure(msgspec.Struct):
    """One run: wall and CPU seconds of this process, CPU seconds of Elasticsearch."""

    wall: float
    cpu: float
    server: float


def events(count: int) -> list[Event]:
    """Events as the pipeline makes them of the payload, containers taking turns."""
    each = -(-count // len(payload.CONTAINERS))
    streams = [_stream(number, each) for number in range(len(payload.CONTAINERS))]
    mixed = [event for turn in zip(*streams, strict=True) for event in turn]
    return mixed[:count]


def _stream(number: int, count: int) -> list[Event]:
    service, step = payload.CONTAINERS[number], len(payload.CONTAINERS)
    container = Container(service.id, service.container_name, service.image)
    origin = make_origin(
        container, "node-a", service=service.name, service_source="label:com.docker.compose.service",
        labels=payload.labels(service), tag=service.id[:12],
    )  # fmt: skip
    made = []
    for place, line in enumerate(payload.lines(service.kind, count, number)):
        at = place * step + number
        level, fields, json_line = level_and_fields(line)
        time_ns = START + at * 200_000
        made.append(
            Event(
                JOURNAL, at * 400, 0, time_ns, time_ns - time_ns % 5_000_000, at, at, line, origin,
                "stdout", level, fields, json_line,
            )
        )  # fmt: skip
    return made


def rendering(made: Sequence[Event]) -> float:
    """CPU microseconds per event to render bulk lines, the best of five."""
    best = float("inf")
    for _ in range(5):
        writer, start = Writer(), time.process_time()
        bodies(made, writer, 1 << 20)
        best = min(best, time.process_time() - start)
    return best / len(made) * 1e6


def bodies(made: Sequence[Event], writer: Writer, size: int) -> list[bytes]:
    """The events as bulk bodies."""
    place, rendered = 0, []
    while place < len(made):
        body, place = writer.body(made, place, size)
        rendered.append(body)
    return rendered


def bare(url: str, stream: str, rendered: Sequence[bytes]) -> None:
    """Post all bodies over CONNECTIONS connections, as fast as they are taken."""
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for body in rendered:
        waiting.put(body)
    threads = [threading.Thread(target=_post, args=(url, stream, waiting)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _post(url: str, stream: str, waiting: "queue.SimpleQueue[bytes]") -> None:
    connection = http.client.HTTPConnection(urlsplit(url).hostname or "", urlsplit(url).port)
    headers = {"content-type": "application/x-ndjson"}
    while not waiting.empty():
        connection.request("POST", f"/{stream}/_bulk?filter_path=errors", waiting.get(), headers)
        if connection.getresponse().read() != b'{"errors":false}':
            raise SystemExit("the bare client's bodies were refused")


async def ours(url: str, stream: str, made: Sequence[Event], folder: Path, ask: bool) -> None:
    """Append and flush, as the pipeline does; with `ask`, look whether all of it is there."""

    def refused(rejections: Sequence[Rejection]) -> None:
        raise SystemExit(f"{len(rejections)} events were refused: {rejections[0].message}")

    store = ElasticStore(url, folder, JOURNAL, Metrics(), on_rejected=refused, stream=stream)
    await store.start()
    for place in range(0, len(made), SLICE):
        await store.append(made[place : place + SLICE], Checkpoint(offset=place + SLICE))
        await asyncio.sleep(0)
    await store.flush()
    if ask:
        await _ask(store, len(made))
    await store.close()


async def _ask(store: ElasticStore, count: int) -> None:
    services = await store.services(Query())
    assert sum(service.lines for service in services) == count, services
    container = payload.CONTAINERS[0]
    for name, query in {
        "newest 100": Query(),
        "newest 100 of a container": Query(containers=(ContainerRef(id=container.id),)),
        "newest 100 of a service": Query(services=("api",)),
    }.items():
        print(f"| {name} | {await _median_ms(store, query):.0f} ms |")


async def _median_ms(store: ElasticStore, query: Query) -> float:
    took = []
    for _ in range(7):
        start = time.perf_counter()
        page = await store.search(query)
        took.append((time.perf_counter() - start) * 1e3)
        assert len(page.events) == query.limit
    return statistics.median(took)


def server_cpu(url: str) -> float:
    """CPU seconds that Elasticsearch has used."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.request("GET", "/_nodes/stats/process")
    nodes = orjson.loads(connection.getresponse().read())["nodes"]
    return float(sum(node["process"]["cpu"]["total_in_millis"] for node in nodes.values())) / 1e3


def measure(
    url: str, made: Sequence[Event], rendered: Sequence[bytes], kind: str, ask: bool = False
) -> Figure:
    """One run of "bare" or "logdock" into a new data stream."""
    stream = f"logs-docker-bench_{kind}_{time.time_ns()}"
    gc.collect()
    server, cpu, wall = server_cpu(url), time.process_time(), time.perf_counter()
    if kind == "bare":
        bare(url, stream, rendered)
    else:
        loop = uvloop.new_event_loop  # as the server runs it
        with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=loop) as runner:
            runner.run(ours(url, stream, made, Path(folder), ask))
    figure = Figure(time.perf_counter() - wall, time.process_time() - cpu, 0)
    figure.server = server_cpu(url) - server
    return figure


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else RUNS
    url = os.environ.get("LOGDOCK_TEST_ELASTICSEARCH")
    if not url:
        raise SystemExit('first: scripts/elasticsearch up; eval "$(scripts/elasticsearch env)"')
    made = events(count)
    rendered = bodies(made, Writer(), BODY)
    gc.freeze()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {count} events,"
    )
    print(f"{sum(map(len, rendered)) / count:.0f} bytes a document with its action; medians of {runs} runs\n")
    print(f"rendering alone: {rendering(made):.2f} us an event\n")
    measure(url, made, rendered, "logdock")  # the data stream's template, and a server that is warm
    measure(url, made, rendered, "bare")
    taken: dict[str, list[Figure]] = {"bare": [], "logdock": []}
    for _ in range(runs):
        for kind, figures in taken.items():
            figures.append(measure(url, made, rendered, kind))
    report(count, taken)
    print("\n| asked, median of 7 | |\n|---|---|")
    measure(url, made, rendered, "logdock", ask=True)


def report(count: int, taken: dict[str, list[Figure]]) -> None:
    """The table, and what share of the bare client's rate is reached."""
    print("| | events/s | client us/event | Elasticsearch us/event |\n|---|---|---|---|")
    rates = {}
    for kind, figures in taken.items():
        parts = ("wall", "cpu", "server")
        wall, cpu, server = (statistics.median(getattr(f, part) for f in figures) for part in parts)
        rates[kind] = count / wall
        print(f"| {kind} | {count / wall:,.0f} | {cpu / count * 1e6:.2f} | {server / count * 1e6:.1f} |")
    print(f"\nshare of the bare client's rate: {rates['logdock'] / rates['bare']:.2f}")


if __name__ == "__main__":
    main()
