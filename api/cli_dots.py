"""Containers and lines as the dot of a Go template.

Names are methods, as docker/cli's own are: what a template does not name costs nothing. The keys of the REST
object are methods too, which Go itself would not find for their small letters; the template's language is
the same, and nobody has to learn a second set of names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from api.cli_fields import (
    CONTAINER,
    DETAIL,
    EVENT,
    EVENT_CONTAINER,
    SAMPLE_CONTAINER,
    SAMPLE_EVENT,
    Item,
    Reader,
    View,
    known_or_empty,
)
from parsers.go.calls import Function
from parsers.go.types import STRING, GoType
from parsers.go.values import AnyMap, Struct, to_go

# `FirstSeen` -> FIRST SEEN, `TaskID` -> TASK ID, `first_seen` -> FIRST SEEN
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_BLANKS = str.maketrans("-_", "  ")


class Dot(Struct):
    """One object under a template. Each kind has a subclass with its own methods."""

    def __init__(self, kind: Kind, item: Item, view: View) -> None:
        super().__init__(kind.go_type, {})
        self.kind = kind
        self.item = item
        self.view = view

    def to_json(self) -> bytes:
        """As `{{json .}}` prints it."""
        return orjson.dumps(shown(self.kind.told(self.item, self.view), self.view.shown))


class Kind:
    """What objects of one sort answer to. `parts`: other objects in them, by REST key. `titles`: names of
    columns that are not made of the field's own."""

    def __init__(
        self,
        go_name: str,
        readers: Mapping[str, Reader],
        sample: Item,
        parts: Mapping[str, Kind] | None = None,
        titles: Mapping[str, str] | None = None,
    ) -> None:
        self.go_type = GoType(f"logdock.{go_name}", "struct")
        self.readers = readers
        self.sample = sample
        self.titles = titles or {}
        self.parts = {name: kind for key, kind in (parts or {}).items() for name in (key, _camel(key))}
        methods = {name.encode(): self._method(name) for name in self.names}
        self._dot: type[Dot] = type(go_name, (Dot,), {"methods": methods})

    def dot(self, item: Item, view: View) -> Dot:
        """An object of this kind under a template."""
        return self._dot(self, item, view)

    @property
    def own_names(self) -> list[str]:
        """Those in Go's spelling."""
        label = ["Label"] if "labels" in self.sample else []
        return [*self.readers, *(name for name in self.parts if name[0].isupper()), *label]

    @property
    def names(self) -> list[str]:
        """Everything that a template can ask for: also the keys of the REST object."""
        return [*self.own_names, *self.sample]

    def _method(self, name: str) -> Function:
        if name == "Label":
            return Function(b"Label", _label, (STRING,))
        if name in self.parts:
            return Function(name.encode(), self._part(_snake(name), self.parts[name]))
        read = self.readers.get(name, known_or_empty(name))
        return Function(name.encode(), lambda dot: to_go(shown(read(dot.item, dot.view), dot.view.shown)))

    def _part(self, key: str, kind: Kind) -> Callable[[Dot], Dot]:
        return lambda dot: kind.dot(dot.item[key] or {}, dot.view)

    def told(self, item: Item, _: View) -> Mapping[str, Any]:
        """What `{{json .}}` says: the REST object."""
        return item


class _Summary(Kind):
    """A container's JSON has the names of a template, as that of `docker ps` has."""

    def told(self, item: Item, view: View) -> Mapping[str, Any]:
        return {name: read(item, view) for name, read in sorted(self.readers.items())}


def shown(value: Any, escape: Callable[[str], str]) -> Any:
    """JSON-like data with all its texts escaped."""
    if escape is str:
        return value
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {escape(key): shown(entry, escape) for key, entry in value.items()}
    return [shown(entry, escape) for entry in value] if isinstance(value, list) else value


def header(kind: Kind, whole_maps: bool) -> Struct:
    """The names of a kind's columns, as the dot of the same template (docker/cli formatter/custom.go).

    `whole_maps`: a map or list stands for itself, as in `{{.Labels}}`; otherwise it gives the name of
    whatever is asked of it, as in `{{.Labels.stage}}`.
    """
    methods = {name.encode(): _title_method(name, kind, whole_maps) for name in kind.names}
    titles: type[Struct] = type("Titles", (Struct,), {"methods": methods})
    return titles(kind.go_type, {})


def _title_method(name: str, kind: Kind, whole_maps: bool) -> Function:
    if name == "Label":
        return Function(b"Label", lambda _, key: _label_title(key), (STRING,))
    part = kind.parts.get(name)
    title = header(part, whole_maps) if part else _title(name, kind, whole_maps)
    return Function(name.encode(), lambda _: title)


def _title(name: str, kind: Kind, whole_maps: bool) -> Any:
    text = kind.titles.get(name.lower()) or " ".join(_WORDS.findall(name)).upper()
    value = kind.readers.get(name, known_or_empty(name))(kind.sample, View())
    if whole_maps or not isinstance(value, dict | list):
        return text.encode()
    return _Titles() if isinstance(value, dict) else [text.encode()]


class _Titles(AnyMap):
    """A map that has every key; each stands for its own name."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: bytes) -> bytes:
        return _label_title(key)

    def get(self, key: bytes, _: object = None) -> bytes:
        return _label_title(key)


def _label_title(key: bytes) -> bytes:
    """As docker/cli names the column of a label: what follows its last dot."""
    return key.decode("utf-8", "replace").rpartition(".")[2].translate(_BLANKS).encode()


def _label(dot: Dot, key: bytes) -> bytes:
    """The value of a label, "" for none."""
    value = dot.item["labels"].get(key.decode("utf-8", "replace"), "")
    found: bytes = to_go(dot.view.shown(value))
    return found


def _camel(key: str) -> str:
    return "".join(word.capitalize() for word in key.split("_"))


def _snake(name: str) -> str:
    return "_".join(_WORDS.findall(name)).lower()


_DETAIL = Kind("Detail", DETAIL, dict.fromkeys(("project", "replica", "task_id", "kind"), ""))
_EVENT_CONTAINER = Kind(
    "EventContainer",
    EVENT_CONTAINER,
    SAMPLE_EVENT["container"],
    titles={name: f"CONTAINER {name.upper()}" for name in SAMPLE_EVENT["container"]},
)
CONTAINERS = _Summary(
    "Container", CONTAINER, SAMPLE_CONTAINER, {"service_detail": _DETAIL}, {"id": "CONTAINER ID"}
)
EVENTS = Kind("Event", EVENT, SAMPLE_EVENT, {"container": _EVENT_CONTAINER, "service_detail": _DETAIL})
