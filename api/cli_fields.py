"""What a --format template can name of a container or a line: Docker's names where there are any, and ours.

What is unknown is "", so that `{{if .Level}}` asks for it and nothing prints `<no value>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from api.cli_common import SHORT_ID
from api.units import human_duration

Item = Mapping[str, Any]  # a container or an event as REST gives it


class View(NamedTuple):
    """How things are looked at."""

    now: float = 0.0  # Unix seconds
    no_trunc: bool = False
    shown: Callable[[str], str] = str  # what becomes of a sender's text before anybody sees it


Reader = Callable[[Item, View], Any]


def known_or_empty(key: str) -> Reader:
    """The value under a key of the REST object; "" for null, and where the object leaves the key out."""
    return lambda item, _: "" if item.get(key) is None else item[key]


_key = known_or_empty


def _detail(key: str) -> Reader:
    return lambda item, _: (item["service_detail"] or {}).get(key, "")


def _id(item: Item, view: View) -> str:
    identity: str = item["id"] or ""
    return identity if view.no_trunc else identity[:SHORT_ID]


def _image(item: Item, view: View) -> str:
    """Without a digest, as docker ps shows it."""
    image: str = item["image"] or ""
    return image if view.no_trunc else image.partition("@")[0]


def _joined_labels(item: Item, _: View) -> str:
    return ",".join(sorted(f"{key}={value}" for key, value in item["labels"].items()))


def _status(item: Item, view: View) -> str:
    return f"last line {human_duration(view.now - _seconds(item['last_seen']))} ago"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment[:19] + "+00:00").timestamp()


WHICH: Mapping[str, Reader] = {
    "Project": _detail("project"),
    "Replica": _detail("replica"),
    "TaskID": _detail("task_id"),
    "Kind": _detail("kind"),
}

DETAIL: Mapping[str, Reader] = {
    "Project": _key("project"),
    "Replica": _key("replica"),
    "TaskID": _key("task_id"),
    "Kind": _key("kind"),
}

CONTAINER: Mapping[str, Reader] = {
    "ID": _id,
    "Names": _key("name"),
    "Name": _key("name"),
    "Image": _image,
    "Service": _key("service"),
    "ServiceSource": _key("service_source"),
    **WHICH,
    "Host": _key("host"),
    "Labels": _joined_labels,
    "Status": _status,
    "FirstSeen": _key("first_seen"),
    "LastSeen": _key("last_seen"),
    "Lines": _key("lines"),
}

EVENT: Mapping[str, Reader] = {
    "ID": _key("id"),
    "Timestamp": _key("timestamp"),
    "Observed": _key("observed"),
    "Message": _key("message"),
    "Stream": _key("stream"),
    "Level": _key("level"),
    "Service": _key("service"),
    "ServiceSource": _key("service_source"),
    **WHICH,
    "Host": _key("host"),
    "Labels": _key("labels"),
    "Tag": _key("tag"),
    "TagFields": _key("tag_fields"),
    "Fields": _key("fields"),
    "Flags": _key("flags"),
    "Sequence": _key("sequence"),
    "Offset": _key("offset"),
}

# A line's container, whole: what is cut in a table of containers would be cut for no one to see here.
EVENT_CONTAINER: Mapping[str, Reader] = {"ID": _key("id"), "Name": _key("name"), "Image": _key("image")}

# Names that docker ps knows and a log server cannot, and what comes nearest.
DOCKERS = {
    "Command": None, "CreatedAt": "FirstSeen", "RunningFor": "FirstSeen", "State": "Status", "Ports": None,
    "Size": None, "Mounts": None, "LocalVolumes": None, "Networks": None, "Platform": None,
    "HealthStatus": None,
}  # fmt: skip

# A template is tried on these before the server is asked. Where senders' own keys stand there are none: what
# is asked of them is then no value, which no template is refused for.
SAMPLE_CONTAINER: Item = {
    "name": "shop-web-1",
    "id": "0123456789abcdef" * 4,
    "service": "web",
    "service_source": "label:com.docker.compose.service",
    "service_detail": {"project": "shop", "replica": "1", "kind": "service"},
    "image": "registry.example/shop/web:1.27",
    "host": "node-a",
    "labels": {},
    "lines": 1000,
    "first_seen": "2026-11-24T01:02:03.123456789Z",
    "last_seen": "2026-11-24T01:02:03.123456789Z",
}
SAMPLE_EVENT: Item = {
    "id": "k3v9x0ab.1a.0",
    "timestamp": "2026-11-24T01:02:03.123456789Z",
    "observed": "2026-11-24T01:02:03.123456789Z",
    "sequence": 26,
    "offset": 26,
    "message": "GET /cart 502",
    "stream": "stdout",
    "level": "error",
    "container": {key: SAMPLE_CONTAINER[key] for key in ("id", "name", "image")},
    **{
        key: SAMPLE_CONTAINER[key]
        for key in ("service", "service_source", "service_detail", "host", "labels")
    },
    "tag": "0123456789ab",
    "tag_fields": {},
    "fields": {},
    "flags": ["joined"],
}
