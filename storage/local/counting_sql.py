"""Counting questions -> SQL over columns.py's and minutes.py's columns: pure translation."""

from storage.by import NONE, By
from storage.grid import MINUTE, Grid
from storage.local import fields_sql
from storage.local.text_sql import ALL, SQL, both, either, negated
from storage.query import Query

_SAFE = 2**62  # differences of times within it are within 64 bits


def possible(query: Query) -> SQL:
    """The text's part of a condition that every line which matches fulfils."""
    return fields_sql.candidates(query.text) if query.text is not None else ALL


def certain(query: Query, by: By | None) -> SQL:
    """The lines among the possible ones that match for certain, and whose value SQL tells."""
    sure = ALL
    if query.text is not None and fields_sql.certainties(query.text) != fields_sql.candidates(query.text):
        sure = fields_sql.certainties(query.text)
    if by is not None and by.kind == "field":
        none = negated(fields_sql.may_have(by.key))
        sure = both([sure, either([none, fields_sql.plain(by.key)])])
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
    """What tells the value of a certain row: the value itself, or the number of the origin."""
    if by is None or (by.kind == "field" and not fields_sql.tells(by.key)):
        return f"'{NONE}'"
    if by.kind == "field":
        return f"CASE WHEN {fields_sql.plain(by.key)[0]} THEN {fields_sql.value(by.key)} ELSE '{NONE}' END"
    return "origin" if by.of_origin else f"coalesce({by.kind}, '{NONE}')"
