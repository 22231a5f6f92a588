"""The translation: pages, bounds and cursors. That answers are right is tested against the store itself."""

import pytest

from storage.expression import Text
from storage.local import parquet_sql
from storage.query import Cursor, Order, Query


def test_nothing_asked_is_everything() -> None:
    assert parquet_sql.where(Query(), None, "j", None) == ("TRUE", [])


def test_every_filter_with_its_parameters() -> None:
    query = Query(
        streams=("stderr",), levels=("warn", "error"), since=1, until=9, after_offset=4, text=Text("x")
    )
    sql, values = parquet_sql.where(query, {3, 1}, "j", 50)
    assert sql == (
        "origin IN (1, 3) AND stream IN (?) AND level IN (?, ?)"
        ' AND "timestamp" >= make_timestamp_ns(?) AND "timestamp" <= make_timestamp_ns(?)'
        ' AND "offset" > ? AND journal = ? AND ("offset" <= ? OR journal <> ?)'
        " AND regexp_matches(message, ?)"
    )
    assert values == ["stderr", "warn", "error", 1, 9, 4, "j", 50, "j", "(?i)x"]


@pytest.mark.parametrize(("order", "sign"), [("desc", "<"), ("asc", ">")])
def test_a_cursor_goes_on_behind_its_event(order: Order, sign: str) -> None:
    sql, values = parquet_sql.beyond(Cursor(10, 5, "j.1.0", 7, 99, order))
    assert sql.startswith(f'"timestamp" {sign}= make_timestamp_ns(?) AND (')
    assert values == [10, 10, 5, 5, "j.1.0"]


def test_an_arrival_cursor_counts_offsets() -> None:
    sql, values = parquet_sql.beyond(Cursor(10, 5, "j.1.0", 7, 99, "arrival"))
    assert sql.startswith('("offset" > ?') and values == [7, 7, "j.1.0"]


def test_ids_decide_only_between_journals() -> None:
    assert parquet_sql.order_by(Query(), 1) == '"timestamp" DESC, "sequence" DESC'
    assert parquet_sql.order_by(Query(), 2).endswith("journal || '.' DESC")
    assert parquet_sql.order_by(Query(order="arrival"), 1) == '"offset"'


def test_every_statement_part_has_as_many_parameters_as_marks() -> None:
    query = Query(levels=("info",), since=1, text=Text("a?b"), cursor=Cursor(1, 2, "j.0.0", 3, 4, "desc"))
    sql, values = parquet_sql.where(query, None, "j", 9)
    assert sql.count("?") == len(values)
