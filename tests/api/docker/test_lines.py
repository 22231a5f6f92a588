"""Stored lines by pages, and where the newest entries begin."""

import pytest
from msgspec.structs import replace

from api.docker import lines
from api.docker.lines import Begin, moment, newest, stored, tailed
from api.errors import InterruptedStreamError
from parsers.event import Event, Origin
from storage.query import ContainerRef, Page, Query
from tests.api.conftest import DB, OTHER_WEB, WEB, WEB_ID, House

QUERY = Query(containers=(ContainerRef(id=WEB_ID),))


def no_lane(_origin: Origin) -> object:
    return None


def by_id(origin: Origin) -> object:
    return origin.container.id


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PAGE", 3)
    monkeypatch.setattr(lines, "FIRST_PAGE", 2)


async def test_all_pages_up_to_the_moment(house: House) -> None:
    await house.add(WEB, *"abcdefgh")
    offset = await moment(house.services(), QUERY)
    found: list[str] = []
    async for events, skip in stored(house.store, QUERY, offset, None, no_lane):
        found += [event.message for event in events]
        assert (skip, len(events) <= 3) == (0, True)
        await house.add(WEB, "later")
    assert "".join(found) == "abcdefgh"


async def test_nothing_stored_is_one_empty_slice(house: House) -> None:
    assert await moment(house.services(), QUERY) == -1
    assert [slice async for slice in stored(house.store, QUERY, -1, None, no_lane)] == [([], 0)]


async def add_mixed(house: House) -> None:
    """Eight entries of one container, three of them pieces of a long line, and one of another."""
    await house.add(WEB, "a", "b", "c")
    await house.add(WEB, "x" * 40_000, flags=("joined",))
    await house.add(DB, "of another")
    await house.add(WEB, "y", "z")


@pytest.mark.parametrize("count", range(1, 12))
async def test_newest_is_the_end_of_all(house: House, count: int) -> None:
    """Whatever the pages: long lines count by their pieces."""
    await add_mixed(house)
    offset = house.tail.stored
    begins = {None: await newest(house.store, QUERY, offset, count)}
    entries = [part async for part in stored(house.store, QUERY, offset, begins, no_lane)]
    events = [
        (event, skip if place == 0 else 0) for found, skip in entries for place, event in enumerate(found)
    ]
    shown = sum(lines.count_entries(event) - skip for event, skip in events)
    assert shown == min(count, 8)
    assert events[-1][0].message == "z"


async def test_lanes_count_for_themselves(house: House) -> None:
    for number in range(4):
        await house.add(WEB, f"w{number}")
        await house.add(OTHER_WEB, f"o{number}")
    query, offset = Query(services=("web",)), house.tail.stored
    begins: dict[object, Begin] = {}
    for origin, count in ((WEB, 1), (OTHER_WEB, 3)):
        own = Query(containers=(ContainerRef(id=origin.container.id),))
        begins[origin.container.id] = await newest(house.store, own, offset, count)
    found = [part async for part in stored(house.store, query, offset, begins, by_id)]
    assert [event.message for events, _ in found for event in events] == ["o1", "o2", "w3", "o3"]


async def test_what_was_not_searched_is_not_passed_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = await house.add(WEB, "a")

    async def cut(_query: Query) -> Page:
        return Page(events, None, "time")

    monkeypatch.setattr(house.store, "search", cut)
    with pytest.raises(InterruptedStreamError, match="not everything was searched"):
        [part async for part in stored(house.store, QUERY, 0, None, no_lane)]
    with pytest.raises(InterruptedStreamError):
        await newest(house.store, QUERY, 0, 5)


async def test_a_store_that_is_behind_sets_the_moment(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.add(WEB, "a", "b")
    search = house.store.search

    async def behind(query: Query) -> Page:
        return replace(await search(query), complete_to=0)

    monkeypatch.setattr(house.store, "search", behind)
    assert await moment(house.services(), QUERY) == 0


@pytest.mark.parametrize("count", range(1, 12))
async def test_a_short_tail_is_what_the_long_way_tells(house: House, count: int) -> None:
    await add_mixed(house)
    offset = house.tail.stored
    begins = {None: await newest(house.store, QUERY, offset, count)}
    slices = [part async for part in stored(house.store, QUERY, offset, begins, no_lane)]
    events = [event for found, _ in slices for event in found]
    assert await tailed(house.services(), QUERY, count) == (offset, events, max(skip for _, skip in slices))


async def test_a_short_tail_is_one_search(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.add(WEB, *"abcdefgh")
    search, asked = house.store.search, list[Query]()

    async def counted(query: Query) -> Page:
        asked.append(query)
        return await search(query)

    monkeypatch.setattr(house.store, "search", counted)
    _, events, skip = await tailed(house.services(), QUERY, 5)
    assert ("".join(event.message for event in events), skip, len(asked)) == ("defgh", 0, 1)


async def test_since_and_until_look_at_a_short_tail(house: House) -> None:
    """As in Docker, the tail is cut first; pieces of a line that is not shown are not skipped elsewhere."""
    events = await house.add(WEB, "x" * 40_000, "b", "c", flags=("joined",))
    asked = replace(QUERY, since=events[1].timestamp, until=events[1].timestamp)
    assert await tailed(house.services(), asked, 3) == (house.tail.stored, [events[1]], 0)
    assert await tailed(house.services(), replace(asked, until=events[0].timestamp), 3) == (
        house.tail.stored, [], 0
    )  # fmt: skip


async def test_a_short_tail_of_a_store_that_is_behind(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.add(WEB, "a", "b", "c")
    search = house.store.search

    async def behind(query: Query) -> Page:
        page = await search(query)
        return replace(page, events=[event for event in page.events if event.offset < 2], complete_to=1)

    monkeypatch.setattr(house.store, "search", behind)
    offset, events, _ = await tailed(house.services(), QUERY, 5)
    assert (offset, [event.message for event in events]) == (1, ["a", "b"])


async def test_a_short_tail_that_was_not_searched_to_its_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = await house.add(WEB, "a")

    async def cut(_query: Query) -> Page:
        return Page(events, None, "time")

    monkeypatch.setattr(house.store, "search", cut)
    with pytest.raises(InterruptedStreamError):
        await tailed(house.services(), QUERY, 5)
    assert (await tailed(house.services(), QUERY, 1))[1] == events
