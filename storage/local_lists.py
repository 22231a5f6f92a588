"""Containers, services and labels from counters per origin: the embedded store scans no lines for them."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from parsers.event import Container, Origin
from storage import local_files
from storage.catalogue import OriginCount
from storage.local_hot import Batch
from storage.local_origins import Origins
from storage.local_shelf import add_counts
from storage.memory import identity
from storage.query import Query
from storage.store import ContainerSummary, NameSummary

T = TypeVar("T")
Seen = list[tuple[Origin, OriginCount]]  # every origin with lines, the one seen last first

MAX_FOUND = 100  # containers for one reference: more help nobody to choose


def seen(batches: Sequence[Batch], totals: Sequence[OriginCount], origins: Origins, query: Query) -> Seen:
    """Lines per origin in memory and in files, for the origins that `query` lets through."""
    counts = add_counts([*totals, *local_files.counts([batch.data for batch in batches])])
    selected = origins.matching(query)
    numbers = counts.keys() if selected is None else counts.keys() & selected
    found = [(origin, counts[number]) for number, origin in origins.items(numbers)]
    return sorted(found, key=lambda pair: (pair[1].last, pair[1].origin), reverse=True)


def find_containers(seen: Seen, ref: str) -> list[Container]:
    """See Store.find_containers: exact names and ids first."""
    found: dict[str | None, Container] = {}
    for origin, _ in seen:
        if _refers(origin.container, ref):
            found.setdefault(origin.container.id or origin.container.name, origin.container)
    return sorted(found.values(), key=lambda container: ref not in (container.id, container.name))[:MAX_FOUND]


def containers(seen: Seen) -> list[ContainerSummary]:
    """See Store.containers. What a container's origins tell differently is told as it was last."""
    groups = _grouped(seen, lambda origin: [key] if (key := identity(origin)) else [])
    return [
        ContainerSummary(group[0][0].container, group[0][0].service, group[0][0].host, *_totals(group))
        for group in groups.values()
    ]


def services(seen: Seen) -> list[NameSummary]:
    """See Store.services."""
    return _names(seen, lambda origin: [origin.service] if origin.service is not None else [])


def labels(seen: Seen) -> list[NameSummary]:
    """See Store.labels."""
    return _names(seen, lambda origin: origin.labels)


def label_values(seen: Seen, key: str) -> list[NameSummary]:
    """See Store.label_values."""
    return _names(seen, lambda origin: [origin.labels[key]] if key in origin.labels else [])


def _refers(container: Container, ref: str) -> bool:
    return container.name == ref or (bool(ref) and container.id is not None and container.id.startswith(ref))


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
