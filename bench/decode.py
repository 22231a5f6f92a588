"""From bytes in the journal to normalised Events on one core: the real pipeline in front of a store that
takes everything and keeps nothing.

    python bench/decode.py [events] [runs]      default 800,000 and 3

The journal is written by receivers under load, in both of the modes of sending: how much stands in one entry
is what one read brought. Events/s are per second of CPU of the whole process, the event loop included.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import rig
import uvloop

from ingest.journal import Journal
from ingest.pipeline import Pipeline
from ingest.space import Space
from parsers.event import Event
from parsers.join import Joiner
from parsers.normalize import Normalizer
from storage.metrics import Metrics
from storage.store import Checkpoint
from storage.tail import Tail

EVENTS, RUNS = 800_000, 3
LEAST = 200_000.0
LIMIT_BYTES = 8 << 30


class Nowhere:
    """The part of a Store that the pipeline uses."""

    name = "nowhere"

    def __init__(self) -> None:
        self.events = 0

    async def append(self, events: Sequence[Event], _: Checkpoint) -> None:
        self.events += len(events)

    async def flush(self) -> None:
        return

    def safe(self) -> Checkpoint | None:
        return None


async def read(folder: Path) -> tuple[int, float]:
    """(events, CPU seconds) of reading the whole journal in `folder`."""
    metrics, store = Metrics(), Nowhere()
    journal = Journal(folder, "bench", metrics, Space(folder, LIMIT_BYTES, 0))
    pipeline = Pipeline(journal, store, Tail(metrics), Normalizer("here"), Joiner(), metrics)  # type: ignore[arg-type]
    pipeline.restore(None)
    pipeline.stop()  # so that it ends when it has read all
    gc.collect()
    gc.freeze()
    start = time.process_time()
    await pipeline.run()
    used = time.process_time() - start
    gc.unfreeze()
    await journal.close()
    return store.events, used


def write(folder: Path, events: int, mode: str) -> None:
    """Fill a journal below `folder` from eight connections."""
    with rig.journal_only("interval", keep=folder) as server:
        rig.send(server.forward, rig.frames(events), f"-mode={mode}")
        server.process.stop()


def rows(events: int = EVENTS, runs: int = RUNS) -> Iterator[rig.Row]:
    """Measure, row by row."""
    rig.loadgen()
    for mode in ("stream", "frame"):
        with tempfile.TemporaryDirectory(dir=rig.CACHE) as name:
            write(Path(name), events, mode)
            figures = [uvloop.run(read(Path(name) / "journal")) for _ in range(runs + 1)][1:]
        if any(count != events for count, _ in figures):
            raise SystemExit(f"{figures[0][0]} of {events} events came out of the journal")
        rates = [count / used for count, used in figures]
        what = f"journal to events, one core, {mode} mode {rig.spread(rates, 0)}"
        yield rig.at_least(what, rig.median(rates), LEAST, "events/s")
        yield rig.Row("  CPU per event", f"{1e6 / rig.median(rates):.2f} us")


def main() -> None:
    numbers = [int(text) for text in sys.argv[1:]]
    rig.show(f"{Path(__file__).stem}: {numbers or (EVENTS, RUNS)}", list(rows(*numbers)))


if __name__ == "__main__":
    main()
