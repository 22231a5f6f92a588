"""What the name of a container says: the names that swarm and compose give, read backwards.

A swarm name has one reading. A compose name may have several, because both of its halves may hold the
separator: `a-b-c-1` is service `b-c` of project `a` or service `c` of project `a-b`. Nothing is chosen
here; all readings are given.
"""

import re

import msgspec

# Longer names are not Docker's; the patterns are not tried on them.
MAX_NAME = 512

# <service>.<slot or node id>.<task id> (moby daemon/cluster/executor/container/container.go, name(); ids:
# swarmkit identity/randomid.go). A service name holds no dots (swarmkit manager/controlapi/common.go).
_SWARM = re.compile(r"([A-Za-z0-9](?:[-_]*[A-Za-z0-9]+)*+)\.(\d+|[0-9a-z]{25})\.([0-9a-z]{25})", re.ASCII)

# How a compose name ends: <n>, or run<separator><12 hex> of `compose run` (compose pkg/compose/convergence.go
# and run.go). The separator is "-", and "_" in compatibility mode and in version 1.
_END = re.compile(r"(.+)([-_])(?:([1-9]\d{0,5})|run\2[0-9a-f]{12})", re.ASCII)

# Before 1.23, `docker-compose run` numbered its containers: <project>_<service>_run_<n> (compose/service.py).
_OLD_RUN = "_run"

_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")  # compose docs/reference/compose.md
_SERVICE = re.compile(r"[a-zA-Z0-9._-]+")  # docker/cli cli/compose/schema

# While compose recreates a container, the new one is <12 hex>_<name> (compose pkg/compose/reconcile.go).
_RECREATED = re.compile(r"[0-9a-f]{12}_(?=.)")

# The kubelet's: k8s_<container>_<pod>_<namespace>_<uid>_<attempt> (cri-dockerd core/naming.go). From the
# second attempt on they look like names of compose's first version.
_KUBELET = re.compile(r"k8s(?:_[^_]+){4}_\d+(?:_[0-9a-f]{8})?", re.ASCII)


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One way to read a name. `kind`: "service" for a service's lasting containers, "oneoff" for a `run`."""

    service: str
    kind: str
    project: str | None = None  # compose's project; a swarm name does not say its stack
    replica: str | None = None  # compose's number, swarm's slot, or swarm's node id of a global service
    task_id: str | None = None


def swarm_reading(name: str) -> Reading | None:
    """The reading of a name that swarm has given; None for any other. Task ids make a mistake impossible."""
    match = _SWARM.fullmatch(name) if len(name) <= MAX_NAME else None
    return Reading(match[1], "service", None, match[2], match[3]) if match else None


def compose_readings(name: str) -> tuple[Reading, ...]:
    """Every way in which compose may have made `name`, the shortest project first; () when it cannot have."""
    if len(name) > MAX_NAME or _KUBELET.fullmatch(name):
        return ()
    match = _END.fullmatch(_RECREATED.sub("", name, count=1) if _RECREATED.match(name) else name)
    if match is None:
        return ()
    head, separator, number = match[1], match[2], match[3]
    readings = _splits(head, separator, number, "service" if number else "oneoff")
    if number and separator == "_" and head.endswith(_OLD_RUN):
        readings += _splits(head.removesuffix(_OLD_RUN), separator, None, "oneoff")
    return tuple(readings)


def _splits(head: str, separator: str, replica: str | None, kind: str) -> list[Reading]:
    places = [at for at, character in enumerate(head) if character == separator]
    halves = [(head[:at], head[at + 1 :]) for at in places]
    return [
        Reading(service, kind, project, replica)
        for project, service in halves
        if _PROJECT.fullmatch(project) and _SERVICE.fullmatch(service)
    ]
