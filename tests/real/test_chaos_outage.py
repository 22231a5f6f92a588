"""The store is away for minutes, or takes a quarter of what comes: no sender notices, and memory stays small.

Away: in the long form only, LOGDOCK_OUTAGE_SECONDS long. The short chaos run kills and freezes it too.
"""

import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.real.chaos.kept import compare, counts, metric, stored, wanted_lines
from tests.real.chaos.load import Load, paced
from tests.real.chaos.memory import Memory
from tests.real.chaos.misbehaviour import throttle
from tests.real.chaos.proxy import Proxy
from tests.real.conftest import Launcher
from tests.real.elastic import Node
from tests.real.server import Logdock, until

pytestmark = pytest.mark.elasticsearch

RATE = 5_000  # lines/s
LONG_OUTAGE = float(os.environ.get("LOGDOCK_OUTAGE_SECONDS", 300))
OVERLOAD = 4  # times what the store takes
MOST_MEMORY = 300 << 20
DRAIN_SHARE = 4.0  # a backlog may need that many times the seconds in which it grew, and a start
DRAIN_LEAST = 60.0
OFFERED_SHARE = 0.8  # of RATE that must have come for the test to be one: the machine has other work


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("outage"), heap="1g").start()
    yield node
    node.remove()


class Watch:
    """Load on a server whose memory is watched; `close` checks what holds in every case."""

    def __init__(self, server: Logdock, rate: float) -> None:
        assert server.process is not None
        self.server, self.rate = server, rate
        self.memory = Memory(server.process.pid)
        self.load: Load = paced(server.forward, f"{random.randrange(1 << 32):08x}", rate).start()
        self.begun = time.monotonic()

    def metric(self, name: str) -> float:
        return metric(self.server.get("/metrics").text, name)

    def drain(self, node: Node, seconds: float) -> float:
        """Seconds until all that was promised is stored. Ends the load."""
        begun = time.monotonic()
        self.load.end()
        sent = begun - self.begun
        assert self.load.acked > OFFERED_SHARE * self.rate * sent, f"only {self.load.acked} in {sent:.0f} s"
        containers = [sender.container for sender in self.load.senders]
        patience = max(DRAIN_LEAST, DRAIN_SHARE * seconds)
        until(
            lambda: sum(counts(node.ask, containers).values()) >= self.load.acked, patience,
            lambda: f"{counts(node.ask, containers)} of {self.load.acked}\n{self.server.tail()}",
        )  # fmt: skip
        return time.monotonic() - begun

    def check(self, node: Node) -> str:
        """Nobody saw an error, memory stayed small, every line is there once and in order."""
        self.memory.end()
        assert self.load.errors == []
        assert max(self.memory.most, self.memory.peak) < MOST_MEMORY
        for sender in self.load.senders:
            verdict = compare(wanted_lines(sender.text, sender.acked), stored(node.ask, sender.container))
            assert verdict.good, f"{sender.name}: {verdict}"
        longest = max(sender.longest for sender in self.load.senders)
        return (
            f"{self.load.acked} lines, memory at most {self.memory.peak >> 20} MiB, "
            f"longest wait for an ack {longest * 1000:.0f} ms"
        )


def outage(server: Logdock, node: Node, seconds: float) -> str:
    watch = Watch(server, RATE)
    time.sleep(2)
    node.stop()
    time.sleep(seconds)
    lag, size = watch.metric("logdock_pipeline_lag_seconds"), watch.metric("logdock_journal_bytes")
    assert lag > seconds * 0.5
    node.start()
    drained = watch.drain(node, seconds)
    told = watch.check(node)
    return (
        f"\nElasticsearch away for {seconds:.0f} s at {RATE} lines/s: {told}, lag {lag:.0f} s, "
        f"journal {size / 1e6:.0f} MB, all stored {drained:.1f} s after it was back"
    )


def overload(server: Logdock, node: Node, proxy: Proxy, seconds: float) -> str:
    watch = Watch(server, RATE)
    proxy.behave(throttle(RATE / OVERLOAD))
    time.sleep(seconds)
    lag, behind = watch.metric("logdock_pipeline_lag_seconds"), watch.metric("logdock_pipeline_lag_bytes")
    assert lag > seconds * 0.4
    assert behind > 0
    proxy.heal()
    drained = watch.drain(node, seconds)
    told = watch.check(node)
    return (
        f"\n{OVERLOAD} times what the store takes for {seconds:.0f} s: {told}, lag {lag:.0f} s and "
        f"{behind / 1e6:.0f} MB, all stored {drained:.1f} s after the store was quick again"
    )


def tell(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(text)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_an_outage_of_minutes(logdock: Launcher, node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    tell(capsys, outage(logdock("--store", node.url), node, LONG_OUTAGE))


@pytest.mark.parametrize("seconds", [8.0, pytest.param(60.0, marks=pytest.mark.soak)])
@pytest.mark.timeout(900)
def test_four_times_what_the_store_takes(
    seconds: float, logdock: Launcher, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = Proxy(0, node.url)
    try:
        tell(capsys, overload(logdock("--store", proxy.url), node, proxy, seconds))
    finally:
        proxy.close()
