"""Power cuts at random moments under acknowledged load: only what was synced is left, and that is enough."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.sync import SYNC_SECONDS
from tests.real.chaos.kept import metric
from tests.real.elastic import free_port
from tests.real.forwarding import ended
from tests.real.powerloss.disk import CUTS, Cut, Disk, build
from tests.real.powerloss.kept import (
    Blackout,
    Outcome,
    black_out,
    date_losses,
    outcome_of,
    power_on,
    print_table,
)
from tests.real.powerloss.load import Follower, Timed, started
from tests.real.server import Logdock, until

KINDS = ((1, 0.0005), (1, 0.0005), (10, 0.002), (1, 0.02), (200, 0.02), (200, 0.05))
SEALING = {"LOGDOCK_SEAL_ROWS": "2000"}  # sealed files, the catalogue and deleted segments take part
SMALL_JOURNAL = ("--journal-size", "4MB")  # segments of 512 kB: a new one every second or so
REPLAY_SHARE = 0.3  # of the cuts hit a server that has just opened its ports
# The sync has a thread of its own, which on a busy machine is still late. What was lost is in the table.
GRACE_SECONDS = 0.3
STRICT = Cut("strict", "synced")
PATIENCE = 30.0  # seconds until a first line is acknowledged
# Nearly every cut under load tears the journal; what lies before the store's checkpoint is not read again.
TORN_TRIES = 8
INPUTS = ("forward", "gelf_udp", "gelf_tcp")


class Site:
    """A server on a disk whose power fails, with senders and a follower."""

    def __init__(self, shim: Path, folder: Path, options: tuple[str, ...], **lies: str) -> None:
        self.seed = f"{random.randrange(1 << 40):x}"
        self.chance = random.Random(self.seed)
        self.disk = Disk(shim, folder / "data", folder / "shadow")
        environ = {**SEALING, **self.disk.environ(**lies)}
        self.server = Logdock(folder / "data", (*SMALL_JOURNAL, *options), environ)
        self.blackouts: list[Blackout] = []
        self.senders: list[Timed] = []

    def begin(self, kinds: tuple[tuple[int, float], ...] = KINDS) -> None:
        """Start the server on an empty folder; the senders try from the first moment on."""
        self.server.addresses = fixed_addresses()
        self.senders = started(self.server.forward, self.seed, kinds)
        power_on(self.server, self.disk)
        self.follower = Follower(self.server.http)
        self.follower.start()

    def cut(self, kind: Cut, when: str = "load") -> Blackout:
        """Cut the power, and start the server on what is left."""
        found = black_out(self.server, self.disk, self.senders, kind, self.chance, when)
        self.blackouts.append(found)
        power_on(self.server, self.disk)
        return found

    def cut_at_random(self) -> Blackout:
        replaying = bool(self.blackouts) and self.chance.random() < REPLAY_SHARE
        if not replaying:
            self.server.wait_ready()
        time.sleep(self.chance.uniform(0.0, 1.0) if replaying else self.chance.uniform(0.3, 2.0))
        return self.cut(self.chance.choice(CUTS), "replay" if replaying else "load")

    def outcomes(self) -> dict[Timed, Outcome]:
        """What became of everybody's lines, now that all of them stop sending."""
        self.server.wait_ready()
        time.sleep(0.3)
        ended(list(self.senders))
        found = {sender: outcome_of(self.server, sender, self.follower) for sender in self.senders}
        self.follower.end()
        return found


def fixed_addresses() -> dict[str, object]:
    """Ports that the system gives to no client meanwhile, for the lives of a server to share."""
    ports = [f"127.0.0.1:{free_port()}" for _ in range(4)]
    return {"http": ports[0], **{name: [port] for name, port in zip(INPUTS, ports[1:], strict=True)}}


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def site(shim: Path, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """site(*flags, ignored="", slow_ms=0): a server that is not started yet, and is stopped afterwards."""
    sites: list[Site] = []

    def make(*options: str, **lies: str) -> Site:
        sites.append(Site(shim, tmp_path, options, **lies))
        return sites[-1]

    yield make
    for made in sites:
        for sender in made.senders:
            sender.ending.set()
        if made.server.running():
            assert made.server.stop() == 0


@contextmanager
def shown(site: Site, title: str, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    try:
        yield
    finally:
        with capsys.disabled():
            print_table(f"power cuts, {title}, seed {site.seed}", site.blackouts)


def survive(site: Site, cuts: int) -> dict[Timed, Outcome]:
    """Cut the power at random under load. Whatever was lost: nothing is doubled, displaced or renamed."""
    site.begin()
    for _ in range(cuts):
        site.cut_at_random()
    found = site.outcomes()
    assert [f"{sender.name}: {outcome}" for sender, outcome in found.items() if not outcome.exact] == []
    assert site.follower.seen > 0, "nobody looked"
    assert site.follower.conflicts[:5] == []
    return found


def keep_all(site: Site, cuts: int) -> None:
    found = survive(site, cuts)
    assert [f"{sender.name}: {outcome}" for sender, outcome in found.items() if outcome.lost] == []
    assert sum(sender.acked for sender in site.senders) > 1000 * cuts, "hardly any load"


def lose_an_interval(site: Site, cuts: int) -> None:
    found = survive(site, cuts)
    for sender, outcome in found.items():
        date_losses(site.blackouts, sender, outcome.lost)
    for blackout in site.blackouts:
        slowest = max([0.0, *(sync.ended - sync.began for sync in blackout.syncs)])
        assert blackout.oldest <= SYNC_SECONDS + slowest + GRACE_SECONDS


def test_synced_before_acknowledged_is_kept(
    site: Callable[..., Site], capsys: pytest.CaptureFixture[str]
) -> None:
    made = site("--sync", "always")
    with shown(made, "--sync always", capsys):
        keep_all(made, 2)


def test_synced_every_interval_loses_at_most_that(
    site: Callable[..., Site], capsys: pytest.CaptureFixture[str]
) -> None:
    made = site("--sync", "interval")
    with shown(made, "--sync interval", capsys):
        lose_an_interval(made, 1)


def test_a_disk_that_lies_about_the_journal_loses_lines(site: Callable[..., Site]) -> None:
    """The test can fail: as if the journal were never synced."""
    made = site("--sync", "always", ignored=".log")
    made.begin()
    made.server.wait_ready()
    time.sleep(0.5)
    made.cut(STRICT)
    found = made.outcomes()
    assert all(outcome.exact for outcome in found.values())
    assert sum(len(outcome.lost) for outcome in found.values()) > 0


def test_the_first_lines_of_a_new_folder_are_kept(site: Callable[..., Site]) -> None:
    """Cut before the start is over: the folders themselves must be on the disk before the first answer."""
    made = site("--sync", "always")
    made.begin()
    until(lambda: any(sender.acked for sender in made.senders), PATIENCE, lambda: "no ack")
    made.cut(STRICT)
    found = made.outcomes()
    assert [str(outcome) for outcome in found.values() if outcome.lost or not outcome.exact] == []


def test_a_torn_end_is_set_aside_counted_and_told(site: Callable[..., Site]) -> None:
    made = site("--sync", "interval")
    made.begin()
    made.server.wait_ready()
    for _ in range(TORN_TRIES):
        time.sleep(made.chance.uniform(0.3, 0.6))
        made.cut(Cut("journaled", "sectors"))
        made.server.wait_ready()
        if damaged := made.server.get("/readyz").json()["damaged"]:
            break
    assert damaged
    metrics = made.server.get("/metrics").text
    assert metric(metrics, "logdock_journal_damaged_bytes_total") > 0
    assert list((made.server.data / "journal").glob("*.damaged"))
    assert "damaged journal" in made.server.log.read_text()
    assert all(outcome.exact for outcome in made.outcomes().values())


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("sync", ["always", "interval"])
def test_fifty_power_cuts(site: Callable[..., Site], sync: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = site("--sync", sync)
    with shown(made, f"--sync {sync}", capsys):
        keep_all(made, 50) if sync == "always" else lose_an_interval(made, 50)
    assert list(made.server.data.rglob("*.parquet")), "nothing was sealed, so sealing was not under test"


@pytest.mark.elasticsearch
def test_power_cuts_before_elasticsearch(
    site: Callable[..., Site], elasticsearch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = site("--sync", "always", "--store", elasticsearch)
    with shown(made, "--sync always, Elasticsearch", capsys):
        keep_all(made, 1)


@pytest.mark.elasticsearch
def test_no_store_has_what_a_slow_disk_has_not(site: Callable[..., Site], elasticsearch: str) -> None:
    """Else the power cut takes it from the journal, its sender sends it again, and it is stored twice."""
    made = site("--sync", "always", "--store", elasticsearch, slow_ms="1000")
    made.begin(((200, 0.0),))
    (sender,) = made.senders
    made.server.wait_ready()
    end = time.monotonic() + 4.0
    while time.monotonic() < end:
        stored = sum(1 for _ in made.server.export(container=sender.container))
        if stored > sender.acked + sender.entries // 2:
            break
    made.cut(STRICT)
    (outcome,) = made.outcomes().values()
    assert (outcome.doubled, outcome.lost) == ([], [])


@pytest.mark.soak
@pytest.mark.elasticsearch
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("sync", ["always", "interval"])
def test_twenty_power_cuts_before_elasticsearch(
    site: Callable[..., Site], elasticsearch: str, sync: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = site("--sync", sync, "--store", elasticsearch)
    with shown(made, f"--sync {sync}, Elasticsearch", capsys):
        keep_all(made, 20) if sync == "always" else lose_an_interval(made, 20)
