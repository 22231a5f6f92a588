"""What a fault is done to: one logdock, its store with the proxy in front, and the senders."""

import contextlib
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.real.chaos.kept import (
    Losses,
    Verdict,
    compare,
    counts,
    exported,
    quarantined,
    stored,
    wanted_lines,
)
from tests.real.chaos.load import Load, Source, Steady
from tests.real.chaos.proxy import Proxy
from tests.real.elastic import Node
from tests.real.server import Logdock, until

RECOVERY_SECONDS = 90.0
"""Until all that was acknowledged is in the store. logdock tries again at least every 10 s; the backlog of an
Elasticsearch that took 40 s to start needs as long again where other work goes on beside."""
POLL_SECONDS = 0.1
POLL_SHARE = 0.1  # of the time that was waited already, so that counting does not become the load


def pause(begun: float) -> None:
    """Between two looks of somebody who waits since `begun` (monotonic)."""
    time.sleep(max(POLL_SECONDS, POLL_SHARE * (time.monotonic() - begun)))


class Site:
    """`node` and `proxy` are None where logdock keeps lines in its own store."""

    def __init__(
        self, server: Logdock, chance: random.Random,
        *, node: Node | None = None, proxy: Proxy | None = None, clock: Path | None = None,
    ) -> None:  # fmt: skip
        self.server, self.chance = server, chance
        self.load = Load(server.forward, "", ())
        self._node, self._proxy, self.clock = node, proxy, clock
        self.losses = Losses()
        self.quarantined_before = 0
        self.ended_by_itself: list[int] = []

    @property
    def node(self) -> Node:
        assert self._node is not None, "a fault of Elasticsearch where there is none"
        return self._node

    @property
    def proxy(self) -> Proxy:
        assert self._proxy is not None, "a fault of the proxy where there is none"
        return self._proxy

    @property
    def touched(self) -> int:
        return self._proxy.touched if self._proxy is not None else 0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask Elasticsearch itself."""
        return self.node.ask(method, path, body)

    # logdock's life

    def kill(self) -> None:
        with contextlib.suppress(httpx.HTTPError):
            self.losses.look(self.server)
        self.server.kill()
        self.losses.died()

    def launch(self) -> None:
        self.server.launch()

    def terminate(self) -> None:
        """SIGTERM. It must end within ten seconds, with 0."""
        with contextlib.suppress(httpx.HTTPError):
            self.losses.look(self.server)
        code = self.server.stop()
        self.losses.died()
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.server.tail()}"

    def supervise(self) -> None:
        """Start it again if it ended by itself, as systemd would; that is noted."""
        process = self.server.process
        if process is not None and process.poll() is not None:
            self.ended_by_itself.append(process.returncode)
            self.losses.died()
            time.sleep(0.5)
            self.server.launch()

    def begin(self, load: Load) -> None:
        """New senders; what was counted as given up till now is theirs no more."""
        self.losses.look(self.server)
        self.losses.forget()
        self.quarantined_before = sum(quarantined(self.server.data).values())
        self.load = load.start()

    # recovery

    def recover(self) -> float:
        """Seconds until all that was promised till now is stored, and every sender gets acks again."""
        begun = time.monotonic()
        promised = {sender: sender.acked for sender in self.load.senders}
        until(lambda: self.stored_all(promised, begun), RECOVERY_SECONDS, lambda: self.missing(promised))
        until(
            lambda: all(sender.acked > before for sender, before in promised.items()),
            RECOVERY_SECONDS, lambda: f"a sender gets no more acks:\n{self.server.tail()}",
        )  # fmt: skip
        return time.monotonic() - begun

    def stored_all(self, promised: dict[Steady, int], begun: float) -> bool:
        pause(begun)
        self.supervise()
        with contextlib.suppress(httpx.HTTPError, OSError):
            self.losses.look(self.server)
            return sum(self.count().values()) + self.losses.lines >= sum(promised.values())
        return False

    def count(self, sources: Sequence[Source] | None = None) -> dict[str, int]:
        """Lines in the store, of the senders if nobody is named."""
        containers = [source.container for source in sources or self.load.senders]
        if self._node is not None:
            return counts(self.ask, containers)
        items = self.server.get("/api/v1/containers").json()["items"]
        return {item["id"]: item["lines"] for item in items if item["id"] in containers}

    def missing(self, promised: dict[Steady, int]) -> str:
        told = "?"
        with contextlib.suppress(httpx.HTTPError, OSError):
            told = self.server.get("/readyz").text
        return f"stored {self.count()} of {list(promised.values())}; {told}\n{self.server.tail()}"

    # checks

    def settled(self) -> bool:
        """Whether exactly what was promised is there, by count. Senders must hold.

        What is missing must be in quarantine, and nothing may be there or be counted besides.
        """
        found, elsewhere = self.count(), quarantined(self.server.data)
        short = {sender.name: sender.acked - found.get(sender.container, 0) for sender in self.load.senders}
        kept = {sender.name: 0 for sender in self.load.senders}
        for message in elsewhere:
            for name in kept:
                kept[name] += f" of {name} " in message
        return short == kept and self.losses.lines == sum(elsewhere.values()) - self.quarantined_before

    def verdict(self, source: Source) -> Verdict:
        """Line by line, from Elasticsearch itself where there is one."""
        if self._node is None:
            return self.verdict_of_rest(source)
        return self._compare(source, stored(self.ask, source.container))

    def verdict_of_rest(self, source: Source) -> Verdict:
        """Line by line, as logdock answers."""
        return self._compare(source, exported(self.server, source.container))

    def _compare(self, source: Source, kept: list[str]) -> Verdict:
        elsewhere = frozenset(quarantined(self.server.data))
        return compare(wanted_lines(source.text, source.acked), kept, elsewhere)


def environ_with_clock(clock: Path) -> dict[str, str]:
    """With these `clock`, a file with an offset such as +3h, moves the wall clock of a running process."""
    clock.write_text("+0")
    return {
        "LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",  # to read the file at every look at a clock costs most of a core
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def step_clock(clock: Path, offset: str) -> None:
    fresh = clock.with_suffix(".new")
    fresh.write_text(offset)
    fresh.replace(clock)
