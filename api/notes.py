"""Why an answer is empty: names that were never seen, what was meant instead, when lines were last seen, and
what each filter left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from difflib import get_close_matches

from msgspec.structs import replace

from storage.counts import Histogram
from storage.expression import paths
from storage.pruned_notes import service_was_here, was_here
from storage.query import PARAMETERS, Query
from storage.store import ContainerSummary, Store
from storage.times import rfc3339

NOTHING_LIKE_IT = "nothing was ever seen that has all of these: container, service, host, label and tag"
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
    notes = await _names(store, refs, query, everything)
    if notes or known or not everything:
        return notes
    found = await store.containers(origins_only(query))
    return [await _filtered(store, query, found), *_no_fields(query)] if found else [NOTHING_LIKE_IT]


async def explain_list(
    store: Store, refs: Sequence[str], query: Query, known: Sequence[str] = ()
) -> list[str]:
    """The same for a list, for which only filters on who printed a line count."""
    everything = await store.containers(Query())
    if not everything and not store.pruned():
        return [NOTHING_YET]
    notes = await _names(store, refs, query, everything)
    found = notes or known or not everything or await store.containers(origins_only(query))
    return notes if found else [NOTHING_LIKE_IT]


async def explain_label(store: Store, key: str) -> list[str]:
    """Why a label has no values."""
    known = [item.name for item in await store.labels(Query())]
    return [] if key in known else [f"no label {key!r} was ever seen", *_close(key, known[:MAX_NAMES])]


async def _names(
    store: Store, refs: Sequence[str], query: Query, everything: Sequence[ContainerSummary]
) -> list[str]:
    """What is to be said of names that were never seen."""
    notes = [note for ref in refs[:MAX_EXPLAINED] for note in await _container(store, ref, everything)]
    return notes + await _services(store, query.services)


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


async def _filtered(store: Store, query: Query, found: Sequence[ContainerSummary]) -> str:
    """The containers are known, but the other filters leave none of their lines."""
    lines = sum(item.lines for item in found)
    first = min(item.first_seen for item in found)
    last = max(item.last_seen for item in found)
    if query.since is not None and last < query.since:
        return f"nothing since {rfc3339(query.since)}: the last line was at {rfc3339(last)}"
    if query.until is not None and first > query.until:
        return f"nothing until {rfc3339(query.until)}: the first line was at {rfc3339(first)}"
    removed = "".join([step async for step in _left(store, query)])
    return f"there are {lines} lines up to {rfc3339(last)}{removed}"


def _no_fields(query: Query) -> list[str]:
    """What is to be said of `level:error` in q, which was perhaps meant as the parameter."""
    names = sorted(paths(query.text) & set(PARAMETERS)) if query.text is not None else []
    return [f"{name}: in q means a parsed field of that name; {name}= is a parameter" for name in names]


async def _left(store: Store, query: Query) -> AsyncIterator[str]:
    """What each filter leaves of what those before it left. The last one, mostly the dearest, leaves none."""
    steps = list(_steps(query))
    for number, (name, narrowed) in enumerate(steps, 1):
        counted = await store.histogram(narrowed, None, 1) if number < len(steps) else Histogram(1)
        about = "" if counted.exact else "about "
        yield f"{'; of them' if number == 1 else ','} {name} leaves {about}{counted.lines or 'none'}"
        if not counted.lines and counted.exact:
            return


def _steps(query: Query) -> Iterator[tuple[str, Query]]:
    """The filters on lines one after the other, the cheap ones first, each with those before it."""
    narrowed = origins_only(query)
    if query.since is not None or query.until is not None:
        narrowed = replace(narrowed, since=query.since, until=query.until)
        yield "the time asked for", narrowed
    if query.levels:
        narrowed = replace(narrowed, levels=query.levels)
        yield "level", narrowed
    if query.streams:
        narrowed = replace(narrowed, streams=query.streams)
        yield "stream", narrowed
    if query.text is not None:
        yield "q", replace(narrowed, text=query.text)
