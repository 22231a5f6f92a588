"""Why an answer is empty: names that were never seen, what was meant instead, when lines were last seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from storage.pruned_notes import service_was_here, was_here
from storage.query import Query
from storage.store import ContainerSummary, Store
from storage.times import rfc3339

MAX_NAMES = 1000  # names compared with a misspelt one, the latest seen: some 30 ms of work at most
MAX_HINTS = 3
MAX_EXPLAINED = 10  # references of one question that are looked into

NOTHING_YET = (
    "no line was taken in yet: point Docker's log driver at this server, or try `logdock emit hello`"
)


async def explain(store: Store, refs: Sequence[str], query: Query, known: Sequence[str] = ()) -> list[str]:
    """More notes for a question without any answer, beside those that are `known` already.

    `refs`: its container references as they were asked. That one was never seen is said by
    storage.resolve (and so known); here is what may have been meant.
    """
    everything = await store.containers(Query())
    if not everything and not store.pruned():
        return [NOTHING_YET]
    notes = [note for ref in refs[:MAX_EXPLAINED] for note in await _container(store, ref, everything)]
    notes += await _services(store, query.services)
    if notes or known or not everything:
        return notes
    return _filtered(query, await store.containers(origins_only(query)))


def origins_only(query: Query) -> Query:
    """`query` without anything but its filters on who printed a line."""
    return Query(
        containers=query.containers,
        services=query.services,
        hosts=query.hosts,
        labels=query.labels,
        tag=query.tag,
    )


async def _container(store: Store, ref: str, everything: Sequence[ContainerSummary]) -> list[str]:
    if await store.find_containers(ref) or was_here(store.pruned(), ref.removeprefix("/")):
        return []
    names = (item.container.name for item in everything[:MAX_NAMES])
    return _close(ref, (name for name in names if name))


async def _services(store: Store, asked: Sequence[str]) -> list[str]:
    if not asked:
        return []
    known = [item.name for item in await store.services(Query())]
    notes = []
    for name in asked[:MAX_EXPLAINED]:
        if name not in known:
            notes += _unknown_service(store, name, known)
    return notes


def _unknown_service(store: Store, name: str, known: Sequence[str]) -> list[str]:
    if service_was_here(store.pruned(), name):
        return [f"nothing of service {name!r} is kept any more: its lines were removed"]
    return [f"no service {name!r} was ever seen", *_close(name, known[:MAX_NAMES])]


def _close(name: str, known: Iterable[str]) -> list[str]:
    close = get_close_matches(name, sorted(set(known)), MAX_HINTS, 0.6)
    return [f"did you mean {' or '.join(close)}?"] if close else []


def _filtered(query: Query, found: Sequence[ContainerSummary]) -> list[str]:
    """The containers are known, but the other filters leave none of their lines."""
    if not found:
        return ["nothing was ever seen that has all of these: container, service, host, label and tag"]
    lines = sum(item.lines for item in found)
    first = min(item.first_seen for item in found)
    last = max(item.last_seen for item in found)
    if query.since is not None and last < query.since:
        return [f"nothing since {rfc3339(query.since)}: the last line was at {rfc3339(last)}"]
    if query.until is not None and first > query.until:
        return [f"nothing until {rfc3339(query.until)}: the first line was at {rfc3339(first)}"]
    return [f"there are {lines} lines up to {rfc3339(last)}, and the other filters leave none of them"]
