"""When a line has been kept long enough."""

from storage.times import SECOND


def too_old(observed: int, now: int, seconds: float | None) -> bool:
    """Whether what was observed at `observed` may go at `now` (nanoseconds); None keeps it for ever."""
    if seconds is None:
        return False
    return observed < now - round(seconds * SECOND)  # rounded: floats are too coarse for times
