import pytest

from parsers.clock import ANCIENT_NS, FUTURE_NS, MAX_TIMESTAMP, MIN_TIMESTAMP, UNORDERED, marks, new_latest

NOW = 1_795_482_000_000_000_000


@pytest.mark.parametrize(
    ("timestamp", "flags"),
    [
        (NOW, ()),
        (NOW + FUTURE_NS, ()),
        (NOW + FUTURE_NS + 1, ("clock_future",)),
        (MAX_TIMESTAMP, ("clock_future",)),
        (NOW - ANCIENT_NS, ()),
        (NOW - ANCIENT_NS - 1, ("clock_ancient",)),
        (1, ("clock_ancient",)),
        (MIN_TIMESTAMP, ("clock_ancient",)),
    ],
)
def test_far_from_now(timestamp: int, flags: tuple[str, ...]) -> None:
    assert marks(timestamp, NOW, new_latest(), "stdout") == flags
    assert marks(timestamp, NOW, UNORDERED, None) == flags


def test_the_order_of_each_stream() -> None:
    latest = new_latest()
    assert marks(NOW, NOW, latest, "stdout") == ()
    assert marks(NOW, NOW, latest, "stdout") == ()
    assert marks(NOW - 1, NOW, latest, "stdout") == ("out_of_order",)
    assert marks(NOW - 1, NOW, latest, "stderr") == ()
    assert marks(NOW - 1, NOW, latest, None) == ()
    assert marks(5, NOW, latest, "stdout") == ("clock_ancient", "out_of_order")
    assert marks(NOW, NOW, latest, "stdout") == ()


def test_a_future_time_is_no_measure_for_others() -> None:
    latest = new_latest()
    assert marks(NOW + ANCIENT_NS, NOW, latest, None) == ("clock_future",)
    assert latest == new_latest()


def test_what_has_no_container_has_no_order() -> None:
    for timestamp in (NOW, NOW - 1):
        assert marks(timestamp, NOW, UNORDERED, "stdout") == ()
    assert new_latest() == UNORDERED
