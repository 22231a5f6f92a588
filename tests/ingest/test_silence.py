"""When a connection counts as silent, and how it became so."""

import pytest

from ingest.silence import Silence


def after(came: list[int], waiting: bool = False) -> Silence:
    """After sweeps in which so many reads came."""
    silence, reads = Silence(), 0
    for more in came:
        reads += more
        silence.look(reads, waiting=waiting)
    return silence


@pytest.mark.parametrize(
    ("came", "sweeps", "abrupt"),
    [
        ([], 0, False),
        ([0, 0, 0], 3, False),
        ([1], 0, False),
        ([1, 0, 0], 2, False),
        ([5, 0, 0], 2, True),
        ([1, 1, 0], 1, True),
        ([1, 0, 1, 0], 1, False),
        ([5, 0, 1, 0, 0], 2, False),
        ([5, 0, 0, 7, 0], 1, True),
    ],
)
def test_silence(came: list[int], sweeps: int, abrupt: bool) -> None:
    silence = after(came)
    assert (silence.sweeps, silence.abrupt) == (sweeps, abrupt)


def test_who_waits_for_an_answer_is_not_silent() -> None:
    assert after([2, 0, 0, 0], waiting=True).sweeps == 0
