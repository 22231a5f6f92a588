"""Faults of every kind under load: what was acknowledged is stored exactly once and in order, or counted.

The seed of a run is printed, LOGDOCK_CHAOS_SEED gives it again; LOGDOCK_CHAOS_FAULTS names the faults of a
run (with semicolons between them), LOGDOCK_CHAOS_COUNT how many the long form has.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.real.chaos import faults as f
from tests.real.chaos import plan
from tests.real.chaos.containers import Printing
from tests.real.chaos.disk import DISK_CHECKS, flood_stage, full_disks, store_full
from tests.real.chaos.faults import Fault
from tests.real.chaos.kept import compare
from tests.real.chaos.load import Load
from tests.real.chaos.proxy import Proxy
from tests.real.chaos.run import endure, table
from tests.real.chaos.site import Site, environ_with_clock
from tests.real.conftest import Launcher, Tell
from tests.real.disks import small_disk
from tests.real.dockerd import Dockerd
from tests.real.elastic import Node
from tests.real.server import Logdock, until

pytestmark = pytest.mark.elasticsearch

Kinds = tuple[tuple[int, float], ...]
KINDS: Kinds = ((1, 0.005), (10, 0.05), (200, 0.3), (600, 1.0))
"""Senders: lines a frame, and seconds of pause after each. Together some 1,500 lines/s, which leaves time
for Elasticsearch and for the check of every line."""
FEW: Kinds = ((1, 0.01), (10, 0.1), (100, 0.5))  # where the machine has more to do: under a moved clock
MANY_FAULTS = 200
SMALL_DISK = 96 << 20  # several journal segments, and full in a moment
STORE_DISK = 300 << 20
SMALL_JOURNAL = "1MB"
DROP_PATIENCE = 60.0  # seconds until such a journal is full and something was dropped, or all is stored
FREQUENT_SEALING = {"LOGDOCK_SEAL_ROWS": "2000"}


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


@pytest.fixture
def disk() -> Iterator[Path]:
    with small_disk(Path(f"/tmp/ldchaos{os.getpid()}"), SMALL_DISK) as folder:
        yield folder


def seeded(tell: Tell) -> tuple[str, random.Random]:
    seed = os.environ.get("LOGDOCK_CHAOS_SEED") or f"{random.randrange(1 << 32):08x}"
    tell(f"\nchaos, seed {seed}")
    return seed, random.Random(seed)


def loads(
    server: Logdock, seed: str, kinds: Kinds, daemons: tuple[Dockerd, ...] = (), folder: Path = Path()
) -> Callable[[], Load]:
    """Senders and containers of new names with every call."""
    made = count()

    def fresh() -> Load:
        name = f"{seed}-{next(made)}"
        printing = [
            Printing(daemon, server.forward, f"c{daemon.version.replace('.', '')}-{name}", folder)
            for daemon in daemons
        ]
        return Load(server.forward, name, kinds, printing)

    return fresh


def survive(site: Site, groups: list[list[Fault]], fresh: Callable[[], Load], tell: Tell) -> None:
    """All of them; the table; and nothing lost, doubled, out of order or ended by itself."""
    try:
        rows = endure(site, groups, fresh, tell)
    except BaseException:
        site.load.abandon()
        raise
    for row in table(rows):
        tell(row)
    assert [(row.fault, row.problems) for row in rows if row.problems] == []
    assert site.ended_by_itself == []
    site.terminate()


def chosen(otherwise: list[list[Fault]]) -> list[list[Fault]]:
    names = os.environ.get("LOGDOCK_CHAOS_FAULTS")
    return [plan.named(names.split(";"))] if names else otherwise


@pytest.mark.docker
def test_a_fault_of_every_kind(
    logdock: Launcher, node: Node, proxy: Proxy, dockerd26: Dockerd, tmp_path: Path, tell: Tell
) -> None:
    seed, chance = seeded(tell)
    server = logdock("--store", proxy.url)
    dockerd26.start({})
    fresh = loads(server, seed, KINDS, (dockerd26,), tmp_path)
    site = Site(server, chance, node=node, proxy=proxy)
    survive(site, chosen(plan.short(chance)), fresh, tell)


@pytest.mark.soak
@pytest.mark.docker
@pytest.mark.timeout(3600)
def test_two_hundred_faults(
    logdock: Launcher, node: Node, proxy: Proxy, dockerd20: Dockerd, dockerd26: Dockerd, tmp_path: Path,
    tell: Tell,
) -> None:  # fmt: skip
    seed, chance = seeded(tell)
    server = logdock("--store", proxy.url)
    for daemon in (dockerd20, dockerd26):
        daemon.start({})
    fresh = loads(server, seed, KINDS, (dockerd20, dockerd26), tmp_path)
    site = Site(server, chance, node=node, proxy=proxy)
    least = int(os.environ.get("LOGDOCK_CHAOS_COUNT", MANY_FAULTS))
    survive(site, chosen(plan.long(chance, least)), fresh, tell)


@pytest.mark.parametrize("store", ["local", pytest.param("elasticsearch", marks=pytest.mark.soak)])
def test_steps_of_the_clock(
    store: str, logdock: Launcher, request: pytest.FixtureRequest, tmp_path: Path, tell: Tell
) -> None:
    seed, chance = seeded(tell)
    clock = tmp_path / "clock"
    node = request.getfixturevalue("node") if store == "elasticsearch" else None
    server = logdock(
        "--store", node.url if node else store, environ=environ_with_clock(clock) | FREQUENT_SEALING
    )
    site = Site(server, chance, node=node, clock=clock)
    steps = [fault for step in f.CLOCK for fault in (f.with_kill(step), *([step] if node else []))]
    survive(site, [steps], loads(server, seed, FEW), tell)


@pytest.mark.parametrize(
    ("store", "floor"),
    [
        ("local", "auto"),
        pytest.param("local", "1kB", marks=pytest.mark.soak),
        pytest.param("elasticsearch", "auto", marks=pytest.mark.soak),
        pytest.param("elasticsearch", "1kB", marks=pytest.mark.soak),
    ],
)  # fmt: skip
def test_a_full_disk(
    store: str, floor: str, logdock_on_disk: Callable[..., Logdock], disk: Path,
    request: pytest.FixtureRequest, tell: Tell,
) -> None:  # fmt: skip
    """With a floor that keeps something free, and without: then writes fail."""
    seed, chance = seeded(tell)
    node = request.getfixturevalue("node") if store == "elasticsearch" else None
    server = logdock_on_disk("--store", node.url if node else store, "--disk-floor", floor)
    site = Site(server, chance, node=node)
    survive(site, [full_disks(disk)], loads(server, seed, KINDS), tell)


@pytest.fixture
def logdock_on_disk(tmp_path: Path, disk: Path) -> Iterator[Callable[..., Logdock]]:
    """A server with its data on the small disk. Its log is elsewhere."""
    servers: list[Logdock] = []

    def launch(*options: str) -> Logdock:
        server = Logdock(disk / "data", options, FREQUENT_SEALING)
        server.log = tmp_path / "logdock.log"
        servers.append(server)
        return server.start()

    yield launch
    for server in servers:
        if server.running():
            server.kill()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_elasticsearch_on_a_full_disk(logdock: Launcher, tmp_path: Path, tell: Tell) -> None:
    seed, chance = seeded(tell)
    with small_disk(Path(f"/tmp/ldchaos-es{os.getpid()}"), STORE_DISK) as folder:
        node = Node(tmp_path, data=folder, settings=DISK_CHECKS)
        try:
            server = logdock("--store", node.start().url)
            site = Site(server, chance, node=node)
            faults = [store_full(folder), flood_stage(folder), f.with_kill(store_full(folder))]
            survive(site, [faults], loads(server, seed, KINDS), tell)
        finally:
            node.remove()


@pytest.mark.parametrize("policy", [pytest.param("drop-oldest", marks=pytest.mark.soak), "drop-new"])
def test_what_a_full_journal_gives_up_is_counted(
    policy: str, logdock: Launcher, node: Node, proxy: Proxy, tell: Tell
) -> None:
    """Whatever is missing afterwards, and nothing else, stands in /metrics under the policy's name."""
    seed, chance = seeded(tell)
    server = logdock("--store", proxy.url, "--on-full", policy, "--journal-size", SMALL_JOURNAL)
    site = Site(server, chance, node=node, proxy=proxy)
    site.begin(loads(server, seed, KINDS)())
    proxy.down()
    until(lambda: dropped(site, policy) > 0, DROP_PATIENCE, lambda: f"nothing dropped:\n{server.tail()}")
    time.sleep(2)
    proxy.up()
    time.sleep(2)
    site.load.hold()
    until(lambda: absent(site) == dropped(site, policy), DROP_PATIENCE, lambda: told(site))
    site.load.end()
    verdicts = [site.verdict(sender) for sender in site.load.senders]
    assert not any(verdict.doubled or verdict.strange for verdict in verdicts)
    assert sum(len(verdict.lost) for verdict in verdicts) == dropped(site, policy) > 0
    assert policy in server.log.read_text()
    tell(f"{policy}: {told(site)}")


def dropped(site: Site, policy: str) -> int:
    site.losses.look(site.server)
    return site.losses.told.get(f'logdock_dropped_total{{reason="{policy}"}}', 0)


def absent(site: Site) -> int:
    return site.load.acked - sum(site.count().values())


def told(site: Site) -> str:
    return f"{absent(site)} of {site.load.acked} lines are missing, {site.losses.told} are counted"


def test_local_store_kills(logdock: Launcher, tell: Tell) -> None:
    seed, chance = seeded(tell)
    server = logdock(environ=FREQUENT_SEALING)
    survive(Site(server, chance), [f.SERVER], loads(server, seed, KINDS), tell)


@pytest.mark.parametrize(
    ("kept", "seen"),
    [
        ("1 2 3 4", ""), ("1 2 4", "lost"), ("1 2 3 3 4", "doubled"), ("1 3 2 4", "misplaced"),
        ("1 2 3 4 x", "strange"), ("", "lost"),
    ],
)  # fmt: skip
def test_the_check_sees_what_is_wrong(kept: str, seen: str) -> None:
    verdict = compare(["1", "2", "3", "4"], kept.split())
    assert [name for name, lines in vars(verdict).items() if lines] == ([seen] if seen else [])
    assert verdict.good is (not seen)
