"""What an answer says about lines that were removed: which removals concern it, and in which words."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from storage.prune import Part, Pruned
from storage.query import Cursor, Page, Query
from storage.times import MAX_TIME, MIN_TIME, SECOND

MAX_NOTES = 3  # prunes told one by one in an answer, the newest; the others as a number
MAX_NAMES = 3  # services or containers named in one note

_RETENTION = ("retention", "retention-size")


def with_notes(page: Page, query: Query, records: Sequence[Pruned]) -> Page:
    """`page`, the answer to `query`, with notes about lines that would be in it if they were still here."""
    found = notes(query, page.next, records)
    return msgspec.structs.replace(page, notes=(*page.notes, *found)) if found else page


def notes(query: Query, following: Cursor | None, records: Sequence[Pruned]) -> list[str]:
    """Notes for a page of `query` after which `following` comes. `records`: the newest first.

    Retention is told only to who asks for a time: it removes something from every answer without one.
    """
    span = covered(query, following)
    if span is None:
        return []
    concerned = [(record, *_concerned(record, query, span)) for record in records if _overlaps(record, span)]
    told = [(record, lines, parts) for record, lines, parts in concerned if lines]
    retained = [found for found in told if found[0].reason in _RETENTION and query.since is not None]
    others = [found for found in told if found[0].reason not in _RETENTION]
    texts = [_said(*found) for found in others[:MAX_NOTES]]
    if len(others) > MAX_NOTES:
        lines = sum(lines for _, lines, _ in others[MAX_NOTES:])
        texts.append(f"{len(others) - MAX_NOTES} other prunes have removed up to {_lines(lines)} of this")
    if retained:
        count = sum(lines for _, lines, _ in retained)
        texts.append(f"retention has removed {_lines(count)} around this time range")
    return texts


def covered(query: Query, following: Cursor | None) -> tuple[int, int] | None:
    """The time that one page covers, both ends inclusive; None when it has no order in time."""
    if query.order == "arrival":
        return None
    low = MIN_TIME if query.since is None else query.since
    high = MAX_TIME if query.until is None else query.until
    begin, end = (following, query.cursor) if query.order == "desc" else (query.cursor, following)
    low = low if begin is None else max(low, begin.timestamp)
    high = high if end is None else min(high, end.timestamp)
    return low, high


def _overlaps(found: Pruned | Part, span: tuple[int, int]) -> bool:
    return found.first <= span[1] and found.last >= span[0]


def _concerned(record: Pruned, query: Query, span: tuple[int, int]) -> tuple[int, Sequence[Part]]:
    """How many of its lines may have been of the answer, and whose.

    A record knows containers and services; filters on anything else may have let the lines through.
    """
    if not record.parts:
        return record.lines, ()
    parts = [part for part in record.parts if _overlaps(part, span) and _asked(part, query)]
    known = sum(part.lines for part in record.parts)
    return sum(part.lines for part in parts) + (record.lines - known if record.more else 0), parts


def _asked(part: Part, query: Query) -> bool:
    if query.services and part.service not in query.services:
        return False
    ids = {ref.id for ref in query.containers if ref.id is not None}
    names = {ref.name for ref in query.containers if ref.name is not None}
    return not query.containers or part.id in ids or part.name in names


def _said(record: Pruned, lines: int, parts: Sequence[Part]) -> str:
    most = "up to " if record.more or record.state in ("running", "unknown") else ""
    first = min((part.first for part in parts), default=record.first)
    last = max((part.last for part in parts), default=record.last)
    what = f"{most}{_lines(lines)}{_of(parts)} from {_moment(first)} to {_moment(last)}"
    why = f" ({record.selection})" if record.selection else ""
    day = _moment(record.at)[:10]
    now, then = ("is", "was") if lines == 1 else ("are", "were")
    if record.reason != "prune":
        return f"{what} {now} gone since {day}: {record.reason}{why}"
    if record.state == "running":
        return f"{what} {now} being pruned{why}"
    if record.state == "unknown":
        return f"{what} may be gone: a prune on {day} was interrupted{why}"
    return f"{what} {then} pruned on {day}{why}" + (", before it failed" if record.state == "partial" else "")


def _of(parts: Sequence[Part]) -> str:
    names = sorted({name for part in parts if (name := part.service or part.name or part.id)})
    if not names:
        return ""
    return f" of {', '.join(names)}" if len(names) <= MAX_NAMES else f" of {len(parts)} containers"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def was_here(records: Iterable[Pruned], ref: str) -> bool:
    """Whether lines were removed of a container that `ref` names, or its id or how its id begins."""
    parts = (part for record in records for part in record.parts)
    return any(ref == part.name or (bool(ref) and (part.id or "").startswith(ref)) for part in parts)


def service_was_here(records: Iterable[Pruned], name: str) -> bool:
    """Whether lines of this service were removed."""
    return any(name == part.service for record in records for part in record.parts)
