"""What a search may rely on while later chunks are on their way."""

import time

from storage.elastic_horizon import Horizon
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
