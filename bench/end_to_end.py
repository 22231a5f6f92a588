"""`logdock serve` with its embedded store: CPU, disk and memory an event costs, all in.

    python bench/end_to_end.py [events] [runs]      default 800,000 and 3

All in: from the socket to sealed Parquet, the end of the process included; what an idle server costs to start
and to be looked at is not. Bytes per event are the whole data folder after SIGTERM, its journal included.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import rig

EVENTS, RUNS = 800_000, 3
PACED_RATE, PACED_SECONDS = 20_000, 40  # three sealings of 250,000 events
ACKED = 60_000
SETTLE_SECONDS = 60.0
MOST_US, MOST_BYTES = 9.0, 45.0
MOST_IDLE, MOST_BUSY = 200.0, 450.0  # MiB
LEAST_ACKS = 20_000.0


class Figure(msgspec.Struct):
    """One run: CPU microseconds an event, bytes an event on disk, events/s from first to handed on, MiB."""

    cpu: float
    bytes: float
    rate: float
    idle: float
    peak: float


def all_in(events: int, mode: str) -> Figure:
    """Send everything at once, wait until it is stored, end the server."""
    with rig.logdock() as server:
        process = server.process
        idle, before = process.memory("VmRSS"), process.cpu
        sent = rig.send(server.forward, rig.frames(events), f"-mode={mode}")
        caught_up(server, sent.frames)
        peak = process.memory("VmHWM")
        cpu = (process.stop() - before) / sent.frames * 1e6
        return Figure(cpu, folder_bytes(server.data / "store") / sent.frames, sent.rate, idle, peak)


def caught_up(server: rig.Server, events: int) -> None:
    """Wait until the store has so many. Each look costs a millisecond, so there are few."""
    rig.wait_until(lambda: stored(server) >= events, server.process, SETTLE_SECONDS, 0.25)


def stored(server: rig.Server) -> float:
    return server.metric("logdock_events_total")


def folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def paced() -> Iterator[rig.Row]:
    """CPU and memory at a steady rate, one write a message."""
    with rig.logdock() as server:
        process = server.process
        idle, before = process.memory("VmRSS"), process.cpu
        files = rig.frames(PACED_RATE * PACED_SECONDS)
        sent = rig.send(server.forward, files, "-mode=frame", f"-rate={PACED_RATE}")
        caught_up(server, sent.frames)
        peak, used = process.memory("VmHWM"), process.cpu - before
        process.stop()
    yield rig.at_most("memory, idle", idle, MOST_IDLE, "MiB", 0)
    yield rig.at_most(f"memory at {PACED_RATE:,} events/s, the most", peak, MOST_BUSY, "MiB", 0)
    yield rig.Row(
        f"  CPU per event at {sent.rate:,.0f} events/s, a write each", f"{used / sent.frames * 1e6:.2f} us"
    )


def acknowledged() -> rig.Sent:
    """Eight stop-and-wait senders, with everything behind the acknowledgement at work."""
    with rig.logdock() as server:
        return rig.send(server.forward, rig.frames(ACKED, acks=True), "-mode=ack")


def rows(events: int = EVENTS, runs: int = RUNS) -> Iterator[rig.Row]:
    """Measure, row by row."""
    rig.loadgen()
    for mode in ("stream", "frame"):
        figures = [all_in(events, mode) for _ in range(runs)]
        cpus, rates = [f.cpu for f in figures], [f.rate for f in figures]
        what = f"forward to sealed Parquet, {mode} mode, CPU per event {rig.spread(cpus)}"
        yield rig.at_most(what, rig.median(cpus), MOST_US, "us")
        yield rig.Row("  taken in at", f"{rig.median(rates):,.0f} events/s")
        yield rig.Row("  memory, the most", f"{max(f.peak for f in figures):.0f} MiB")
    yield rig.at_most("bytes per event on disk", figures[0].bytes, MOST_BYTES, "bytes", 1)
    yield from paced()
    sent = [acknowledged() for _ in range(runs)]
    rates = [figure.rate for figure in sent]
    what = f"acks, 8 stop-and-wait senders, all behind at work {rig.spread(rates, 0)}"
    yield rig.at_least(what, rig.median(rates), LEAST_ACKS, "acks/s")
    p50, p99 = (rig.median([getattr(figure, name) for figure in sent]) for name in ("p50", "p99"))
    yield rig.Row("  p50 / p99", f"{p50:.2f} / {p99:.2f} ms")


def main() -> None:
    numbers = [int(text) for text in sys.argv[1:]]
    rig.show(f"{Path(__file__).stem}: {numbers or (EVENTS, RUNS)}", list(rows(*numbers)))


if __name__ == "__main__":
    main()
