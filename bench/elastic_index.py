"""How the index of logdock's data stream is best laid out: size, cost and answers of several layouts.

    eval "$(scripts/elasticsearch env)"; python bench/elastic_index.py FOLDER [DOCUMENTS] [RUNS] [NAME ...]

FOLDER holds real log lines, one program a file (*.log); every fifth line is a JSON line of bench/payload.py,
so that there are parsed fields. When a file's lines are used up they come again with other digits. Nine
containers on three hosts take turns. Bodies are rendered before the clock starts and go over two connections,
8 MB each. Layouts take turns, each run in an index of its own that is deleted afterwards (a template and
empty streams stay: use a server of its own). CPU is that of the whole Elasticsearch process from the first
body until nothing merges any more; bytes are of the one segment that a force merge leaves; answers are of
that segment, nothing cached.
"""

import gc
import http.client
import itertools
import os
import queue
import random
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import orjson
import payload

from parsers.event import Container, Event, Origin, make_origin
from parsers.lines import level_and_fields
from storage.elastic import dsl as elastic_dsl
from storage.elastic.docs import Writer
from storage.elastic.template import template
from storage.grammar import parse
from storage.query import ContainerRef, Query

DOCUMENTS, RUNS = 150_000, 3
BODY, CONNECTIONS = 8 << 20, 2
STATS_SECONDS = 1.1  # it looks at its own CPU once a second
QUESTIONS = 15  # of each kind; the median counts
JOURNAL = "4f1c2a9be07d"
START = payload.FIRST_SECOND * 1_000_000_000
STEP = 1_000_000  # nanoseconds between lines
JSON_EVERY = 5

Settings = dict[str, Any]


class Layout(msgspec.Struct):
    """What differs from logdock's own template, and what is done to documents before they go."""

    settings: Settings = {}
    mappings: dict[str, Any] = {}  # properties by dotted name
    change: Callable[[dict[str, Any], str], None] | None = None


class Figure(msgspec.Struct):
    """One run of one layout."""

    size: float  # bytes a document
    cpu: float  # microseconds a document
    wall: float
    answers: dict[str, float]  # milliseconds


STANDARD: Settings = {
    "index.mode": None, "index.codec": "best_compression", "index.mapping.source.mode": None,
    "index.sort.field": None, "index.sort.order": None,
}  # fmt: skip
LOGSDB: Settings = {"index.mode": "logsdb", "index.codec": None, "index.mapping.source.mode": "stored"}


def sorted_by(*fields: str) -> Settings:
    orders = ["desc" if field == "@timestamp" else "asc" for field in fields]
    return {"index.sort.field": list(fields), "index.sort.order": orders}


BY_HOST, BY_CONTAINER = sorted_by("host.name", "@timestamp"), sorted_by("container.id", "@timestamp")
BY_SERVICE = sorted_by("service.name", "container.id", "@timestamp")
LINE = {"type": "text", "analyzer": "line", "norms": False}


def with_id(document: dict[str, Any], name: str) -> None:
    document["event"]["id"] = name


def without_constants(document: dict[str, Any], _: str) -> None:
    """As template version 1 had it."""
    for name in ("kind", "module", "dataset"):
        del document["event"][name]
    del (
        document["data_stream"],
        document["ecs"],
        document["container"]["runtime"],
        document["host"]["hostname"],
    )


KEPT = {"type": "keyword", "index": False}  # found by looking through its doc values
CONSTANTS = (
    "event.kind", "event.module", "event.dataset", "ecs.version", "container.runtime", "host.hostname",
    "data_stream.type", "data_stream.dataset", "data_stream.namespace",
)  # fmt: skip

BEST = {**LOGSDB, **BY_CONTAINER}
LAYOUTS: dict[str, Layout] = {
    "standard": Layout(STANDARD),
    "standard by container": Layout({**STANDARD, **BY_CONTAINER}),
    "standard by host": Layout({**STANDARD, **BY_HOST}),
    "logsdb by host, stored": Layout({**LOGSDB, **BY_HOST}),
    "logsdb by container, stored": Layout(BEST),
    "logsdb by service, stored": Layout({**LOGSDB, **BY_SERVICE}),
    "logsdb by time, stored": Layout({**LOGSDB, **sorted_by("@timestamp")}),
    "logsdb by host, synthetic": Layout({**LOGSDB, **BY_HOST, "index.mapping.source.mode": "synthetic"}),
    "logsdb by container, synthetic": Layout({**BEST, "index.mapping.source.mode": "synthetic"}),
    "logsdb by container, no positions": Layout(BEST, {"message": {**LINE, "index_options": "docs"}}),
    "logsdb by container, norms": Layout(BEST, {"message": {**LINE, "norms": True}}),
    "logsdb by container, fields not indexed": Layout(
        BEST, {"docker.fields": {"type": "object", "enabled": False}}
    ),
    "logsdb by container, event.id": Layout(BEST, {"event.id": {"type": "keyword"}}, with_id),
    "logsdb by container, no constants": Layout(BEST, {}, without_constants),
    "logsdb by container, constants not indexed": Layout(BEST, dict.fromkeys(CONSTANTS, KEPT)),
    "logsdb by container, refresh 1s": Layout({**BEST, "index.refresh_interval": "1s"}),
    "logsdb by container, refresh 5s": Layout({**BEST, "index.refresh_interval": "5s"}),
    "logsdb by container, refresh 30s": Layout({**BEST, "index.refresh_interval": "30s"}),
    "standard, no constants": Layout(STANDARD, {}, without_constants),
}  # fmt: skip


# Lines


def events(folder: Path, count: int) -> list[Event]:
    """Lines as the pipeline makes events of them, containers taking turns unevenly."""
    dice = random.Random(payload.SEED)
    files = sorted(folder.glob("*.log"))
    if not files:
        raise SystemExit(f"no *.log in {folder}")
    programs = [
        (_origin(file.stem.partition("_")[0].lower(), n), _again(file, dice)) for n, file in enumerate(files)
    ]
    json = (_origin("api", len(files)), payload.lines("json", count, 0))
    chosen = dice.choices(programs, [1 / (n + 1) for n in range(len(programs))], k=count)
    return [
        _event(place, *(json if place % JSON_EVERY == 0 else program)) for place, program in enumerate(chosen)
    ]


def _again(file: Path, dice: random.Random) -> Iterator[str]:
    lines = [line for line in file.read_text(errors="replace").splitlines() if line.strip()]
    yield from lines
    while True:
        for line in lines:
            yield re.sub(r"\d", lambda _: str(dice.randrange(10)), line)


def _origin(name: str, number: int) -> Origin:
    service = payload.Service(name, 1, f"shop/{name}:3.4", name)
    container = Container(service.id, service.container_name, service.image)
    return make_origin(
        container, f"node-{number % 3}", service=name, service_source="label:com.docker.compose.service",
        labels=payload.labels(service), tag=service.id[:12],
    )  # fmt: skip


def _event(place: int, origin: Origin, lines: Iterator[str]) -> Event:
    line, at = next(lines), START + place * STEP
    level, fields, json_line = level_and_fields(line)
    observed = at + 5_000_000 - at % 5_000_000
    return Event(
        JOURNAL, place * 400, 0, at, observed, place, place, line, origin, "stdout", level, fields, json_line
    )


def bodies(made: Sequence[Event], change: Callable[[dict[str, Any], str], None] | None) -> list[bytes]:
    """The events as bulk bodies."""
    writer, place, rendered = Writer(), 0, []
    while place < len(made):
        body, place = writer.body(made, place, BODY)
        rendered.append(body if change is None else _changed(body, change))
    return rendered


def _changed(body: bytes, change: Callable[[dict[str, Any], str], None]) -> bytes:
    lines = body.splitlines()
    for place in range(0, len(lines), 2):
        document = orjson.loads(lines[place + 1])
        change(document, orjson.loads(lines[place])["create"]["_id"])
        lines[place + 1] = orjson.dumps(document)
    return b"\n".join(lines) + b"\n"


# The server


class Server:
    """Requests to one Elasticsearch."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=300)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = self.connect()
        data = None if body is None else orjson.dumps(body)
        connection.request(method, path, data, {"content-type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise SystemExit(f"{method} {path}: {reply.status} {text[:600]!r}")
        return orjson.loads(text)

    def cpu(self) -> float:
        """CPU seconds it has used."""
        time.sleep(STATS_SECONDS)
        nodes = self.ask("GET", "/_nodes/stats/process")["nodes"]
        return float(sum(node["process"]["cpu"]["total_in_millis"] for node in nodes.values())) / 1e3

    def bulk(self, stream: str, rendered: Sequence[bytes]) -> None:
        """Post all bodies, as fast as they are taken."""
        waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        for body in rendered:
            waiting.put(body)
        threads = [threading.Thread(target=self._post, args=(stream, waiting)) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _post(self, stream: str, waiting: "queue.SimpleQueue[bytes]") -> None:
        connection = self.connect()
        while not waiting.empty():
            headers = {"content-type": "application/x-ndjson"}
            connection.request("POST", f"/{stream}/_bulk?filter_path=errors", waiting.get(), headers)
            if (reply := connection.getresponse().read()) != b'{"errors":false}':
                raise SystemExit(f"the bodies were refused: {reply!r}")

    def idle(self, stream: str) -> None:
        """Wait until nothing merges."""
        while True:
            merges = self.ask("GET", f"/{stream}/_stats/merge")["_all"]["primaries"]["merges"]
            if merges["current"] == 0:
                return
            time.sleep(0.1)


def made_template(layout: Layout) -> dict[str, Any]:
    """logdock's template with what the layout changes, for streams of the bench alone."""
    body = orjson.loads(orjson.dumps(template()))
    body |= {"index_patterns": ["logs-docker-bench_*"], "priority": 900}
    changed = {**body["template"]["settings"], **layout.settings}
    body["template"]["settings"] = {name: value for name, value in changed.items() if value is not None}
    for name, mapping in layout.mappings.items():
        *path, last = name.split(".")
        properties = body["template"]["mappings"]["properties"]
        for part in path:
            properties = properties[part]["properties"]
        properties[last] = mapping
    return dict(body)


def measure(server: Server, layout: Layout, rendered: Sequence[bytes], count: int) -> Figure:
    """One run: template, bodies, force merge, questions."""
    stream = f"logs-docker-bench_{time.time_ns()}"
    server.ask("PUT", "/_index_template/bench-elastic-index", made_template(layout))
    gc.collect()
    cpu, wall = server.cpu(), time.perf_counter()
    server.bulk(stream, rendered)
    wall = time.perf_counter() - wall
    server.ask("POST", f"/{stream}/_refresh")
    server.idle(stream)
    cpu = server.cpu() - cpu
    server.ask("POST", f"/{stream}/_forcemerge?max_num_segments=1")
    server.ask("POST", f"/{stream}/_flush?force=true")
    size = server.ask("GET", f"/{stream}/_stats/store")["_all"]["primaries"]["store"]["size_in_bytes"]
    answers = {name: _asked(server, stream, body) for name, body in questions().items()}
    index = server.ask("POST", f"/{stream}/_rollover")["old_index"]  # not every server can delete a stream
    server.ask("DELETE", f"/{index}")
    return Figure(size / count, cpu / count * 1e6, wall, answers)


def questions() -> dict[str, dict[str, Any]]:
    """What people ask, as logdock asks it; the phrase and the histogram as Kibana does."""
    container = ContainerRef(id=_origin("openssh", 0).container.id)
    minutes = {"date_histogram": {"field": "@timestamp", "fixed_interval": "5s"}}
    levels = {"terms": {"field": "log.level"}}
    return {
        "newest 100": elastic_dsl.body(Query(), JOURNAL, 101, None),
        "of a container": elastic_dsl.body(Query(containers=(container,)), JOURNAL, 101, None),
        "part of a word": elastic_dsl.body(Query(text=parse("uthent")), JOURNAL, 101, None),
        "phrase": {
            "size": 100,
            "sort": [{"@timestamp": "desc"}],
            "query": {"match_phrase": {"message": "authentication failure"}},
        },
        "histogram": {"size": 0, "aggs": {"minutes": {**minutes, "aggs": {"levels": levels}}}},
    }  # fmt: skip


def _asked(server: Server, stream: str, body: dict[str, Any]) -> float:
    took = []
    for _ in range(QUESTIONS):
        start = time.perf_counter()
        try:
            reply = server.ask("POST", f"/{stream}/_search?request_cache=false", body)
        except SystemExit:
            return float("nan")  # a phrase where no positions are
        took.append((time.perf_counter() - start) * 1e3)
        assert reply["_shards"]["failed"] == 0
        assert "aggs" in body or reply["hits"]["hits"], body
    return statistics.median(took)


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    url = os.environ.get("LOGDOCK_TEST_ELASTICSEARCH")
    if not url:
        raise SystemExit('first: scripts/elasticsearch up; eval "$(scripts/elasticsearch env)"')
    count, runs = (int(text) for text in (sys.argv[2:4] + [str(DOCUMENTS), str(RUNS)][len(sys.argv[2:4]) :]))
    names = [name for name in LAYOUTS if not sys.argv[4:] or name in sys.argv[4:]]
    server, made = Server(url), events(Path(sys.argv[1]), count)
    plain = bodies(made, None)
    print(f"{count} documents, {sum(map(len, plain)) / count:.0f} bytes each with its action, {runs} runs\n")
    measure(server, LAYOUTS["standard"], plain, count)  # the server is warm then
    taken: dict[str, list[Figure]] = {name: [] for name in names}
    for _, name in itertools.product(range(runs), names):
        change = LAYOUTS[name].change
        rendered = plain if change is None else bodies(made, change)
        taken[name].append(measure(server, LAYOUTS[name], rendered, count))
    report(taken)


def report(taken: dict[str, list[Figure]]) -> None:
    """Medians over the runs, as a table."""
    heads = ["layout", "bytes", "CPU us", "seconds", *(f"{name} ms" for name in questions())]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for name, figures in taken.items():
        size, cpu, wall = (
            statistics.median(getattr(f, key) for f in figures) for key in ("size", "cpu", "wall")
        )
        asked = [statistics.median(f.answers[key] for f in figures) for key in figures[0].answers]
        print(
            f"| {name} | {size:.1f} | {cpu:.1f} | {wall:.1f} | "
            + " | ".join(f"{a:.1f}" for a in asked)
            + " |"
        )


if __name__ == "__main__":
    main()
