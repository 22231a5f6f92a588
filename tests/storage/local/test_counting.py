"""Counting in the embedded store: where the answer comes from, and what is said when it is not all."""

from pathlib import Path

import pytest
from pytest import MonkeyPatch

from storage.by import By
from storage.counts import Facets, ValueCount
from storage.grammar import parse
from storage.grid import MINUTE
from storage.local import counting
from storage.local.minutes import Minutes
from storage.local.parquet import LocalStore
from storage.metrics import Metrics
from storage.query import Query
from tests.storage.factories import JOURNAL, SECOND, TIME, after, event, events

HOUR = TIME // (60 * MINUTE) * 60 * MINUTE
LINES = [
    event(
        n,
        timestamp=HOUR + n * 10 * SECOND,
        level=("info", "error")[n % 2],
        fields={"n": n % 3, "f": n % 3 + 0.5},
    )
    for n in range(360)
]


@pytest.fixture
async def store(tmp_path: Path) -> LocalStore:
    """One file with an hour of lines, one every ten seconds."""
    store = LocalStore(tmp_path, JOURNAL, Metrics())
    await store.start()
    await store.append(LINES, after(LINES))
    await store.flush()
    return store


def damage(folder: Path) -> None:
    """No sealed file can be read any more."""
    for path in (folder / "parquet").glob("*.parquet"):
        path.write_bytes(b"PAR1" + b"\0" * 100 + b"PAR1")


@pytest.mark.parametrize(
    "since, until", [(None, None), (HOUR, None), (HOUR + 5 * MINUTE, HOUR + 50 * MINUTE - 1)]
)
async def test_whole_minutes_are_told_without_reading_a_file(
    store: LocalStore, tmp_path: Path, since: int | None, until: int | None
) -> None:
    query = Query(since=since, until=until)
    expected = await store.histogram(query, By("level"), 60), await store.facets(query, By("service"), 5)
    damage(tmp_path)
    found = await store.histogram(query, By("level"), 60), await store.facets(query, By("service"), 5)
    assert found == expected and found[0].exact and found[0].lines in (360, 270)
    await store.close()


async def test_broken_minutes_are_read(store: LocalStore, tmp_path: Path) -> None:
    query = Query(since=HOUR + 30 * SECOND, until=HOUR + 30 * MINUTE + 10 * SECOND)
    found = await store.histogram(query, By("level"), 40)
    assert found.exact and found.lines == 3 + 29 * 6 + 2
    damage(tmp_path)
    found = await store.histogram(query, By("level"), 40)
    assert not found.exact and found.lines == 29 * 6
    assert found.notes[0].endswith("cannot be read: its lines are missing here")
    await store.close()


@pytest.mark.parametrize("since", [-1, 0, 1, MINUTE - 1, MINUTE, MINUTE + 1])
@pytest.mark.parametrize("until", [-1, 0, 1, MINUTE - 1, MINUTE, MINUTE + 1])
async def test_where_minutes_break(tmp_path: Path, since: int, until: int) -> None:
    """Every line on either side of a minute's end is counted once, by counters or by a scan."""
    times = [HOUR + n * MINUTE + edge for n in range(8) for edge in (-1, 0, 1)]
    lines = [event(n, timestamp=time) for n, time in enumerate(times)]
    store = LocalStore(tmp_path, JOURNAL, Metrics())
    await store.start()
    await store.append(lines, after(lines))
    await store.flush()
    query = Query(since=HOUR + since, until=HOUR + 5 * MINUTE + until)
    inside = [time for time in times if HOUR + since <= time <= HOUR + 5 * MINUTE + until]
    found = await store.histogram(query, By("service"), 7)
    assert found.interval % MINUTE == 0 and found.exact
    assert [b.count for b in found.buckets] == [
        sum(b.start <= time < b.start + found.interval for time in inside) for b in found.buckets
    ]
    assert found.lines == len(inside) == (await store.facets(query, By("host"), 1)).values[0].count
    await store.close()


async def test_a_file_that_cannot_be_read_hides_no_other(store: LocalStore, tmp_path: Path) -> None:
    damage(tmp_path)
    more = events(1000, 10)
    await store.append(more, after(more))
    await store.flush()
    found = await store.facets(Query(text=parse("line")), By("level"), 5)
    assert (found.values, found.exact) == ((ValueCount("", 10),), False)
    found = await store.facets(Query(), By("field", "n"), 5)
    assert (found.values, found.exact) == ((ValueCount("", 10),), False)
    await store.close()


async def test_lines_to_be_looked_at_are_sampled_when_they_are_many(
    store: LocalStore, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "READ_ROWS", 359)
    monkeypatch.setattr(counting, "SAMPLE_ROWS", 180)
    found = await store.facets(Query(), By("field", "f"), 5)
    assert not found.exact
    assert found.notes == ("estimates: of 360 lines that have to be looked at one by one, one in 2 was",)
    total = sum(value.count for value in found.values)
    assert total % 2 == 0 and 240 < total < 480
    monkeypatch.setattr(counting, "READ_ROWS", 360)
    assert (await store.facets(Query(), By("field", "f"), 5)).exact
    await store.close()


async def test_it_stops_when_it_takes_too_long(store: LocalStore, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNT_SECONDS", -1.0)
    found = await store.histogram(Query(text=parse("line")), None, 60)
    assert not found.exact and found.lines == 0
    assert found.notes[0].startswith("not everything was counted in -1 s: lines up to 2026-11-24T")
    await store.close()


async def test_counters_that_the_catalogue_forgot_are_no_zeros(store: LocalStore, tmp_path: Path) -> None:
    """A file may be merged away while a question that holds it runs: then it is scanned."""
    minutes = Minutes(tmp_path / "catalogue.sqlite")
    assert minutes.of("no-such.parquet") is None
    (name,) = [path.name for path in (tmp_path / "parquet").glob("*.parquet")]
    batch = minutes.of(name)
    assert batch is not None and sum(batch["lines"].to_pylist()) == 360
    assert minutes.of(name) is batch
    minutes.close()
    await store.close()


async def test_retention_takes_counts_with_it(tmp_path: Path) -> None:
    now = [TIME]
    store = LocalStore(tmp_path, JOURNAL, Metrics(), retention_seconds=3600, clock=lambda: now[0])
    await store.start()
    await store.append([event(0)], after([event(0)]))
    await store.flush()
    assert (await store.facets(Query(), By("service"), 5)) == Facets((ValueCount("web", 1),))
    now[0] += 4000 * SECOND
    await store.maintain()
    assert (await store.facets(Query(), By("service"), 5)).values == ()
    await store.close()
