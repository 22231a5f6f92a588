"""One question, asked the same way over REST, on the command line, by the page and by every store.

`Query.from_params` is the only parser of question parameters; `matches` is what they mean (the memory store
is nothing but this and a sort). Other stores translate a Query and must give the same answer.

A question's walk: Query.from_params -> storage.resolve.resolve (container references become ids and names)
-> store.search -> encode_cursor(page.next, query).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from parsers.event import Event, Origin
from storage import params as read
from storage.cursor import VERSION, Cursor, Order, Token, seal, unseal
from storage.errors import QueryError
from storage.expression import Expression, select, unparse
from storage.grammar import parse
from storage.params import DEFAULT_LIMIT, MAX_LIMIT, PARAMETERS
from storage.times import format_unix

__all__ = [
    "DEFAULT_LIMIT", "MAX_LIMIT", "PARAMETERS", "ContainerRef", "Cursor", "Order", "Page", "Query",
    "QueryError", "arrival_key", "cursor_after", "decode_cursor", "encode_cursor", "matches",
    "matches_origin", "matching", "sort_key", "to_params",
]  # fmt: skip


class ContainerRef(msgspec.Struct, frozen=True):
    """A resolved container reference: one id, or one name (all lives of that name).

    `start` is of a name that may as well be the beginning of an id nobody has seen yet: only a live tail can
    meet one, so `matches` looks at it and stores need not.
    """

    id: str | None = None
    name: str | None = None
    start: str | None = None


class Query(msgspec.Struct, frozen=True):
    """What is asked. Filters of different kinds must all hold; several of one kind mean any of them.

    `order`: "desc" newest first and "asc" oldest first, both by (timestamp, sequence, id); "arrival" by
    offset, ascending (what a resumed live tail needs; not reachable from parameters).
    `container_refs` are references as asked; stores look only at `containers`, which `resolve` fills.
    `fingerprint` ties cursors to the question they came from; it filters nothing.
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
    after_offset: int | None = (
        None  # exclusive; only the store's own journal's events (the store sees to that)
    )
    limit: int = DEFAULT_LIMIT
    order: Order = "desc"
    cursor: Cursor | None = None
    container_refs: tuple[str, ...] = ()
    fingerprint: str = ""

    @staticmethod
    def from_params(params: Iterable[tuple[str, str]], now: int) -> Query:
        """The query that (name, value) pairs say, `now` in nanoseconds. Raises QueryError.

        With a cursor, `since` and `until` are those of the first page, so "15m" stays the same moment.
        """
        values = read.collect(params)
        since = read.single(values, "since", lambda text: read.time("since", text, now))
        until = read.single(values, "until", lambda text: read.time("until", text, now))
        order: Any = read.single(values, "order", lambda text: read.one_of("order", text, read.ORDERS))
        if since is not None and until is not None and since > until:
            raise QueryError("since", "is after until: nothing can lie between them")
        query = Query(
            services=read.each(values, "service", str),
            hosts=read.each(values, "host", str),
            streams=read.each(values, "stream", read.stream),
            levels=read.each(values, "level", read.level),
            labels=read.each(values, "label", read.asked_label),
            tag=read.single(values, "tag", str),
            text=read.single(values, "q", parse),
            since=since,
            until=until,
            limit=read.single(values, "limit", read.limit) or DEFAULT_LIMIT,
            order=order or "desc",
            container_refs=read.each(values, "container", str),
            fingerprint=read.fingerprint(values),
        )
        return read.single(values, "cursor", lambda text: decode_cursor(text, query)) or query


class Page(msgspec.Struct, frozen=True):
    """Events in the query's order; `next` is None when nothing more is stored now.

    `complete_to`: the highest offset up to which a store that is behind has looked; None when it has
    everything. A live tail that begins there misses nothing.
    """

    events: list[Event]
    next: Cursor | None = None
    truncated_by: str | None = None
    notes: tuple[str, ...] = ()
    complete_to: int | None = None


def encode_cursor(cursor: Cursor, query: Query) -> str:
    """The text for `next`: this place in this question."""
    return seal(Token(VERSION, cursor, query.fingerprint, query.since, query.until))


def decode_cursor(text: str, query: Query) -> Query:
    """`query` going on where the text says. Raises QueryError("cursor") when it is another question's."""
    token = unseal(text)
    if token.fingerprint != query.fingerprint or token.cursor.order != query.order:
        message = "belongs to another question: repeat all parameters of the page it came from"
        raise QueryError("cursor", message)
    return msgspec.structs.replace(query, cursor=token.cursor, since=token.since, until=token.until)


def sort_key(event: Event) -> tuple[int, int, str]:
    """What "asc" and "desc" sort by."""
    return event.timestamp, event.sequence, event.id


def arrival_key(event: Event) -> tuple[int, str]:
    """What "arrival" sorts by; the id only decides between journals."""
    return event.offset, event.id


def cursor_after(event: Event, query: Query, ceiling: int) -> Cursor:
    """Where a page of `query` that ends with `event` ends."""
    return Cursor(event.timestamp, event.sequence, event.id, event.offset, ceiling, query.order)


def matches_origin(query: Query, origin: Origin) -> bool:
    """Whether the filters that look at the origin hold: containers, services, hosts, labels, tag."""
    container, labels = origin.container, origin.labels
    if query.services and origin.service not in query.services:
        return False
    if query.hosts and origin.host not in query.hosts:
        return False
    if query.tag is not None and not _tag_matches(query.tag, origin.tag):
        return False
    if query.containers and not any(_refers(ref, container.id, container.name) for ref in query.containers):
        return False
    return all(key in labels and value in (None, labels[key]) for key, value in query.labels)


def _tag_matches(asked: str, tag: str | None) -> bool:
    if tag is None:
        return False
    return tag.startswith(asked[:-1]) if asked.endswith("*") else tag == asked


def _refers(ref: ContainerRef, container_id: str | None, name: str | None) -> bool:
    if ref.id is not None:
        return ref.id == container_id
    if ref.start is not None and container_id is not None and container_id.startswith(ref.start):
        return True
    return ref.name is not None and ref.name == name


def matches(query: Query, event: Event) -> bool:
    """Whether the event belongs to the query's answer: every filter, and beyond the cursor's place.

    Not its ceiling: that is about the store's own journal, which only the store knows.
    """
    return bool(matching(query, (event,)))


def matching(query: Query, events: Sequence[Event]) -> list[Event]:
    """The events that match, in the order given. Quicker than `matches` one by one."""
    known: dict[str, bool] = {}  # origins are few among many events
    found = []
    for event in events:
        origin = event.origin
        taken = known.get(origin.key)
        if taken is None:
            taken = known[origin.key] = matches_origin(query, origin)
        if taken and _matches_line(query, event):
            found.append(event)
    return found if query.text is None else select(query.text, found)


def _matches_line(query: Query, event: Event) -> bool:
    """Filters on the line itself, but for its text."""
    if query.since is not None and event.timestamp < query.since:
        return False
    if query.until is not None and event.timestamp > query.until:
        return False
    if query.levels and event.level not in query.levels:
        return False
    if query.streams and event.stream not in query.streams:
        return False
    if query.after_offset is not None and event.offset <= query.after_offset:
        return False
    return query.cursor is None or _beyond(query.cursor, event)


def _beyond(cursor: Cursor, event: Event) -> bool:
    if cursor.order == "arrival":
        return arrival_key(event) > (cursor.offset, cursor.id)
    place = (cursor.timestamp, cursor.sequence, cursor.id)
    return sort_key(event) < place if cursor.order == "desc" else sort_key(event) > place


def to_params(query: Query) -> list[tuple[str, str]]:
    """Parameters that mean this query, for a client that asks it elsewhere.

    Without the cursor: a server's own `next` goes in its place. Raises ValueError for what parameters
    cannot say ("arrival", after_offset).
    """
    if query.order == "arrival" or query.after_offset is not None:
        raise ValueError("parameters cannot say the order of arrival")
    if any(value == "" for _, value in query.labels):
        raise ValueError("parameters cannot say a label that is empty: `key=` means any value")
    params = [("container", ref) for ref in query.container_refs]
    params += [("container", ref.id or ref.name or "") for ref in query.containers]
    params += [("service", name) for name in query.services] + [("host", name) for name in query.hosts]
    params += [("stream", name) for name in query.streams] + [("level", name) for name in query.levels]
    params += [("label", key if value is None else f"{key}={value}") for key, value in query.labels]
    params += [("tag", query.tag)] if query.tag is not None else []
    params += [("q", unparse(query.text))] if query.text is not None else []
    ends = (("since", query.since), ("until", query.until))
    params += [(name, format_unix(time)) for name, time in ends if time is not None]
    return [*params, ("limit", str(query.limit)), ("order", query.order)]
