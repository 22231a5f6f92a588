"""Who prints while things break: acknowledged senders of three kinds, and real containers.

Every line says its number, so that what is kept can be compared with what was promised. All senders wait
for an acknowledgement before they go on, so the numbers of one of them are promised without a gap.
"""

import gzip
import threading
import time
from collections.abc import Sequence
from typing import Protocol

import msgpack

from tests.real.chaos.containers import Printing
from tests.real.forwarding import RECONNECT_PAUSE, Sender, event_time, new_chunk, record
from tests.real.server import until

HOLD_PATIENCE = 60.0  # seconds until every sender has its ack: the longest pause a receiver may make
JSON_EVERY = 11  # every so many lines is a JSON object, which stores index in another way


class Steady(Sender):
    """A sender that can be told to hold, and that remembers how long it waited and what went wrong.

    `entries` lines a frame and `pause` seconds after each. Frames of many lines are packed, every second of
    them compressed. `fickle`: every second frame's connection ends before its ack is read, and the frame
    goes again on another one.
    """

    def __init__(self, number: int, address: str, seed: str, entries: int, pause: float) -> None:
        super().__init__(number, address, seed, pause)
        self.entries = entries
        self.holding = threading.Event()
        self.idle = threading.Event()
        self.fickle = self.given_up = False
        self.frames = 0
        self.errors: list[str] = []
        self.longest = 0.0  # seconds from the first attempt to the ack

    def text(self, line: int) -> str:
        text = f"line {line} of {self.name} {'.' * (1 + line % 90)}"
        return f'{{"n":{line},"msg":"{text}"}}' if line % JSON_EVERY == 0 else text

    def run(self) -> None:
        while not self.ending.is_set():
            if self.holding.is_set():
                self.idle.set()
                time.sleep(0.005)
                continue
            self.idle.clear()
            self.send_next()
            time.sleep(self.pause)
        self.idle.set()
        self.close()

    def send_next(self) -> None:
        self.frames += 1
        chunk = new_chunk()
        begun = time.monotonic()
        self.deliver(self.frame(chunk), chunk)
        self.longest = max(self.longest, time.monotonic() - begun)
        self.acked += self.entries

    def frame(self, chunk: str) -> bytes:
        if self.entries <= 10:
            return super().frame(chunk)
        now = event_time(time.time())
        bodies = range(self.acked + 1, self.acked + 1 + self.entries)
        entries = b"".join(msgpack.packb([now, self.body(line)]) for line in bodies)
        option = {"chunk": chunk, "size": self.entries}
        if self.frames % 2:
            entries, option = gzip.compress(entries, 1), {**option, "compressed": "gzip"}
        packed: bytes = msgpack.packb(["packed", entries, option])
        return packed

    def body(self, line: int) -> dict[str, str]:
        return record(self.container, self.text(line), self.name)

    def deliver(self, frame: bytes, chunk: str) -> None:
        """As any sender, but not beyond the end of a test that has failed."""
        while not self.given_up:
            try:
                return self.exchange(frame, chunk)
            except OSError:
                self.close()
                self.resent += 1
                time.sleep(RECONNECT_PAUSE)
        raise SystemExit

    def exchange(self, frame: bytes, chunk: str) -> None:
        fickle = self.fickle and self.frames % 2 and self.socket is not None
        try:
            if fickle and self.socket is not None:
                self.socket.sendall(frame)
                self.close()
                self.resent += 1
            super().exchange(frame, chunk)
        except OSError as problem:
            self.errors.append(f"{type(problem).__name__}: {problem}")
            raise


class Source(Protocol):
    """Whoever prints numbered lines, and how many of them are promised to be kept."""

    name: str
    container: str  # id
    acked: int

    def text(self, line: int) -> str: ...


class Load:
    """Some senders as one, and perhaps containers beside them.

    `kinds`: (entries a frame, pause in seconds) of each sender.
    """

    def __init__(
        self, address: str, seed: str, kinds: Sequence[tuple[int, float]], containers: Sequence[Printing] = ()
    ) -> None:
        self.senders = [
            Steady(number, address, seed, entries, pause) for number, (entries, pause) in enumerate(kinds)
        ]
        self.containers = containers

    def start(self) -> "Load":
        for sender in self.senders:
            sender.start()
        return self

    @property
    def sources(self) -> list[Source]:
        return [*self.senders, *self.containers]

    @property
    def acked(self) -> int:
        return sum(sender.acked for sender in self.senders)

    @property
    def resent(self) -> int:
        return sum(sender.resent for sender in self.senders)

    @property
    def errors(self) -> list[str]:
        return [error for sender in self.senders for error in sender.errors]

    def hold(self) -> None:
        """Returns when nothing is on its way: all that was sent is acknowledged."""
        for sender in self.senders:
            sender.holding.set()
        until(
            lambda: all(sender.idle.is_set() for sender in self.senders),
            HOLD_PATIENCE,
            lambda: f"no ack for {[s.name for s in self.senders if not s.idle.is_set()]}",
        )

    def go_on(self) -> None:
        for sender in self.senders:
            sender.idle.clear()
            sender.holding.clear()

    def fickle(self, yes: bool) -> None:
        for sender in self.senders:
            sender.fickle = yes

    def end(self) -> None:
        for sender in self.senders:
            sender.ending.set()
        for sender in self.senders:
            sender.join(HOLD_PATIENCE)
            assert not sender.is_alive(), f"{sender.name} waits for an ack that does not come"
        for container in self.containers:
            container.end()

    def abandon(self) -> None:
        """After a failure: nothing more is promised, and nobody may hold up the end of the test."""
        for sender in self.senders:
            sender.given_up = True
            sender.ending.set()
        for container in self.containers:
            container.abandon()


class Paced(Steady):
    """Sends packed frames at a rate, in lines a second, however long an ack takes."""

    def __init__(self, number: int, address: str, seed: str, entries: int, rate: float) -> None:
        super().__init__(number, address, seed, entries, 0.0)
        self.interval = entries / rate

    def run(self) -> None:
        begun = time.monotonic()
        while not self.ending.is_set():
            self.send_next()
            time.sleep(max(0.0, begun + self.frames * self.interval - time.monotonic()))
        self.idle.set()
        self.close()


def paced(address: str, seed: str, rate: float) -> Load:
    """Six senders of `rate` lines/s together: one of single lines, one of small and four of packed frames."""
    shares = ((1, 0.04), (10, 0.06), (100, 0.2), (250, 0.2), (250, 0.25), (500, 0.25))
    load = Load(address, seed, ())
    load.senders = [
        Paced(number, address, seed, entries, rate * share) for number, (entries, share) in enumerate(shares)
    ]
    return load
