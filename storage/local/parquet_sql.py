"""Query -> SQL over the columns of columns.py: pure translation, no connection in here.

The SQL finds candidates: every event that `Query.matches` would take, and perhaps a few more (Python and
DuckDB differ about some letters, regular expressions and JSON). Who runs it checks texts again in Python.
"""

from collections.abc import Iterable
from typing import Any

from storage.local.text_sql import candidates
from storage.query import Cursor, Query

SQL = tuple[str, list[Any]]  # a condition and its parameters

ID = """journal || '.' || format('{:x}', position) || '.' || format('{:x}', "index")"""
COLUMNS = (
    'journal, position, "index", epoch_ns("timestamp"), epoch_ns(observed), "sequence", "offset", message,'
    " stream, level, origin, fields, json_line, flags, printed"
)

_ORDERS = {
    "desc": '"timestamp" DESC, "sequence" DESC',
    "asc": '"timestamp", "sequence"',
    "arrival": '"offset"',
}
_TIE = {"desc": ", journal || '.' DESC", "asc": ", journal || '.'", "arrival": ", journal || '.'"}


def order_by(query: Query, journals: int) -> str:
    """The ORDER BY list. Sequence and offset are unique in a journal: ids decide only between journals."""
    return _ORDERS[query.order] + (_TIE[query.order] if journals > 1 else "")


def where(query: Query, origins: Iterable[int] | None, journal: str, ceiling: int | None) -> SQL:
    """The condition for one page. `origins`: only these numbers, None for all of them.

    `ceiling` hides what `journal`, our own, has emitted after the first page; other journals do not grow.
    """
    parts: list[SQL] = []
    if origins is not None:
        parts.append((f"origin IN ({', '.join(map(str, sorted(origins)))})", []))
    parts += _one_of("stream", query.streams) + _one_of("level", query.levels) + _times(query)
    if query.after_offset is not None:
        # offsets of another journal say nothing about ours
        parts.append(('"offset" > ? AND journal = ?', [query.after_offset, journal]))
    if ceiling is not None:
        parts.append(('("offset" <= ? OR journal <> ?)', [ceiling, journal]))
    if query.cursor is not None:
        parts.append(beyond(query.cursor))
    if query.text is not None:
        parts.append(candidates(query.text))
    return join(parts)


def join(parts: Iterable[SQL]) -> SQL:
    """All of the conditions."""
    kept = [part for part in parts if part[0] != "TRUE"]
    if not kept:
        return "TRUE", []
    return " AND ".join(sql for sql, _ in kept), [value for _, values in kept for value in values]


def beyond(cursor: Cursor) -> SQL:
    """What comes after the cursor's event in the cursor's order."""
    if cursor.order == "arrival":
        return f'("offset" > ? OR ("offset" = ? AND {ID} > ?))', [cursor.offset, cursor.offset, cursor.id]
    sign = "<" if cursor.order == "desc" else ">"
    time = "make_timestamp_ns(?)"
    sql = (
        f'"timestamp" {sign}= {time} AND ("timestamp" {sign} {time} OR "sequence" {sign} ?'
        f' OR ("sequence" = ? AND {ID} {sign} ?))'
    )
    return sql, [cursor.timestamp, cursor.timestamp, cursor.sequence, cursor.sequence, cursor.id]


def _times(query: Query) -> list[SQL]:
    bounds = ((">=", query.since), ("<=", query.until))
    return [(f'"timestamp" {sign} make_timestamp_ns(?)', [at]) for sign, at in bounds if at is not None]


def _one_of(column: str, values: tuple[str, ...]) -> list[SQL]:
    if not values:
        return []
    return [(f"{column} IN ({', '.join('?' * len(values))})", list(values))]
