"""Containers, services and labels out of counters per origin: what every store answers about them.

A store counts lines by origin in its own way; what the lists make of the counts is the same for all.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from parsers.event import Container, Origin
from storage.query import Query
from storage.store import ContainerSummary, NameSummary

MAX_FOUND = 100  # containers for one reference: more help nobody to choose

T = TypeVar("T")


class OriginCount(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Lines of one origin, with the timestamps of its first and last."""

    origin: int
    lines: int
    first: int
    last: int


Seen = list[tuple[Origin, OriginCount]]  # every origin with lines, the one seen last first


class Lists(ABC):
    """The lists of the Store port, for a store that counts lines by origin."""

    @abstractmethod
    async def _seen(self, query: Query) -> Seen:
        """Lines per origin that `query`'s origin filters let through."""

    async def containers(self, query: Query) -> list[ContainerSummary]:
        """See Store.containers."""
        return containers(await self._seen(query))

    async def services(self, query: Query) -> list[NameSummary]:
        """See Store.services."""
        return services(await self._seen(query))

    async def labels(self, query: Query) -> list[NameSummary]:
        """See Store.labels."""
        return labels(await self._seen(query))

    async def label_values(self, key: str, query: Query) -> list[NameSummary]:
        """See Store.label_values."""
        return label_values(await self._seen(query), key)


def find_containers(seen: Seen, ref: str) -> list[Container]:
    """See Store.find_containers: exact names and ids first."""
    found: dict[str | None, Container] = {}
    for origin, _ in seen:
        if refers(origin.container, ref):
            found.setdefault(origin.container.id or origin.container.name, origin.container)
    return sorted(found.values(), key=lambda container: ref not in (container.id, container.name))[:MAX_FOUND]


def containers(seen: Seen) -> list[ContainerSummary]:
    """See Store.containers. What a container's origins tell differently is told as it was last."""
    groups = _grouped(seen, lambda origin: [key] if (key := identity(origin)) else [])
    return [container_summary([origin for origin, _ in group], *_totals(group)) for group in groups.values()]


def services(seen: Seen) -> list[NameSummary]:
    """See Store.services."""
    return _names(seen, lambda origin: [origin.service] if origin.service is not None else [])


def labels(seen: Seen) -> list[NameSummary]:
    """See Store.labels."""
    return _names(seen, lambda origin: origin.labels)


def label_values(seen: Seen, key: str) -> list[NameSummary]:
    """See Store.label_values."""
    return _names(seen, lambda origin: [origin.labels[key]] if key in origin.labels else [])


def identity(origin: Origin) -> tuple[str, str] | None:
    """What makes two lines one container's: the id, else name and host; None for a sender that is none."""
    container = origin.container
    if container.id:
        return container.id, ""
    return (container.name, origin.host) if container.name else None


def refers(container: Container, ref: str) -> bool:
    """Whether `ref` is the container's name, its id, or what its id begins with."""
    return container.name == ref or (bool(ref) and container.id is not None and container.id.startswith(ref))


def container_summary(
    origins: Sequence[Origin], lines: int, first_seen: int, last_seen: int
) -> ContainerSummary:
    """The container as its origins, the latest first, tell of it: each part as it was last known.

    One container's origins differ when only some of its lines tell its image or its labels, as with two
    senders or a tag that was read for some of them.
    """
    named = next((origin for origin in origins if origin.service is not None), origins[0])
    container = Container(
        _known(origin.container.id for origin in origins),
        _known(origin.container.name for origin in origins),
        _known(origin.container.image for origin in origins),
    )
    labels = dict(pair for origin in reversed(origins) for pair in origin.labels.items())
    return ContainerSummary(
        container, named.service, _known(origin.host for origin in origins) or "", lines, first_seen,
        last_seen, named.service_source, dict(sorted(labels.items())),
        _known(origin.tag_fields for origin in origins) or {},
    )  # fmt: skip


def _known(values: Iterable[T | None]) -> T | None:
    """The first that is not empty."""
    return next((value for value in values if value), None)


def _grouped(seen: Seen, names: Callable[[Origin], Iterable[T]]) -> dict[T, Seen]:
    groups: dict[T, Seen] = {}
    for pair in seen:
        for name in names(pair[0]):
            groups.setdefault(name, []).append(pair)
    return groups


def _names(seen: Seen, names: Callable[[Origin], Iterable[str]]) -> list[NameSummary]:
    groups = _grouped(seen, names)
    return [NameSummary(name, *_totals(group), _containers(group)) for name, group in sorted(groups.items())]


def _totals(group: Seen) -> tuple[int, int, int]:
    counts = [count for _, count in group]
    return sum(c.lines for c in counts), min(c.first for c in counts), max(c.last for c in counts)


def _containers(group: Seen) -> int:
    return len({identity(origin) for origin, _ in group} - {None})
