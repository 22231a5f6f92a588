"""When a line has been kept long enough."""

import pytest

from storage.retention import too_old

NOW = 1_795_000_000_123_456_789


@pytest.mark.parametrize(
    ("observed", "seconds", "old"),
    [
        (NOW - 60_000_000_001, 60, True), (NOW - 60_000_000_000, 60, False), (NOW, 60, False),
        (NOW + 1, 0, False), (NOW, 0, False), (NOW - 1, 0, True), (0, None, False), (NOW - 2, 1e-9, True),
    ],
)  # fmt: skip
def test_to_the_nanosecond(observed: int, seconds: float | None, old: bool) -> None:
    assert too_old(observed, NOW, seconds) is old
