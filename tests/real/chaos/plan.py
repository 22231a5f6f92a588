"""Which faults a run has: a short list that shows every kind, and the long one with their combinations."""

import random

from tests.real.chaos import faults as f
from tests.real.chaos.faults import Fault, with_kill, with_roll_over

SHORT = [
    "cut before the answer", "silence after it arrived", "503 to everything", "half of the body got through",
    "HTML with 200 as Elasticsearch", "429 for every third", "400 for certain documents", "three roll-overs",
    "index read-only, deletes allowed", "Elasticsearch frozen", "logdock killed in replay",
    "logdock stopped and started", "senders fail over",
]  # fmt: skip
SLANDER = ("429 for all but they are stored", "429 for every other but stored")
"""Lies that Elasticsearch does not tell: a document that was refused for want of room is not stored. Within
one backing index they do no harm; across a roll-over nobody could know better."""
REQUESTS = [*f.CONNECTION, *f.ANSWER, *f.ITEMS]
EVERYTHING = [*REQUESTS, *f.STORE, *f.SERVER]
GROUP = 25  # faults between two checks of every line


def named(names: list[str]) -> list[Fault]:
    known = {fault.name: fault for fault in [*EVERYTHING, *f.RESTARTS]}
    return [known[name] for name in names]


def short(chance: random.Random) -> list[list[Fault]]:
    """One group, in which Elasticsearch is killed once."""
    chosen = [*named(SHORT), with_kill(named(["cut before the answer"])[0]), f.RESTARTS[0]]
    chance.shuffle(chosen)
    return [chosen]


def long(chance: random.Random, least: int) -> list[list[Fault]]:
    """At least so many faults: each of them twice, with kills and roll-overs in between, in random order."""
    killable = [fault for fault in [*REQUESTS, *f.STORE] if not fault.loses]
    true_to_life = [fault for fault in [*f.CONNECTION, *f.ITEMS] if fault.name not in SLANDER]
    chosen = [*EVERYTHING, *EVERYTHING, *f.RESTARTS * 3, *f.SERVER * 3]
    chosen += map(with_roll_over, chance.sample(true_to_life, 12))
    while len(chosen) < least:
        chosen.append(with_kill(chance.choice(killable)))
    chance.shuffle(chosen)
    return [chosen[at : at + GROUP] for at in range(0, len(chosen), GROUP)]
