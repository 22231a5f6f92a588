"""A hundred live followers of a server that is killed -9 under load: no gap, no double, in order."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable

import pytest

from tests.real.conftest import Launcher, Tell
from tests.real.following import Follower
from tests.real.forwarding import Sender, ended
from tests.real.server import Logdock

FOLLOWERS = 100
SENDERS = 6
PAUSE = 0.1  # seconds between the frames of a sender: 330 lines/s of all, read a hundred times
FREQUENT_SEALING = {"LOGDOCK_SEAL_ROWS": "500"}
PATIENCE = 60.0  # seconds for the last line to reach everybody


def test_followers_see_the_exact_sequence_across_kills(logdock: Launcher, tell: Tell) -> None:
    report = asyncio.run(follow_through(logdock(environ=FREQUENT_SEALING), kills=2))
    tell(report)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_followers_see_the_exact_sequence_across_many_kills(logdock: Launcher, tell: Tell) -> None:
    report = asyncio.run(follow_through(logdock(environ=FREQUENT_SEALING), kills=25))
    tell(report)


@pytest.mark.soak
@pytest.mark.elasticsearch
@pytest.mark.timeout(900)
def test_followers_see_the_exact_sequence_with_elasticsearch(
    logdock: Launcher, elasticsearch: str, tell: Tell
) -> None:
    report = asyncio.run(follow_through(logdock("--store", elasticsearch), kills=5))
    tell(report)


async def follow_through(server: Logdock, kills: int) -> str:
    """Followers, load, kills; then each follower against what was acknowledged. What happened, in a line."""
    seed = f"{random.randrange(1 << 40):x}"
    chance = random.Random(seed)
    senders = [Sender(number, server.forward, seed, PAUSE) for number in range(SENDERS)]
    async with following(server, senders, chance) as followers:
        for sender in senders:
            sender.start()
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            server.kill()
            server.launch()
            await asyncio.to_thread(server.wait_open)
        await asyncio.sleep(1)
        await asyncio.to_thread(ended, senders)
        await arrived(followers, senders)
    await asyncio.to_thread(server.wait_ready)
    everything = published(followers, senders)
    for follower in followers:
        check(follower, everything, senders)
    lines, resumed = len(everything), sum(follower.connections for follower in followers)
    return f"\ntail, seed {seed}: {lines} lines to {len(followers)} followers over {resumed} connections"


@contextlib.asynccontextmanager
async def following(
    server: Logdock, senders: list[Sender], chance: random.Random
) -> AsyncIterator[list[Follower]]:
    """Followers that all know a place to resume from: everything from here on is theirs."""
    followers = [follower(server, senders, number, chance) for number in range(FOLLOWERS)]
    tasks = [asyncio.create_task(one.run()) for one in followers]
    try:
        await until(lambda: all(one.last is not None for one in followers), tasks)
        yield followers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def follower(server: Logdock, senders: list[Sender], number: int, chance: random.Random) -> Follower:
    """In turn one of everything, of one container, of a text; every tenth leaves and comes back."""
    who = senders[number % len(senders)]
    query = ({}, {"container": who.container}, {"q": f'"OF {who.name}"'})[number % 3]
    return Follower(server.http, query, chance.uniform(0.5, 1.5) if number % 10 == 0 else None)


def wanted(follower: Follower, senders: list[Sender]) -> list[Sender]:
    asked = follower.query.get("container") or follower.query.get("q", "")
    return [sender for sender in senders if sender.container == asked or sender.name in asked or not asked]


async def until(holds: Callable[[], bool], tasks: list[asyncio.Task[None]] | None = None) -> None:
    end = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < end:
        for task in tasks or []:
            if task.done():
                task.result()
        await asyncio.sleep(0.05)
    assert holds()


async def arrived(followers: list[Follower], senders: list[Sender]) -> None:
    """Until everybody has as many lines as were acknowledged, and a moment more: for doubles."""

    def complete(one: Follower) -> bool:
        return len(one.lines) >= sum(sender.acked for sender in wanted(one, senders))

    with contextlib.suppress(AssertionError):  # `check` says more
        await until(lambda: all(complete(one) for one in followers))
    await asyncio.sleep(1)


def published(followers: list[Follower], senders: list[Sender]) -> list[tuple[int, str]]:
    """All lines by offset, as the followers of everything saw them; each container's are what was acked."""
    lines = next(one for one in followers if not one.query).lines
    for sender in senders:
        acked = [sender.text(line) for line in range(1, sender.acked + 1)]
        assert acked, f"{sender.name} sent nothing"
        assert [text for _, text in lines if text.endswith(sender.name)] == acked
    return lines


def check(follower: Follower, everything: list[tuple[int, str]], senders: list[Sender]) -> None:
    names = tuple(sender.name for sender in wanted(follower, senders))
    assert follower.told == [], f"{follower.query}: {follower.told[:3]}"
    assert follower.lines == [line for line in everything if line[1].endswith(names)], follower.query
    offsets = [offset for offset, _ in follower.lines]
    assert offsets == sorted(set(offsets))
