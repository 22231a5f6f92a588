"""A Docker tag run backwards: the template that made it says which part of it is which field.

A tag is read like this. Each node of the template may end only at certain positions of the tag; a set of
positions is one big integer, bit p for position p, so one step of a node is a few integer operations
however many readings there are. Walking the nodes forwards gives the ends that can be reached, walking
them backwards those that can still succeed; what is in both lies on a whole reading. Where that is one
position on either side of a field, the field has one value; where it is more, it is ambiguous and not
guessed. Two walks of linear time: there is nothing to backtrack.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from parsers.gotemplate import Field, Node, TemplateError, Text, parse

DEFAULT_TEMPLATE = "{{.ID}}"  # daemon/logger/loggerutils/log_tag.go, and the fluentd and gelf drivers

# Docker bounds no tag; one longer than this is a rendered JSON of labels at best, not what we invert.
MAX_TAG_LENGTH = 65_536

# A name is searched for at every position of a tag: this keeps that linear. Names are host names at heart.
_MAX_KNOWN_NAME = 1024

_HEX = frozenset("0123456789abcdef")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_NAME = _WORD | frozenset("_.-")  # daemon/names/names.go, RestrictedNamePattern
_IMAGE = _NAME | frozenset("/:@+")  # distribution's reference syntax: host:port/path:tag@algorithm:digest
_HOST = _NAME


class _Shape(msgspec.Struct, frozen=True):
    """What a field's text can be: a fixed `prefix`, a first character, then others; `size` or any length."""

    first: frozenset[str]
    rest: frozenset[str]
    least: int  # characters after the prefix
    size: int = 0  # exactly so many characters after the prefix; 0: any number
    prefix: str = ""


# The fields of Docker's log info that are read back (daemon/logger/loginfo.go).
_SHAPES: dict[str, _Shape] = {
    "ID": _Shape(_HEX, _HEX, 12, 12),
    "FullID": _Shape(_HEX, _HEX, 64, 64),
    "Name": _Shape(_WORD, _NAME, 2),
    "ImageName": _Shape(_IMAGE, _IMAGE, 1),
    "ImageID": _Shape(_HEX, _HEX, 12, 12),
    "ImageFullID": _Shape(_HEX, _HEX, 64, 64, "sha256:"),
    "Hostname": _Shape(_HOST, _HOST, 1),
    "DaemonName": _Shape(frozenset(), frozenset(), 0, 0, "docker"),  # a constant
}
_KNOWN_TO_DOCKER = frozenset(
    (
        "Command", "ExtraAttributes", "Config", "LogPath", "ContainerID", "ContainerName",
        "ContainerEntrypoint", "ContainerArgs", "ContainerImageID", "ContainerImageName",
        "ContainerCreated", "ContainerEnv", "ContainerLabels",
    )
)  # fmt: skip


class Reading(msgspec.Struct, frozen=True):
    """What a tag says: fields by the template's names, and the names that it leaves open."""

    fields: Mapping[str, str]
    ambiguous: tuple[str, ...] = ()


class TagTemplate(msgspec.Struct, frozen=True):
    """A compiled tag template."""

    text: str
    nodes: tuple[Node, ...]

    @staticmethod
    def compile(text: str) -> "TagTemplate":
        """Raises TemplateError (its position is into `text`). An empty text means Docker's default."""
        nodes = parse(text or DEFAULT_TEMPLATE)
        for node in nodes:
            if isinstance(node, Field) and node.name not in _SHAPES:
                raise TemplateError(_unknown_field(node), node.position)
        return TagTemplate(text or DEFAULT_TEMPLATE, nodes)

    @property
    def specificity(self) -> tuple[int, int]:
        """Larger is more specific: literal characters first, then fields."""
        literal = sum(len(node.value) for node in self.nodes if isinstance(node, Text))
        return literal, sum(isinstance(node, Field) for node in self.nodes)

    def read(
        self, tag: str, container_id: str | None = None, container_name: str | None = None
    ) -> Reading | None:
        """The tag's fields, or None when this template cannot have made it.

        `container_id` (64 hex digits) and `container_name` (no slash) are what the record itself says;
        they decide where the tag alone leaves a choice. A tag that contradicts them is read without them:
        a label can overwrite the name in a record, never the tag.
        """
        if len(tag) > MAX_TAG_LENGTH:
            return None
        known = _known(container_id, container_name)
        return _read(self.nodes, tag, known) or (_read(self.nodes, tag, {}) if known else None)

    def invert(
        self, tag: str, container_id: str | None = None, container_name: str | None = None
    ) -> dict[str, str] | None:
        """The fields of `read` alone: only those with one possible value."""
        reading = self.read(tag, container_id, container_name)
        return None if reading is None else dict(reading.fields)


def most_specific_first(templates: Iterable[TagTemplate]) -> tuple[TagTemplate, ...]:
    """The order in which templates are tried; equal ones keep the order they were given in."""
    return tuple(sorted(templates, key=lambda template: template.specificity, reverse=True))


def read_tag(
    templates: Sequence[TagTemplate], tag: str, container_id: str | None, container_name: str | None
) -> tuple[TagTemplate, Reading] | None:
    """The first template that can have made `tag`, and its reading. `templates`: most specific first."""
    for template in templates:
        reading = template.read(tag, container_id, container_name)
        if reading is not None:
            return template, reading
    return None


def templates_from_daemon_json(text: str) -> list[str]:
    """The tag templates of a daemon.json: its `log-opts.tag`, or Docker's default.

    The options are those of the default driver: another driver's tag is not ours. As for dockerd, an empty
    file and null say nothing. Raises ValueError naming the key when the file is not what dockerd would take.
    """
    try:
        config = json.loads(text.removeprefix("\ufeff").strip() or "{}")
    except ValueError as error:
        raise ValueError(f"daemon.json is not JSON: {error}") from None
    config = _object(config, "daemon.json")
    tag = _object(config.get("log-opts"), "log-opts").get("tag")
    if not isinstance(tag, str | None):
        raise ValueError("log-opts.tag must be a string")
    ours = config.get("log-driver") in (None, "fluentd", "gelf")
    return [tag if tag and ours else DEFAULT_TEMPLATE]


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict | None):
        raise ValueError(f"{name} must be a JSON object")
    return value or {}


def _unknown_field(node: Field) -> str:
    where = f"{{{{.{node.name}}}}} at position {node.position}"
    if node.name in _KNOWN_TO_DOCKER:
        return f"{where} is not understood yet"
    return f"{where}: Docker's log info has no field or method {node.name}"


def _known(container_id: str | None, container_name: str | None) -> dict[str, str]:
    known = {"FullID": container_id, "ID": container_id[:12]} if container_id else {}
    if container_name and len(container_name) <= _MAX_KNOWN_NAME:
        known["Name"] = container_name
    return known


def _read(nodes: Sequence[Node], tag: str, known: Mapping[str, str]) -> Reading | None:
    """One reading with `known` fields fixed. A field that is settled settles its repetitions too."""
    names = [node.name for node in nodes if isinstance(node, Field)]
    while True:
        spans = _spans(nodes, tag, known)
        found = None if spans is None else _settled(nodes, tag, spans, known)
        if found is None:
            return None
        if len(found) == len(known) or len(set(names)) == len(names):
            break
        known = found
    fields = {name: found[name] for name in names if name in found}
    if "ID" in fields and not fields.get("FullID", fields["ID"]).startswith(fields["ID"]):
        return None
    return Reading(fields, tuple(dict.fromkeys(name for name in names if name not in found)))


def _settled(
    nodes: Sequence[Node], tag: str, spans: Sequence[tuple[int, int] | None], known: Mapping[str, str]
) -> dict[str, str] | None:
    """`known` and the fields whose place is certain; None when one field would have two values."""
    found = dict(known)
    for node, span in zip(nodes, spans, strict=True):
        if isinstance(node, Text) or span is None:
            continue
        value = tag[span[0] : span[1]]
        if found.setdefault(node.name, value) != value:
            return None
    return found


def _spans(nodes: Sequence[Node], tag: str, known: Mapping[str, str]) -> list[tuple[int, int] | None] | None:
    """For each node where it stands in `tag`; None in place of one that could stand at several places."""
    forward = _Walk(tag, reverse=False)
    backward = _Walk(tag, reverse=True)
    reached = [1]
    for node in nodes:
        reached.append(forward.step(node, known, reached[-1]))
    if not reached[-1] >> len(tag) & 1:
        return None
    live = [1]
    for node in reversed(nodes):
        live.append(backward.step(node, known, live[-1]))
    size = len(tag) + 1
    bounds = [_single(here & _reversed(there, size)) for here, there in zip(reached, live[::-1], strict=True)]
    return [_span(bounds[i], bounds[i + 1]) for i in range(len(nodes))]


def _span(start: int | None, end: int | None) -> tuple[int, int] | None:
    return None if start is None or end is None else (start, end)


def _single(bits: int) -> int | None:
    """The position of the only bit, or None when there are several."""
    return bits.bit_length() - 1 if bits & (bits - 1) == 0 else None


def _reversed(bits: int, size: int) -> int:
    return int(format(bits, f"0{size}b")[::-1], 2)


class _Walk:
    """Steps over one tag in one direction; backwards is forwards over the tag and texts turned round."""

    def __init__(self, tag: str, reverse: bool) -> None:
        self._tag = tag[::-1] if reverse else tag
        self._reverse = reverse
        self._places: dict[frozenset[str], int] = {}

    def step(self, node: Node, known: Mapping[str, str], starts: int) -> int:
        """The positions after `node` when it begins at one of `starts`."""
        literal = node.value if isinstance(node, Text) else known.get(node.name)
        if literal is not None:
            return self._literal(literal, starts)
        assert isinstance(node, Field)
        shape = _SHAPES[node.name]
        steps: list[Callable[[int], int]] = [
            lambda at: self._literal(shape.prefix, at),
            lambda at: self._run(shape, at),
        ]
        for step in reversed(steps) if self._reverse else steps:
            starts = step(starts)
        return starts

    def _literal(self, text: str, starts: int) -> int:
        if not starts or not text:
            return starts
        text = text[::-1] if self._reverse else text
        found = re.finditer(f"(?={re.escape(text)})", self._tag)
        return (starts & _bits(match.start() for match in found)) << len(text)

    def _run(self, shape: _Shape, starts: int) -> int:
        """Over the characters of a field. Only a field without a size has an own first character."""
        if not shape.least:
            return starts
        rest = self._where(shape.rest)
        if shape.size:
            return _times(starts, rest, shape.size)
        first = self._where(shape.first)
        if self._reverse:
            return (_star(_times(starts, rest, shape.least - 1), rest) & first) << 1
        return _star(_times((starts & first) << 1, rest, shape.least - 1), rest)

    def _where(self, characters: frozenset[str]) -> int:
        """The positions that hold one of `characters`."""
        if characters not in self._places:
            self._places[characters] = _bits(i for i, c in enumerate(self._tag) if c in characters)
        return self._places[characters]


def _times(starts: int, where: int, count: int) -> int:
    for _ in range(count):
        starts = (starts & where) << 1
    return starts


def _star(starts: int, where: int) -> int:
    """`starts` and all that follows them over positions in `where`: the carry of an addition runs along
    each run of ones (Cameron et al., "Bitwise Data Parallelism in Regular Expression Matching", MatchStar).
    """
    return (((starts & where) + where) ^ where) | starts


def _bits(positions: Iterable[int]) -> int:
    buffer = bytearray()
    for position in positions:
        byte = position >> 3
        if byte >= len(buffer):
            buffer.extend(bytes(byte + 1 - len(buffer)))
        buffer[byte] |= 1 << (position & 7)
    return int.from_bytes(buffer, "little")
