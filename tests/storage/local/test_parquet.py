"""The embedded store beyond the contract: sealing, crashes, merging, retention, pages over all of it."""

import asyncio
import gc
import random
import weakref
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from parsers.event import Container, Event, make_origin
from storage.expression import Field, Not, Text
from storage.local import files as local_files
from storage.local import search as local_search
from storage.local.catalogue import Catalogue, CatalogueError
from storage.local.parquet import LocalStore
from storage.metrics import Metrics
from storage.query import ContainerRef, Cursor, Query
from storage.store import Checkpoint, Rejection, StoreUnavailable

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
ORIGINS = [
    make_origin(Container(f"{n:064x}", f"web-{n}", "img"), "node", service=f"s{n % 2}", labels={"n": str(n)})
    for n in range(4)
]

Open = Callable[..., Awaitable[LocalStore]]


def make(number: int, **changes: Any) -> Event:
    event = Event(
        "j", number, 0, number * SECOND, number * SECOND, number, number,
        f"line {number}", ORIGINS[number % 4], "stdout", "info",
    )  # fmt: skip
    return msgspec.structs.replace(event, **changes)


def after(events: Sequence[Event]) -> Checkpoint:
    return Checkpoint(events[-1].position + 1, events[-1].sequence + 1, events[-1].offset + 1)


async def add(store: LocalStore, numbers: range, *, seal: bool = False) -> list[Event]:
    events = [make(number) for number in numbers]
    await store.append(events, after(events))
    if seal:
        await store.flush()
    return events


async def everything(store: LocalStore, query: Query) -> list[Event]:
    found: list[Event] = []
    cursor: Cursor | None = None
    while True:
        page = await store.search(msgspec.structs.replace(query, cursor=cursor))
        found += page.events
        if page.next is None:
            return found
        cursor = page.next


@pytest.fixture
async def open_store(tmp_path: Path) -> Any:
    opened: list[LocalStore] = []

    async def open_it(folder: Path = tmp_path, **settings: Any) -> LocalStore:
        store = LocalStore(folder, "j", Metrics(), **{"clock": lambda: 0, **settings})
        await store.start()
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        await store.close()


def catalogue_files(folder: Path) -> list[Path]:
    return list(folder.glob("catalogue.sqlite*"))


def files(folder: Path) -> list[Path]:
    return sorted((folder / "parquet").iterdir())


async def test_one_page_over_hot_sealing_and_files(open_store: Open) -> None:
    store = await open_store()
    made = await add(store, range(50), seal=True)
    made += await add(store, range(50, 100), seal=True)
    made += await add(store, range(100, 130))
    assert await everything(store, Query(limit=7)) == made[::-1]
    assert await everything(store, Query(limit=7, order="asc")) == made
    assert await everything(store, Query(limit=7, order="arrival", after_offset=9)) == made[10:]


async def test_what_is_not_sealed_is_found_while_it_is_being_sealed(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    made = await add(store, range(10))
    seal, began = local_files.write, asyncio.Event()
    loop, go_on = asyncio.get_running_loop(), __import__("threading").Event()

    def slow(*args: Any) -> Any:
        loop.call_soon_threadsafe(began.set)
        assert go_on.wait(10)
        return seal(*args)

    monkeypatch.setattr(local_files, "write", slow)
    flushing = asyncio.create_task(store.flush())
    await began.wait()
    made += await add(store, range(10, 15))
    assert await everything(store, Query()) == made[::-1]
    assert store.safe() is None
    go_on.set()
    await flushing
    assert store.safe() == after(made[:10])
    assert await everything(store, Query()) == made[::-1]


async def test_files_overlapping_in_time_give_exact_pages(open_store: Open) -> None:
    store, rng = await open_store(), random.Random(1)
    made = [
        make(n, timestamp=rng.randrange(40) * SECOND, journal=rng.choice(["j", "j-2"])) for n in range(300)
    ]
    for start in range(0, 300, 30):
        await store.append(made[start : start + 30], after(made[start : start + 30]))
        if start % 60:
            await store.flush()
    for service, limit in ((None, 11), ("s1", 3)):
        wanted = [e for e in made if service is None or e.origin.service == service]
        wanted.sort(key=lambda e: (e.timestamp, e.sequence, e.id))
        query = Query(services=(service,) if service else (), limit=limit)
        assert await everything(store, query) == wanted[::-1]
        assert await everything(store, msgspec.structs.replace(query, order="asc")) == wanted


async def test_a_page_keeps_its_ceiling_while_lines_arrive(open_store: Open) -> None:
    store = await open_store()
    made = await add(store, range(20))
    first = await store.search(Query(limit=5, order="asc"))
    await store.append([make(n, timestamp=7 * SECOND) for n in range(20, 30)], Checkpoint(30, 30, 30))
    await store.flush()
    rest = await everything(store, Query(limit=5, order="asc", cursor=first.next))
    assert (
        first.next is not None and rest[:5] == made[:5]
    )  # `everything` begins anew: compare the second page
    second = await store.search(Query(limit=5, order="asc", cursor=first.next))
    assert second.events == made[5:10]


@pytest.mark.parametrize("seal", [False, True])
async def test_known_ids_are_kept_once(open_store: Open, seal: bool) -> None:
    store = await open_store()
    made = await add(store, range(30), seal=seal)
    again = [*made[5:9], make(30), make(30), make(31)]
    await store.append(again, after(again))
    assert await everything(store, Query(order="asc")) == [*made, make(30), make(31)]


async def test_an_id_that_comes_late_is_new(open_store: Open) -> None:
    store = await open_store()
    await store.append([make(n) for n in (1, 2, 5, 6)], Checkpoint(7, 7, 7))
    await store.flush()
    await store.append([make(3), make(4)], Checkpoint(7, 7, 7))
    await store.append([make(4), make(0)], Checkpoint(7, 7, 7))
    assert await everything(store, Query(order="asc")) == [make(n) for n in range(7)]


async def test_a_restart_has_what_was_sealed_and_its_checkpoint(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    made = await add(store, range(20), seal=True)
    lost = await add(store, range(20, 30))
    await store.close()
    again = LocalStore(tmp_path, "j", Metrics())
    assert await again.start() == after(made)
    assert await everything(again, Query(order="asc")) == made
    await again.append(made[-3:] + lost, after(lost))
    assert await everything(again, Query(order="asc")) == made + lost
    assert [c.lines for c in await again.containers(Query())] == [8, 8, 7, 7]
    await again.close()


async def test_a_checkpoint_without_events_becomes_safe(open_store: Open) -> None:
    store = await open_store()
    await store.append([], Checkpoint(5))
    assert store.safe() is None
    await store.flush()
    assert store.safe() == Checkpoint(5)


async def test_start_deletes_what_the_catalogue_does_not_name(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    await add(store, range(5), seal=True)
    await store.close()
    known = files(tmp_path)
    for name in ("stray.parquet", "half.parquet.tmp"):
        (tmp_path / "parquet" / name).write_bytes(b"x")
    await open_store()
    assert files(tmp_path) == known


async def test_a_missing_file_is_said_in_answers(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    await add(store, range(5), seal=True)
    kept = await add(store, range(5, 8), seal=True)
    await store.close()
    next(f for f in files(tmp_path) if f.name.startswith("19700101T000000Z")).unlink()
    store = await open_store()
    page = await store.search(Query(order="asc"))
    assert page.events == kept and "5 lines are missing" in page.notes[0]
    assert (await store.search(Query(since=6 * SECOND))).notes == ()


async def test_a_damaged_file_hides_only_itself(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    await add(store, range(5), seal=True)
    kept = await add(store, range(5, 8), seal=True)
    damaged = next(f for f in files(tmp_path) if f.name.startswith("19700101T000000Z"))
    damaged.write_bytes(b"PAR1" + b"\0" * 500 + b"PAR1")
    page = await store.search(Query(order="asc"))
    assert page.events == kept and page.notes == (
        f"the sealed file {damaged.name} cannot be read: its lines are missing here",
    )


async def test_files_without_their_catalogue_are_not_deleted(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    await add(store, range(5), seal=True)
    await store.close()
    for path in catalogue_files(tmp_path):
        path.unlink()
    with pytest.raises(CatalogueError, match="is gone"):
        await open_store()
    assert len(files(tmp_path)) == 1


async def test_a_crash_before_the_catalogue_knows_loses_only_what_is_replayed(
    open_store: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    made = await add(store, range(5), seal=True)
    monkeypatch.setattr(Catalogue, "add", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    await add(store, range(5, 9))
    with pytest.raises(StoreUnavailable, match="no space left"):
        await store.flush()
    assert store.safe() == after(made) and len(files(tmp_path)) == 1
    assert len(await everything(store, Query())) == 9
    monkeypatch.undo()
    await store.flush()
    assert len(await everything(store, Query())) == 9 and store.safe() == Checkpoint(9, 9, 9)


async def test_a_full_hot_set_waits_for_the_disk(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await open_store(seal_rows=10)
    monkeypatch.setattr(local_files, "write", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    await add(store, range(10))
    await add(store, range(10, 20))
    with pytest.raises(StoreUnavailable):
        await add(store, range(20, 30))
    assert len(await everything(store, Query())) == 20
    monkeypatch.undo()
    await add(store, range(20, 30), seal=True)
    assert await everything(store, Query(order="asc")) == [make(n) for n in range(30)]


async def test_a_refused_seal_leaves_no_copy_of_the_batches(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the attempt built is freed at once, not when the garbage collector comes by."""

    class Copy:
        pass

    copies: list[weakref.ref[Copy]] = []

    def write(*_: object) -> None:
        copy = Copy()
        copies.append(weakref.ref(copy))
        raise OSError("no space left")

    store = await open_store()
    await add(store, range(5))
    monkeypatch.setattr(local_files, "write", write)
    gc.disable()
    try:
        with pytest.raises(StoreUnavailable):
            await store.flush()
        assert [copy() for copy in copies] == [None]
    finally:
        gc.enable()


async def test_seals_by_rows_and_by_age(open_store: Open, tmp_path: Path) -> None:
    now = 0
    store = await open_store(seal_rows=50, seal_seconds=60, clock=lambda: now)
    await add(store, range(60))
    await store.flush()
    await add(store, range(60, 65))
    await store.maintain()
    assert len(files(tmp_path)) == 1
    now = 61 * SECOND
    await store.maintain()
    assert len(files(tmp_path)) == 2 and store.safe() == Checkpoint(65, 65, 65)


async def test_small_neighbours_are_merged(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    made: list[Event] = []
    for start in range(0, 90, 10):
        made += await add(store, range(start, start + 10), seal=True)
    summary = await store.containers(Query())
    await store.maintain()
    assert len(files(tmp_path)) == 1
    assert await everything(store, Query(order="asc", limit=13)) == made
    assert await store.containers(Query()) == summary
    await store.close()
    again = await open_store()
    assert await everything(again, Query(order="asc")) == made
    assert again.safe() == after(made)


async def test_a_file_in_use_is_deleted_after_the_query(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    for start in range(0, 80, 10):
        await add(store, range(start, start + 10), seal=True)
    with store._keeper.files():
        await store.maintain()
        assert len(files(tmp_path)) == 9
    assert len(files(tmp_path)) == 1


async def test_retention_counts_from_observed_and_is_said(open_store: Open, tmp_path: Path) -> None:
    now = 0
    store = await open_store(retention_seconds=DAY / SECOND, clock=lambda: now)
    await store.append([make(n, observed=0, timestamp=(9 * DAY) + n) for n in range(3)], Checkpoint(3, 3, 3))
    await store.flush()
    await store.append([make(n, observed=DAY, timestamp=n) for n in range(3, 5)], Checkpoint(5, 5, 5))
    await store.flush()
    now = DAY + SECOND
    await store.maintain()
    assert len(files(tmp_path)) == 1
    page = await store.search(Query(since=0))
    assert [e.position for e in page.events] == [4, 3] and "removed 3 lines" in page.notes[0]
    assert (await store.search(Query())).notes == ()
    assert sum(c.lines for c in await store.containers(Query())) == 2


async def test_retention_by_size_takes_the_oldest(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    for start in (0, 10, 20):
        await add(store, range(start, start + 10), seal=True)
    sizes = [path.stat().st_size for path in files(tmp_path)]
    await store.close()
    store = await open_store(retention_bytes=sum(sizes) - 1)
    await store.maintain()
    assert await everything(store, Query(order="asc")) == [make(n) for n in range(10, 30)]


async def test_candidates_that_python_refuses_do_not_thin_the_page(open_store: Open) -> None:
    store = await open_store()
    made = [make(n, fields={"status": n}) for n in range(400)]
    await store.append(made, after(made))
    await store.flush()
    assert await everything(store, Query(text=Field("status", "<", "9"), limit=4)) == made[:9][::-1]
    assert await everything(store, Query(text=Not(Field("status", ">", "5")), limit=4)) == made[:6][::-1]


async def test_a_search_out_of_time_is_cut_where_it_is_certain(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    made: list[Event] = []
    for start in range(0, 60, 20):
        made += await add(store, range(start, start + 20), seal=True)
    monkeypatch.setattr(local_search, "FIRST_ROWS", 1)
    monkeypatch.setattr(local_search, "SCAN_SECONDS", -1.0)
    page = await store.search(Query(text=Text("line 5")))
    assert page.truncated_by == "time" and page.next is not None
    found = await everything(store, Query(text=Text("line 5")))
    assert found == [e for e in made[::-1] if "line 5" in e.message]


async def test_an_event_that_cannot_be_stored_is_reported_and_costs_no_other(open_store: Open) -> None:
    refused: list[Rejection] = []
    store = await open_store(on_rejected=refused.extend)
    made = [make(0), make(1, message="a\ud800b"), make(2, timestamp=2**70), make(3)]
    await store.append(made, after(made))
    assert [e.message for e in await everything(store, Query(order="asc"))] == ["line 0", "a?b", "line 3"]
    assert [r.event for r in refused] == [made[2]]
    await store.flush()
    assert len(refused) == 1


async def test_get_and_lists(open_store: Open) -> None:
    store = await open_store()
    made = await add(store, range(8), seal=True) + await add(store, range(8, 12))
    for event in (made[2], made[10]):
        assert await store.get(event.id) == event
    assert await store.get("j.ffff.0") is None and await store.get("nonsense") is None
    assert [(s.name, s.lines, s.containers) for s in await store.services(Query())] == [
        ("s0", 6, 2),
        ("s1", 6, 2),
    ]
    assert [(s.name, s.lines) for s in await store.label_values("n", Query(services=("s1",)))] == [
        ("1", 3),
        ("3", 3),
    ]
    assert [c.name for c in await store.find_containers("web-2")] == ["web-2"]
    query = Query(containers=(ContainerRef(name="web-9"),))
    assert (await store.search(query)).events == [] and await store.containers(query) == []


async def test_anyone_can_read_the_files(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    await add(store, range(8), seal=True)
    rows = duckdb.sql(
        'SELECT container_name, image, service, host, labels, message, "timestamp"::VARCHAR'
        f" FROM '{tmp_path}/parquet/*.parquet' WHERE container_id LIKE '%3'"
    ).fetchall()
    assert rows == [
        ("web-3", "img", "s1", "node", '{"n":"3"}', "line 3", "1970-01-01 00:00:03"),
        ("web-3", "img", "s1", "node", '{"n":"3"}', "line 7", "1970-01-01 00:00:07"),
    ]


async def test_closing_does_not_flush(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    await add(store, range(5))
    await store.close()
    assert files(tmp_path) == []
