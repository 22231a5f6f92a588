"""Pruning the embedded store beyond the contract: files, counters, faults at every step, upkeep meanwhile."""

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parsers.event import Event
from storage.local import files as local_files
from storage.local import prune as local_prune
from storage.local import removal as local_removal
from storage.local.catalogue import Catalogue, MinuteCount
from storage.local.disk import Disk
from storage.local.parquet import LocalStore
from storage.metrics import Metrics
from storage.prune import Selection, selects
from storage.pruned import PrunedLog
from storage.query import Query
from storage.store import StoreUnavailable
from tests.storage.factories import JOURNAL, SECOND, TIME, after, event, everything, origin

ORIGINS = [origin(f"{name}-1", f"{n:064x}", service=name, labels={}) for n, name in enumerate(("web", "db"))]
WEB, DB = Selection(services=("web",), text="service=web"), Selection(services=("db",))

Open = Callable[..., Awaitable[LocalStore]]


@pytest.fixture
async def open_store(tmp_path: Path) -> Any:
    opened: list[LocalStore] = []

    async def open_it(**settings: Any) -> LocalStore:
        while opened:
            await opened.pop().close()
        store = LocalStore(tmp_path, JOURNAL, Metrics(), **{"clock": lambda: TIME, **settings})
        await store.start()
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        await store.close()


def mixed(first: int, count: int) -> list[Event]:
    """Lines of both origins, by turns."""
    levels = ("info", None, "error")
    return [event(n, origin=ORIGINS[n % 2], level=levels[n % 3]) for n in range(first, first + count)]


async def add(store: LocalStore, events: Sequence[Event]) -> list[Event]:
    await store.append(events, after(events))
    await store.flush()
    return list(events)


async def files_of(store: LocalStore, sizes: Sequence[int] = (20, 20, 20)) -> list[Event]:
    made: list[Event] = []
    for size in sizes:
        made += await add(store, mixed(len(made), size))
    return made


def kept(events: Sequence[Event], selection: Selection) -> list[Event]:
    return [e for e in events if not selects(selection, e)]


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "parquet").iterdir()}


def minutes_of(folder: Path) -> list[MinuteCount]:
    catalogue = Catalogue(folder / "catalogue.sqlite")
    minutes = catalogue.minutes([entry.name for entry in catalogue.files()])
    assert catalogue.unrecorded() == []
    catalogue.close()
    return minutes


async def test_files_are_written_anew_without_the_lines(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    made = await files_of(store)
    before = names(tmp_path)
    result = await store.prune(WEB, dry_run=False)
    assert result.bytes is not None and 0 < result.bytes < sum(
        e.bytes for e in [*store._keeper.shelf.files.values()]
    )
    after_it = names(tmp_path)
    assert len(after_it) == 3 and not before & after_it, "the old files are gone"
    rest = kept(made, WEB)
    assert await everything(store, Query(order="asc")) == rest
    on_disk = [
        row
        for name in after_it
        for b in local_files.read(tmp_path / "parquet" / name)
        for row in b["message"]
    ]
    assert Counter(str(m) for m in on_disk) == Counter(e.message for e in rest)


async def test_counters_per_minute_and_origin_are_those_of_what_is_left(
    open_store: Open, tmp_path: Path
) -> None:
    store = await open_store()
    made = await files_of(store, (70, 90))
    until = Selection(until=TIME + 85 * SECOND, services=("db",))
    await store.prune(until, dry_run=False)
    rest = kept(made, until)
    wanted = Counter((e.timestamp // (60 * SECOND), e.origin.service, e.level or "") for e in rest)
    numbers = {number: o.service for number, o in store._origins.known.items()}
    minutes = minutes_of(tmp_path)
    assert {(m.minute, numbers[m.origin], m.level): m.lines for m in minutes} == wanted
    assert sum(c.lines for c in await store.containers(Query())) == len(rest)


async def test_whole_files_go_unread_and_without_room(
    open_store: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    made = await files_of(store)

    def refuse(*_: Any) -> Any:
        raise OSError("no space left")

    monkeypatch.setattr(local_files, "read_slowly", refuse)
    monkeypatch.setattr(local_files, "write", refuse)
    entries = list(store._keeper.shelf.files.values())
    result = await store.prune(Selection(until=entries[1].max_observed + 1), dry_run=False)
    assert (result.lines, result.bytes) == (40, entries[0].bytes + entries[1].bytes)
    assert names(tmp_path) == {entries[2].name}
    assert await everything(store, Query(order="asc")) == made[40:]


async def test_a_dry_run_counts_what_is_only_in_memory(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    made = await files_of(store, (20,))
    hot = mixed(20, 10)
    await store.append(hot, after(hot))
    before = names(tmp_path)
    result = await store.prune(WEB, dry_run=True)
    assert (result.lines, names(tmp_path), store.safe()) == (15, before, after(made))
    assert (await store.prune(WEB, dry_run=False)).lines == 15
    assert store.safe() == after(hot)


async def test_a_query_that_runs_keeps_its_files(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    await files_of(store)
    before = names(tmp_path)
    with store._keeper.files():
        await store.prune(WEB, dry_run=False)
        assert before < names(tmp_path)
    assert not before & names(tmp_path) and len(names(tmp_path)) == 3


async def test_a_damaged_file_is_told_and_stops_nothing(open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    await files_of(store)
    damaged = next(iter(store._keeper.shelf.files))
    (tmp_path / "parquet" / damaged).write_bytes(b"PAR1" + b"\0" * 300 + b"PAR1")
    result = await store.prune(WEB, dry_run=False)
    assert result.lines == 20
    assert result.notes == (f"the sealed file {damaged} cannot be read: what it holds stays",)
    assert damaged in names(tmp_path)


# Faults


async def test_a_full_disk_half_way_says_how_many_are_gone(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    made = await files_of(store)
    write, calls = local_files.write, iter(range(9))

    def full(*args: Any) -> Any:
        if next(calls) == 2:
            raise OSError("no space left")
        return write(*args)

    monkeypatch.setattr(local_files, "write", full)
    with pytest.raises(StoreUnavailable, match=r"no space left; 20 lines are gone already"):
        await store.prune(WEB, dry_run=False)
    (record,) = store.pruned()
    assert (record.lines, record.state, record.selection) == (20, "partial", "service=web")
    assert await everything(store, Query(order="asc")) == kept(made[:40], WEB) + made[40:]
    assert (await store.prune(WEB, dry_run=False)).lines == 10
    assert await everything(store, Query(order="asc")) == kept(made, WEB)
    store = await open_store()
    assert [record.lines for record in store.pruned()] in ([10, 20], [20, 10])


@pytest.mark.parametrize("broken", [(Catalogue, "replace"), (Disk, "swap")])
async def test_what_the_catalogue_refuses_has_not_happened(
    open_store: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: tuple[Any, str]
) -> None:
    store = await open_store()
    made = await files_of(store)
    before = names(tmp_path)

    def refuse(*_: Any) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(*broken, refuse)
    with pytest.raises(StoreUnavailable, match="disk I/O error"):
        await store.prune(WEB, dry_run=False)
    assert await everything(store, Query(order="asc")) == made
    assert store.pruned() == []
    monkeypatch.undo()
    store = await open_store()
    assert names(tmp_path) == before, "what was written aside is swept up"
    assert await everything(store, Query(order="asc")) == made and store.pruned() == []


async def test_killed_before_the_record_the_next_start_records_exactly_what_went(
    open_store: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    made = await files_of(store)
    write, calls = local_files.write, iter(range(9))

    class Killed(BaseException):
        pass

    def killed(*args: Any) -> Any:
        if next(calls) == 2:
            raise Killed
        return write(*args)

    monkeypatch.setattr(local_files, "write", killed)
    with pytest.raises(Killed):
        await store.prune(WEB, dry_run=False)
    assert not (tmp_path / "pruned.ndjson").exists()
    for _ in range(2):  # recorded once, however often it starts
        store = await open_store()
        (record,) = store.pruned()
        assert (record.lines, record.state) == (20, "partial")
        assert await everything(store, Query(order="asc")) == kept(made[:40], WEB) + made[40:]
        (note,) = (await store.search(Query())).notes
        assert note.startswith("20 lines of web from ") and note.endswith("(service=web), before it failed")
    minutes_of(tmp_path)


async def test_killed_between_record_and_catalogue_it_is_recorded_once(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    await files_of(store)

    def refuse(*_: Any) -> Any:
        raise sqlite3.OperationalError("killed")

    monkeypatch.setattr(Catalogue, "recorded", refuse)
    assert (await store.prune(WEB, dry_run=False)).lines == 30
    monkeypatch.undo()
    for _ in range(2):
        store = await open_store()
        assert [record.lines for record in store.pruned()] == [30]


async def test_a_record_that_cannot_be_written_is_written_at_the_next_start(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    await files_of(store)

    def refuse(*_: Any) -> Any:
        raise OSError("no space left")

    monkeypatch.setattr(PrunedLog, "_write", refuse)
    assert (await store.prune(WEB, dry_run=False)).lines == 30
    assert [record.lines for record in store.pruned()] == [30]
    monkeypatch.undo()
    store = await open_store()
    assert [record.lines for record in store.pruned()] == [30]


# With everything else the store does meanwhile


async def test_lines_that_arrive_during_a_prune_wait_for_no_more_than_a_file(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(seal_rows=30)
    made = await files_of(store, (20,) * 6)
    lines, sealed_between = local_removal.Removal.lines, []

    def watched(self: Any, *args: Any) -> Any:
        sealed_between.append(len(store._keeper.shelf.files))
        return lines(self, *args)

    monkeypatch.setattr(local_removal.Removal, "lines", watched)
    pruning = asyncio.create_task(store.prune(msgspec.structs.replace(WEB, until=TIME + 121 * SECOND), False))
    more: list[Event] = []
    while not pruning.done():
        some = mixed(130 + len(more), 10)
        more += some
        await store.append(some, after(some))
        await asyncio.sleep(0)
    assert (await pruning).lines == 60
    assert await everything(store, Query(order="asc")) == kept(made, WEB) + more
    assert len(set(sealed_between)) > 1, "nothing was sealed while it pruned"


async def test_a_merge_between_two_files_hides_none(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    made = await files_of(store, (10,) * 10)
    thin, merged = local_prune._thin, []

    async def merge() -> None:
        await store.maintain()
        merged.append(len(store._keeper.shelf.files))

    waiting: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()

    def then_merge(*args: Any) -> Any:
        if not waiting:
            loop.call_soon_threadsafe(lambda: waiting.append(loop.create_task(merge())))
        return thin(*args)

    monkeypatch.setattr(local_prune, "_thin", then_merge)
    assert (await store.prune(WEB, dry_run=False)).lines == 50
    await asyncio.gather(*waiting)
    assert merged and merged[0] < 10
    assert await everything(store, Query(order="asc")) == kept(made, WEB)


async def test_retention_is_recorded_with_whose_lines_went(open_store: Open) -> None:
    now = TIME
    store = await open_store(retention_seconds=30, clock=lambda: now)
    await files_of(store)
    now = TIME + 51 * SECOND
    await store.maintain()
    (record,) = store.pruned()
    assert (record.reason, record.lines, record.state, record.at) == ("retention", 20, "done", now)
    assert {part.name: part.lines for part in record.parts} == {"web-1": 10, "db-1": 10}
    (note,) = (await store.search(Query(since=TIME, services=("db",)))).notes
    assert note == "retention has removed 10 lines around this time range"
    store = await open_store()
    assert store.pruned() == [record]


async def test_random_prunes_merges_and_starts(open_store: Open, tmp_path: Path) -> None:
    chance = random.Random(3)
    store, here = await open_store(seal_rows=64), list[Event]()
    number = gone = 0
    for _ in range(40):
        some = mixed(number, chance.randrange(1, 30))
        number += len(some)
        here += some
        await store.append(some, after(some))
        what = chance.randrange(5)
        if what == 0:
            await store.flush()
            store = await open_store(seal_rows=64)
        elif what == 1:
            await store.maintain()
        elif what == 2:
            selection = Selection(
                until=TIME + chance.randrange(number) * SECOND,
                services=chance.choice([(), ("web",), ("db",)]),
            )
            dry = await store.prune(selection, dry_run=True)
            result = await store.prune(selection, dry_run=False)
            assert (result.lines, result.parts) == (dry.lines, dry.parts)
            assert result.lines == len(here) - len(kept(here, selection))
            gone += result.lines
            here = kept(here, selection)
        assert await everything(store, Query(order="asc")) == here
    assert gone and sum(record.lines for record in store.pruned()) == gone
    await store.flush()
    assert sum(minute.lines for minute in minutes_of(tmp_path)) == len(here)
