"""Container references of a question -> the containers they mean, with the store's help."""

from collections.abc import Sequence

import msgspec

from parsers.event import Container
from storage.pruned_notes import was_here
from storage.query import ContainerRef, Query, QueryError
from storage.store import Store

CANDIDATES_TOLD = 10  # of an ambiguous reference, in its error

_ID_LENGTH = 64  # hex digits of a full container id
# Docker shows ids as 12 digits. Fewer are rather the name of a container that is still to come: "db", "cafe".
_SHORT_ID = 12
_HEX = frozenset("0123456789abcdef")


async def resolve(query: Query, store: Store) -> tuple[Query, tuple[str, ...]]:
    """The query with `containers` filled from `container_refs`, and notes about references never seen.

    A reference is an exact name, else an exact id, else a unique id prefix; one leading slash is ignored.
    One never seen stays in the query as a name (or an id, or its first 12 digits and more), so that a live
    tail can wait for it.
    Raises QueryError for an ambiguous one, StoreUnavailable.
    """
    refs: list[ContainerRef] = []
    notes: list[str] = []
    for asked in query.container_refs:
        ref = asked.removeprefix("/")
        candidates = await store.find_containers(ref) if ref else []
        refs.append(choose(ref, candidates))
        if not candidates:
            notes.append(_missing(ref, store))
    replaced = msgspec.structs.replace(query, containers=query.containers + tuple(refs), container_refs=())
    return replaced, tuple(notes)


def _missing(ref: str, store: Store) -> str:
    if was_here(store.pruned(), ref):
        return f"nothing of container {ref!r} is kept any more: its lines were removed"
    return f"no container {ref!r} was ever seen here, by name, id or id prefix"


def choose(ref: str, candidates: Sequence[Container]) -> ContainerRef:
    """What `ref` means when the store knows these containers for it. Raises QueryError("container")."""
    if any(container.name == ref for container in candidates):
        return ContainerRef(name=ref)
    ids = {container.id: container for container in candidates if container.id}
    if ref in ids:
        return ContainerRef(id=ref)
    if len(ids) > 1:
        told = [f"{c.id} ({c.name or 'no name'})" for c in list(ids.values())[:CANDIDATES_TOLD]]
        more = " ..." if len(ids) > len(told) else ""
        message = f"{ref!r} is ambiguous, it begins the ids of {', '.join(told)}{more}"
        raise QueryError("container", message, "ambiguous")
    if ids:
        return ContainerRef(id=next(iter(ids)))
    if is_full_id(ref):
        return ContainerRef(id=ref)
    return ContainerRef(name=ref, start=ref if len(ref) >= _SHORT_ID and _HEX.issuperset(ref) else None)


def is_full_id(ref: str) -> bool:
    """Whether the text has the shape of a whole container id."""
    return len(ref) == _ID_LENGTH and _HEX.issuperset(ref)
