"""What the decoders cost: CPU time an event, on Docker-shaped payload (bench/payload.py). Prints one table.

    python -m bench.decoders [events]

Each row is the median of seven runs of process CPU time, in microseconds an event.
"""

import argparse
import gzip
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import payload
from parsers import gelf
from parsers.chunks import ChunkAssembler
from parsers.forward import ForwardSplitter, decode
from parsers.record import Frames

RUNS = 7
READ = 128 << 10

Streams = list[bytes]


def reads(stream: bytes, size: int = READ) -> list[bytes]:
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def joined(streams: list[list[bytes]], between: bytes = b"") -> Streams:
    return [b"".join(message + between for message in stream) for stream in streams]


def split_all(new: Callable[[], ForwardSplitter | gelf.NulSplitter], streams: Iterable[list[bytes]]) -> int:
    count = 0
    for parts in streams:
        splitter = new()
        for part in parts:
            for frames in splitter.feed(part):
                count += frames.count
    return count


def decode_all(all_frames: Iterable[Frames]) -> int:
    return sum(sum(1 for _ in decode(frames.raw, frames.count)) for frames in all_frames)


def frames_of(streams: Iterable[list[bytes]]) -> list[Frames]:
    return [
        frames
        for parts in streams
        for part in [ForwardSplitter()]
        for data in parts
        for frames in part.feed(data)
    ]


def gelf_all(messages: Iterable[bytes]) -> int:
    return sum(1 for message in messages if gelf.decode(message))


def inflate_all(messages: Iterable[bytes]) -> int:
    return sum(1 for message in messages if gelf.inflate(message))


def chunk_all(datagrams: Iterable[bytes]) -> int:
    chunks = ChunkAssembler()
    return sum(1 for datagram in datagrams if chunks.feed(datagram, "10.0.0.1:4000", 0.0))


def measure(work: Callable[[], int], events: int) -> list[float]:
    costs = []
    for _ in range(RUNS):
        start = time.process_time()
        done = work()
        costs.append((time.process_time() - start) / events * 1e6)
        assert done == events, (done, events)
    return sorted(costs)


def rows(events: int) -> Iterable[tuple[str, int, list[float]]]:
    """(what, bytes an event, costs)"""
    plain, acked = joined(payload.messages(events)), joined(payload.messages(events, acks=True))
    parts, big = [reads(s) for s in plain], [reads(s, 2 * READ) for s in plain]
    size = sum(map(len, plain)) // events
    yield "forward: split, 128 KiB reads", size, measure(lambda: split_all(ForwardSplitter, parts), events)
    yield "forward: split, 256 KiB reads", size, measure(lambda: split_all(ForwardSplitter, big), events)
    acked_parts = [reads(s) for s in acked]
    yield (
        "forward: split, all with chunks",
        size,
        measure(lambda: split_all(ForwardSplitter, acked_parts), events),
    )
    single = payload.messages(events, acks=True)
    yield (
        "forward: split, one a read, chunks",
        size,
        measure(lambda: split_all(ForwardSplitter, single), events),
    )
    whole = frames_of(parts)
    yield "forward: decode", size, measure(lambda: decode_all(whole), events)
    packed = frames_of(payload.packed(events))
    yield "forward: decode packed entries", size, measure(lambda: decode_all(packed), events)
    yield from gelf_rows(events)


def gelf_rows(events: int) -> Iterable[tuple[str, int, list[float]]]:
    streams = payload.gelf(events)
    size = sum(len(message) for stream in streams for message in stream) // events
    parts = [reads(stream) for stream in joined(streams, b"\0")]
    messages = [message for stream in streams for message in stream]
    yield "gelf: split at NUL", size, measure(lambda: split_all(gelf.NulSplitter, parts), events)
    yield "gelf: decode", size, measure(lambda: gelf_all(messages), events)
    zipped = [gzip.compress(message, 1) for message in messages[: events // 4]]
    yield "gelf: inflate gzip", size, measure(lambda: inflate_all(zipped), len(zipped))
    yield "gelf: a datagram that is no chunk", size, measure(lambda: chunk_all(messages), events)


def machine() -> str:
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = model[0].partition(":")[2].strip() if model else platform.machine()
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} x {name}, Python {platform.python_version()}, load {load:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=40_000)
    events = parser.parse_args().events
    print(f"{machine()}; {events} events, {RUNS} runs, CPU us/event\n")
    print("| what | bytes | median | lowest - highest |\n|---|---|---|---|")
    for what, size, costs in rows(events):
        print(
            f"| {what} | {size} | {statistics.median(costs):.2f} | {costs[0]:.2f} - {costs[-1]:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
