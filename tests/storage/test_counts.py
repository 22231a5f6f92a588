"""Counts put together: bounds, the rest, and what is said about them."""

from pytest import MonkeyPatch

from storage import counts as module
from storage.by import By
from storage.counts import MANY_VALUES, OTHERS, Counts, facets_of, histogram_of, question
from storage.grid import Grid
from storage.query import Cursor, Query

GRID = Grid(0, 10, 3)


def test_more_values_than_are_kept_are_said(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CELLS", 2)
    counts = Counts(GRID, By("level"))
    for value in ("a", "b", "c", "a", "d"):
        counts.add(0, (value,))
    answer = histogram_of(counts)
    assert (answer.exact, answer.notes) == (False, (MANY_VALUES,))
    assert answer.buckets[0].count == 5 and answer.buckets[0].by == {"a": 2, "b": 1}
    assert (facets_of(counts, 5).exact, facets_of(counts, 5).notes) == (False, (MANY_VALUES,))


def test_lines_without_a_value_are_never_among_the_rest(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOP_VALUES", 1)
    counts = Counts(GRID, By("level"))
    for place, value in ((0, "a"), (0, "a"), (1, "b"), (1, "c"), (2, ""), (2, OTHERS)):
        counts.add(place, (value,))
    assert [dict(bucket.by) for bucket in histogram_of(counts).buckets] == [
        {"a": 2}, {OTHERS: 2}, {"": 1, OTHERS: 1},
    ]  # fmt: skip


def test_a_question_has_no_page() -> None:
    query = Query(services=("web",), since=1, limit=5, order="asc", cursor=Cursor(1, 1, "a", 1, 1, "asc"))
    assert question(query) == Query(services=("web",), since=1)
