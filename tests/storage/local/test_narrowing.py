"""Of sealed files, only those row groups are read whose trigrams leave room for the text."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from storage.expression import Expression, Not, Text
from storage.local import files
from storage.local.catalogue import FileEntry
from storage.local.narrowing import Part, condition, narrowed
from storage.local.parquet import LocalStore
from storage.metrics import Metrics
from storage.query import Query
from tests.storage.factories import JOURNAL, after, event

ROWS = 100  # of a row group here


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalStore]:
    """Ten row groups; "needle" is in 3, 4 and 9."""
    monkeypatch.setattr(files, "ROW_GROUP_ROWS", ROWS)
    store = LocalStore(tmp_path, JOURNAL, Metrics())
    await store.start()
    made = [event(n, f"line {n}" + " needle" * (n in (310, 350, 420, 999))) for n in range(1000)]
    await store.append(made, after(made))
    await store.flush()
    yield store
    await store.close()


def entry(store: LocalStore) -> FileEntry:
    (found,) = store._keeper.shelf.files.values()
    return found


def parts(store: LocalStore, text: Expression) -> list[object]:
    return narrowed([entry(store)], text)


async def test_row_groups_that_cannot_match_are_left_out(store: LocalStore) -> None:
    (part,) = parts(store, Text("needle"))
    assert isinstance(part, Part)
    assert part.ranges == ((300, 500), (900, 1000))
    assert part.rows == 300
    assert part.name == entry(store).name
    assert condition(part).startswith(
        "file_row_number >= 300 AND file_row_number < 500 OR file_row_number >= 9"
    )
    assert parts(store, Text("zebra")) == []
    assert parts(store, Text("line")) == [entry(store)]
    assert parts(store, Not(Text("needle"))) == [entry(store)]
    assert narrowed([entry(store)], None) == [entry(store)]


async def test_files_of_earlier_versions_are_read_whole(store: LocalStore) -> None:
    old = msgspec.structs.replace(entry(store), trigrams=None)
    assert narrowed([old], Text("zebra")) == [old]


@pytest.mark.parametrize("order", ["desc", "asc", "arrival"])
async def test_answers_are_the_same(store: LocalStore, order: str) -> None:
    page = await store.search(Query(text=Text("needle"), order=order, limit=3))  # type: ignore[arg-type]
    found = [e.sequence for e in page.events]
    assert found == ([999, 420, 350] if order == "desc" else [310, 350, 420])
    rest = await store.search(Query(text=Text("needle"), order=order, limit=3, cursor=page.next))  # type: ignore[arg-type]
    assert [e.sequence for e in rest.events] == ([310] if order == "desc" else [999])


async def test_parts_and_whole_files_are_read_together(store: LocalStore) -> None:
    more = [event(n, f"needle {n}") for n in range(1000, 1005)]
    await store.append(more, after(more))
    await store.flush()
    page = await store.search(Query(text=Text("needle")))
    assert [e.sequence for e in page.events] == [1004, 1003, 1002, 1001, 1000, 999, 420, 350, 310]
    counted = await store.histogram(Query(text=Text("needle")), None, 10)
    assert sum(bucket.count for bucket in counted.buckets) == 9
