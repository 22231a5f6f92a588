from typing import Any

import orjson
import pytest

from api.cli_fields import (
    CONTAINER,
    DETAIL,
    EVENT,
    EVENT_CONTAINER,
    SAMPLE_CONTAINER,
    SAMPLE_EVENT,
    View,
    known_or_empty,
)
from api.render import event_json
from api.routes_lists import _container
from parsers.event import Container, Event, make_origin
from storage.store import ContainerSummary
from storage.times import rfc3339

SECOND = 1_000_000_000
SEEN = 1_795_482_000  # 2026-11-24T01:00:00Z
IDENTITY = "ab" * 32


def summary(**changes: Any) -> dict[str, Any]:
    return {**SAMPLE_CONTAINER, "id": IDENTITY, "last_seen": rfc3339(SEEN * SECOND), **changes}


def told(item: dict[str, Any], now: float = SEEN, no_trunc: bool = False) -> dict[str, Any]:
    return {name: read(item, View(now, no_trunc)) for name, read in CONTAINER.items()}


def test_a_container() -> None:
    found = told(summary(labels={"b": "2", "a": "1=x"}))
    assert found == {
        "ID": "ab" * 6,
        "Names": "shop-web-1",
        "Name": "shop-web-1",
        "Image": "registry.example/shop/web:1.27",
        "Service": "web",
        "ServiceSource": "label:com.docker.compose.service",
        "Project": "shop",
        "Replica": "1",
        "TaskID": "",
        "Kind": "service",
        "Host": "node-a",
        "Labels": "a=1=x,b=2",
        "Status": "last line Less than a second ago",
        "FirstSeen": "2026-11-24T01:02:03.123456789Z",
        "LastSeen": "2026-11-24T01:00:00.000000000Z",
        "Lines": 1000,
    }


def test_what_no_trunc_leaves_whole() -> None:
    image = "shop/web:1@sha256:" + "a" * 64
    cut, whole = told(summary(image=image)), told(summary(image=image), no_trunc=True)
    assert (cut["ID"], cut["Image"]) == ("ab" * 6, "shop/web:1")
    assert (whole["ID"], whole["Image"]) == (IDENTITY, image)


@pytest.mark.parametrize(
    ("ago", "status"), [(180, "last line 3 minutes ago"), (-60, "last line Less than a second ago")]
)
def test_status(ago: int, status: str) -> None:
    assert told(summary(), SEEN + ago)["Status"] == status


def test_nothing_known_is_empty_text() -> None:
    unknown = dict.fromkeys(("id", "name", "service", "service_source", "service_detail", "image"))
    found = told(summary(**unknown))
    assert {name for name, value in found.items() if value == ""} >= {
        "ID", "Names", "Name", "Image", "Service", "ServiceSource", "Project", "Replica", "TaskID", "Kind",
    }  # fmt: skip
    event = {**SAMPLE_EVENT, **dict.fromkeys(("stream", "level", "tag", "service", "service_detail"))}
    assert [EVENT[name](event, View()) for name in ("Stream", "Level", "Tag", "Service", "Kind")] == [""] * 5
    assert [read({}, View()) for read in (*DETAIL.values(), known_or_empty("x"))] == [""] * 5


def test_the_samples_have_the_shape_of_rest() -> None:
    """They stand for its objects when a template is tried; the keys of REST are a template's names too."""
    container = Container(IDENTITY, "shop-web-1", "nginx")
    event = Event("j", 1, 0, 0, 0, 0, 0, "m", make_origin(container, "h", service="web"))
    real = orjson.loads(event_json(event))
    assert set(real) == set(SAMPLE_EVENT)
    assert set(real["container"]) == set(SAMPLE_EVENT["container"])
    assert set(_container(ContainerSummary(container, "web", "h", 1, 0, 0))) == set(SAMPLE_CONTAINER)
    for name, read in EVENT_CONTAINER.items():
        assert read(real["container"], View()) == real["container"][name.lower()]
