"""Lines of two days of 40 containers for the questions of search.py: the same on every run, in order of time.

Ten services of four containers. Sixteen containers live all the time, twelve for half a day each, twelve were
gone after the first hours. Lines are payload.py's; a few hundred that are searched for are strewn in.
"""

import random
import struct
from collections.abc import Iterator

import msgpack
import msgspec
import orjson
import payload

from parsers.lines import level_and_fields

HOURS = 48
SLICE_SECONDS = 30  # a frame holds what one container wrote in this time
LAST_SECOND = payload.FIRST_SECOND
FIRST_SECOND = LAST_SECOND - HOURS * 3600
SERVICES = ("web", "cart", "billing", "mailer", "shop", "orders", "ledger", "thumbs", "edge", "stock")
KINDS = ("nginx", "json", "java", "celery")
CONTAINERS = 40
ALWAYS, HALF_A_DAY = 16, 28  # container numbers below these; the rest lives for an hour or two

RARE = "quorum"  # in RARE_LINE only
RARE_LINE = "ERROR shard 17 lost its quorum: connection reset by peer while reading from 10.7.0.3"
RARE_EVERY = 200_003  # lines: 50 of 10 million
PHRASE = "connection reset by peer"
ABSENT = "zebra"
COMMON = "succeeded"  # in every line of a fifth of the containers


class Life(msgspec.Struct, frozen=True):
    """A container: when it lived, in seconds, and its share of the lines per second."""

    service: payload.Service
    first: int
    last: int
    weight: float

    @property
    def name(self) -> str:
        return self.service.container_name


def lives() -> list[Life]:
    """All containers, the busy and the quiet ones."""
    made = []
    for number in range(CONTAINERS):
        first, last = FIRST_SECOND, LAST_SECOND
        if number >= HALF_A_DAY:
            first += (number - HALF_A_DAY) * 1200
            last = first + 3600 + number * 60
        elif number >= ALWAYS:
            first += (number - ALWAYS) * 3 * 3600
            last = first + 12 * 3600
        name = SERVICES[number % len(SERVICES)]
        service = payload.Service(
            name, number // len(SERVICES) + 1, f"shop/{name}:1.{number % 3}", KINDS[number % 4]
        )
        made.append(Life(service, first, last, 1 / (1 + number % 7)))
    return made


class Slice(msgspec.Struct):
    """What half a minute brought: Fluentd frames, the same lines as JSON for VictoriaLogs, how many."""

    frames: bytes
    rows: bytes
    lines: int


def slices(count: int) -> Iterator[Slice]:
    """About `count` lines."""
    all_lives = lives()
    rate = count / sum(life.weight * (life.last - life.first) for life in all_lives)
    writers = [Writer(life, rate * life.weight, number) for number, life in enumerate(all_lives)]
    for second in range(FIRST_SECOND, LAST_SECOND, SLICE_SECONDS):
        made = [writer.write(second) for writer in writers if writer.life.first <= second < writer.life.last]
        yield Slice(
            b"".join(part.frames for part in made),
            b"".join(part.rows for part in made),
            sum(part.lines for part in made),
        )


class Writer:
    """One container's lines."""

    def __init__(self, life: Life, rate: float, number: int) -> None:
        self.life, self.rate = life, rate
        self.written, self.owed = number * 1009, 0.0  # containers do not write rare lines all at once
        self.lines = payload.lines(life.service.kind, 1 << 62, number)
        self.random = random.Random(number)
        record = payload.record(life.service, "")
        del record["log"]
        self.records = {
            source: msgpack.packb({**record, "source": source, "log": ""})[:-1]
            for source in ("stdout", "stderr")
        }
        self.row = orjson.dumps({"container": life.name, "service": life.service.name})[1:-1]
        self.tag = f"docker.{life.name}.{life.service.id[:12]}"
        self.packed_tag = bytes(msgpack.packb(self.tag))

    def write(self, second: int) -> Slice:
        """The lines of the half minute from `second` on, evenly spread."""
        self.owed += self.rate * SLICE_SECONDS
        lines = int(self.owed)
        self.owed -= lines
        if not lines:
            return Slice(b"", b"", 0)
        step = SLICE_SECONDS * 10**9 // lines
        entries, rows = [], []
        for number in range(lines):
            nanoseconds = second * 10**9 + number * step + self.random.randrange(step)
            line = self.line()
            entries.append(self.entry(nanoseconds, line))
            rows.append(self.json(nanoseconds, line))
        frame = msgpack.packb([self.tag, b"".join(entries), {"size": lines}])
        return Slice(frame, b"".join(rows), lines)

    def line(self) -> str:
        self.written += 1
        return RARE_LINE if self.written % RARE_EVERY == 0 else next(self.lines)

    def entry(self, nanoseconds: int, line: str) -> bytes:
        """An entry of PackedForward, with an EventTime."""
        stderr = line.startswith(("\t", "java.", "Caused", "ERROR"))
        time = struct.pack(">BBBII", 0x92, 0xD7, 0x00, *divmod(nanoseconds, 10**9))
        return time + self.records["stderr" if stderr else "stdout"] + bytes(msgpack.packb(line))

    def json(self, nanoseconds: int, line: str) -> bytes:
        level = level_and_fields(line)[0] or "none"
        return b'{"_time":%d,%s,"level":"%s","_msg":%s}\n' % (
            nanoseconds, self.row, level.encode(), orjson.dumps(line),
        )  # fmt: skip
