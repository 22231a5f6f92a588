"""References of Docker's clients -> what was seen: exact name, exact id, unique beginning of an id.

A name means all lives of the container: recreated, it is one stream. Clients turn a name into an id first
(`docker logs web` inspects web and asks for the logs of the id it is told), so a name with several lives has
an id of its own, made from the name. So has a container whose sender gave no id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from api.docker.errors import bad_request, not_found
from storage.query import ContainerRef, Query
from storage.store import ContainerSummary, Store

SHORT_ID = 12
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Seen:
    """A container as Docker's API shows it, and how its lines are asked for. Times in nanoseconds.

    `lives`: the ids of the containers that it was; the name, for one without an id.
    """

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    service: str | None
    host: str
    lines: int
    first_seen: int
    last_seen: int
    ref: ContainerRef
    tag_fields: Mapping[str, str]
    lives: tuple[str, ...]


@lru_cache(maxsize=65_536)  # names of a big site; each is hashed again for every reference otherwise
def name_id(name: str) -> str:
    """The id that stands for all lives of a name."""
    return hashlib.sha256(f"name:{name}".encode()).hexdigest()


def _seen(summary: ContainerSummary) -> Seen:
    container = summary.container
    identity, name = container.id, container.name
    return Seen(
        identity or name_id(name or ""),
        name or (identity or "")[:SHORT_ID],
        container.image or "",
        summary.labels,
        summary.service,
        summary.host,
        summary.lines,
        summary.first_seen,
        summary.last_seen,
        ContainerRef(id=identity) if identity else ContainerRef(name=name),
        summary.tag_fields,
        (identity or name or "",),
    )


def merged(lives: Sequence[Seen], identity: str, ref: ContainerRef) -> Seen:
    """Several containers as one; what they tell differently is told as the latest tells it."""
    latest = max(lives, key=lambda life: life.last_seen)
    return Seen(
        identity, latest.name, latest.image, latest.labels, latest.service, latest.host,
        sum(life.lines for life in lives), min(life.first_seen for life in lives), latest.last_seen, ref,
        latest.tag_fields, tuple(key for life in lives for key in life.lives),
    )  # fmt: skip


async def everything(store: Store, query: Query | None = None) -> list[Seen]:
    """Every container, the one seen first latest (Docker sorts by the time of creation)."""
    groups: dict[str, list[Seen]] = {}
    for summary in await store.containers(query or Query()):
        one = _seen(summary)
        groups.setdefault(one.id, []).append(one)  # names without id: one stream, whatever the host
    found = [merged(group, group[0].id, group[0].ref) for group in groups.values()]
    return sorted(found, key=lambda one: (one.first_seen, one.id), reverse=True)


async def find(store: Store, asked: str) -> Seen:
    """The container that a client means. Raises DockerError: 404, or 400 for an ambiguous one."""
    ref = asked.removeprefix("/")
    target = await _target(store, ref)
    lives = await everything(store, Query(containers=(target,))) if target else []
    if not lives:
        raise not_found(f"No such container: {asked}")
    if len(lives) == 1:
        return lives[0]
    assert target is not None
    identity = target.id or name_id(target.name or "")
    return merged(lives, identity, target)


async def _target(store: Store, ref: str) -> ContainerRef | None:
    if not ref:
        return None
    candidates = await store.find_containers(ref)
    if any(container.name == ref for container in candidates):
        return ContainerRef(name=ref)
    if not _HEX.issuperset(ref):
        return None
    found = {container.id: ContainerRef(id=container.id) for container in candidates if container.id}
    if ref not in found:
        found |= _names(await store.containers(Query()), ref)
    return _only(found, ref)


def _names(summaries: Iterable[ContainerSummary], ref: str) -> dict[str, ContainerRef]:
    """Ids that stand for names: any in full, and the beginnings of those that lists show."""
    containers = [summary.container for summary in summaries]
    names = {container.name for container in containers if container.name}
    shown = {container.name for container in containers if container.name and not container.id}
    meant = [name for name in names if name_id(name) == ref]
    meant += [name for name in shown if name_id(name).startswith(ref)]
    return {name_id(name): ContainerRef(name=name) for name in meant}


def _only(found: Mapping[str, ContainerRef], ref: str) -> ContainerRef | None:
    if ref in found:
        return found[ref]
    if len(found) > 1:
        raise bad_request(f"multiple IDs found with provided prefix: {ref}")
    return next(iter(found.values()), None)
