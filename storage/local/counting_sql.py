"""Counting questions -> SQL over columns.py's and minutes.py's columns: pure translation."""

from storage.by import NONE, By
from storage.expression import Field
from storage.grid import MINUTE, Grid
from storage.local import text_sql
from storage.query import Query

_SAFE = 2**62  # differences of times within it are within 64 bits


def certain(query: Query, by: By | None) -> text_sql.SQL:
    """The lines among the candidates of a query that match for certain, and have the value that SQL tells."""
    sure = text_sql.ALL
    if query.text is not None and text_sql.candidates(query.text) != text_sql.certainties(query.text):
        sure = text_sql.certainties(query.text)
    if by is not None and by.kind == "field":  # SQL tells only those that have no value at all
        return text_sql.both([sure, text_sql.negated(text_sql.candidates(Field(by.key, "prefix", "")))])
    return sure


def place_of(grid: Grid) -> str:
    """The number of the bucket of a row."""
    if grid.count == 1:
        return "0"
    kind = "BIGINT" if grid.start > -_SAFE and grid.begin(grid.count) < _SAFE else "HUGEINT"
    return f'CAST((CAST(epoch_ns("timestamp") AS {kind}) - {grid.start}) // {grid.interval} AS INTEGER)'


def minute_place(grid: Grid) -> str:
    """The number of the bucket of a minute."""
    if grid.count == 1:
        return "0"
    return f"CAST((minute - {grid.start // MINUTE}) // {grid.interval // MINUTE} AS INTEGER)"


def key_of(by: By | None) -> str:
    """What tells the value of a row: the value itself, or the number of the origin."""
    if by is None or by.kind == "field":
        return f"'{NONE}'"
    return "origin" if by.of_origin else f"coalesce({by.kind}, '{NONE}')"
