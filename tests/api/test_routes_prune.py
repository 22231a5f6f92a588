import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from storage.store import StoreUnavailable
from tests.api.conftest import NOW, SECOND, START

JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
async def _lines(house: Any, origins: Any) -> None:
    await house.add(origins.web, "1", "2")
    await house.add(origins.db, "3")
    await house.add(origins.other_web, "4")


async def post(ask: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await ask.post("/api/v1/prune", content=json.dumps(body), headers=JSON)


async def messages(ask: httpx.AsyncClient) -> list[str]:
    answer = (await ask.get("/api/v1/logs?order=asc")).json()
    return [event["message"] for event in answer["events"]]


async def test_a_dry_run_then_the_same_for_good(ask: httpx.AsyncClient) -> None:
    dry = (await post(ask, service=["web"], dry_run=True)).json()
    assert dry == {
        "dry_run": True,
        "at": "2026-11-24T02:00:00.000000000Z",
        "until": "2026-11-24T02:00:00.000000000Z",
        "lines": 3,
        "bytes": None,
        "first": "2026-11-24T01:00:00.000000000Z",
        "last": "2026-11-24T01:00:03.000000000Z",
        "containers": [
            {
                "name": "shop-web-1",
                "id": "ab" * 32,
                "service": "web",
                "lines": 2,
                "first": "2026-11-24T01:00:00.000000000Z",
                "last": "2026-11-24T01:00:01.000000000Z",
            },
            {
                "name": "shop-web-2",
                "id": "ab12" + "c" * 60,
                "service": "web",
                "lines": 1,
                "first": "2026-11-24T01:00:03.000000000Z",
                "last": "2026-11-24T01:00:03.000000000Z",
            },
        ],
        "more_containers": 0,
        "notes": [],
    }
    assert await messages(ask) == ["1", "2", "3", "4"]
    assert (await post(ask, service="web", at=dry["at"])).json() == dry | {"dry_run": False}
    assert await messages(ask) == ["3"]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"until": "59m59s"}, ["2", "3", "4"]),  # NOW is an hour after the first
        ({"until": f"{START // SECOND + 1}"}, ["2", "3", "4"]),
        ({"until": "2026-11-24T01:00:03Z", "service": ["web"]}, ["3", "4"]),
        ({"until": ["2h"]}, ["1", "2", "3", "4"]),
        ({"container": ["shop-web-1"]}, ["3", "4"]),
        ({"container": "d0d0"}, ["1", "2", "4"]),
        ({"container": ["/shop-db-1", "ab12"]}, ["1", "2"]),
        ({"label": ["stage=prod"]}, ["3"]),
        ({"label": ["stage", "path=a/b"]}, ["1", "2", "4"]),
        ({"label!": ["stage=prod"]}, ["1", "2", "4"]),
        ({"label!": ["com.example/team"]}, ["1", "2"]),
        ({"label": ["stage=prod"], "label!": ["com.example/team=shop"]}, ["1", "2", "3"]),
        ({"service": ["web"], "until": None, "dry_run": False}, ["3"]),
    ],
)
async def test_filters(ask: httpx.AsyncClient, body: dict[str, Any], left: list[str]) -> None:
    answer = await post(ask, **body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["lines"] == 4 - len(left)
    assert await messages(ask) == left


async def test_lines_that_come_between_dry_run_and_prune_stay(
    ask: httpx.AsyncClient, house: Any, origins: Any
) -> None:
    at = (await post(ask, service=["web"], dry_run=True)).json()["at"]
    await house.add(origins.web, "later", timestamp=NOW)
    assert (await post(ask, service=["web"], at=at)).json()["lines"] == 3
    assert await messages(ask) == ["3", "later"]


@pytest.mark.parametrize(
    ("body", "parameter", "code"),
    [
        ({}, "until", "nothing_selected"),
        ({"dry_run": True}, "until", "nothing_selected"),
        ({"service": []}, "until", "nothing_selected"),
        ({"service": [""]}, "service", "bad_parameter"),
        ({"service": [1]}, "service", "bad_parameter"),
        ({"service": {"a": 1}}, "service", "bad_parameter"),
        ({"until": "soon"}, "until", "bad_parameter"),
        ({"until": ["1h", "2h"]}, "until", "bad_parameter"),
        ({"until": 3}, "until", "bad_parameter"),
        ({"label": ["=x"]}, "label", "bad_parameter"),
        ({"label!": ["=x"]}, "label!", "bad_parameter"),
        ({"servce": ["web"]}, "servce", "unknown_parameter"),
        ({"service": ["web"], "dry_run": "yes"}, "dry_run", "bad_parameter"),
        ({"service": ["web"], "at": "then"}, "at", "bad_parameter"),
        ({"service": ["web"], "at": 1}, "at", "bad_parameter"),
        ({"container": ["ab"]}, "container", "ambiguous"),
        ({"service": ["x" * 9000]}, "service", "bad_parameter"),
    ],
)
async def test_what_is_refused(ask: httpx.AsyncClient, body: Any, parameter: str, code: str) -> None:
    answer = await post(ask, **body)
    error = answer.json()["error"]
    assert (answer.status_code, error["parameter"], error["code"]) == (400, parameter, code)
    assert await messages(ask) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"service": "web"}', "text/plain", 415),  # what a form of another site can send without asking
        (b'{"service": "web"}', "application/x-www-form-urlencoded", 415),
        (b'{"service": "web"}', "", 415),
        (b'{"service": ', "application/json", 400),
        (b'["service"]', "application/json", 400),
        (b" " * (1 << 20) + b"{}", "application/json", 413),
        (b'{"service": "web"}', "Application/JSON; charset=utf-8", 200),
    ],
)
async def test_bodies(ask: httpx.AsyncClient, content: bytes, kind: str, status: int) -> None:
    answer = await ask.post("/api/v1/prune", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert len(await messages(ask)) == (1 if status == 200 else 4)


async def test_other_sites_are_refused(ask: httpx.AsyncClient) -> None:
    answer = await ask.post(
        "/api/v1/prune", content=b'{"service": "web"}', headers={**JSON, "host": "evil.example"}
    )
    assert answer.status_code == 403
    asked = await ask.options("/api/v1/prune", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in asked.headers


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"service": ["wbe"]}, ["no service 'wbe' was ever seen", "did you mean web?"]),
        ({"service": ["web", "wbe"]}, ["no service 'wbe' was ever seen"]),
        (
            {"container": ["shop-web-9"]},
            [
                "no container 'shop-web-9' was ever seen here, by name, id or id prefix",
                "did you mean shop-web-2 or shop-web-1 or shop-db-1?",
            ],
        ),
    ],
)
async def test_names_that_nothing_has_are_told(
    ask: httpx.AsyncClient, body: dict[str, Any], said: list[str]
) -> None:
    assert (await post(ask, **body, dry_run=True)).json()["notes"] == said
    assert (await post(ask, **body)).json()["notes"] == said


async def test_a_line_that_was_pruned_is_gone_by_id_and_answers_say_so(
    ask: httpx.AsyncClient, house: Any, origins: Any
) -> None:
    (line,) = await house.add(origins.db, "here")
    await post(ask, container=["shop-db-1"], until="30m")
    assert (await ask.get(f"/api/v1/logs/{line.id}")).status_code == 404
    notes = (await ask.get("/api/v1/logs?service=db")).json()["notes"]
    assert notes[0].startswith(
        "2 lines of db from 2026-11-24T01:00:02Z to 2026-11-24T01:00:04Z were pruned on"
    )
    assert notes[0].endswith("(container=shop-db-1 until=30m)")
    assert notes[1:] == ["nothing of service 'db' is kept any more: its lines were removed"]
    gone = (await ask.get("/api/v1/containers/shop-db-1/logs")).json()["notes"]
    assert gone[1:] == ["nothing of container 'shop-db-1' is kept any more: its lines were removed"]
    assert (await ask.get("/api/v1/logs?service=web")).json()["notes"] == []


async def test_the_record_is_listed_newest_first(ask: httpx.AsyncClient) -> None:
    await post(ask, service=["db"])
    await post(ask, service=["web"], until="1s")
    answer = (await ask.get("/api/v1/prune")).json()
    told = [(item["selection"], item["lines"], item["state"], item["reason"]) for item in answer["items"]]
    assert told == [("service=web until=1s", 3, "done", "prune"), ("service=db", 1, "done", "prune")]
    assert answer["items"][1]["containers"][0]["name"] == "shop-db-1"
    assert (answer["next"], answer["notes"]) == (None, [])


async def test_removed_lines_are_counted(ask: httpx.AsyncClient, house: Any) -> None:
    house.store._removed._metrics = house.metrics
    await post(ask, service=["web"], dry_run=True)
    await post(ask, service=["web"])
    text = (await ask.get("/metrics")).text
    assert 'logdock_pruned_lines_total{reason="prune"} 3.0' in text


async def test_one_prune_at_a_time(app: FastAPI, ask: httpx.AsyncClient) -> None:
    async with app.state.pruning:
        assert (await post(ask, service=["web"])).status_code == 409
        assert (await post(ask, service=["web"], dry_run=True)).json()["lines"] == 3
    assert (await post(ask, service=["web"])).json()["lines"] == 3


async def test_a_store_that_is_away(
    ask: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        await asyncio.sleep(0)
        raise StoreUnavailable("no answer; 7 lines are gone already")

    monkeypatch.setattr(house.store, "prune", away)
    answer = await post(ask, service=["web"])
    assert answer.status_code == 503 and "7 lines are gone already" in answer.text
    monkeypatch.undo()
    assert (await post(ask, service=["web"])).status_code == 200, "the lock is free again"


async def test_lines_that_are_not_reached_are_told(ask: httpx.AsyncClient, house: Any) -> None:
    house.readiness.details["lag_seconds"] = 61.5
    (note,) = (await post(ask, service=["web"], dry_run=True)).json()["notes"]
    assert note == "lines of the last 62 s are on their way to the store: they are not reached"
