"""Forward to nothing but the journal: CPU per event at saturation, and stop-and-wait acknowledgements.

    python bench/journal.py [events] [runs]      default 800,000 and 5

Eight connections send Docker's frames of about 400 bytes. With --sync always, an acknowledgement is compared
with the disk's own fdatasync of as much data, measured between the runs on the same files.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import rig

EVENTS, RUNS = 800_000, 5
ACKED = 60_000
SENDERS = 8
SYNCS = 500
MOST_US = 3.0
LEAST_ACKS = 20_000.0
MOST_SYNCS = 2.5  # an acknowledgement with --sync always, in medians of the bare fdatasync


def saturated(events: int, mode: str, runs: int) -> tuple[list[float], list[float]]:
    """(CPU microseconds per event, events/s) of each run; the first run is not counted."""
    files, figures = rig.frames(events), []
    for _ in range(runs + 1):
        with rig.journal_only("interval") as server:
            before = server.process.cpu
            sent = rig.send(server.forward, files, f"-mode={mode}")
            figures.append(((server.process.stop() - before) / sent.frames * 1e6, sent.rate))
    cpus, rates = zip(*figures[1:], strict=True)
    return list(cpus), list(rates)


def acknowledged(sync: str) -> tuple[rig.Sent, float]:
    """(what eight stop-and-wait senders saw, CPU microseconds per event)."""
    with rig.journal_only(sync) as server:
        before = server.process.cpu
        sent = rig.send(server.forward, rig.frames(ACKED, acks=True), "-mode=ack")
        return sent, (server.process.stop() - before) / sent.frames * 1e6


def fdatasync_ms() -> float:
    """The median of writing SENDERS frames and one fdatasync, in milliseconds."""
    frames, took = b"x" * (440 * SENDERS), []
    with tempfile.NamedTemporaryFile(dir=rig.CACHE) as file:
        for _ in range(SYNCS):
            os.write(file.fileno(), frames)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - start) * 1e3)
    return rig.median(took)


def rows(events: int = EVENTS, runs: int = RUNS) -> Iterator[rig.Row]:
    """Measure, row by row."""
    rig.loadgen()
    for mode in ("stream", "frame"):
        cpus, rates = saturated(events, mode, runs)
        what = f"forward to the journal, {mode} mode, CPU per event {rig.spread(cpus)}"
        yield rig.at_most(what, rig.median(cpus), MOST_US, "us")
        yield rig.Row("  at", f"{rig.median(rates):,.0f} events/s")
    yield from _interval(runs)
    yield from _always(runs)


def _interval(runs: int) -> Iterator[rig.Row]:
    figures = [acknowledged("interval") for _ in range(runs)]
    rates = [sent.rate for sent, _ in figures]
    what = f"acks, {SENDERS} stop-and-wait senders, interval {rig.spread(rates, 0)}"
    yield rig.at_least(what, rig.median(rates), LEAST_ACKS, "acks/s")
    yield _latency(figures)


def _always(runs: int) -> Iterator[rig.Row]:
    figures, disk = [], [fdatasync_ms()]
    for _ in range(runs):
        figures.append(acknowledged("always"))
        disk.append(fdatasync_ms())
    ratios = [sent.p50 / min(disk[at : at + 2]) for at, (sent, _) in enumerate(figures)]
    yield rig.Row("the disk's own fdatasync, median", f"{rig.median(disk):.3f} ms {rig.spread(disk, 3)}")
    what = f"ack, --sync always: median, in fdatasyncs {rig.spread(ratios)}"
    yield rig.at_most(what, rig.median(ratios), MOST_SYNCS, "x")
    yield rig.Row("  at", f"{rig.median([sent.rate for sent, _ in figures]):,.0f} acks/s")
    yield _latency(figures)


def _latency(figures: list[tuple[rig.Sent, float]]) -> rig.Row:
    p50, p99 = (rig.median([getattr(sent, name) for sent, _ in figures]) for name in ("p50", "p99"))
    return rig.Row(
        f"  p50 / p99; CPU {rig.median([cpu for _, cpu in figures]):.1f} us", f"{p50:.2f} / {p99:.2f} ms"
    )


def main() -> None:
    numbers = [int(text) for text in sys.argv[1:]]
    rig.show(f"{Path(__file__).stem}: {numbers or (EVENTS, RUNS)}", list(rows(*numbers)))


if __name__ == "__main__":
    main()
