"""What every store does alike, part 5: pruning. The reference is `selects` on every event that is there."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from parsers.event import Event
from storage.prune import PruneResult, Selection, selects
from storage.query import ContainerRef, Query, sort_key
from tests.storage.contract import Subject
from tests.storage.factories import SECOND, TIME, after, event, events, origin

A, B = "aa" * 32, "bb" * 32
ODD = {  # keys and values that no index of Elasticsearch finds as they are
    "a.b": "1",
    "a..b": "*",
    "long": "x" * 2000,
    "empty": "",
    "n\0ul": "\0",
    "key=with=signs": "v=w",
    "ünï": "Straße",
}
ORIGINS = [
    origin("web", A, service="shop", labels={"env": "prod", "team": "a"}),
    origin("web", B, service="shop", labels={"env": "test"}),
    origin("db", "dd" * 32, service="db", labels={"env": "prod"}, host="node-b"),
    origin("odd", "0d" * 32, service="odd", labels=ODD),
    origin("loose", None, service=None, labels={}),
    origin(None, None, service=None, image=None, labels={}, tag="app"),
]


def made(count: int, first: int = 0, seed: int = 1) -> list[Event]:
    """Lines of all origins, observed in order, with timestamps that are not."""
    chance = random.Random(seed)
    return [
        event(
            n,
            origin=chance.choice(ORIGINS),
            timestamp=TIME + chance.randrange(-1000, 1000) * SECOND,
            observed=TIME + n * SECOND,
        )
        for n in range(first, first + count)
    ]


def at(number: int) -> int:
    """The time at which line `number` of `made` was observed."""
    return TIME + number * SECOND


SELECTIONS = {
    "until": Selection(until=at(25)),
    "until between": Selection(until=at(25) + 1),
    "before everything": Selection(until=at(0)),
    "service": Selection(services=("shop",)),
    "services": Selection(services=("db", "odd", "none")),
    "container name": Selection(containers=(ContainerRef(name="web"),)),
    "container id": Selection(containers=(ContainerRef(id=B),)),
    "two containers": Selection(containers=(ContainerRef(id=B), ContainerRef(name="loose"))),
    "label": Selection(labels=(("env", "prod"),)),
    "label key": Selection(labels=(("env", None),)),
    "labels": Selection(labels=(("env", "prod"), ("team", None))),
    "without": Selection(not_labels=(("env", "prod"),), until=at(100)),
    "without key": Selection(not_labels=(("env", None),), services=("shop", "odd")),
    "without any": Selection(not_labels=(("env", "test"), ("a.b", None)), until=at(100)),
    "all kinds": Selection(
        until=at(40),
        services=("shop", "db"),
        containers=(ContainerRef(name="web"), ContainerRef(name="db")),
        labels=(("env", None),),
        not_labels=(("team", "b"),),
    ),
    "everything": Selection(until=at(10_000)),
    **{f"odd label {key!a}": Selection(labels=((key, value),)) for key, value in ODD.items()},
    **{f"odd key {key!a}": Selection(labels=((key, None),)) for key in ODD},
    "odd key without": Selection(services=("odd", "db"), not_labels=(("n\0ul", "\0"),)),
    "another value": Selection(labels=(("long", "x" * 1999),)),
}


def in_order(found: Sequence[Event]) -> list[Event]:
    return sorted(found, key=sort_key, reverse=True)


async def lists(subject: Subject) -> list[Any]:
    store = subject.store
    found: list[Any] = [await store.containers(Query()), await store.services(Query())]
    found.append(await store.labels(Query()))
    return found + [await store.label_values(key, Query()) for key in ("env", "a.b", "n\0ul")]


async def reference(events: Sequence[Event]) -> list[Any]:
    """The lists of a store that has only these."""
    from storage.memory import MemoryStore

    store = MemoryStore()
    if events:
        await store.append(events, after(events))
    only = Subject("memory", lambda: store)
    return await lists(only)


def expected(gone: Sequence[Event]) -> tuple[int, int | None, int | None]:
    times = [e.timestamp for e in gone]
    return len(gone), min(times, default=None), max(times, default=None)


def told(result: PruneResult) -> tuple[int, int | None, int | None]:
    return result.lines, result.first, result.last


async def test_a_dry_run_counts_exactly_and_changes_nothing(subject: Subject) -> None:
    everything = made(60)
    await subject.add(everything[:35])
    await subject.add(everything[35:])
    for name, selection in SELECTIONS.items():
        result = await subject.store.prune(selection, dry_run=True)
        assert told(result) == expected([e for e in everything if selects(selection, e)]), name
    assert await subject.all() == in_order(everything)
    assert subject.store.pruned() == []


GOING = (
    "until between",
    "container id",
    "labels",
    "without any",
    "all kinds",
    "everything",
    "odd key 'n\\x00ul'",
)


@pytest.mark.parametrize("name", GOING)
async def test_exactly_the_selected_lines_go(subject: Subject, name: str) -> None:
    selection = SELECTIONS[name]
    everything = made(60)
    await subject.add(everything[:35])
    await subject.add(everything[35:])
    gone = [e for e in everything if selects(selection, e)]
    kept = [e for e in everything if not selects(selection, e)]

    dry = await subject.store.prune(selection, dry_run=True)
    assert told(dry) == expected(gone)
    result = await subject.store.prune(selection, dry_run=False)
    assert (told(result), result.parts) == (expected(gone), dry.parts)
    assert sum(part.lines for part in result.parts) == len(gone)
    assert await subject.all() == in_order(kept)
    assert await lists(subject) == await reference(kept)
    assert [record.lines for record in subject.store.pruned()] == ([len(gone)] if gone else [])
    for e in (*gone[:2], *kept[:2]):
        assert await subject.store.get(e.id) == (e if e in kept else None)


async def test_pruning_goes_on_where_the_last_one_ended(subject: Subject) -> None:
    """Random lines and selections, one after the other, against the same on a list."""
    chance = random.Random(7)
    kept: list[Event] = []
    number = 0
    for _ in range(6):
        more = made(chance.randrange(5, 40), number, chance.randrange(1 << 30))
        number += len(more)
        await subject.add(more)
        kept += more
        selection = chance.choice(list(SELECTIONS.values()))
        selection = msgspec.structs.replace(selection, until=at(chance.randrange(number)))
        result = await subject.store.prune(selection, dry_run=False)
        assert result.lines == len([e for e in kept if selects(selection, e)])
        kept = [e for e in kept if not selects(selection, e)]
        assert await subject.all() == in_order(kept)
    assert await lists(subject) == await reference(kept)


async def test_what_was_pruned_stays_away(durable: Subject) -> None:
    everything = made(40)
    await durable.add(everything)
    selection = Selection(services=("shop",))
    kept = [e for e in everything if not selects(selection, e)]
    await durable.store.prune(selection, dry_run=False)
    assert durable.store.safe() == after(everything), "or a replay brings it back"
    assert await durable.reopen() == after(everything)
    assert await durable.all() == in_order(kept)
    (record,) = durable.store.pruned()
    assert (record.lines, record.reason, record.state) == (40 - len(kept), "prune", "done")
    later = made(20, 40)
    await durable.add(later)
    assert await durable.all() == in_order([*kept, *later])


async def test_nothing_is_pruned_out_of_an_empty_store(subject: Subject) -> None:
    for dry_run in (True, False):
        result = await subject.store.prune(Selection(until=at(5)), dry_run)
        assert (told(result), result.parts, result.more) == ((0, None, None), (), 0)
    assert subject.store.pruned() == []


async def test_the_parts_of_a_result(subject: Subject) -> None:
    await subject.add([event(n, origin=ORIGINS[0 if n < 3 else 2]) for n in range(5)])
    result = await subject.store.prune(Selection(labels=(("env", "prod"),)), dry_run=False)
    parts = [(p.name, p.id, p.service, p.lines, p.first, p.last) for p in result.parts]
    times = [TIME + n * SECOND for n in range(5)]
    assert parts == [
        ("web", A, "shop", 3, times[0], times[2]),
        ("db", "dd" * 32, "db", 2, times[3], times[4]),
    ]


async def test_more_containers_than_a_record_names(subject: Subject) -> None:
    many = [event(n, origin=origin(f"c{n}", f"{n:064x}", labels={})) for n in range(1, 61)]
    await subject.add(many)
    result = await subject.store.prune(Selection(services=("web",)), dry_run=False)
    assert (result.lines, len(result.parts), result.more) == (60, 50, 10)


# What answers say


async def test_an_answer_says_what_was_pruned_around_it(subject: Subject) -> None:
    await subject.add(events(0, 10, origin=ORIGINS[0]))
    await subject.add(events(10, 5, origin=ORIGINS[2]))
    selection = Selection(until=TIME + 4 * SECOND, services=("shop",), text="service=shop until=240h")
    await subject.store.prune(selection, dry_run=False)
    search = subject.store.search

    (note,) = (await search(Query())).notes
    assert note.startswith("4 lines of shop from 2026-11-24T") and "service=shop until=240h" in note
    assert (await search(Query(services=("shop",)))).notes == (note,)
    assert (await search(Query(containers=(ContainerRef(id=A),)))).notes == (note,)
    assert (await search(Query(services=("db",)))).notes == ()
    assert (await search(Query(containers=(ContainerRef(name="db"),)))).notes == ()
    assert (await search(Query(since=TIME + 4 * SECOND))).notes == ()
    assert (await search(Query(since=TIME + 3 * SECOND))).notes == (note,)
    assert (await search(Query(until=TIME - 1))).notes == ()


async def test_only_the_page_that_would_have_had_the_lines_says_so(subject: Subject) -> None:
    await subject.add(events(0, 12, origin=ORIGINS[0]))
    await subject.store.prune(Selection(until=TIME + 4 * SECOND), dry_run=False)
    for order, telling in (("desc", [False, False, True]), ("asc", [True, False, False])):
        query, said = Query(limit=3, order=order), []  # type: ignore[arg-type]
        for _ in telling:
            page = await subject.store.search(query)
            said.append(bool(page.notes))
            query = msgspec.structs.replace(query, cursor=page.next)
        assert said == telling


async def test_lines_that_come_after_it_began_stay(subject: Subject) -> None:
    """Sequences, offsets and ids go on as if nothing had gone."""
    await subject.add(events(0, 5, origin=ORIGINS[0]))
    await subject.store.prune(Selection(services=("shop",)), dry_run=False)
    later = events(5, 3, origin=ORIGINS[0])
    await subject.add(later)
    assert await subject.all() == in_order(later)
    assert await subject.all(Query(order="arrival", after_offset=1)) == later


def test_the_odd_origins_are_told_apart() -> None:
    assert len({one.key for one in ORIGINS}) == len(ORIGINS)
