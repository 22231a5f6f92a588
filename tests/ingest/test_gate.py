"""What all connections share: counts, a limit on log lines, and the tick."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ingest import gate as gate_module
from ingest.entries import Protocol
from ingest.gate import MAX_PEERS, Gate, new_splitter
from ingest.stream import Connection
from parsers.forward import ForwardSplitter
from parsers.gelf import NulSplitter
from parsers.record import Frames
from storage.metrics import Metrics
from tests.ingest.bench import counted, until


class Sender(SimpleNamespace):
    """What the gate sees of a connection."""

    def __init__(self, peer: str = "10.0.0.1", **more: Any) -> None:
        plain = {"opened": 100.0, "overlapped": False, "may_want_acks": True, "idle": 0}
        plain |= {"unfinished": 0, "unanswered": 0.0, "fell_silent": False}
        super().__init__(peer=peer, done=[], **(plain | more))

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other

    def resume(self) -> None:
        self.done.append("resume")

    def pause(self) -> None:
        self.done.append("pause")

    def journal_blocked(self) -> None:
        self.done.append("blocked")

    def idle_sweeps(self) -> int:
        return int(self.idle)

    def close_stuck(self) -> None:
        self.done.append("close_stuck")

    def close_idle(self) -> None:
        self.done.append("close_idle")

    def unanswered_seconds(self, _: float) -> float:
        return float(self.unanswered)

    def close_unanswered(self) -> None:
        self.done.append("close_unanswered")

    def close_unfinished(self) -> None:
        self.done.append("close_unfinished")
        self.gate.hold(self, 0)


def sender(peer: str = "10.0.0.1", **more: Any) -> Any:
    return cast(Connection, Sender(peer, **more))


async def test_counts_reach_the_metrics_once() -> None:
    gate = Gate(Metrics())
    gate.count(Protocol.FORWARD, Frames(b"12345", 2))
    gate.count(Protocol.FORWARD, Frames(b"1", 1))
    gate.acks = 2
    for _ in range(2):
        gate.publish()
        assert counted(gate.metrics.frames, "forward") == 3
        assert counted(gate.metrics.bytes, "forward") == 6
        assert counted(gate.metrics.acks) == 2
    assert gate.received == 3


async def test_open_connections_are_counted() -> None:
    gate = Gate(Metrics())
    one, two = sender(), sender()
    gate.opened(one, "forward")
    gate.opened(two, "forward")
    gate.closed(one, "forward", asked_for_acks=False)
    assert gate.connections == {two}
    assert counted(gate.metrics.connections, "forward") == 1
    assert counted(gate.metrics.connections_total, "forward") == 2


async def test_everybody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "TICK_SECONDS", 0.001)
    gate = Gate(Metrics())
    one, two = sender(), sender()
    gate.opened(one, "forward")
    gate.opened(two, "forward")
    gate.journal_blocked()
    gate.pause_all()
    gate.resume_all()
    gate.resume_later(one)
    await asyncio.sleep(0.02)
    assert one.done == ["blocked", "pause", "resume", "resume"]
    assert two.done == ["blocked", "pause", "resume"]


async def test_every_refusal_is_counted_and_few_are_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(gate_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    gate = Gate(Metrics())
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            gate.refuse("forward", "malformed", "a scan")
        gate.refuse("forward", "torn", "another reason")
        assert len(caplog.records) == 2
        clock.now = gate_module.LOG_EVERY_SECONDS
        gate.refuse("forward", "malformed", "still there")
    assert len(caplog.records) == 3
    assert counted(gate.metrics.refused, "forward", "malformed") == 51


async def test_ended_peers_are_not_remembered_without_end() -> None:
    gate = Gate(Metrics())
    for number in range(MAX_PEERS + 5):
        one = sender(f"10.0.{number // 256}.{number % 256}")
        gate.opened(one, "gelf_tcp")
        gate.closed(one, "gelf_tcp", asked_for_acks=True)
    assert len(gate._ack_closed) <= MAX_PEERS


async def test_each_protocol_has_its_splitter() -> None:
    assert isinstance(new_splitter(Protocol.FORWARD), ForwardSplitter)
    assert isinstance(new_splitter(Protocol.GELF_TCP), NulSplitter)


IDLE = gate_module.IDLE_SWEEPS


@pytest.mark.parametrize(
    ("one", "closed"),
    [
        (sender(idle=IDLE, overlapped=True), True),
        (sender(idle=IDLE - 1, overlapped=True), False),
        (sender(idle=IDLE), True),  # its peer has just ended another connection with acks
        (sender(idle=IDLE, may_want_acks=False), False),
        (sender("10.0.0.2", idle=IDLE), False),
        (sender(idle=IDLE, opened=100.0 - gate_module.NEAR_SECONDS), False),
        (sender(idle=IDLE, opened=100.0 + gate_module.NEAR_SECONDS), False),
    ],
)
async def test_only_an_idle_connection_with_signs_of_a_lost_ack_is_closed(
    monkeypatch: pytest.MonkeyPatch, one: Any, closed: bool
) -> None:
    monkeypatch.setattr(gate_module, "time", SimpleNamespace(monotonic=lambda: 100.0))
    gate = Gate(Metrics())
    ended = sender()
    gate.opened(ended, "forward")
    gate.closed(ended, "forward", asked_for_acks=True)
    gate.opened(one, "forward")
    gate._sweep()
    assert one.done == (["close_stuck"] if closed else [])


SILENT = gate_module.SILENT_SWEEPS


@pytest.mark.parametrize(
    ("one", "closed"),
    [
        (sender(idle=SILENT, fell_silent=True), True),
        (sender(idle=SILENT - 1, fell_silent=True), False),
        (sender(idle=SILENT, fell_silent=False), False),
    ],
)
async def test_who_stopped_in_a_burst_is_closed_after_a_while(one: Any, closed: bool) -> None:
    gate = Gate(Metrics())
    gate.opened(one, "forward")
    gate._sweep()
    assert one.done == (["close_idle"] if closed else [])


@pytest.mark.parametrize(("seconds", "closed"), [(0.0, False), (0.9, False), (1.0, True)])
async def test_who_gets_no_ack_for_too_long_is_closed(seconds: float, closed: bool) -> None:
    gate = Gate(Metrics())
    one = sender(unanswered=seconds * gate_module.UNANSWERED_SECONDS, may_want_acks=False)
    gate.opened(one, "forward")
    gate._sweep()
    assert one.done == (["close_unanswered"] if closed else [])


async def test_who_holds_most_of_an_unfinished_message_ends_when_all_hold_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate_module, "MAX_UNFINISHED", 1000)
    gate = Gate(Metrics())
    small, big, late = (sender(gate=gate) for _ in range(3))
    for one in (small, big, late):
        gate.opened(one, "forward")
    gate.hold(small, 300)
    gate.hold(big, 350)
    gate.hold(big, 400)
    gate.hold(late, 300)
    assert (gate.unfinished, small.done, big.done, late.done) == (1000, [], [], [])
    gate.hold(late, 301)
    assert (gate.unfinished, small.done, big.done, late.done) == (601, [], ["close_unfinished"], [])
    gate.hold(late, 1200)
    assert (gate.unfinished, small.done, late.done) == (300, [], ["close_unfinished"])


async def test_few_reads_far_apart_need_not_wait() -> None:
    gate = Gate(Metrics())
    far = gate_module.SPARSE_SECONDS
    assert not gate.read_at_once(last=10.0, now=10.0 + far * 0.9)
    now = 20.0
    assert [gate.read_at_once(now - 2 * far, now) for _ in range(gate_module.SPARSE_READS + 3)] == (
        [True] * gate_module.SPARSE_READS + [False] * 3
    )
    assert gate.read_at_once(now, now + 2 * gate_module.TICK_SECONDS)


async def test_nobody_is_swept_when_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "SWEEP_SECONDS", 0.005)
    gate = Gate(Metrics())
    for _ in range(2):  # it begins again with the next connection
        one = sender(idle=IDLE, overlapped=True)
        gate.opened(one, "forward")
        await until(lambda one=one: one.done)  # type: ignore[misc]
        gate.closed(one, "forward", asked_for_acks=True)
        await until(lambda: not gate._sweeping)
