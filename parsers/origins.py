"""Who printed a line: container, host, labels, tag and service put together, once for all lines of a run.

Equal content gives the same Origin object, so that stores can cache by it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from parsers.event import Container, Origin, make_origin
from parsers.service import service_of
from parsers.tag import Reading, TagTemplate, most_specific_first, read_tag
from parsers.values import sound, text_of

# A wide labels-regex or env-regex sends whole environments. Linux bounds one variable to 128 KiB; what anyone
# searches by is far shorter. All are generous: a line must not be lost over its labels, nor carry megabytes.
MAX_LABELS = 1000
MAX_LABEL_NAME = 1024
MAX_LABEL_VALUE = 32 * 1024
# Together, per origin: an Origin is kept in memory, and written again to each file or batch.
MAX_LABEL_TEXT = 256 * 1024

# Origins remembered for interning. Beyond either, all are forgotten and made anew when met: only a sender
# whose labels change with every line gets there, and then remembering does not pay.
MAX_ORIGINS = 20_000
MAX_ORIGIN_TEXT = 64 << 20  # characters of their keys

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_CONTAINER_NAME = re.compile(r"/?([A-Za-z0-9][A-Za-z0-9_.-]{0,254})")  # daemon/names/names.go


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What a sender said about one origin, before anything is made of it."""

    container_id: Any = None
    container_name: Any = None
    name_is_dockers: bool = False  # the driver wrote the name, no label can have overwritten it
    image: str | None = None
    host: str | None = None
    tag: str | None = None
    labels: Mapping[str, Any] = {}
    peer: str = ""
    invert_tag: bool = True


class Origins:
    """Makes origins. `hostname`: this machine's, which local peers stand for."""

    def __init__(self, hostname: str, templates: Iterable[TagTemplate]) -> None:
        self._hostname = hostname
        self._templates = most_specific_first(templates)
        self._interned: dict[str, Origin] = {}
        self._text = 0

    def origin(self, seen: Seen) -> tuple[Origin, tuple[str, ...]]:
        """The origin, and the flags that every line of it carries."""
        flags: list[str] = []
        labels = _labels(seen.labels, flags)
        known_id = container_id(seen.container_id)
        if known_id is None and seen.container_id is not None:
            labels["container_id"] = text_of(seen.container_id)[:MAX_LABEL_VALUE]
            flags.append("container_id_overwritten")
        name = _name(seen.container_name)
        template, reading = self._read_tag(seen, known_id)
        fields = reading.fields
        if reading.ambiguous or reading.more:
            flags.append("tag_ambiguous")
        if not seen.name_is_dockers and name and fields.get("Name", name) != name:
            labels["container_name"] = name
            flags.append("container_name_overwritten")
            name = fields["Name"]
        container = Container(
            known_id or fields.get("FullID"),
            name or fields.get("Name"),
            seen.image or fields.get("ImageName"),
        )
        service, rung = service_of(container, labels, fields)
        _add_from_tag(labels, fields)
        made = make_origin(
            container,
            seen.host or fields.get("Hostname") or self._peer_host(seen.peer),
            service=service,
            service_source=rung,
            labels=labels,
            tag=seen.tag,
            tag_fields=fields,
            tag_template=template.text if template else None,
        )
        return self._intern(made), tuple(flags)

    def _read_tag(self, seen: Seen, known_id: str | None) -> tuple[TagTemplate | None, Reading]:
        if seen.tag is None or not seen.invert_tag:
            return None, Reading({})
        name = container_name(seen.container_name)
        record = {"FullID": known_id, "Name": name, "ImageName": seen.image, "Hostname": seen.host}
        beliefs = _beliefs(record, seen.name_is_dockers and name is not None)
        found = read_tag(self._templates, seen.tag, beliefs)
        return found or (None, Reading({}))

    def _peer_host(self, peer: str) -> str:
        """A sender on this machine (loopback, or a unix socket, which has no address) is this machine."""
        address = peer.removeprefix("::ffff:")
        return self._hostname if address in ("", "::1") or address.startswith("127.") else address

    def _intern(self, origin: Origin) -> Origin:
        known = self._interned.get(origin.key)
        if known is not None:
            return known
        if len(self._interned) >= MAX_ORIGINS or self._text > MAX_ORIGIN_TEXT:
            self._interned.clear()
            self._text = 0
        self._interned[origin.key] = origin
        self._text += len(origin.key)
        return origin


def _beliefs(record: dict[str, str | None], name_is_dockers: bool) -> Iterator[dict[str, str]]:
    """What a tag may be held against, the strongest first: a tag that contradicts one is tried with the next.

    A label can overwrite all that a record says, never the tag. Only a name that the driver itself wrote is
    not given up: a tag that contradicts it was made by another template, and would be misread by this one.
    """
    known = {name: value for name, value in record.items() if value}
    names = ("FullID", "Name"), ("Name",), ("FullID",), ()
    yield known
    for kept in names:
        if "Name" in kept or not name_is_dockers:
            yield {name: known[name] for name in kept if name in known}


def _add_from_tag(labels: dict[str, str], fields: Mapping[str, str]) -> None:
    """Labels that only the tag tells become labels like those that the record sends."""
    for path, value in fields.items():
        key = path.removeprefix("ContainerLabels.")
        if key != path and len(labels) < MAX_LABELS and len(key) <= MAX_LABEL_NAME:
            labels.setdefault(key, value[:MAX_LABEL_VALUE])


def container_id(value: Any) -> str | None:
    """A container's full id, or None when the value is none (a label has overwritten it, or no Docker)."""
    return value if isinstance(value, str) and _CONTAINER_ID.fullmatch(value) else None


def container_name(value: Any) -> str | None:
    """A name that Docker could have given, without the one slash that fluentd's driver leaves in front."""
    match = _CONTAINER_NAME.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None


def _name(value: Any) -> str | None:
    return text_of(value).removeprefix("/")[:MAX_LABEL_NAME] or None if value is not None else None


def _labels(raw: Mapping[str, Any], flags: list[str]) -> dict[str, str]:
    """Labels as bounded text. What is cut or left out is flagged."""
    labels: dict[str, str] = {}
    room = MAX_LABEL_TEXT
    for key in sorted(raw):  # Go's maps come in any order: what is left out must not depend on it
        if len(labels) >= MAX_LABELS or room <= 0:
            flags.append("labels_dropped")
            break
        name, text = sound(key), text_of(raw[key])
        if len(name) > MAX_LABEL_NAME or len(text) > MAX_LABEL_VALUE:
            name, text = name[:MAX_LABEL_NAME], text[:MAX_LABEL_VALUE]
            if "label_truncated" not in flags:
                flags.append("label_truncated")
        labels[name] = text
        room -= len(name) + len(text)
    return labels
