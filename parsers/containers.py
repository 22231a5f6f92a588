"""The origin of a record, remembered per container: the same record but for its line gives it at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from parsers.clock import UNORDERED, Latest, new_latest
from parsers.event import Origin
from parsers.origins import Origins, Seen, container_id, container_name
from parsers.tag import TagTemplate
from parsers.values import sound, text_of

if TYPE_CHECKING:
    from parsers.gelf import GelfMessage

# Containers whose latest record is remembered. Beyond, all are forgotten and met anew; a host runs far fewer.
MAX_KNOWN = 10_000

# What Docker's GELF driver says of every line besides labels (moby daemon/logger/gelf/gelf.go, New). The
# command, the time of creation and the image's id stand for nothing that the container's id does not, and
# are not kept.
_GELF_OWN = frozenset(
    ("command", "created", "image_id", "container_id", "container_name", "image_name", "tag")
)
_FORWARD_OWN = ("container_id", "container_name")


class Known(msgspec.Struct, frozen=True, gc=False):
    """A record without what changes from line to line, and what was made of it."""

    meta: dict[str, Any]
    tag: str | None  # as in the record
    origin: Origin
    flags: tuple[str, ...]
    latest: Latest  # shared by all that is known of one container


class Containers:
    """What was made of each container's latest record."""

    def __init__(self, hostname: str, templates: Iterable[TagTemplate]) -> None:
        self._origins = Origins(hostname, templates)
        self._known: dict[tuple[Any, ...], Known] = {}
        self._latest: dict[tuple[str | None, str | None], Latest] = {}  # the least recently met first

    def of_docker(self, tag: str, meta: dict[str, Any], peer: str) -> Known:
        """`meta`: container_id, container_name and labels; it is kept, so do not change it any more.

        A `source` among them is no stream, but a label that has overwritten it.
        """
        key = (tag, text_of(meta["container_id"]), peer, "partial_message" in meta)
        known = self._known.get(key)
        if known is not None and known.meta == meta:
            return known
        name = meta.get("container_name")
        seen = Seen(
            container_id=meta["container_id"],
            container_name=name,
            name_is_dockers=isinstance(name, str) and name.startswith("/"),
            tag=sound(tag),
            labels={k: v for k, v in meta.items() if k not in _FORWARD_OWN},
            peer=peer,
        )
        extra_flags = ("source_overwritten",) if "source" in meta else ()
        return self._make(key, meta, tag, seen, extra_flags)

    def of_docker_gelf(self, message: GelfMessage, peer: str) -> Known | None:
        """The same for a GELF message of Docker's, whose extra is kept; None when another sender's."""
        extra = message.extra
        identity = extra.get("container_id")
        key = ("gelf", message.host, identity if type(identity) is str else None, peer)
        known = self._known.get(key)
        if known is not None and known.meta == extra:
            return known
        return self._make(key, extra, None, _docker_in_gelf(message, peer)) if is_docker(message) else None

    def of_gelf(self, message: GelfMessage, peer: str) -> Known:
        """The same for a GELF message of any other sender. Nothing of it is kept."""
        extra = message.extra
        own = container_id(extra.get("container_id")), container_name(extra.get("container_name"))
        key = ("other gelf", message.host, *own, peer)
        return self._known.get(key) or self._make(key, {}, None, _elsewhere(extra, None, message.host, peer))

    def of_record(self, tag: str, record: dict[str, Any], peer: str) -> Known:
        """The same for a record of a forward sender that is not Docker. Nothing of it is kept."""
        own = container_id(record.get("container_id")), container_name(record.get("container_name"))
        key = ("forward", tag, *own, peer)
        return self._known.get(key) or self._make(key, {}, tag, _elsewhere(record, sound(tag), None, peer))

    def _make(
        self,
        key: tuple[Any, ...],
        meta: dict[str, Any],
        tag: str | None,
        seen: Seen,
        flags: tuple[str, ...] = (),
    ) -> Known:
        origin, origin_flags = self._origins.origin(seen)
        latest = self._latest_of(origin)
        known = bounded(self._known)[key] = Known(meta, tag, origin, origin_flags + flags, latest)
        return known

    def _latest_of(self, origin: Origin) -> Latest:
        container = origin.container
        if not container.id and not container.name:
            return UNORDERED
        key = (container.id, None) if container.id else (origin.host, container.name)
        latest = self._latest[key] = self._latest.pop(key) if key in self._latest else new_latest()
        if len(self._latest) > MAX_KNOWN:
            del self._latest[next(iter(self._latest))]
        return latest


def bounded(cache: dict[Any, Any], limit: int = MAX_KNOWN) -> dict[Any, Any]:
    """The cache, emptied when it is full."""
    if len(cache) >= limit:
        cache.clear()
    return cache


def is_docker(message: GelfMessage) -> bool:
    """Whether Docker sent it: by the container's id or, where a label has overwritten it, by all its keys."""
    extra = message.extra
    return container_id(extra.get("container_id")) is not None or extra.keys() >= _GELF_OWN


def _docker_in_gelf(message: GelfMessage, peer: str) -> Seen:
    extra = message.extra
    return Seen(
        container_id=extra.get("container_id"),
        container_name=extra.get("container_name"),
        image=_text(extra.get("image_name")),
        host=sound(message.host),
        tag=_text(extra.get("tag")),
        labels={k: v for k, v in extra.items() if k not in _GELF_OWN},
        peer=peer,
    )


def _elsewhere(keys: dict[str, Any], tag: str | None, host: str | None, peer: str) -> Seen:
    """A sender that is not Docker, but may say which container it speaks of. Its tag is only read backwards
    if it does: `{{.Name}}` fits nearly every tag."""
    identity, name = container_id(keys.get("container_id")), container_name(keys.get("container_name"))
    return Seen(
        container_id=identity,
        container_name=name,
        host=sound(host) if host else None,
        tag=tag,
        peer=peer,
        invert_tag=bool(identity or name),
    )


def _text(value: Any) -> str | None:
    return None if value is None else text_of(value)
