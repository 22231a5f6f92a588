"""CPU per event from journal bytes to Events on one core: decode, normalise, join. Prints a table.

    python bench/normalize.py [events]      default 200,000; the best of three rounds, process time

Every row is its own kind of line in Docker's message-mode frames; "mix" is all eight containers. Entries are
of ENTRY frames, which is about what one read of a busy connection brings.
"""

import gc
import platform
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import payload

from parsers.forward import decode
from parsers.join import Joiner, Part
from parsers.lines import level_and_fields
from parsers.normalize import Normalizer, Source
from parsers.tag import TagTemplate

ENTRY = 400
OBSERVED = 1_795_510_000_000_000_000  # nanoseconds: soon after the lines were printed (payload.FIRST_SECOND)
ROUNDS = 3
TEMPLATES = (TagTemplate.compile("{{.ImageName}}/{{.Name}}"),)

Entry = tuple[Source, bytes, int]


def entries(streams: list[list[bytes]], per_entry: int = ENTRY) -> list[Entry]:
    """Journal entries, the connections taking turns."""
    made: list[Entry] = []
    for start in range(0, max(map(len, streams)), per_entry):
        for connection, stream in enumerate(streams):
            if frames := stream[start : start + per_entry]:
                source = Source("j", len(made), OBSERVED + len(made), "10.0.0.1", connection)
                made.append((source, b"".join(frames), len(frames)))
    return made


def decode_only(work: list[Entry]) -> int:
    return sum(len(list(decode(raw, count))) for _, raw, count in work)


def whole(work: list[Entry]) -> int:
    normalizer, joiner, count = Normalizer("here", TEMPLATES), Joiner(), 0
    for source, raw, frames in work:
        events: list[Any] = joiner.advance(source.observed)
        for item in normalizer.forward(decode(raw, frames), source, count):
            if type(item) is Part:
                events += joiner.add(item)
            else:
                events.append(item)
        count += len(events)
    return count + len(joiner.close_all())


def levels_only(lines: list[str]) -> int:
    return sum(1 for line in lines if level_and_fields(line))


def best(run: Callable[[Any], int], work: Any) -> float:
    """Microseconds of CPU per event, the best round."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        start = time.process_time()
        count = run(work)
        times.append((time.process_time() - start) / count * 1e6)
    return min(times)


def rows(n: int) -> Iterator[tuple[str, float, float, float]]:
    streams = payload.messages(n)
    kinds: dict[str, list[list[bytes]]] = {}
    for service, stream in zip(payload.CONTAINERS, streams, strict=True):
        kinds.setdefault(service.kind, []).append(stream)
    for kind, chosen in kinds.items():
        lines = list(payload.lines(kind, n // len(kinds), 0))
        work = entries(chosen)
        yield kind, best(decode_only, work), best(whole, work), best(levels_only, lines)
    lines = [line for kind in kinds for line in payload.lines(kind, n // len(kinds), 0)]
    for name, work in (
        ("mix", entries(streams)),
        ("mix, acks", entries(payload.messages(n, acks=True))),
        ("mix, 1 a read", entries(streams, 1)),
    ):
        yield name, best(decode_only, work), best(whole, work), best(levels_only, lines)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    print(f"{machine}, {n:,} events, us of CPU per event, best of {ROUNDS}")
    print(f"{'lines':16}{'decode':>8}{'normalise + join':>18}{'of it level':>13}{'all':>8}{'events/s':>12}")
    for name, decoding, all_in, level in rows(n):
        columns = f"{decoding:8.2f}{all_in - decoding:18.2f}{level:13.2f}{all_in:8.2f}"
        print(f"{name:16}{columns}{1e6 / all_in:12,.0f}")


if __name__ == "__main__":
    main()
