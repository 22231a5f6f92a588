"""Retry and drop: exact, also when the process dies or the store goes away in the middle."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from parsers.event import Event
from storage import quarantine as module
from storage import quarantine_work
from storage.memory import MemoryStore
from storage.metrics import Metrics
from storage.quarantine import Quarantine
from storage.quarantine_work import DROPPED_FILE, Chosen, Done, Worker
from storage.query import Query
from storage.store import Rejection, StoreUnavailable
from tests.storage.factories import TIME, event

Refuses = Callable[[Event], bool]


class Picky(MemoryStore):
    """Refuses what it is told to refuse; goes away after so many calls."""

    def __init__(self, refuses: Refuses = lambda _: False, calls: int = 99) -> None:
        super().__init__()
        self.refuses, self.calls = refuses, calls
        self.offered: list[str] = []

    async def put_back(self, events: Sequence[Event]) -> Sequence[Rejection]:
        if self.calls == 0:
            raise StoreUnavailable("gone")
        self.calls -= 1
        self.offered += [e.message for e in events]
        await super().put_back([e for e in events if not self.refuses(e)])
        return [Rejection(e, "refused", "still no") for e in events if self.refuses(e)]

    async def stored(self) -> list[str]:
        return [e.message for e in (await self.search(Query(order="asc"))).events]


@pytest.fixture
def quarantine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Quarantine:
    """Six events in files of two."""
    made = Quarantine(tmp_path, Metrics())
    for number in range(0, 6, 2):
        monkeypatch.setattr(module, "SEGMENT_BYTES", 1)
        reason = "too_large" if number == 4 else "refused"
        made.take([Rejection(event(n), reason, f"no {n}") for n in (number, number + 1)])
    return made


def left(quarantine: Quarantine) -> list[str]:
    """The same before and after opening the folder again."""
    here = [e.event.message for e in quarantine.entries(lambda _: True, 0, 100)]
    again = Quarantine(quarantine.folder, Metrics())
    assert [e.event.message for e in again.entries(lambda _: True, 0, 100)] == here
    assert again.reasons == quarantine.reasons
    return here


def value(quarantine: Quarantine, name: str, **labels: str) -> float | None:
    return quarantine.metrics.registry.get_sample_value(f"logdock_{name}", labels)


async def test_what_the_store_takes_leaves(quarantine: Quarantine) -> None:
    store = Picky(lambda e: e.message == "line 3")
    done = await Worker(quarantine).retry(store, Chosen())
    assert (done.taken, done.refused, done.missing, done.more) == (5, 1, [], False)
    assert await store.stored() == [f"line {n}" for n in (0, 1, 2, 4, 5)]
    assert left(quarantine) == ["line 3"]
    (entry,) = quarantine.entries(lambda _: True, 0, 100)
    assert (entry.tries, entry.said) == (2, "still no")
    assert entry.tried > entry.quarantined
    assert value(quarantine, "quarantine_retried_total", outcome="taken") == 5
    assert value(quarantine, "quarantine_events", reason="refused") == 1
    assert value(quarantine, "quarantine_events", reason="too_large") == 0


@pytest.mark.parametrize(
    ("chosen", "offered", "missing"),
    [
        (Chosen(reason="too_large"), [4, 5], []),
        (Chosen(reason="never"), [], []),
        (Chosen(ids=frozenset((event(1).id, event(4).id, "x"))), [1, 4], ["x"]),
        (Chosen(ids=frozenset()), [], []),
    ],
)
async def test_only_the_chosen(
    quarantine: Quarantine, chosen: Chosen, offered: list[int], missing: list[str]
) -> None:
    store = Picky()
    done = await Worker(quarantine).retry(store, chosen)
    assert store.offered == [f"line {n}" for n in offered]
    assert (done.taken, done.missing) == (len(offered), missing)
    assert left(quarantine) == [f"line {n}" for n in range(6) if n not in offered]


async def test_a_store_that_goes_away_keeps_what_it_took_and_the_rest_stays(quarantine: Quarantine) -> None:
    store = Picky(calls=2)
    with pytest.raises(StoreUnavailable):
        await Worker(quarantine).retry(store, Chosen())
    assert await store.stored() == ["line 0", "line 1", "line 2", "line 3"]
    assert left(quarantine) == ["line 4", "line 5"]


async def test_a_death_between_the_store_and_the_file_doubles_nothing(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Picky()

    def dies(*_: Any) -> Any:
        raise RuntimeError("killed")

    monkeypatch.setattr("storage.quarantine_work.rewrite", dies)
    with pytest.raises(RuntimeError, match="killed"):
        await Worker(quarantine).retry(store, Chosen())
    monkeypatch.undo()
    again = Quarantine(quarantine.folder, Metrics())
    assert len(again) == 6
    await Worker(again).retry(store, Chosen())
    assert await store.stored() == [f"line {n}" for n in range(6)]
    assert left(again) == []


async def test_a_long_retry_is_several_answers_that_offer_each_once(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_work, "WORK_SECONDS", -1.0)
    store, worker = Picky(lambda e: "1" in e.message or "5" in e.message), Worker(quarantine)
    answers: list[Done] = []
    while not answers or answers[-1].more:
        answers.append(await worker.retry(store, Chosen(before=answers[-1].before if answers else None)))
    assert len(answers) == 3
    assert sorted(store.offered) == [f"line {n}" for n in range(6)]
    assert left(quarantine) == ["line 1", "line 5"]


async def test_a_clock_that_was_ahead_keeps_nothing_from_a_retry(quarantine: Quarantine) -> None:
    store = Picky(lambda _: True)
    worker = Worker(quarantine, clock=lambda: TIME + 10**18)
    await worker.retry(store, Chosen())
    done = await Worker(quarantine, clock=lambda: TIME).retry(store, Chosen())
    assert done.refused == 6
    assert [e.tries for e in quarantine.entries(lambda _: True, 0, 100)] == [3] * 6


async def test_dropped_events_are_written_down_and_counted(quarantine: Quarantine) -> None:
    done = await Worker(quarantine, clock=lambda: TIME).drop(Chosen(reason="refused"))
    assert done.dropped == 4
    assert left(quarantine) == ["line 4", "line 5"]
    assert value(quarantine, "dropped_total", reason="quarantine_dropped") == 4
    lines = (quarantine.folder / DROPPED_FILE).read_text().splitlines()
    first = json.loads(lines[0])
    assert (first["dropped"], first["events"]) == ("2026-11-24T06:00:00.123456789Z", 2)
    assert (first["containers"], first["reasons"]) == ({"shop-web-1": 2}, {"refused": 2})
    assert first["ids"] == [event(0).id, event(1).id]
    assert sum(json.loads(line)["events"] for line in lines) == 4


async def test_nothing_is_dropped_that_cannot_be_written_down(quarantine: Quarantine) -> None:
    (quarantine.folder / DROPPED_FILE).mkdir()
    with pytest.raises(OSError, match="directory"):
        await Worker(quarantine).drop(Chosen())
    assert len(left(quarantine)) == 6


async def test_what_comes_meanwhile_is_kept(quarantine: Quarantine) -> None:
    class Slow(Picky):
        async def put_back(self, events: Sequence[Event]) -> Sequence[Rejection]:
            number = 10 + len(self.offered)
            quarantine.take([Rejection(event(number), "refused", "new")])
            return await super().put_back(events)

    await Worker(quarantine).retry(Slow(), Chosen())
    assert left(quarantine) == ["line 10", "line 12", "line 14"]
