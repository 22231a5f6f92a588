"""Faults of every kind under load: what was acknowledged is stored exactly once and in order, or counted.

The seed of a run is printed; LOGDOCK_CHAOS_SEED gives it again.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.chaos import faults as f
from tests.real.chaos.faults import Fault
from tests.real.chaos.load import Load
from tests.real.chaos.proxy import Proxy
from tests.real.chaos.run import Row, endure, table
from tests.real.chaos.site import Site, environ_with_clock
from tests.real.conftest import Launcher
from tests.real.elastic import Node

pytestmark = pytest.mark.elasticsearch

KINDS = ((1, 0.004), (10, 0.02), (300, 0.25), (800, 0.7))
"""Senders: lines a frame, and seconds of pause after each. Together some 2,500 lines/s, which leaves the
machine time for Elasticsearch and the check."""
SHORT = [
    "logdock killed", "cut before the answer", "Elasticsearch frozen", "429 for every third",
    "connection refused",
]  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("chaos")).start()
    yield node
    node.remove()


@pytest.fixture
def proxy(node: Node) -> Iterator[Proxy]:
    proxy = Proxy(0, node.url)
    yield proxy
    proxy.close()


def chance() -> tuple[str, random.Random]:
    seed = os.environ.get("LOGDOCK_CHAOS_SEED") or f"{random.randrange(1 << 32):08x}"
    return seed, random.Random(seed)


def by_name(faults: list[Fault], names: list[str]) -> list[Fault]:
    known = {fault.name: fault for fault in faults}
    return [known[name] for name in names]


def loads(address: str, seed: str, kinds: tuple[tuple[int, float], ...] = KINDS) -> Callable[[], Load]:
    """Senders of new names with every call."""
    made = iter(range(1_000_000))
    return lambda: Load(address, f"{seed}-{next(made)}", kinds)


EVERYTHING = [*f.CONNECTION, *f.ANSWER, *f.ITEMS, *f.STORE, *f.SERVER]


def test_faults_of_every_kind(
    logdock: Launcher, node: Node, proxy: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, random_source = chance()
    names = (
        os.environ.get("LOGDOCK_CHAOS_FAULTS", "").split(";")
        if "LOGDOCK_CHAOS_FAULTS" in os.environ
        else SHORT
    )
    server = logdock("--store", proxy.url)
    fresh = loads(server.forward, seed)
    site = Site(server, fresh(), random_source, node=node, proxy=proxy)
    with capsys.disabled():
        print(f"\nchaos, seed {seed}")
        chosen = EVERYTHING if names == ["all"] else by_name(EVERYTHING, names)
        rows = endure(site, [chosen], fresh, print)
        print("\n".join(table(rows)))
    assert_good(rows)


def assert_good(rows: list[Row]) -> None:
    assert [(row.fault, row.problems) for row in rows if row.problems] == []
