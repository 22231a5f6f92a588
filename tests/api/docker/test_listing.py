"""Which containers docker ps shows."""

import json
from typing import Any

import httpx
import pytest

from parsers.event import Container, make_origin
from tests.api.conftest import DB, NOW, OTHER_WEB, WEB, House
from tests.ingest.bench import closing, saying

TASK = make_origin(
    Container("ee" * 32, "ping.1.x", "reg.example:5000/shop/ping:2@sha256:" + "a" * 64), "node-a",
    labels={"com.docker.swarm.task.id": "t"},
)  # fmt: skip


@pytest.fixture(autouse=True)
async def seen(house: House) -> None:
    await house.add(WEB, "a")
    await house.add(DB, "b")
    await house.add(OTHER_WEB, "c", timestamp=NOW - 60 * 10**9)
    await house.add(TASK, "d", timestamp=NOW - 599 * 10**9)


async def names(ask: httpx.AsyncClient, **params: Any) -> list[str]:
    filters = params.pop("filters", None)
    if filters is not None:
        params["filters"] = json.dumps({key: dict.fromkeys(values, True) for key, values in filters.items()})
    answer = await ask.get("/containers/json", params=params)
    assert answer.status_code == 200, answer.text
    return [row["Names"][0][1:] for row in answer.json()]


async def test_the_running_or_all(ask: httpx.AsyncClient) -> None:
    assert await names(ask) == ["shop-web-2", "ping.1.x"]  # the one seen first latest
    assert await names(ask, all="1") == ["shop-web-2", "ping.1.x", "shop-db-1", "shop-web-1"]
    assert await names(ask, limit="3") == ["shop-web-2", "ping.1.x", "shop-db-1"]
    assert await names(ask, limit="-1") == ["shop-web-2", "ping.1.x"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"name": ["web"]}, ["shop-web-2", "shop-web-1"]),
        ({"name": ["^/shop-db"]}, ["shop-db-1"]),
        ({"name": ["web-1", "db"]}, ["shop-db-1", "shop-web-1"]),
        ({"id": ["ab"]}, ["shop-web-2", "shop-web-1"]),
        ({"id": ["^ab12"]}, ["shop-web-2"]),
        ({"label": ["stage=prod"]}, ["shop-web-2", "shop-web-1"]),
        ({"label": ["stage", "path"]}, ["shop-db-1"]),
        ({"ancestor": ["nginx"]}, ["shop-web-2", "shop-db-1", "shop-web-1"]),
        ({"ancestor": ["nginx:1.27", "x"]}, ["shop-web-2", "shop-db-1", "shop-web-1"]),
        ({"ancestor": ["nginx:1"]}, []),
        ({"ancestor": ["reg.example:5000/shop/ping"]}, ["ping.1.x"]),
        ({"ancestor": ["reg.example:5000/shop/ping:2"]}, ["ping.1.x"]),
        ({"status": ["running"]}, ["shop-web-2", "ping.1.x"]),
        ({"status": ["exited", "dead"]}, ["shop-db-1", "shop-web-1"]),
        ({"status": ["paused"]}, []),
        ({"since": ["shop-db-1"]}, ["shop-web-2", "ping.1.x"]),
        ({"before": ["shop-db-1"]}, ["shop-web-1"]),
        ({"before": ["shop-web-2"], "since": ["shop-web-1"]}, ["ping.1.x", "shop-db-1"]),
        ({"is-task": ["true"]}, ["ping.1.x"]),
        ({"is-task": ["0"], "name": ["1"]}, ["shop-db-1", "shop-web-1"]),
    ],
)
async def test_filters(ask: httpx.AsyncClient, filters: dict[str, list[str]], found: list[str]) -> None:
    assert await names(ask, all="1", filters=filters) == found


async def test_a_status_shows_the_ended_too(ask: httpx.AsyncClient) -> None:
    assert await names(ask, filters={"status": ["exited"]}) == ["shop-db-1", "shop-web-1"]


@pytest.mark.parametrize(
    ("params", "status", "message"),
    [
        (
            {"filters": '{"exited": ["0"]}'},
            400,
            "invalid filter 'exited': no log tells that, so it cannot be answered here",
        ),
        ({"filters": '{"colour": ["0"]}'}, 400, "invalid filter 'colour'"),
        ({"filters": '{"is-task": ["foo"]}'}, 400, "invalid filter 'is-task=[foo]'"),
        ({"filters": '{"is-task": ["true", "false"]}'}, 400, "invalid filter 'is-task=[true false]'"),
        ({"filters": '{"status": ["green"]}'}, 400, "invalid filter 'status=green'"),
        ({"filters": '{"before": ["nobody"]}'}, 404, "No such container: nobody"),
        ({"limit": "x"}, 400, "invalid value for \"limit\": 'x' is not a number"),
        ({"filters": "{"}, 400, "invalid filter"),
    ],
)
async def test_what_is_wrong(
    ask: httpx.AsyncClient, params: dict[str, str], status: int, message: str
) -> None:
    answer = await ask.get("/containers/json", params=params)
    assert (answer.status_code, answer.json()) == (status, {"message": message})


async def test_an_open_connection_says_more_than_the_last_line(ask: httpx.AsyncClient, house: House) -> None:
    presence = house.presence
    presence.spoke(saying(1), WEB.container)
    presence.spoke(saying(2), OTHER_WEB.container)
    presence.mark(closing(2))
    presence.apply()
    assert await names(ask) == ["ping.1.x", "shop-web-1"]
    rows = {row["Names"][0]: row for row in (await ask.get("/containers/json?all=1")).json()}
    assert rows["/shop-web-1"]["Status"] == "Up About an hour"
    assert rows["/shop-web-2"]["Status"] == "Exited About a minute ago"
    assert rows["/ping.1.x"]["Status"] == "Up 9 minutes (last line 9 minutes ago)"
    assert rows["/shop-db-1"]["Status"] == "Last line 59 minutes ago"
