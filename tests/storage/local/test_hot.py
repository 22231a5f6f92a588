"""Memory: which ids are doubtful, and what a batch says about itself."""

from typing import Any

import msgspec

from parsers.event import Container, Event, make_origin
from storage.local.catalogue import Span
from storage.local.hot import BATCH_ROWS, Hot, Ids, held, make_batch
from storage.local.origins import Origins

ORIGIN = make_origin(Container("ab" * 32), "node")


def make(position: int, index: int = 0, **changes: Any) -> Event:
    event = Event("j", position, index, position, position, position, position, "m", ORIGIN)
    return msgspec.structs.replace(event, **changes)


def hot() -> Hot:
    def unexpected(event: Event, message: str) -> None:
        raise AssertionError(f"{event.id}: {message}")

    return Hot(Origins(), unexpected)


def test_a_journal_read_forwards_leaves_no_doubt() -> None:
    ids = Ids()
    assert ids.doubtful([make(1), make(1, 1), make(2)]) == set()
    assert ids.doubtful([make(2, 1), make(7)]) == set()


def test_everything_not_above_the_highest_is_doubtful() -> None:
    ids = Ids()
    ids.doubtful([make(5)])
    assert ids.doubtful([make(5), make(6)]) == {("j", 5, 0)}
    assert ids.doubtful([make(9), make(8), make(9)]) == {("j", 8, 0), ("j", 9, 0)}
    assert ids.doubtful([make(10), make(1, journal="k")]) == set()


def test_what_a_file_covers_is_doubtful() -> None:
    ids = Ids()
    ids.raise_to(Span("j", 0, 4))
    assert ids.doubtful([make(4, 77)]) == {("j", 4, 77)}
    assert ids.doubtful([make(5)]) == set()


def test_batches_fold_and_pending_events_show() -> None:
    memory = hot()
    memory.add([make(n) for n in range(BATCH_ROWS + 5)])
    first, rest = memory.snapshot()
    assert (first.rows, rest.rows, memory.rows) == (BATCH_ROWS, 5, BATCH_ROWS + 5)
    assert rest.spans == (Span("j", BATCH_ROWS, BATCH_ROWS + 4),)
    memory.add([make(BATCH_ROWS + 5)])
    assert memory.snapshot()[1].rows == 6
    assert [batch.rows for batch in memory.take()] == [BATCH_ROWS, 6]
    assert memory.rows == 0 and memory.snapshot() == []


def test_held_is_exact_in_batches_and_pending() -> None:
    memory = hot()
    memory.add([make(n) for n in range(BATCH_ROWS + 5)])
    keys = {("j", 3, 0), ("j", 3, 1), ("k", 3, 0), ("j", BATCH_ROWS + 1, 0), ("j", 10**6, 0)}
    assert memory.held(keys) == {("j", 3, 0), ("j", BATCH_ROWS + 1, 0)}


def test_long_lines_are_folded_early() -> None:
    memory = hot()
    memory.add([make(n, message="x" * 2**20) for n in range(9)])
    assert memory.bytes > 9 * 2**20


def test_bounds_of_a_batch_with_two_journals() -> None:
    memory = hot()
    memory.add([make(5, timestamp=-3), make(9, journal="k"), make(7)])
    (batch,) = memory.snapshot()
    assert (batch.min_timestamp, batch.max_timestamp, batch.min_offset, batch.max_offset) == (-3, 9, 5, 9)
    assert set(batch.spans) == {Span("j", 5, 7), Span("k", 9, 9)}
    assert held(make_batch(batch.data), {("j", 9, 0), ("k", 9, 0)}) == {("k", 9, 0)}
