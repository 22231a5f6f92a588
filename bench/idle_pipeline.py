"""A server of receivers and journal alone: what stands in front of every acknowledgement, and nothing else.

    python bench/idle_pipeline.py FOLDER interval|always

It writes FOLDER/addresses.json when it listens, as `logdock serve` does, and ends on SIGTERM.
"""

import asyncio
import signal
import sys
from pathlib import Path

import msgspec
import uvloop

from ingest.entries import Protocol
from ingest.gate import Gate
from ingest.journal import Journal
from ingest.receivers import Receivers
from ingest.space import Space
from storage.durable import write_durably
from storage.metrics import Metrics

JOURNAL_BYTES = 8 << 30  # nobody reads it, so nothing of it is forgotten


async def serve(folder: Path, sync: str) -> None:
    metrics = Metrics()
    (folder / "journal").mkdir(exist_ok=True)
    space = Space(folder, JOURNAL_BYTES, 0)
    journal = Journal(folder / "journal", "bench", metrics, space, always=sync == "always")
    receivers = Receivers(Gate(metrics), journal)
    await receivers.open_tcp(Protocol.FORWARD, "127.0.0.1", 0)
    await receivers.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    write_durably(folder / "addresses.json", msgspec.json.encode(receivers.addresses))
    await stop.wait()
    await receivers.stop()
    await journal.close()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), sys.argv[2]))
