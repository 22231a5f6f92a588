"""`{{json .ContainerLabels}}` and its like: a JSON document in the tag -> the facts in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from parsers.inversion.state import State, assign
from parsers.inversion.terms import Whole

# The fields of Docker's log info as encoding/json writes them (daemon/logger/loginfo.go), and ours for them.
_STRINGS: Final = {
    "ContainerID": "FullID",
    "ContainerEntrypoint": "ContainerEntrypoint",
    "ContainerImageID": "ImageFullID",
    "ContainerImageName": "ImageName",
    "LogPath": "LogPath",
    "DaemonName": "DaemonName",
}
MAPS: Final = ("Config", "ContainerLabels")
LISTS: Final = ("ContainerArgs", "ContainerEnv")
# What an invalid byte is written as: a text with it may have been another.
_REPLACEMENT: Final = "\ufffd"


def assign_document(state: State, whole: Whole, value: Any) -> State | None:
    """The state in which the JSON of `whole` is `value`; None when it cannot be."""
    return _assign_all(state, _facts(whole, value))


def _facts(whole: Whole, value: Any) -> Iterator[tuple[str, str]]:
    if whole.kind == "info" and isinstance(value, dict):
        yield from _info(value)
    elif whole.kind == "map" and isinstance(value, dict):
        yield from ((f"{whole.name}.{key}", text) for key, text in value.items() if isinstance(text, str))
    elif whole.kind == "list" and isinstance(value, list):
        yield whole.name, orjson.dumps(value).decode()


def _info(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, fact in _STRINGS.items():
        if isinstance(value.get(key), str):
            yield fact, value[key]
    name = value.get("ContainerName")
    if isinstance(name, str) and name.startswith("/"):
        yield "Name", name[1:]
    for key in MAPS:
        yield from _facts(Whole(key, "map"), value.get(key))
    for key in LISTS:
        yield from _facts(Whole(key, "list"), value.get(key))


def _assign_all(state: State, facts: Iterator[tuple[str, str]]) -> State | None:
    found: State | None = state
    for name, text in facts:
        if found is None:
            return None
        if _REPLACEMENT not in name and _REPLACEMENT not in text:
            found = assign(found, name, text.encode())
    return found
