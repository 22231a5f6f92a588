"""Which removals an answer tells of, and in which words."""

from typing import Any

import msgspec
import pytest

from storage.prune import Part, Pruned
from storage.pruned_notes import covered, notes, service_was_here, was_here
from storage.query import ContainerRef, Cursor, Query
from storage.times import MAX_TIME, MIN_TIME, SECOND

DAY = 86_400 * SECOND
WEB = Part(1200, 10 * DAY, 12 * DAY, "shop-web-1", "ab" * 32, "web")
DB = Part(4, 11 * DAY, 11 * DAY, "shop-db-1", "db" * 32, "db")
RECORD = Pruned("x", 20 * DAY, "prune", 1204, 10 * DAY, 12 * DAY, None, "until=240h", (WEB, DB))


WHEN = "from 1970-01-11T00:00:00Z to 1970-01-13T00:00:00Z"


def told(query: Query, *records: Pruned, following: Cursor | None = None) -> list[str]:
    return notes(query, following, records or (RECORD,))


def with_(**changes: Any) -> Pruned:
    return msgspec.structs.replace(RECORD, **changes)


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        (Query(), "1,204 lines of db, web from 1970-01-11T00:00:00Z to 1970-01-13T00:00:00Z"),
        (Query(services=("web",)), "1,200 lines of web from"),
        (Query(services=("db",)), "4 lines of db from 1970-01-12T00:00:00Z to 1970-01-12T00:00:00Z"),
        (Query(containers=(ContainerRef(name="shop-db-1"),)), "4 lines of db"),
        (Query(containers=(ContainerRef(id="ab" * 32),)), "1,200 lines of web"),
        (Query(since=12 * DAY), "1,200 lines of web"),
        (Query(until=10 * DAY), "1,200 lines of web"),
        (Query(levels=("error",), hosts=("h",)), "1,204 lines"),
    ],
)
def test_who_and_when(query: Query, lines: str) -> None:
    (note,) = told(query)
    assert note.startswith(lines) and note.endswith(" were pruned on 1970-01-21 (until=240h)")


@pytest.mark.parametrize(
    "query",
    [
        Query(services=("api",)),
        Query(containers=(ContainerRef(name="api"),)),
        Query(services=("db",), since=12 * DAY),
        Query(since=12 * DAY + 1),
        Query(until=10 * DAY - 1),
        Query(order="arrival"),
    ],
)
def test_what_is_not_concerned(query: Query) -> None:
    assert told(query) == []


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (with_(state="running"), f"up to 1,204 lines of db, web {WHEN} are being pruned (until=240h)"),
        (with_(state="unknown"), " may be gone: a prune on 1970-01-21 was interrupted (until=240h)"),
        (with_(state="partial"), " were pruned on 1970-01-21 (until=240h), before it failed"),
        (
            with_(reason="drop-oldest", selection="", parts=()),
            f"1,204 lines {WHEN} are gone since 1970-01-21: drop-oldest",
        ),
        (
            with_(lines=1, selection="", parts=(msgspec.structs.replace(DB, lines=1),)),
            "1 line of db from 1970-01-12T00:00:00Z to 1970-01-12T00:00:00Z was pruned on 1970-01-21",
        ),
    ],
)
def test_how_it_ended(record: Pruned, said: str) -> None:
    (note,) = told(Query(), record)
    assert note.endswith(said)


def test_who_is_not_named_may_be_meant() -> None:
    many = with_(lines=2000, more=70)
    (note,) = told(Query(services=("api",)), many)
    assert note.startswith("up to 796 lines from")
    (note,) = told(Query(services=("db",)), many)
    assert note.startswith("up to 800 lines of db from")


def test_retention_is_told_to_who_asks_for_a_time() -> None:
    kept = with_(reason="retention"), with_(id="y", reason="retention-size")
    assert told(Query(), *kept) == []
    assert told(Query(since=0), *kept) == ["retention has removed 2,408 lines around this time range"]
    assert told(Query(since=0, services=("db",)), *kept) == [
        "retention has removed 8 lines around this time range"
    ]


def test_many_prunes_become_a_number() -> None:
    found = told(Query(), *(with_(id=str(n)) for n in range(7)))
    assert len(found) == 4
    assert found[3] == "4 other prunes have removed up to 4,816 lines of this"


def test_a_page_tells_only_what_it_covers() -> None:
    def at(time: int, order: Any) -> Cursor:
        return Cursor(time, 0, "j.0.0", 0, 9, order)

    newest = Query(cursor=at(9, "desc"), since=3)
    assert covered(newest, at(5, "desc")) == (5, 9)
    assert covered(newest, None) == (3, 9)
    oldest = Query(order="asc", cursor=at(5, "asc"), until=11)
    assert covered(oldest, at(9, "asc")) == (5, 9)
    assert covered(oldest, None) == (5, 11)
    assert covered(Query(), None) == (MIN_TIME, MAX_TIME)
    assert told(Query(), following=at(13 * DAY, "desc")) == []
    assert len(told(Query(), following=at(12 * DAY, "desc"))) == 1


def test_times_beyond_the_calendar() -> None:
    wide = with_(first=MIN_TIME, last=MAX_TIME, parts=())
    (note,) = told(Query(), wide)
    assert "from 1677-09-21T00:12:43Z to 2262-04-11T23:47:16Z" in note


def test_what_was_here() -> None:
    assert was_here([RECORD], "shop-db-1") and was_here([RECORD], "abab") and not was_here([RECORD], "shop")
    assert not was_here([RECORD], "") and not was_here([], "shop-db-1")
    assert service_was_here([RECORD], "db") and not service_was_here([RECORD], "shop-db-1")
