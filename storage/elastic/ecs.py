"""Who printed a line, in the names of the Elastic Common Schema: rendered once for all lines of an origin.

Beside the names that people look for, the document keeps what is needed to make the same Origin of it again
(hits.py): an image that cannot be put together from its parts, labels that cannot be indexed.
"""

import hashlib
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import msgspec

from parsers.event import Origin
from parsers.service import identify
from storage.elastic.json import json_bytes, known
from storage.elastic.template import ECS_VERSION, IGNORE_ABOVE, MAX_TERM_BYTES, is_indexed

MARK_ORIGIN = "origin"  # some label, or the tag, is not indexed

# How people and other tools declare them, the most explicit first. Not among
# them: org.opencontainers.image.version, which images inherit from their base and which is then the base's.
VERSION_LABELS = ("service.version", "com.datadoghq.tags.version", "DD_VERSION", "app.kubernetes.io/version")
ENVIRONMENT_LABELS = (
    "deployment.environment.name",  # OpenTelemetry, since 1.27
    "deployment.environment",  # OpenTelemetry, before
    "service.environment",
    "com.datadoghq.tags.env",
    "DD_ENV",
)

# repository, tag and digest of an image's reference (github.com/distribution/reference, regexp.go); a colon
# belongs to a tag only behind the last slash, before that to a registry's port.
_IMAGE = re.compile(
    r"(?P<name>[^@]+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9+._-]+:[0-9a-f]{32,}))?", re.ASCII
)
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")


class Shared(msgspec.Struct, frozen=True, gc=False):
    """The bytes that all lines of one origin share."""

    journal: bytes
    head: bytes  # up to inside `logdock`
    plain: bytes  # from there to the end
    fields: bytes  # from there to where parsed fields go
    rest: bytes  # from behind them to the end
    marks: tuple[str, ...]


def digest(origin: Origin) -> str:
    """The name of an origin inside Elasticsearch: the same in every process and for every journal."""
    return hashlib.blake2b(origin.key.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def data_stream(stream: str) -> dict[str, str]:
    """The parts of a data stream's name: type, dataset, namespace."""
    kind, _, rest = stream.partition("-")
    dataset, _, namespace = rest.partition("-")
    return {"type": kind, "dataset": dataset, "namespace": namespace}


def image_parts(image: str) -> dict[str, Any]:
    """`container.image`: name, tag, hash. An image that is given by its id is a name and nothing else."""
    found = None if _IMAGE_ID.fullmatch(image) else _IMAGE.fullmatch(image)
    if found is None:
        return {"name": image}
    tag, digest = found["tag"], found["digest"]
    return known(name=found["name"], tag=tag and [tag], hash=digest and {"all": [digest]})


def image_text(name: str | None, tags: list[str], digests: list[str]) -> str | None:
    """The image again: the reverse of image_parts."""
    if name is None:
        return None
    return name + "".join(f":{tag}" for tag in tags) + "".join(f"@{digest}" for digest in digests)


def share(journal: str, origin: Origin, stream: str, degraded: bool = False) -> Shared:
    """What all lines of `origin` in the data stream `stream` share.

    `degraded`: without anything that Elasticsearch may have refused.
    """
    indexed = not degraded and _flat(origin.labels)
    head = _ecs(origin, indexed) | {"ecs": {"version": ECS_VERSION}, "data_stream": data_stream(stream)}
    logdock = known(
        origin=digest(origin),
        journal=journal,
        service_source=origin.service_source,
        tag_template=origin.tag_template,
        labels=None if indexed or not origin.labels else json_bytes(origin.labels).decode(),
        tag_fields=json_bytes(origin.tag_fields).decode() if degraded and origin.tag_fields else None,
    )
    docker = known(tag=origin.tag, tag_fields=None if degraded else dict(origin.tag_fields) or None)
    found = all(map(is_indexed, (*origin.labels.values(), origin.tag or "")))
    rest = json_bytes(docker)[1:] + b"}\n"
    opened = json_bytes({name: part for name, part in head.items() if part} | {"logdock": logdock})
    comma = b"," if docker else b""
    return Shared(
        journal=journal.encode(),
        head=opened[1:-2],
        plain=b'},"docker":{' + rest if docker else b"}}\n",
        fields=b'},"docker":{"fields":',
        rest=comma + rest,
        marks=() if indexed and found else (MARK_ORIGIN,),
    )


def _ecs(origin: Origin, indexed: bool) -> dict[str, dict[str, Any]]:
    container, labels = origin.container, origin.labels
    who = identify(container, labels, origin.tag_fields)
    return {
        "container": known(
            id=container.id,
            name=container.name,
            runtime="docker" if container.id is not None else None,  # nobody else sends an id of 64 digits
            image=image_parts(container.image) if container.image is not None else None,
            labels=dict(labels) if indexed and labels else None,
        ),
        "service": known(
            name=origin.service,
            version=_first(VERSION_LABELS, labels),
            environment=_first(ENVIRONMENT_LABELS, labels),
            node={"name": who.replica} if who.replica is not None else None,
        ),
        "host": known(name=origin.host, hostname=origin.host if _is_name(origin.host) else None),
    }


def _first(keys: tuple[str, ...], labels: Mapping[str, str]) -> str | None:
    return next((value for key in keys if (value := labels.get(key)) and not value.isspace()), None)


def _is_name(host: str) -> bool:
    """Senders that tell no host are known by their address (parsers/origins.py), which is no host's name."""
    try:
        ip_address(host)
    except ValueError:
        return bool(host)
    return False


def _flat(labels: Mapping[str, str]) -> bool:
    """Whether `flattened` takes them: no NUL in a key, and key and value within one Lucene term."""
    return all(
        "\0" not in key and len(key.encode("utf-8", "replace")) + 4 * IGNORE_ABOVE < MAX_TERM_BYTES
        for key in labels
    )
