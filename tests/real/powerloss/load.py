"""Who sends and who looks while the power fails: acknowledged senders that keep times, and a follower."""

import gzip
import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx
import msgpack

from tests.real.forwarding import Sender, event_time, new_chunk, record

RETRY_SECONDS = 0.05  # between a follower's attempts to reach a server that is down


class Timed(Sender):
    """Sends numbered lines, `entries` a frame, and remembers when each frame was acknowledged.

    `acks` holds (lines acknowledged so far, monotonic seconds), the latter a moment after the server's own.
    Frames of more than ten lines are packed, every second of them compressed.
    """

    def __init__(self, number: int, address: str, seed: str, entries: int, pause: float) -> None:
        super().__init__(number, address, seed, pause)
        self.entries = entries
        self.acks: list[tuple[int, float]] = []

    def run(self) -> None:
        while not self.ending.is_set():
            chunk = new_chunk()
            self.deliver(self.frame(chunk), chunk)
            self.acked += self.entries
            self.acks.append((self.acked, time.monotonic()))
            time.sleep(self.pause)
        self.close()

    def frame(self, chunk: str) -> bytes:
        if self.entries <= 10:
            return super().frame(chunk)
        now = event_time(time.time())
        lines = range(self.acked + 1, self.acked + 1 + self.entries)
        entries = b"".join(
            msgpack.packb([now, record(self.container, self.text(line), self.name)]) for line in lines
        )
        option = {"chunk": chunk, "size": self.entries}
        if len(self.acks) % 2:
            entries, option = gzip.compress(entries, 1), {**option, "compressed": "gzip"}
        packed: bytes = msgpack.packb(["packed", entries, option])
        return packed

    def acked_at(self, line: int) -> float:
        """When the acknowledgement of `line` came."""
        return next(when for acked, when in self.acks if acked >= line)


def started(address: str, seed: str, kinds: Sequence[tuple[int, float]]) -> list[Timed]:
    """`kinds`: (lines a frame, seconds between frames) of each sender."""
    senders = [Timed(number, address, seed, *kind) for number, kind in enumerate(kinds)]
    for sender in senders:
        sender.start()
    return senders


class Follower(threading.Thread):
    """A client on the live tail, over all lives of a server: what it was shown may never be taken back.

    `conflicts` names numbers that meant two different lines.
    """

    def __init__(self, http: str) -> None:
        super().__init__(daemon=True)
        self._url = f"http://{http}/api/v1/logs/tail"
        self._ending = threading.Event()
        self._lines: dict[tuple[str, Any], tuple[str, str]] = {}
        self.conflicts: list[str] = []
        self.seen = 0

    def run(self) -> None:
        while not self._ending.is_set():
            try:
                self._follow()
            except httpx.HTTPError:
                time.sleep(RETRY_SECONDS)

    def _follow(self) -> None:
        timeout = httpx.Timeout(2.0)
        with (
            httpx.Client(trust_env=False, timeout=timeout) as client,
            client.stream("GET", self._url) as answer,
        ):
            for line in answer.iter_lines():
                if self._ending.is_set():
                    return
                if line.startswith('data: {"id"'):
                    self.seen += 1
                    self.see(json.loads(line.removeprefix("data: ")))

    def see(self, event: dict[str, Any]) -> None:
        """Remember what the numbers of an event mean, and compare with what they meant before."""
        meaning = event["id"], event["message"]
        for name in ("id", "offset", "sequence"):
            before = self._lines.setdefault((name, event[name]), meaning)
            if before != meaning:
                self.conflicts.append(f"{name} {event[name]} is {before} and {meaning}")

    def end(self) -> None:
        self._ending.set()
        self.join(10)
        assert not self.is_alive()
