"""Which service printed a line, which rung of the ladder said so, and which of its containers it was.

The rungs, most trusted first:

1. `label:KEY`: the labels that swarm and compose set themselves.
2. `tag:KEY`: the same labels, read out of the tag (`{{index .ContainerLabels "KEY"}}`).
3. `name:swarm`, `name:compose`: a container name that only one reading fits. Swarm's always have one;
   compose's have one when a single place can be the end of the project, or when the project is known.
4. `label:KEY`, `tag:KEY`: labels and variables by which people name a service (`service.name`,
   OTEL_SERVICE_NAME, ...). They stand below the third rung, so that all containers of one service go by one
   name whichever labels a host sends along, and above the fifth, because a statement beats a guess.
5. `name:compose?`: a compose name with several readings. The question mark says that it is a guess: of the
   readings, one whose service is also the image's name, else the one with the longest project.
6. `image`: the last part of the image's repository.

A name that fits no pattern is no service. Keys are looked up in the labels first, then in the tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

import msgspec

from parsers.event import Container
from parsers.names import Reading, compose_readings, swarm_reading

# moby daemon/cluster/executor/container/container.go; docker/compose pkg/api/labels.go. Swarm's come first:
# the daemon writes them over whatever was there, while an image that compose has built keeps compose's labels
# wherever it runs (pkg/compose/build.go).
SWARM, COMPOSE = "com.docker.swarm.service.name", "com.docker.compose.service"
SERVICE_LABELS = (SWARM, COMPOSE)

# How people and other tools name a service, the most explicit first.
DECLARED = (
    "service.name",  # OpenTelemetry's resource attribute, the one name that logs, traces and metrics share
    "OTEL_SERVICE_NAME",  # the same as a variable, which the `env` option sends along
    "OTEL_RESOURCE_ATTRIBUTES",  # a list that may hold service.name; OTEL_SERVICE_NAME wins over it
    "com.datadoghq.tags.service",  # Datadog's unified service tagging: what the label and ...
    "DD_SERVICE",  # ... the variable hold is the service by definition
    "service_name",  # service.name where names take no dots, as in Prometheus and Loki
    "service",  # Kamal sets it on every container; what people write who follow no convention
    "com.amazonaws.ecs.container-name",  # the ECS agent's: the name that the task definition gives
    "com.hashicorp.nomad.task_name",  # Nomad's: the container of a job, as a service is one of a project
    "app.kubernetes.io/name",  # Kubernetes' recommended label, met where manifests became compose files
    "app",  # what came before it; the vaguest, so the last
)
# Not among them: org.label-schema.name and org.opencontainers.image.title name an image, are inherited from
# base images, and would call every service on one base the same.

_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
_COMPOSE_LABEL = "com.docker.compose."

# A tag field below one of these is a label or variable of the container (moby daemon/logger/loginfo.go).
_LABELS_IN_TAGS = ("ContainerLabels.", "ExtraAttributes.")

# What a tag template prints for a label that the container does not have (Go's text/template).
_NO_VALUE = "<no value>"

# Longer texts are no names: whoever puts one there means something else.
MAX_SERVICE = 512

# An image given by its id names nothing.
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")


class Identity(msgspec.Struct, frozen=True, gc=False):
    """What is known about a container beyond its name. Every part may be unknown."""

    service: str | None = None
    source: str | None = None  # the rung that decided on `service`
    project: str | None = None  # compose's project or swarm's stack
    replica: str | None = None  # compose's number, swarm's slot, or swarm's node id of a global service
    task_id: str | None = None  # swarm's
    kind: str | None = None  # "service", "oneoff" (compose run) or "hook" (compose's pre_start)


class _Told:
    """Labels, and those that are read out of the tag. Empty and absurd values count as absent."""

    def __init__(self, labels: Mapping[str, str], tag_fields: Mapping[str, str]) -> None:
        self.maps = (("label", labels), ("tag", dict(_labels_in(tag_fields))))

    def first(self, keys: Sequence[str]) -> tuple[str, str] | None:
        """(value, source) of the first of `keys` among the labels, else of the first in the tag."""
        for source, values in self.maps:
            for key in keys:
                if value := _usable(key, values.get(key)):
                    return value, f"{source}:{key}"
        return None

    def get(self, key: str) -> str | None:
        """The value of `key`."""
        found = self.first((key,))
        return found[0] if found else None

    @property
    def is_compose(self) -> bool:
        """Whether any label is compose's."""
        return any(key.startswith(_COMPOSE_LABEL) for _, values in self.maps for key in values)


def service_of(
    container: Container, labels: Mapping[str, str], tag_fields: Mapping[str, str]
) -> tuple[str, str] | tuple[None, None]:
    """(service, the rung that decided), or (None, None)."""
    found = identify(container, labels, tag_fields)
    return (found.service, found.source) if found.service and found.source else (None, None)


def identify(container: Container, labels: Mapping[str, str], tag_fields: Mapping[str, str]) -> Identity:
    """All that name, labels and tag say about who a container is. It needs nothing but its arguments."""
    told, name = _Told(labels, tag_fields), container.name or ""
    task, readings = swarm_reading(name), compose_readings(name)
    if project := told.get("com.docker.compose.project"):
        readings = tuple(reading for reading in readings if reading.project == project)
    service, source = (
        told.first(SERVICE_LABELS)
        or _only_reading(task, readings)
        or told.first(DECLARED)
        or _guess(readings, container.image)
        or _from_image(container.image)
        or (None, None)
    )
    if task is not None or (source or "").endswith(SWARM):
        return _swarm_identity(service, source, task, told)
    return _compose_identity(service, source, readings, told)


def _only_reading(task: Reading | None, readings: Sequence[Reading]) -> tuple[str, str] | None:
    if task is not None:
        return task.service, "name:swarm"
    return (readings[0].service, "name:compose") if len(readings) == 1 else None


def _guess(readings: Sequence[Reading], image: str | None) -> tuple[str, str] | None:
    """Projects are named after folders, and of 100 public repositories with a docker-compose.yml 44 have a
    dash in their name; of 45 services in 16 of those files 8 do. So a dash is rather the project's."""
    if not readings:
        return None
    named = _from_image(image)
    fitting = [reading for reading in readings if named and reading.service == named[0]]
    return (fitting or readings)[-1].service, "name:compose?"


def _swarm_identity(service: str | None, source: str | None, task: Reading | None, told: _Told) -> Identity:
    """A stack's services are called <stack>_<service>; that name is swarm's and stays whole. A service of no
    stack may be called so too: only the label tells."""
    task = task or swarm_reading(told.get("com.docker.swarm.task.name") or "")
    return Identity(
        service,
        source,
        told.get("com.docker.stack.namespace"),
        task.replica if task else None,
        told.get("com.docker.swarm.task.id") or (task.task_id if task else None),
        "service",
    )


def _compose_identity(
    service: str | None, source: str | None, readings: Sequence[Reading], told: _Told
) -> Identity:
    """A reading of the name counts when it agrees with the service; what several leave open is not told."""
    agreeing = [reading for reading in readings if reading.service == service]
    name = agreeing[0] if len(agreeing) == 1 else None
    if name is None and not told.is_compose:
        return Identity(service, source)
    kind = _compose_kind(told) or (name.kind if name else None)
    is_sure = source != "name:compose?"
    return Identity(
        service,
        source,
        told.get("com.docker.compose.project") or (name.project if name and is_sure else None),
        _compose_replica(told, name) if kind != "oneoff" else None,
        None,
        kind,
    )


def _compose_replica(told: _Told, name: Reading | None) -> str | None:
    """Not asked of a one-off: some versions of compose number each of them 1."""
    return told.get("com.docker.compose.container-number") or (name.replica if name else None)


def _compose_kind(told: _Told) -> str | None:
    """A hook has no oneoff label (pkg/compose/pre_start.go); True and False are written as Python does."""
    if told.get("com.docker.compose.hook"):
        return "hook"
    oneoff = (told.get("com.docker.compose.oneoff") or "").lower()
    return {"true": "oneoff", "false": "service"}.get(oneoff)


def _labels_in(tag_fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path, value in tag_fields.items():
        for prefix in _LABELS_IN_TAGS:
            if path.startswith(prefix) and value != _NO_VALUE:
                yield path.removeprefix(prefix), value


def _usable(key: str, value: str | None) -> str | None:
    if value and key == _ATTRIBUTES:
        value = _attribute(value, "service.name")
    return value if value and not value.isspace() and len(value) <= MAX_SERVICE else None


def _attribute(text: str, name: str) -> str | None:
    """One of `k=v,k=v`, its value percent-decoded (OpenTelemetry specification, resource/sdk.md)."""
    for pair in text.split(","):
        key, equals, value = pair.partition("=")
        if equals and key.strip() == name:
            return unquote(value.strip())
    return None


def _from_image(image: str | None) -> tuple[str, str] | None:
    """The last part of the repository: `ghcr.io/shop/web:1.2@sha256:...` is `web`."""
    if not image or _IMAGE_ID.fullmatch(image):
        return None
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return (name, "image") if name else None
