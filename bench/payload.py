"""Docker-shaped payload for the benchmarks: eight containers, four kinds of lines, the same on every run.

What goes over the wire is made as Docker's drivers make it (moby daemon/logger/fluentd and gelf):
message-mode frames of about 400 bytes around lines of about 139 bytes, keys in an order that changes from
container to container, compose labels as record keys.
"""

import base64
import hashlib
import itertools
import random
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack
import orjson

SEED = 20261124
FIRST_SECOND = 1_795_500_000
LINES_PER_SECOND = 5_000
LINE_BYTES = 139
PROJECT = "shop"


class Service(NamedTuple):
    """One container: compose service, its number, its image, and the kind of lines it prints."""

    name: str
    number: int
    image: str
    kind: str

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.name}-{self.number}".encode()).hexdigest()

    @property
    def container_name(self) -> str:
        return f"{PROJECT}-{self.name}-{self.number}"


CONTAINERS = (
    Service("web", 1, "nginx:1.27", "nginx"),
    Service("web", 2, "nginx:1.27", "nginx"),
    Service("api", 1, "shop/api:3.4", "json"),
    Service("api", 2, "shop/api:3.4", "json"),
    Service("billing", 1, "eclipse-temurin:21-jre", "java"),
    Service("billing", 2, "eclipse-temurin:21-jre", "java"),
    Service("worker", 1, "shop/worker:3.4", "celery"),
    Service("worker", 2, "shop/worker:3.4", "celery"),
)

_PATHS = ("/", "/cart", "/api/v1/items", "/static/app.css", "/checkout", "/login", "/healthz")
_STATUSES = (200,) * 14 + (204, 301, 304, 404, 500, 502)
_LEVELS = ("info",) * 12 + ("debug",) * 4 + ("warn", "warn", "error")
_NOTES = ("order accepted", "cache miss, reading from the database", "payment declined", "stock reserved")
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "curl/8.9.1", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1)")
_CLASSES = ("InvoiceService", "LedgerWriter", "TaxTable", "MailQueue")
_TASKS = ("send_receipt", "resize_image", "rebuild_index", "expire_carts")


def lines(kind: str, count: int, seed: int) -> Iterator[str]:
    """`count` lines as a program of that kind ("nginx", "json", "java", "celery") prints them."""
    dice = random.Random(f"{SEED}-{kind}-{seed}")
    return itertools.islice(_KINDS[kind](dice), count)


def _nginx(dice: random.Random) -> Iterator[str]:
    for n in itertools.count():
        address = f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"
        path, status = dice.choice(_PATHS), dice.choice(_STATUSES)
        query = f"id={dice.randrange(10**6)}"
        yield (
            f'{address} - - [24/Nov/2026:06:{n // 60 % 60:02}:{n % 60:02} +0000] "GET {path}?{query}'
            f' HTTP/1.1" {status} {dice.randrange(60_000)} "https://shop.example/" "{dice.choice(_AGENTS)}"'
        )


def _json(dice: random.Random) -> Iterator[str]:
    for n in itertools.count():
        entry = {
            "ts": f"2026-11-24T06:{n // 60 % 60:02}:{n % 60:02}.{dice.randrange(1000):03}Z",
            "level": dice.choice(_LEVELS),
            "msg": dice.choice(_NOTES),
            "order": dice.randrange(10**7),
            "ms": round(dice.uniform(0.2, 900), 1),
            "trace_id": f"{dice.getrandbits(64):016x}",
        }
        yield orjson.dumps(entry).decode()


def _java(dice: random.Random) -> Iterator[str]:
    for n in itertools.count():
        stamp = f"2026-11-24 06:{n // 60 % 60:02}:{n % 60:02},{dice.randrange(1000):03}"
        thread, name = f"http-nio-8080-exec-{dice.randrange(1, 20)}", dice.choice(_CLASSES)
        if dice.random() < 0.02:
            yield f"{stamp} ERROR [{thread}] com.shop.billing.{name} - request {dice.randrange(10**6)} failed"
            yield from _trace(dice, name)
            continue
        level = dice.choice(("INFO ", "INFO ", "INFO ", "DEBUG", "WARN "))
        yield (
            f"{stamp} {level} [{thread}] com.shop.billing.{name} - invoice {dice.randrange(10**7)} of"
            f" customer {dice.randrange(10**5)} written to ledger {dice.randrange(100)}"
            f" in {dice.randrange(90)} ms"
        )


def _trace(dice: random.Random, name: str) -> Iterator[str]:
    yield f"java.lang.IllegalStateException: no rate for zone {dice.randrange(40)}"
    for depth in range(8):
        yield f"\tat com.shop.billing.{name}.step{depth}({name}.java:{dice.randrange(20, 400)})"
    yield "Caused by: java.util.NoSuchElementException: No value present"
    yield f"\tat java.base/java.util.Optional.orElseThrow(Optional.java:{dice.randrange(300, 380)})"
    yield "\t... 41 more"


def _celery(dice: random.Random) -> Iterator[str]:
    for n in itertools.count():
        task = f"shop.tasks.{dice.choice(_TASKS)}[{dice.getrandbits(128):032x}]"
        stamp = f"2026-11-24 06:{n // 60 % 60:02}:{n % 60:02},{dice.randrange(1000):03}"
        yield (
            f"[{stamp}: INFO/ForkPoolWorker-{dice.randrange(1, 9)}]"
            f" Task {task} succeeded in {dice.uniform(0.01, 4):.6f}s: None"
        )


_KINDS = {"nginx": _nginx, "json": _json, "java": _java, "celery": _celery}


def labels(service: Service) -> dict[str, str]:
    """The compose labels that a `labels` option of the driver lets through."""
    return {
        "com.docker.compose.project": PROJECT,
        "com.docker.compose.service": service.name,
        "com.docker.compose.container-number": str(service.number),
    }


def record(service: Service, line: str) -> dict[str, str]:
    """One record as the fluentd driver sends it, in this container's own key order (Go's maps have none)."""
    pairs = [
        ("container_id", service.id),
        ("container_name", "/" + service.container_name),
        ("source", "stderr" if line.startswith(("\t", "java.", "Caused")) else "stdout"),
        ("log", line),
        *labels(service).items(),
    ]
    random.Random(service.id).shuffle(pairs)
    return dict(pairs)


def messages(n: int, acks: bool = False) -> list[list[bytes]]:
    """`n` message-mode frames over all containers: a list for each, to be sent on one connection each."""
    streams = []
    for number, service in enumerate(CONTAINERS):
        count = n // len(CONTAINERS) + (number < n % len(CONTAINERS))
        options = _chunks(number) if acks else itertools.repeat({})
        stream = [
            msgpack.packb(
                [f"{service.image}/{service.container_name}", _second(i), record(service, line), option]
            )
            for i, (line, option) in enumerate(zip(lines(service.kind, count, number), options, strict=False))
        ]
        streams.append(stream)
    return streams


def _second(index: int) -> int:
    return FIRST_SECOND + index * len(CONTAINERS) // LINES_PER_SECOND


def _chunks(seed: int) -> Iterator[dict[str, str]]:
    """Options with ids as fluent-logger-golang makes them: base64 of a time and a random number."""
    dice = random.Random(seed)
    while True:
        yield {"chunk": base64.b64encode(struct.pack("<qQ", FIRST_SECOND, dice.getrandbits(64))).decode()}


def packed(n: int, entries: int = 500) -> list[list[bytes]]:
    """The same records in PackedForward frames of `entries` each, with EventTimes, as Fluent Bit does."""
    streams = []
    for number, service in enumerate(CONTAINERS):
        count = n // len(CONTAINERS) + (number < n % len(CONTAINERS))
        whole = [
            msgpack.packb([_event_time(i), record(service, line)])
            for i, line in enumerate(lines(service.kind, count, number))
        ]
        groups = [whole[start : start + entries] for start in range(0, count, entries)]
        tag = f"{service.image}/{service.container_name}"
        streams.append([msgpack.packb([tag, b"".join(group), {"size": len(group)}]) for group in groups])
    return streams


def _event_time(index: int) -> msgpack.ExtType:
    return msgpack.ExtType(0, struct.pack(">II", _second(index), index * 1000 % 1_000_000_000))


def gelf(n: int) -> list[list[bytes]]:
    """The same lines as the gelf driver writes them: JSON, uncompressed, without the NUL that TCP needs."""
    streams = []
    for number, service in enumerate(CONTAINERS):
        count = n // len(CONTAINERS) + (number < n % len(CONTAINERS))
        extra = _gelf_extra(service)
        streams.append(
            [_gelf_message(line, i, extra) for i, line in enumerate(lines(service.kind, count, number))]
        )
    return streams


def _gelf_message(line: str, index: int, extra: dict[str, Any]) -> bytes:
    head = {
        "version": "1.1",
        "host": "docker-host-1",
        "short_message": line,
        "timestamp": _second(index) + index % 1000 / 1000,
        "level": 6,
    }
    return orjson.dumps(head | extra)


def _gelf_extra(service: Service) -> dict[str, str]:
    fixed = {
        "_command": f"/usr/local/bin/{service.name} --config /etc/{service.name}.conf",
        "_container_id": service.id,
        "_container_name": service.container_name,
        "_created": "2026-11-24T05:59:58.443202404Z",
        "_image_id": "sha256:" + hashlib.sha256(service.image.encode()).hexdigest(),
        "_image_name": service.image,
        "_tag": service.id[:12],
    }
    return dict(sorted({**fixed, **{"_" + key: value for key, value in labels(service).items()}}.items()))
