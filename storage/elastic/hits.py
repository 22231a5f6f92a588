"""Documents of Elasticsearch back as Events: the reverse of docs.py."""

import base64
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from parsers.event import Container, Event, Origin, Printed, make_origin, parse_id
from storage.elastic.ecs import image_text
from storage.times import SECOND

MAX_ORIGINS = 20_000  # origins remembered, a few KB each


class _Hash(msgspec.Struct, gc=False):
    all: list[str] = []


class _Image(msgspec.Struct, gc=False):
    name: str | None = None  # in documents of template version 1 the whole image
    tag: list[str] = []
    hash: _Hash | None = None


class _Container(msgspec.Struct, gc=False):
    id: str | None = None
    name: str | None = None
    image: _Image | None = None
    labels: dict[str, str] | None = None


class _Name(msgspec.Struct, gc=False):
    name: str | None = None


class _Log(msgspec.Struct, gc=False):
    level: str | None = None
    iostream: str | None = None


class _Event(msgspec.Struct, gc=False):
    created: str
    sequence: int
    original: str = ""


class _Docker(msgspec.Struct, gc=False):
    tag: str | None = None
    tag_fields: dict[str, str] | None = None
    fields: msgspec.Raw = msgspec.Raw()


class _Logdock(msgspec.Struct, gc=False):
    origin: str
    offset: int
    timestamp: int | None = None
    service_source: str | None = None
    tag_template: str | None = None
    labels: str | None = None
    tag_fields: str | None = None
    fields: str | None = None
    json_line: bool = False
    printed: list[tuple[str | None, str | None, int]] = []


class Document(msgspec.Struct, gc=False):
    """The source of one document, as docs.py writes it."""

    timestamp: str = msgspec.field(name="@timestamp")
    message: str
    event: _Event
    logdock: _Logdock
    host: _Name
    container: _Container | None = None
    service: _Name | None = None
    log: _Log | None = None
    docker: _Docker | None = None
    tags: tuple[str, ...] = ()


class Hit(msgspec.Struct, gc=False):
    """One hit. The source stays raw: a document of somebody else must not break its neighbours."""

    id: str = msgspec.field(name="_id")
    source: msgspec.Raw = msgspec.field(name="_source", default=msgspec.Raw())
    sort: list[Any] = []
    index: str = msgspec.field(name="_index", default="")


_document = msgspec.json.Decoder(Document)
_text_map = msgspec.json.Decoder(dict[str, str])
_object = msgspec.json.Decoder(dict[str, Any])  # unlike orjson's, exact for integers beyond 64 bits


class Reader:
    """Reads hits; remembers origins, which thousands of hits share. Only for the event loop's thread."""

    def __init__(self) -> None:
        self.origins: dict[str, Origin] = {}

    def event(self, hit: Hit) -> Event | None:
        """The event of one hit; None for a document that is not ours."""
        key = parse_id(hit.id)
        if key is None:
            return None
        try:
            return self._event(key, _document.decode(hit.source))
        except (msgspec.DecodeError, ValueError):
            return None

    def origin(self, hit: Hit) -> tuple[str, Origin | None]:
        """(digest, origin) of one hit; None for a document that is not ours."""
        try:
            doc = _document.decode(hit.source)
            return doc.logdock.origin, self._origin(doc)
        except (msgspec.DecodeError, ValueError):
            return "", None

    def _event(self, key: tuple[str, int, int], doc: Document) -> Event:
        log, ours = doc.log or _Log(), doc.logdock
        timestamp = nanoseconds(doc.timestamp) if ours.timestamp is None else ours.timestamp
        return Event(
            *key, timestamp, nanoseconds(doc.event.created), doc.event.sequence, ours.offset, doc.message,
            self.origins.get(ours.origin) or self._origin(doc), log.iostream, log.level,
            _fields(doc), ours.json_line, doc.tags,
            tuple(Printed(_data(doc, data), stream, at) for data, stream, at in ours.printed),
        )  # fmt: skip

    def _origin(self, doc: Document) -> Origin:
        container, docker, ours = doc.container or _Container(), doc.docker or _Docker(), doc.logdock
        origin = make_origin(
            Container(container.id, container.name, _image(container.image)),
            doc.host.name or "",
            service=doc.service.name if doc.service else None,
            service_source=ours.service_source,
            labels=_text_map.decode(ours.labels) if ours.labels else container.labels,
            tag=docker.tag,
            tag_fields=_text_map.decode(ours.tag_fields) if ours.tag_fields else docker.tag_fields,
            tag_template=ours.tag_template,
        )
        if len(self.origins) >= MAX_ORIGINS:
            self.origins.clear()
        return self.origins.setdefault(ours.origin, origin)


def _image(image: _Image | None) -> str | None:
    return image_text(image.name, image.tag, image.hash.all if image.hash else []) if image else None


def _data(doc: Document, text: str | None) -> bytes:
    return doc.event.original.encode() if text is None else base64.b64decode(text, validate=True)


def _fields(doc: Document) -> dict[str, Any] | None:
    if doc.logdock.json_line:
        return _object.decode(doc.message)
    text = doc.docker.fields if doc.docker is not None and doc.docker.fields else doc.logdock.fields
    return _object.decode(text) if text is not None else None


def nanoseconds(text: str) -> int:
    """The times that docs.py writes: `2026-11-24T01:02:03.123456789Z`. Raises ValueError."""
    return _second(text[:19]) * SECOND + int(text[20:29])


@lru_cache(maxsize=4096)
def _second(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
