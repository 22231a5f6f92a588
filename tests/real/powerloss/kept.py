"""What is kept after power cuts, compared with what was acknowledged, and when."""

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.real.powerloss.disk import APPENDED, Cut, Disk, Left, Synced
from tests.real.powerloss.load import Follower, Timed
from tests.real.server import Logdock, until

ARRIVAL_SECONDS = 60.0
SHOWN = 5


class Blackout(msgspec.Struct):
    """One cut: when, and what the journal's syncs were like before it."""

    at: float  # monotonic seconds
    left: Left
    kind: Cut
    when: str
    acked: int
    resent: int
    oldest: float = 0.0  # seconds from the acknowledgement to the cut, of the lines that it took

    @property
    def syncs(self) -> list[Synced]:
        return [sync for sync in self.left.syncs if sync.name.endswith(APPENDED)]


@dataclass
class Outcome:
    """What became of one sender's lines."""

    lost: list[int] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    ordered: bool = True

    @property
    def exact(self) -> bool:
        """Everything that is kept is kept once and in order, whatever else is lost."""
        return self.ordered and not (self.doubled or self.strange)

    def __str__(self) -> str:
        return (
            f"{len(self.lost)} lost {self.lost[:SHOWN]}, {len(self.doubled)} doubled {self.doubled[:SHOWN]},"
            f" {len(self.strange)} strange {self.strange[:SHOWN]}, ordered: {self.ordered}"
        )


def black_out(
    server: Logdock, disk: Disk, senders: list[Timed], kind: Cut, chance: random.Random, when: str
) -> Blackout:
    """Cut the power of a running server, and leave it off. Senders go on trying."""
    server.kill()
    at = time.monotonic()
    left = disk.cut(kind, chance)
    acked, resent = sum(s.acked for s in senders), sum(s.resent for s in senders)
    return Blackout(at, left, kind, when, acked, resent)


def power_on(server: Logdock, disk: Disk) -> None:
    """Start the server on what is left, recording again; returns once its ports are open."""
    (server.data / "addresses.json").unlink(missing_ok=True)
    disk.power_on()
    server.launch()
    server.wait_open()


def compare(sender: Timed, kept: list[str]) -> Outcome:
    """`kept`: its messages in the order in which the store tells them."""
    wanted = {sender.text(line): line for line in range(1, sender.acked + 1)}
    outcome, seen = Outcome(), set[str]()
    for message in kept:
        if message in seen:
            outcome.doubled.append(message)
        elif message not in wanted:
            outcome.strange.append(message)
        seen.add(message)
    outcome.lost = [line for message, line in wanted.items() if message not in seen]
    lines = [wanted[message] for message in kept if message in wanted]
    outcome.ordered = lines == sorted(lines)
    return outcome


def outcome_of(server: Logdock, sender: Timed, follower: Follower) -> Outcome:
    """What became of an ended sender's lines, once its last one (sent after the last cut) has arrived.

    The follower is shown all that is kept: it must be what it saw when it was new.
    """
    events: list[dict[str, Any]] = []

    def arrived() -> bool:
        events[:] = list(server.export(container=sender.container, order="asc"))
        return any(event["message"] == sender.text(sender.acked) for event in reversed(events))

    until(arrived, ARRIVAL_SECONDS, lambda: f"the last line of {sender.name} never came\n{server.tail()}")
    for event in events:
        follower.see(event)
    return compare(sender, [event["message"] for event in events])


def date_losses(blackouts: list[Blackout], sender: Timed, lost: Iterable[int]) -> None:
    """Find out how long before the power cut each lost line had been acknowledged.

    Raises AssertionError for one that was acknowledged before the last sync of the journal began: that is no
    matter of time, it must be kept.
    """
    for line in lost:
        acked = sender.acked_at(line)
        cut = next(b for b in blackouts if b.at >= acked)
        last = max((sync.began for sync in cut.syncs), default=0.0)
        assert acked >= last, f"{sender.text(line)} was acknowledged {last - acked:.3f} s before a sync began"
        cut.oldest = max(cut.oldest, cut.at - acked)


def print_table(title: str, blackouts: list[Blackout]) -> None:
    print(f"\n{title}")
    names = (
        "#", "cut when", "names", "bytes", "acked", "resent", "syncs", "slowest", "lost", "oldest", "torn",
        "no name", "undead",
    )  # fmt: skip
    print(" | ".join(f"{name:>9}" for name in names))
    for number, b in enumerate(blackouts, 1):
        slowest = max([0.0, *(s.ended - s.began for s in b.syncs)])
        row = (
            number, b.when, *b.kind, b.acked, b.resent, len(b.syncs), f"{slowest * 1e3:.1f} ms",
            f"{b.left.lost_bytes} B", f"{b.oldest:.3f} s", len(b.left.torn),
            len(b.left.lost_names), len(b.left.undead_names),
        )  # fmt: skip
        print(" | ".join(f"{value!s:>9}" for value in row))
