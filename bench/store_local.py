"""The embedded store alone: what an event costs on its way in, on disk, and to be found again.

    python -m bench.store_local [EVENTS]

Events are made before the clock starts; CPU is of this whole process, queries included in none of the
ingest figures. Prints the machine and one table.
"""

import asyncio
import gc
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import duckdb
import orjson
import pyarrow

from parsers.event import Container, Event, Origin, make_origin
from storage.expression import Regex, Text
from storage.local.parquet import LocalStore
from storage.metrics import Metrics
from storage.query import ContainerRef, Query
from storage.store import Checkpoint

EVENTS = 1_000_000
SLICE = 2_000  # events per append, as the pipeline hands them on
CONTAINERS = 12
START = 1_764_000_000_000_000_000  # nanoseconds
JOURNAL = "4f1c2a9be07d"
RUNS = 7  # of every question; the median is printed

PATHS = [
    f"/api/v1/{a}/{b}"
    for a in ("cart", "orders", "users", "search")
    for b in ("list", "get", "update", "ping")
]
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "curl/8.5.0",
    "Go-http-client/2.0",
    "kube-probe/1.31",
)
CLASSES = ("com.shop.order.OrderService", "com.shop.pay.Gateway", "com.shop.stock.StockKeeper")


def origins(rng: random.Random) -> list[Origin]:
    """Containers as compose starts them."""
    made = []
    for number in range(CONTAINERS):
        service = ("web", "api", "java", "worker")[number % 4]
        name, container = f"shop-{service}-{number // 4 + 1}", f"{rng.getrandbits(256):064x}"
        labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": service}
        made.append(
            make_origin(
                Container(container, name, f"shop/{service}:1.{number}"),
                "node-a",
                service=service,
                service_source="label:com.docker.compose.service",
                labels=labels,
                tag=f"docker.{name}.{container[:12]}",
                tag_fields={"Name": name},
            )
        )
    return made


def line(kind: int, at: int, rng: random.Random) -> tuple[str, str, bool]:
    """(message, level, whether it is a JSON object) of a web, API, Java or worker container."""
    clock = time.strftime("%H:%M:%S", time.gmtime(at // 10**9))
    level = rng.choices(("info", "warn", "error"), (93, 5, 2))[0]
    if kind == 0:
        status = rng.choices((200, 304, 404, 502), (90, 5, 4, 1))[0]
        address = f"10.{rng.randrange(4)}.{rng.randrange(40)}.{rng.randrange(256)}"
        request = f'"GET {rng.choice(PATHS)}?id={rng.randrange(100_000)} HTTP/1.1"'
        text = (
            f'{address} - - [24/Nov/2026:{clock} +0000] {request} {status} {rng.randrange(200, 90_000)} "-"'
        )
        return f'{text} "{rng.choice(AGENTS)}"', level, False
    if kind == 1:
        data = {"ts": at / 1e9, "level": level, "msg": "request served", "path": rng.choice(PATHS)}
        data |= {
            "ms": rng.randrange(1, 900),
            "user": rng.randrange(20_000),
            "trace": f"{rng.getrandbits(64):016x}",
        }
        return orjson.dumps(data).decode(), level, True
    if kind == 2:
        thread = f"http-nio-8080-exec-{rng.randrange(40)}"
        head = f"2026-11-24 {clock},{at // 10**6 % 1000:03d} {level.upper():5} [{thread}]"
        state = rng.choice(("PAID", "SHIPPED", "CANCELLED", "OPEN"))
        text = f"order {rng.randrange(10**8)} moved to state {state} in {rng.randrange(5, 500)} ms"
        return f"{head} {rng.choice(CLASSES)} - {text}", level, False
    queue = rng.choice(("mail", "thumbs", "index"))
    job = f"worker={rng.randrange(16)} job={rng.getrandbits(32):08x} queue={queue}"
    text = f"level={level} {job} attempt={rng.randrange(1, 4)}"
    return (
        f'{text} msg="job done after waiting in the queue for a while" took={rng.randrange(5000)}ms',
        level,
        False,
    )


def events(count: int, seed: int = 1) -> Iterator[Event]:
    """Docker-shaped events in journal order, about 35 to a journal entry, 30,000 a second."""
    rng = random.Random(seed)
    known, at, position, index = origins(rng), START, 0, 0
    for number in range(count):
        at += rng.randrange(2_000, 65_000)
        if index >= rng.randrange(20, 60):
            position, index = position + index * 330 + 30, 0
        kind = rng.randrange(CONTAINERS)
        message, level, is_json = line(kind % 4, at, rng)
        fields = orjson.loads(message) if is_json else None
        observed = at - at % 3_000_000 + 3_000_000
        yield Event(
            JOURNAL, position, index, at, observed, number, number, message, known[kind],
            "stderr" if level == "error" else "stdout", level, fields, is_json,
        )  # fmt: skip
        index += 1


async def ingest(store: LocalStore, made: list[Event]) -> tuple[float, float]:
    """(CPU seconds, wall seconds) to append and seal everything."""
    cpu, wall = time.process_time(), time.perf_counter()
    for start in range(0, len(made), SLICE):
        part = made[start : start + SLICE]
        done = start + len(part)
        await store.append(part, Checkpoint(part[-1].position + 1, done, done))
        await asyncio.sleep(0)
    await store.flush()
    return time.process_time() - cpu, time.perf_counter() - wall


async def timed(ask: Callable[[], Awaitable[object]]) -> tuple[float, float, object]:
    """(median milliseconds, median CPU milliseconds, the last answer)."""
    walls, cpus, answer = [], [], None
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = await ask()
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append((time.process_time() - cpu) * 1e3)
    return statistics.median(walls), statistics.median(cpus), answer


def questions(known: list[Origin]) -> dict[str, Query]:
    """What is asked of the full store."""
    return {
        "newest 100 of all": Query(),
        "newest 100 of a container": Query(containers=(ContainerRef(id=known[0].container.id),)),
        "oldest 100 of a service": Query(services=("java",), order="asc"),
        "newest 100 errors": Query(levels=("error",)),
        "newest 100 with a common word": Query(text=Text("shipped")),
        "newest 100 with a rare number": Query(text=Text("4242")),
        "newest 100 of a regex": Query(text=Regex(r"job=00[0-9a-f]{6}")),
        "absent text, everything": Query(text=Text("zebra crossing")),
        "newest 10,000": Query(limit=10_000),
    }


async def main() -> None:
    """Run everything once and print it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    made = list(events(count))
    gc.freeze()
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store"
        await warm_up(Path(name) / "warm-up", made)
        before = rss()
        store = LocalStore(folder, JOURNAL, Metrics())
        await store.start()
        cpu, wall = await ingest(store, made)
        rows += sizes(folder, made)
        rows.append(("append + seal, CPU us/event", f"{cpu / count * 1e6:.2f}"))
        rows.append(("append + seal, events/s", f"{count / wall:,.0f}"))
        rows.append(("memory taken while appending, MiB", f"{peak() - before:.0f}"))
        rows += [
            await answered(store, text, query) for text, query in questions(origins(random.Random(1))).items()
        ]
        for text, ask in {"containers": store.containers, "services": store.services}.items():
            wall, cpu, _ = await timed(lambda ask=ask: ask(Query()))  # type: ignore[misc]
            rows.append((f"list of {text}", f"{wall:.1f} ms, CPU {cpu:.1f} ms"))
        await store.close()
        rows += await hot(Path(name) / "hot", made[:240_000])
    report(count, rows)
    gc.unfreeze()  # what is frozen at the end makes nanobind's leak check complain


async def warm_up(folder: Path, made: list[Event]) -> None:
    """One sealing: the first use of 200 MB of memory costs a microsecond an event, a server pays it once."""
    store = LocalStore(folder, JOURNAL, Metrics())
    await store.start()
    await ingest(store, made[:250_000])
    await store.close()


async def hot(folder: Path, made: list[Event]) -> list[tuple[str, str]]:
    """The same questions of events that are not sealed."""
    store = LocalStore(folder, JOURNAL, Metrics())
    await store.start()
    before, cpu = rss(), time.process_time()
    for start in range(0, len(made), SLICE):
        await store.append(made[start : start + SLICE], Checkpoint())
    cpu = time.process_time() - cpu
    rows = [("append alone, CPU us/event", f"{cpu / len(made) * 1e6:.2f}")]
    rows.append((f"memory of {len(made):,} hot events, MiB", f"{rss() - before:.0f}"))
    for text, query in questions(origins(random.Random(1))).items():
        rows.append(await answered(store, f"hot {len(made):,}: {text}", query))
    await store.close()
    return rows


async def answered(store: LocalStore, text: str, query: Query) -> tuple[str, str]:
    """One row: how long the question takes."""
    wall, cpu, answer = await timed(lambda: store.search(query))
    return text, f"{wall:.1f} ms, CPU {cpu:.1f} ms, {len(answer.events):,} events"  # type: ignore[attr-defined]


def sizes(folder: Path, made: list[Event]) -> list[tuple[str, str]]:
    """What the folder takes, catalogue included."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    text = sum(len(event.message) for event in made)
    return [
        ("events, files", f"{len(made):,}, {len(list((folder / 'parquet').iterdir()))}"),
        ("bytes per message", f"{text / len(made):.1f}"),
        ("bytes per event on disk, all in", f"{size / len(made):.1f}"),
    ]


def rss() -> float:
    """Resident MiB now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak() -> float:
    """Resident MiB at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(count: int, rows: list[tuple[str, str]]) -> None:
    """Print the machine and the table."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((text.split(": ")[1] for text in lines if "model name" in text), "unknown processor")
    print(f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}")
    print(f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, pyarrow {pyarrow.__version__}")
    print(f"{count:,} events\n")
    for name, value in rows:
        print(f"| {name:45} | {value:45} |")


if __name__ == "__main__":
    asyncio.run(main())
