"""Which service printed a line, and which rung of the ladder said so.

The rungs, most trusted first: labels that compose or swarm set, the same fields read out of the tag, the
patterns of container names that they give, and the image. A name that fits no pattern is no service.
"""

import re
from collections.abc import Mapping

from parsers.event import Container

# docker/compose pkg/api/labels.go; moby daemon/cluster/executor/container/container.go.
SERVICE_LABELS = ("com.docker.compose.service", "com.docker.swarm.service.name")

# Swarm: <service>.<slot or node id>.<task id> (container.go name(); ids: identity/randomid.go). A service
# name holds no dots (controlapi/common.go).
_SWARM = re.compile(r"([A-Za-z0-9](?:[-_]*[A-Za-z0-9]+)*+)\.(?:\d+|[0-9a-z]{25})\.[0-9a-z]{25}")

# Compose: <project>-<service>-<n> and <project>-<service>-run-<12 hex> (pkg/compose/convergence.go, run.go);
# version 1 joined them by "_". Both halves may hold the separator, so `a-b-c-1` has two readings: the
# project is taken to end at the FIRST separator, because service names with one ("api-gateway") are
# commoner than project names with one. Projects: [a-z0-9][a-z0-9_-]*; services: [a-zA-Z0-9._-]+.
_COMPOSE = re.compile(r"[a-z0-9][a-z0-9_]*+-([a-zA-Z0-9._-]+?)-(?:[1-9]\d{0,5}|run-[0-9a-f]{12})")
_COMPOSE_V1 = re.compile(r"[a-z0-9][a-z0-9-]*+_([a-zA-Z0-9._-]+?)_(?:[1-9]\d{0,5}|run_[0-9a-f]{12})")

# While compose recreates a container, the new one is <12 hex>_<name> (pkg/compose/reconcile.go).
_RECREATED = re.compile(r"[0-9a-f]{12}_(?=.)")

# An image given by its id names nothing.
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")

# Longer names are not Docker's; the patterns are not tried on them.
_MAX_NAME = 512


def service_of(
    container: Container, labels: Mapping[str, str], tag_fields: Mapping[str, str]
) -> tuple[str, str] | tuple[None, None]:
    """(service, the rung that decided), or (None, None). Empty values count as absent."""
    for source, values in (("label", labels), ("tag", tag_fields)):
        for key in SERVICE_LABELS:
            if values.get(key):
                return values[key], f"{source}:{key}"
    return _from_name(container.name) or _from_image(container.image) or (None, None)


def _from_name(name: str | None) -> tuple[str, str] | None:
    if not name or len(name) > _MAX_NAME:
        return None
    name = _RECREATED.sub("", name, count=1) if _RECREATED.match(name) else name
    if match := _SWARM.fullmatch(name):
        return match[1], "name:swarm"
    if match := _COMPOSE.fullmatch(name) or _COMPOSE_V1.fullmatch(name):
        return match[1], "name:compose"
    return None


def _from_image(image: str | None) -> tuple[str, str] | None:
    """The last part of the repository: `ghcr.io/shop/web:1.2@sha256:...` is `web`."""
    if not image or _IMAGE_ID.fullmatch(image):
        return None
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return (name, "image") if name else None
