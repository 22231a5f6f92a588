from typing import Any

import httpx
import pytest

NOBODY_HAS_ALL = "nothing was ever seen that has all of these: container, service, host, label and tag"


@pytest.fixture(autouse=True)
async def _lines(house: Any, origins: Any) -> None:
    await house.add(origins.web, "1", "2")
    await house.add(origins.db, "3")
    await house.add(origins.other_web, "4")


async def test_containers_latest_first(ask: httpx.AsyncClient) -> None:
    answer = (await ask.get("/api/v1/containers")).json()
    assert [item["name"] for item in answer["items"]] == ["shop-web-2", "shop-db-1", "shop-web-1"]
    assert answer["items"][2] == {
        "name": "shop-web-1",
        "id": "ab" * 32,
        "service": "web",
        "service_source": "label:com.docker.compose.service",
        "service_detail": {"project": "shop", "replica": "1", "kind": "service"},
        "image": "nginx:1.27",
        "host": "node-a",
        "labels": {"com.example/team": "shop", "stage": "prod"},
        "lines": 2,
        "first_seen": "2026-11-24T01:00:00.000000000Z",
        "last_seen": "2026-11-24T01:00:01.000000000Z",
    }
    assert (answer["next"], answer["notes"]) == (None, [])


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/containers?service=web", ["shop-web-2", "shop-web-1"]),
        ("/containers?container=d0d0", ["shop-db-1"]),
        ("/containers?container=never", []),
        ("/containers?label=stage=test", ["shop-db-1"]),
        ("/services", ["db", "web"]),
        ("/services?label=stage=prod", ["web"]),
        ("/labels", ["com.example/team", "path", "stage"]),
        ("/labels?service=db", ["path", "stage"]),
        ("/labels/stage", ["prod", "test"]),
        ("/labels/com.example/team", ["shop"]),
        ("/labels/com.example%2Fteam", ["shop"]),
        ("/labels/path", ["a/b"]),
        ("/labels/unknown", []),
    ],
)
async def test_names(ask: httpx.AsyncClient, path: str, names: list[str]) -> None:
    answer = (await ask.get("/api/v1" + path)).json()
    assert [item["name"] for item in answer["items"]] == names


@pytest.mark.parametrize(
    ("path", "notes"),
    [
        ("/labels/stage?service=db", []),
        ("/labels/stag", ["no label 'stag' was ever seen", "did you mean stage?"]),
        ("/services?service=wbe", ["no service 'wbe' was ever seen", "did you mean web?"]),
        ("/containers?container=shop-web-3", [
            "no container 'shop-web-3' was ever seen here, by name, id or id prefix",
            "did you mean shop-web-2 or shop-web-1 or shop-db-1?",
        ]),
        ("/containers?service=web&host=node-b", [
            "nothing was ever seen that has all of these: container, service, host, label and tag"
        ]),
        ("/containers?since=1h&level=error&limit=1&q=x", [
            "without effect here: level, q, since, limit"
        ]),
    ],
)  # fmt: skip
async def test_what_a_list_says(ask: httpx.AsyncClient, path: str, notes: list[str]) -> None:
    assert (await ask.get("/api/v1" + path)).json()["notes"] == notes


async def test_a_service_has_counts(ask: httpx.AsyncClient) -> None:
    answer = (await ask.get("/api/v1/services?service=web")).json()
    assert answer["items"] == [
        {
            "name": "web",
            "lines": 3,
            "first_seen": "2026-11-24T01:00:00.000000000Z",
            "last_seen": "2026-11-24T01:00:03.000000000Z",
            "containers": 2,
        }
    ]


@pytest.mark.parametrize(
    ("path", "notes"),
    [
        (
            "/containers?container=never",
            ["no container 'never' was ever seen here, by name, id or id prefix"],
        ),
        ("/services?service=wed", ["no service 'wed' was ever seen", "did you mean web?"]),
        ("/labels/stagge", ["no label 'stagge' was ever seen", "did you mean stage?"]),
        ("/labels/path?service=web", ["none of these has the label 'path': 2 containers"]),
        ("/labels/path?host=node-z", [NOBODY_HAS_ALL]),
    ],
)
async def test_an_empty_list_says_why(ask: httpx.AsyncClient, path: str, notes: list[str]) -> None:
    assert (await ask.get("/api/v1" + path)).json() == {"items": [], "next": None, "notes": notes}


@pytest.mark.parametrize("path", ["/containers", "/services", "/labels", "/labels/stage"])
async def test_filters_on_lines_change_nothing_and_that_is_said(ask: httpx.AsyncClient, path: str) -> None:
    whole = (await ask.get("/api/v1" + path)).json()
    answer = (await ask.get(f"/api/v1{path}?q=x&level=error&limit=1&since=1h")).json()
    assert answer == {**whole, "notes": ["without effect here: level, q, since, limit"]}


async def test_errors_are_named(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/api/v1/containers?servic=web")
    assert (answer.status_code, answer.json()["error"]["parameter"]) == (400, "servic")


async def test_lists_are_measured(ask: httpx.AsyncClient) -> None:
    await ask.get("/api/v1/services")
    assert 'logdock_query_seconds_count{kind="list"} 1.0' in (await ask.get("/metrics")).text
