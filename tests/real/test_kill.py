"""kill -9 at random moments under acknowledged load: nothing that was acknowledged is lost or doubled."""

import random
import time
from typing import Any

import pytest

from tests.real.conftest import Launcher
from tests.real.forwarding import Sender, ended, started
from tests.real.server import Logdock

SENDERS = 6
FREQUENT_SEALING = {"LOGDOCK_SEAL_ROWS": "2000"}
REPLAY_SHARE = 0.35  # of the kills hit a server that has just opened its ports and is still replaying


def test_three_kills_lose_and_double_nothing(logdock: Launcher, capsys: pytest.CaptureFixture[str]) -> None:
    server = logdock(environ=FREQUENT_SEALING)
    survive(server, 3, capsys)
    assert list(server.data.rglob("*.parquet")), "nothing was sealed, so sealing was not under test"


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_fifty_kills_lose_and_double_nothing(logdock: Launcher, capsys: pytest.CaptureFixture[str]) -> None:
    server = logdock(environ=FREQUENT_SEALING)
    survive(server, 50, capsys)
    assert list(server.data.rglob("*.parquet")), "nothing was sealed, so sealing was not under test"


@pytest.mark.elasticsearch
def test_kills_with_elasticsearch(
    logdock: Launcher, elasticsearch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    survive(logdock("--store", elasticsearch), 2, capsys)


def survive(server: Logdock, kills: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Kill and restart `kills` times under load, then compare what is kept with what was acknowledged."""
    seed = f"{random.randrange(1 << 40):x}"
    chance = random.Random(seed)
    senders = started(SENDERS, server.forward, seed, pause=0.001)
    table = [kill_once(server, senders, chance) for _ in range(kills)]
    time.sleep(0.3)
    ended(senders)
    with capsys.disabled():
        print_table(seed, table)
    server.wait_ready()
    for sender in senders:
        check(server, sender)


def kill_once(server: Logdock, senders: list[Sender], chance: random.Random) -> dict[str, Any]:
    in_replay = chance.random() < REPLAY_SHARE
    if not in_replay:
        server.wait_ready()
    delay = chance.uniform(0.0, 1.5) if in_replay else chance.uniform(0.2, 1.5)
    time.sleep(delay)
    server.kill()
    acked, resent = sum(s.acked for s in senders), sum(s.resent for s in senders)
    server.launch()
    opened = server.wait_open()
    return {
        "when": "replay" if in_replay else "load", "after": f"{delay:.2f} s",
        "acked": acked, "resent": resent,
        "files": len(list(server.data.rglob("*.parquet"))), "ports open": f"{opened:.2f} s",
    }  # fmt: skip


def print_table(seed: str, table: list[dict[str, Any]]) -> None:
    print(f"\nkills, seed {seed}")
    print(" | ".join(["  #", *(f"{name:>10}" for name in table[0])]))
    for number, row in enumerate(table, 1):
        print(" | ".join([f"{number:>3}", *(f"{value!s:>10}" for value in row.values())]))


def check(server: Logdock, sender: Sender) -> None:
    wanted = [sender.text(line) for line in range(1, sender.acked + 1)]
    end = time.monotonic() + 30
    while True:
        kept = [event["message"] for event in server.export(container=sender.container, order="asc")]
        if len(kept) >= len(wanted) or time.monotonic() > end:
            break
        time.sleep(0.5)
    lost = sorted(set(wanted) - set(kept))
    doubled = len(kept) - len(set(kept))
    assert (lost[:5], doubled) == ([], 0), (
        f"{sender.name}: {len(lost)} lost, {doubled} doubled of {len(wanted)}"
    )
    assert kept == wanted, f"{sender.name}: not in the order they were printed"
