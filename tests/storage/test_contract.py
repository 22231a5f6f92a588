"""What every store does alike, part 1: keeping events, order, pages, durability."""

from typing import Any

import msgspec
import pytest

from parsers.event import Event
from storage.query import Cursor, Query
from storage.store import Checkpoint, Held
from tests.storage.contract import Subject
from tests.storage.factories import (
    JOURNAL,
    SECOND,
    TIME,
    after,
    event,
    events,
    everything,
)

ORDERS = ("asc", "desc", "arrival")


def offsets(found: list[Event]) -> list[int]:
    return [e.offset for e in found]


# An empty store


async def test_nothing_is_found_in_an_empty_store(subject: Subject) -> None:
    store = subject.store
    page = await store.search(Query())
    assert (page.events, page.next, page.truncated_by) == ([], None, None)
    assert await store.get(event().id) is None
    assert await store.find_containers("web") == []
    assert await store.containers(Query()) == []
    assert await store.services(Query()) == []
    assert await store.labels(Query()) == []
    assert await store.label_values("a", Query()) == []


# Order and pages


@pytest.mark.parametrize("order", ORDERS)
async def test_order_with_equal_times(subject: Subject, order: Any) -> None:
    """Time, then sequence; what was joined is emitted late, so offsets go their own way."""
    lines = [
        event(n, timestamp=TIME + n // 6, sequence=sequence, offset=n)
        for n, sequence in enumerate([3, 1, 2, 0, 5, 4, 11, 10, 9, 8, 7, 6])
    ]
    await subject.add(lines[:5])
    await subject.add(lines[5:])
    expected = sorted(lines, key=lambda e: e.offset if order == "arrival" else (e.timestamp, e.sequence))
    if order == "desc":
        expected.reverse()
    assert (await subject.store.search(Query(order=order))).events == expected
    assert await subject.all(Query(order=order, limit=5)) == expected


@pytest.mark.parametrize("order", ORDERS)
async def test_ids_decide_between_journals(subject: Subject, order: Any) -> None:
    lines = [event(n, journal=journal, timestamp=TIME) for journal in ("aa", JOURNAL, "zz") for n in (1, 2)]
    await subject.add(lines[2:])
    await subject.add(lines[:2])
    expected = sorted(lines, key=lambda e: (e.sequence, e.id), reverse=order == "desc")
    assert await subject.all(Query(order=order, limit=1)) == expected


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 7, 40])
async def test_pages_while_lines_arrive(subject: Subject, order: Any, limit: int) -> None:
    """Pages show what was there at the first of them, once each, whatever arrives between them."""
    lines = [event(n, timestamp=TIME + (n * 7 % 20) * SECOND) for n in range(40)]
    await subject.add(lines)
    query, found, arriving = Query(order=order, limit=limit), list[Event](), 40
    while True:
        page = await subject.store.search(query)
        assert len(page.events) <= limit
        found += page.events
        if page.next is None:
            break
        query = msgspec.structs.replace(query, cursor=page.next)
        if arriving < 52:
            late = [event(arriving + n, timestamp=TIME + (arriving + n) % 20 * SECOND) for n in range(3)]
            await subject.add(late)
            arriving += 3
    assert sorted(offsets(found)) == list(range(40))
    assert len(await subject.all()) == arriving


async def test_a_full_last_page_has_no_next(subject: Subject) -> None:
    await subject.add(events(0, 6))
    page = await subject.store.search(Query(limit=3))
    assert page.next is not None
    assert (await subject.store.search(Query(limit=3, cursor=page.next))).next is None
    assert (await subject.store.search(Query(limit=6))).next is None
    assert (await subject.store.search(Query(limit=6, services=("web",)))).next is None


async def test_a_cursor_may_stand_where_nothing_is(subject: Subject) -> None:
    await subject.add(events(0, 6))
    between = Cursor(TIME + 3 * SECOND + 1, 0, "", 3, 100, "desc")
    assert offsets((await subject.store.search(Query(cursor=between))).events) == [3, 2, 1, 0]
    upward = msgspec.structs.replace(between, order="asc")
    assert offsets((await subject.store.search(Query(cursor=upward, order="asc"))).events) == [4, 5]
    arrival = msgspec.structs.replace(between, order="arrival", id="\U0010ffff")
    assert offsets((await subject.store.search(Query(cursor=arrival, order="arrival"))).events) == [4, 5]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_cursor_may_stand_at_the_ends_of_time(subject: Subject, order: Any) -> None:
    """Nobody is given such a one, but anybody can make one up."""
    lines = events(0, 3)
    await subject.add(lines)
    for end in (-(2**63), 1 - 2**63, 2 - 2**63, 2**63 - 2, 2**63 - 1):
        cursor = Cursor(end, 2**63 - 1, "\U0010ffff", -(2**63), 2**63 - 1, order)
        found = await subject.all(Query(order=order, cursor=cursor))
        assert len(found) == (3 if (end > 0) == (order == "desc") else 0), end


async def test_after_offset(subject: Subject) -> None:
    await subject.add(events(0, 6))
    query = Query(order="arrival", after_offset=2, limit=2)
    assert offsets(await subject.all(query)) == [3, 4, 5]
    assert offsets(await subject.all(msgspec.structs.replace(query, after_offset=5))) == []
    assert offsets(await subject.all(msgspec.structs.replace(query, after_offset=-1))) == [0, 1, 2, 3, 4, 5]


async def test_after_offset_is_about_the_own_journal(subject: Subject) -> None:
    await subject.add([event(n, journal="another") for n in range(5)])
    await subject.add(events(0, 3))
    found = await subject.all(Query(order="arrival", after_offset=0))
    assert [(e.journal, e.offset) for e in found] == [(JOURNAL, 1), (JOURNAL, 2)]


async def test_pages_show_other_journals_whatever_their_offsets(subject: Subject) -> None:
    await subject.add([event(n, journal="another", offset=1000 + n) for n in range(4)])
    await subject.add(events(4, 3))
    assert len(await subject.all(Query(limit=2))) == 7


# Known ids


async def test_known_ids_are_not_doubled(subject: Subject) -> None:
    lines = events(0, 4)
    await subject.add([lines[0], lines[1], lines[0], lines[1]])
    await subject.add(lines)
    await subject.add(lines[2:])
    assert await subject.all(Query(order="asc")) == lines


async def test_the_first_of_one_id_stays(subject: Subject) -> None:
    await subject.add([event(0, "first")])
    await subject.add([event(0, "second")])
    assert [e.message for e in await subject.all()] == ["first"]


async def test_ids_differ_in_each_part(subject: Subject) -> None:
    lines = [event(0), event(0, index=1), event(0, position=4097), event(0, journal="another")]
    await subject.add(lines)
    assert {e.id for e in await subject.all()} == {line.id for line in lines}
    for line in lines:
        assert await subject.store.get(line.id) == line


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "x",
        "a.b",
        "a.b.c.d",
        "..",
        f"{JOURNAL}.zz.0",
        f"{JOURNAL}.1000.99",
        "\0.1.1",
        f"{JOURNAL}.01000.0",
        f"{JOURNAL}.1000.00",
        f"{JOURNAL}.+1000.0",
        f"{JOURNAL}.1000. 0",
        f"{JOURNAL}.1_000.0",
        f"{JOURNAL}.0x1000.0",
        f"{JOURNAL}.{'f' * 40}.0",
        f"{JOURNAL}.1000.{'f' * 16}",
    ],
)
async def test_no_event_has_an_odd_id(subject: Subject, odd: str) -> None:
    await subject.add(events(0, 2))
    assert await subject.store.get(odd) is None


async def test_known_ids_after_opening_again(durable: Subject) -> None:
    await durable.add(events(0, 4))
    await durable.store.flush()
    await durable.reopen()
    await durable.add(events(2, 4))
    assert offsets(await durable.all(Query(order="asc"))) == list(range(6))


# Durability


async def test_flushed_is_safe(subject: Subject) -> None:
    held = Checkpoint(9_000, 5, 5, (Held(4096, 0, 0), Held(4396, 0, 1)))
    await subject.store.append(events(0, 5), held)
    await subject.store.flush()
    assert subject.store.safe() == held
    moved = Checkpoint(9_999, 5, 5)
    await subject.store.append([], moved)
    await subject.store.flush()
    assert subject.store.safe() == moved
    assert await subject.reopen() == moved
    assert subject.store.safe() == moved
    assert await subject.all(Query(order="asc")) == events(0, 5)


async def test_a_new_store_has_no_checkpoint(subject: Subject) -> None:
    assert subject.store.safe() is None
    assert await subject.reopen() is None


async def test_what_is_not_safe_may_come_again(durable: Subject) -> None:
    """A replay after a crash: everything after the safe checkpoint is appended once more."""
    await durable.add(events(0, 3))
    await durable.store.flush()
    await durable.store.append(events(3, 3), after(events(3, 3)))
    start = await durable.reopen()
    assert start is not None
    await durable.add(events(start.offset, 8 - start.offset))
    assert await durable.all(Query(order="asc")) == events(0, 8)


async def test_pages_go_on_after_opening_again(durable: Subject) -> None:
    await durable.add(events(0, 6))
    await durable.store.flush()
    first = await durable.store.search(Query(limit=2))
    await durable.reopen()
    await durable.add(events(6, 3))
    rest = await everything(durable.store, Query(limit=2, cursor=first.next))
    assert offsets(first.events + rest) == [5, 4, 3, 2, 1, 0]
