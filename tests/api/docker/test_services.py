"""docker service, task and node as requests."""

import json
from typing import Any

import httpx
import pytest

from api.docker.services import task_details
from api.docker.swarm import made_id
from tests.api.conftest import DB, NOBODY, OTHER_WEB, OTHER_WEB_ID, WEB, WEB_ID, House
from tests.api.docker.test_framing import demultiplexed
from tests.api.docker.test_swarm import task
from tests.ingest.bench import saying

WEB_SERVICE, NODE = made_id("service", "web"), made_id("node", "node-a")


@pytest.fixture(autouse=True)
async def seen(house: House) -> None:
    for number in (1, 2, 3):
        await house.add(WEB, f"w{number}")
        await house.add(OTHER_WEB, f"o{number}", stream="stderr")
    await house.add(DB, "d1")
    await house.add(task(7), "t1")
    await house.add(NOBODY, "of no container")


def filtered(**filters: str) -> dict[str, str]:
    return {"filters": json.dumps({name.replace("_", "-"): {value: True} for name, value in filters.items()})}


async def names(ask: httpx.AsyncClient, what: str, **filters: str) -> list[str]:
    rows = (await ask.get(f"/{what}", params=filtered(**filters))).json()
    if what == "services":
        return [row["Spec"]["Name"] for row in rows]
    return [row["Name"] if what == "tasks" else row["Description"]["Hostname"] for row in rows]


async def test_a_service(ask: httpx.AsyncClient, house: House) -> None:
    house.presence.spoke(saying(1), WEB.container)
    house.presence.apply()
    found = (await ask.get("/services?status=true")).json()
    assert [row["Spec"]["Name"] for row in found] == ["db", "ping", "web"]
    web = found[2]
    assert (web["ID"], web["Spec"]["Mode"]) == (WEB_SERVICE, {"Replicated": {"Replicas": 2}})
    assert web["ServiceStatus"] == {"RunningTasks": 1, "DesiredTasks": 2, "CompletedTasks": 0}
    assert web["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == "nginx:1.27"
    assert "ServiceStatus" not in (await ask.get("/services/web")).json()


@pytest.mark.parametrize(
    ("what", "filters", "found"),
    [
        ("services", {"name": "we"}, ["web"]),
        ("services", {"id": "sss"}, ["ping"]),
        ("services", {"mode": "global"}, []),
        ("services", {"label": "com.docker.stack.namespace=x"}, []),
        ("tasks", {"service": "web"}, ["shop-web-2", "shop-web-1"]),
        ("tasks", {"service": WEB_SERVICE}, ["shop-web-2", "shop-web-1"]),
        ("tasks", {"service": "we"}, []),
        ("tasks", {"name": "shop-db"}, ["shop-db-1"]),
        ("tasks", {"node": NODE}, ["shop-db-1", "shop-web-2", "shop-web-1"]),
        ("tasks", {"desired_state": "running"}, []),
        ("nodes", {"id": "nnn"}, ["node-a"]),
        ("nodes", {"name": "other"}, []),
    ],
)
async def test_filters(ask: httpx.AsyncClient, what: str, filters: dict[str, str], found: list[str]) -> None:
    assert await names(ask, what, **filters) == found


@pytest.mark.parametrize("what", ["services", "tasks", "nodes"])
async def test_unknown_filters_and_references(ask: httpx.AsyncClient, what: str) -> None:
    answer = await ask.get(f"/{what}", params=filtered(colour="red"))
    assert (answer.status_code, answer.json()) == (400, {"message": "invalid filter 'colour'"})
    answer = await ask.get(f"/{what}/nothing")
    assert (answer.status_code, answer.json()) == (404, {"message": f"{what[:-1]} nothing not found"})


async def test_a_task_and_its_node(ask: httpx.AsyncClient) -> None:
    one = (await ask.get(f"/tasks/{made_id('task', WEB_ID)}")).json()
    assert (one["ServiceID"], one["Slot"], one["NodeID"]) == (WEB_SERVICE, 1, NODE)
    assert one["Status"]["State"] == one["DesiredState"] == "shutdown"
    assert one["Status"]["ContainerStatus"]["ContainerID"] == WEB_ID
    node = (await ask.get(f"/nodes/{NODE}")).json()
    assert (node["Description"]["Hostname"], node["Status"]["State"]) == ("node-a", "unknown")


async def printed(ask: httpx.AsyncClient, path: str, **params: Any) -> list[tuple[int, str]]:
    answer = await ask.get(path, params={"stdout": 1, "stderr": 1, **params})
    assert answer.status_code == 200, answer.text
    return [(stream, payload.decode()[:-1]) for stream, payload in demultiplexed(answer.content)]


async def test_lines_of_all_tasks_in_the_order_of_time(ask: httpx.AsyncClient) -> None:
    lines = [(1, "w1"), (2, "o1"), (1, "w2"), (2, "o2"), (1, "w3"), (2, "o3")]
    assert await printed(ask, "/services/web/logs") == lines
    assert await printed(ask, f"/services/{WEB_SERVICE}/logs") == lines
    assert await printed(ask, "/services/web/logs", tail=1) == [(1, "w3"), (2, "o3")]
    assert await printed(ask, "/services/web/logs", tail=2, stderr=0) == [(1, "w2"), (1, "w3")]
    assert await printed(ask, "/services/web/logs", tail=0) == []
    assert await printed(ask, f"/tasks/{made_id('task', OTHER_WEB_ID)}/logs") == [
        (2, "o1"),
        (2, "o2"),
        (2, "o3"),
    ]
    assert await printed(ask, "/services/sss/logs") == [(1, "t1")]


async def test_whose_line_it_is(ask: httpx.AsyncClient) -> None:
    (line,) = await printed(ask, "/services/web/logs", tail=1, stderr=0, details=1)
    assert line[1] == (
        f"com.docker.swarm.node.id={NODE},com.docker.swarm.service.id={WEB_SERVICE},"
        f"com.docker.swarm.task.id={made_id('task', WEB_ID)},com.example%2Fteam=shop,stage=prod w3"
    )
    assert f"com.docker.swarm.task.id={7:025d},".encode() in task_details(task(7))


async def test_what_swarm_refuses(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/services/web/logs?stdout=1&tail=x")
    assert (answer.status_code, answer.json()["message"]) == (
        400, 'tail value must be a positive integer or "all"'
    )  # fmt: skip
