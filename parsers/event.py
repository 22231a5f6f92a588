"""Event and what it is made of: the types the rest of the house talks about.

An Event is one line, normalised. What many lines share (who printed them) is kept once, in an Origin,
and every event points at it: stores write it as a dictionary or a cached prefix instead of again per line.
Times are integer nanoseconds since the Unix epoch, UTC; text appears only at the edges.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec


class Container(msgspec.Struct, frozen=True, gc=False):
    """Which container printed a line. Every part may be unknown (a sender that gave only a name)."""

    id: str | None = None  # 64 hex digits
    name: str | None = None  # without Docker's leading slash
    image: str | None = None


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where lines come from: everything that is the same for all lines of one container's run.

    `key` is a canonical text of all the other attributes: equal origins have equal keys, so stores and
    caches use the key (a str, whose hash is computed once) instead of comparing mappings.
    """

    container: Container
    host: str
    service: str | None = None
    service_source: str | None = None  # which rung decided, e.g. "label:com.docker.compose.service"
    labels: Mapping[str, str] = {}
    tag: str | None = None
    tag_fields: Mapping[str, str] = {}
    tag_template: str | None = None  # the template that `tag` was run backwards through
    key: str = ""


def make_origin(
    container: Container,
    host: str,
    *,
    service: str | None = None,
    service_source: str | None = None,
    labels: Mapping[str, str] | None = None,
    tag: str | None = None,
    tag_fields: Mapping[str, str] | None = None,
    tag_template: str | None = None,
) -> Origin:
    """An Origin with its key filled in. This is the only way to make one."""
    sorted_labels = dict(sorted((labels or {}).items()))
    sorted_fields = dict(sorted((tag_fields or {}).items()))
    parts = (
        container.id, container.name, container.image, host, service, service_source,
        sorted_labels, tag, sorted_fields, tag_template,
    )  # fmt: skip
    key = msgspec.json.encode(parts).decode()
    return Origin(
        container, host, service, service_source, sorted_labels, tag, sorted_fields, tag_template, key
    )


class Printed(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One line exactly as the container printed it (without its newline)."""

    data: bytes
    stream: str | None
    timestamp: int  # nanoseconds


class Event(msgspec.Struct, frozen=True, gc=False):
    """One line, normalised.

    `position` and `index` say where its first piece stands in the journal called `journal`; together they
    are its identity. `sequence` is the journal order of the first piece, for sorting; `offset` counts
    emissions after joining, for resuming a live tail. Every sort is (timestamp, sequence, id).
    """

    journal: str
    position: int  # of the journal entry that holds the first piece
    index: int  # of the record within that entry
    timestamp: int  # nanoseconds: when it happened, as its sender says
    observed: int  # nanoseconds: when it was read from the network
    sequence: int
    offset: int
    message: str  # the printed line, joined, without ANSI codes and without a trailing \r
    origin: Origin
    stream: str | None = None  # "stdout", "stderr" or unknown
    level: str | None = None  # one of LEVELS
    fields: Mapping[str, Any] | None = None  # JSON values by name
    json_line: bool = False  # `fields` is exactly the JSON object that `message` is
    flags: tuple[str, ...] = ()  # what was done to it: "joined", "truncated", "malformed", ...
    printed: tuple[Printed, ...] = ()  # the printed bytes, only when `message` does not say them exactly

    @property
    def id(self) -> str:
        """The public identity, usable in a URL path and as an Elasticsearch _id."""
        return f"{self.journal}.{self.position:x}.{self.index:x}"


_HEX = "(0|[1-9a-f][0-9a-f]{0,15})"  # of 64 bits, as Event.id writes them
_ID = re.compile(rf"([^.]+)\.{_HEX}\.{_HEX}")

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")


def parse_id(event_id: str) -> tuple[str, int, int] | None:
    """(journal, position, index) of an event id, or None when it is not one. No id has a second spelling."""
    found = _ID.fullmatch(event_id)
    return (found[1], int(found[2], 16), int(found[3], 16)) if found else None
