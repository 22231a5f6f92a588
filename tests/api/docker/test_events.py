"""docker events: starts and deaths as lines and connections tell them."""

import json
import threading
import time
from typing import Any

import httpx
import pytest

from api.docker import events as events_module
from tests.api.conftest import DB, DB_ID, NOW, OTHER_WEB, START, WEB, WEB_ID, House, Running
from tests.ingest.bench import closing, saying

T = START // 10**9


async def told(ask: httpx.AsyncClient, **params: Any) -> list[tuple[str, str, int]]:
    answer = await ask.get("/events", params={"until": NOW // 10**9, **params})
    assert answer.status_code == 200, answer.text
    found = [json.loads(line) for line in answer.text.splitlines()]
    return [(one["Action"], one["Actor"]["Attributes"]["name"], one["time"]) for one in found]


@pytest.fixture(autouse=True)
async def seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "LOOK_SECONDS", 0.01)
    await house.add(WEB, "a")
    await house.add(DB, "b")
    await house.add(WEB, "c")
    await house.add(OTHER_WEB, "d", timestamp=NOW - 10**9)


async def test_past_ones(ask: httpx.AsyncClient) -> None:
    assert await told(ask) == [
        ("start", "shop-web-1", T), ("start", "shop-db-1", T + 1), ("die", "shop-db-1", T + 1),
        ("die", "shop-web-1", T + 2), ("start", "shop-web-2", T + 3599),
    ]  # fmt: skip
    assert await told(ask, since=T + 2, until=T + 2) == [("die", "shop-web-1", T + 2)]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"event": ["die"]}, 2),
        ({"event": ["die", "start"]}, 5),
        ({"container": ["shop-web-1"]}, 2),
        ({"container": [DB_ID[:12]]}, 2),
        ({"label": ["stage=prod"]}, 3),
        ({"image": ["nginx"]}, 5),
        ({"image": ["nginx:1.27"]}, 5),
        ({"image": ["redis"]}, 0),
        ({"type": ["container"]}, 5),
        ({"type": ["network"]}, 0),
        ({"scope": ["swarm"]}, 0),
        ({"volume": ["x"]}, 0),
    ],
)
async def test_filters(ask: httpx.AsyncClient, filters: dict[str, list[str]], count: int) -> None:
    assert len(await told(ask, filters=json.dumps(filters))) == count


async def test_only_so_many_past_ones(ask: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "MAX_PAST", 2)
    assert [event[:2] for event in await told(ask)] == [("die", "shop-web-1"), ("start", "shop-web-2")]


async def test_the_shape_of_one(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/events", params={"since": T, "until": T})
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.text) == {
        "status": "start", "id": WEB_ID, "from": "nginx:1.27", "Type": "container", "Action": "start",
        "Actor": {"ID": WEB_ID, "Attributes": {**WEB.labels, "image": "nginx:1.27", "name": "shop-web-1"}},
        "scope": "local", "time": T, "timeNano": START,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"since": "5", "until": "4"}, "`since` time (5) cannot be after `until` time (4)"),
        ({"filters": '{"colour": ["red"]}'}, "invalid filter 'colour'"),
        ({"since": "yesterday"}, "invalid value for \"since\": 'yesterday' is not a Unix time in seconds"),
    ],
)
async def test_what_is_wrong(ask: httpx.AsyncClient, params: dict[str, str], message: str) -> None:
    answer = await ask.get("/events", params=params)
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_live_ones_until_the_server_stops(running: Running) -> None:
    found: list[dict[str, Any]] = []
    asked = threading.Event()

    def read() -> None:
        with httpx.stream("GET", f"{running.url}/events", timeout=20, trust_env=False) as answer:
            asked.set()
            found.extend(json.loads(line) for line in answer.iter_lines())

    def wait_for(*actions: str) -> None:
        end = time.monotonic() + 10
        while [one["Action"] for one in found] != list(actions):
            assert time.monotonic() < end, found
            time.sleep(0.005)

    presence, reader = running.house.presence, threading.Thread(target=read, daemon=True)
    reader.start()
    assert asked.wait(10)
    running.call(lambda: (presence.spoke(saying(1), WEB.container), presence.apply()))
    wait_for("start")
    running.call(lambda: (presence.mark(closing(1)), presence.apply()))
    wait_for("start", "die")
    running.stop()
    reader.join(10)
    assert not reader.is_alive()
    assert {one["Actor"]["ID"] for one in found} == {WEB_ID}
