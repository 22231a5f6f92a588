"""One question, asked the same way over REST, on the command line, by the page and by every store.

Query.from_params is the only parser of question parameters; Query.matches is what they mean (the memory
store is nothing but this and a sort). Other stores translate a Query and must give the same answer.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from parsers.event import Event, Origin

Order = Literal["desc", "asc", "arrival"]

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000  # a page is held in memory as a whole; more pages cost only another request


class QueryError(Exception):
    """The asker's mistake (HTTP 400); `parameter` names what to change."""

    def __init__(self, parameter: str, message: str, code: str = "bad_parameter") -> None:
        super().__init__(message)
        self.parameter = parameter
        self.code = code


class ContainerRef(msgspec.Struct, frozen=True):
    """A resolved container reference: one id, or one name (all lives of that name)."""

    id: str | None = None
    name: str | None = None


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the sort key of its last event, and the ceiling its first page was cut at.

    Pages after the first see no event whose offset is above `ceiling`, so lines that arrive in between
    neither shift a page nor double a line.
    """

    timestamp: int
    sequence: int
    id: str
    offset: int
    ceiling: int
    order: Order


class Query(msgspec.Struct, frozen=True):
    """What is asked. Filters of different kinds must all hold; several of one kind mean any of them.

    `order`: "desc" newest first and "asc" oldest first, both by (timestamp, sequence, id); "arrival" by
    offset, ascending (what a resumed live tail needs; not reachable from parameters).
    """

    containers: tuple[ContainerRef, ...] = ()
    services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    labels: tuple[tuple[str, str | None], ...] = ()  # all must hold; None: has the label
    tag: str | None = None  # exact, or a prefix when it ends in *
    text: Expression | None = None
    since: int | None = None  # nanoseconds, inclusive
    until: int | None = None  # nanoseconds, inclusive
    after_offset: int | None = None  # exclusive
    limit: int = DEFAULT_LIMIT
    order: Order = "desc"
    cursor: Cursor | None = None


class Page(msgspec.Struct, frozen=True):
    events: list[Event]
    next: Cursor | None = None
    truncated_by: str | None = None
    notes: tuple[str, ...] = ()
