"""What a search may rely on while later chunks are on their way."""

import time

from storage.elastic.horizon import MAX_MARKS, Horizon
from tests.storage.elastic_events import event


def test_it_moves_with_refreshes_and_never_back() -> None:
    horizon = Horizon()
    horizon.begin(9)
    horizon.put(1, [event(10), event(11)])
    horizon.put(2, [event(12)])
    assert (horizon.offset, horizon.lines_behind) == (9, 3)
    horizon.refreshed(1)
    assert (horizon.offset, horizon.chunks, horizon.lines_behind) == (11, 1, 1)
    horizon.begin(3)
    horizon.refreshed(0)
    assert (horizon.offset, horizon.chunks) == (11, 1)
    horizon.refreshed(2)
    assert (horizon.offset, horizon.lines_behind, horizon.seconds_behind) == (12, 0, 0.0)


def test_it_says_how_long_the_oldest_line_waits() -> None:
    horizon = Horizon()
    horizon.put(1, [event(0, observed=time.time_ns() - 7_000_000_000)])
    horizon.put(2, [event(1, observed=time.time_ns() + 7_000_000_000)])
    assert 7 <= horizon.seconds_behind < 60
    horizon.refreshed(1)
    assert horizon.seconds_behind == 0.0


def test_without_questions_it_does_not_grow() -> None:
    horizon = Horizon()
    for number in range(1, 3 * MAX_MARKS):
        horizon.put(number, [event(number)])
    assert len(horizon._marks) == MAX_MARKS
    assert horizon.lines_behind == 3 * MAX_MARKS - 1
    horizon.refreshed(3 * MAX_MARKS - 2)
    assert horizon.offset == MAX_MARKS - 1  # the merged mark only counts whole
    horizon.refreshed(3 * MAX_MARKS - 1)
    assert (horizon.offset, horizon.lines_behind) == (3 * MAX_MARKS - 1, 0)
