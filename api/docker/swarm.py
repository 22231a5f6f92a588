"""Services, tasks and nodes as swarm has them, made of what containers tell: labels of swarm and compose.

A service of compose has no id, a host outside of a swarm none either: they get one, made from the name, in
the form of swarm's own (moby/swarmkit identity/randomid.go: 25 digits of base 36).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from api.docker.errors import bad_request, not_found
from api.docker.seen import Seen, everything, name_id
from parsers.event import Container
from parsers.service import Identity, identify
from storage.query import Query
from storage.store import Store

SERVICE_ID, TASK_ID = "com.docker.swarm.service.id", "com.docker.swarm.task.id"
NODE_ID = "com.docker.swarm.node.id"

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LENGTH = 25


@lru_cache(maxsize=65_536)  # each line of a service has three of them
def made_id(kind: str, name: str) -> str:
    """An id for what has none."""
    number = int.from_bytes(hashlib.sha256(f"{kind}:{name}".encode()).digest(), "big")
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(digits)


def service_id(service: str, labels: Mapping[str, str]) -> str:
    """Swarm's id of a container's service, or a made one."""
    return labels.get(SERVICE_ID) or made_id("service", service)


def node_id(host: str, labels: Mapping[str, str]) -> str:
    """Swarm's id of a container's host, or a made one."""
    return labels.get(NODE_ID) or made_id("node", host)


def task_id(container: Container, labels: Mapping[str, str], tag_fields: Mapping[str, str]) -> str:
    """Swarm's id of the task that a container is, or a made one."""
    known = labels.get(TASK_ID) or identify(container, labels, tag_fields).task_id
    return known or made_id("task", container.id or name_id(container.name or ""))


@dataclass(frozen=True)
class Task:
    """One container of a service. `slot` is 0 for one of a global service, or when it is not known."""

    id: str
    service: str
    service_id: str
    node_id: str
    slot: int
    of: Seen


def task_of(one: Seen) -> Task | None:
    """The task that a container is; None without a service."""
    if one.service is None:
        return None
    container = Container(one.ref.id, one.name, one.image or None)
    return Task(
        task_id(container, one.labels, one.tag_fields),
        one.service,
        service_id(one.service, one.labels),
        node_id(one.host, one.labels),
        _slot(identify(container, one.labels, one.tag_fields), one.service),
        one,
    )


def _slot(told: Identity, service: str) -> int:
    """Of a global service the replica is a node's id."""
    replica = told.replica if told.service == service else None
    return int(replica) if replica and replica.isascii() and replica.isdigit() and len(replica) < 10 else 0


@dataclass(frozen=True)
class Service:
    """A service with its tasks. `query` finds their lines, also those of tasks to come."""

    id: str
    name: str
    tasks: Sequence[Task]
    query: Query

    @property
    def replicas(self) -> int:
        """The highest slot; 0 when its tasks have none (a global service)."""
        return max(task.slot for task in self.tasks)

    @property
    def latest(self) -> Task:
        """The task that spoke last."""
        return max(self.tasks, key=lambda task: task.of.last_seen)


async def all_tasks(store: Store, query: Query | None = None) -> list[Task]:
    """Every task, the one seen first latest."""
    found = map(task_of, await everything(store, query))
    return [task for task in found if task is not None]


async def all_services(store: Store) -> list[Service]:
    """By name; one that was made anew under its name has a second id, and is a second one."""
    groups: dict[str, list[Task]] = {}
    for task in await all_tasks(store):
        groups.setdefault(task.service_id, []).append(task)
    found = [Service(key, group[0].service, group, _by_id(key, group)) for key, group in groups.items()]
    return sorted(found, key=lambda service: (service.name, service.id))


def _by_id(identity: str, tasks: Sequence[Task]) -> Query:
    if tasks[0].of.labels.get(SERVICE_ID) == identity:
        return Query(labels=((SERVICE_ID, identity),))
    return Query(services=(tasks[0].service,))


async def find_service(store: Store, ref: str) -> Service:
    """By id, by name (then with all its lives), or by the beginning of an id. Raises DockerError."""
    services = await all_services(store)
    if named := [service for service in services if service.name == ref]:
        return _all_lives(ref, named)
    return _one("service", ref, services)


def _all_lives(name: str, services: Sequence[Service]) -> Service:
    tasks = [task for service in services for task in service.tasks]
    latest = max(services, key=lambda service: service.latest.of.last_seen)
    return Service(latest.id, name, tasks, Query(services=(name,)))


async def find_task(store: Store, ref: str) -> Task:
    """By id, by its container's name, or by the beginning of an id. Raises DockerError."""
    tasks = await all_tasks(store)
    named = [task for task in tasks if task.of.name == ref]
    return _one("task", ref, named or tasks, named=bool(named))


@dataclass(frozen=True)
class Node:
    """A host with its tasks."""

    id: str
    host: str
    tasks: Sequence[Task]


async def all_nodes(store: Store) -> list[Node]:
    """By host name."""
    groups: dict[str, list[Task]] = {}
    for task in await all_tasks(store):
        groups.setdefault(task.node_id, []).append(task)
    found = [Node(key, group[0].of.host, group) for key, group in groups.items()]
    return sorted(found, key=lambda node: (node.host, node.id))


async def find_node(store: Store, ref: str) -> Node:
    """By id, by host name, or by the beginning of an id. Raises DockerError."""
    nodes = await all_nodes(store)
    named = [node for node in nodes if node.host == ref]
    return _one("node", ref, named or nodes, named=bool(named))


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Identified)


def _one(kind: str, ref: str, all_of_them: Sequence[T], named: bool = False) -> T:
    """As moby daemon/cluster/helpers.go looks: an exact id, else the one whose id begins so."""
    for one in all_of_them:
        if one.id == ref:
            return one
    found = [one for one in all_of_them if named or (ref and one.id.startswith(ref))]
    if not found:
        raise not_found(f"{kind} {ref} not found")
    if len(found) > 1:
        raise bad_request(f"{kind} {ref} is ambiguous ({len(found)} matches found)")
    return found[0]
