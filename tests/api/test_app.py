"""Errors in one shape, whatever went wrong and wherever."""

import logging
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from api.app import create_app
from api.settings import load_settings
from storage.store import StoreUnavailable

STORE_PATHS = (
    "/logs",
    "/logs/j.0.0",
    "/logs/j.0.0/context",
    "/logs/export",
    "/logs/tail?container=x",
    "/containers",
    "/containers/x/logs",
    "/services",
    "/labels",
    "/labels/a",
    "/labels/a/b/c/logs",
)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    found = answer.json()
    assert found.keys() == {"error"} and found["error"].keys() == {"code", "parameter", "message"}
    error: dict[str, Any] = found["error"]
    return error


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1", "/nothing", "/api/v1/logs/", "/api/v2/logs"])
async def test_unknown_paths(ask: httpx.AsyncClient, path: str) -> None:
    answer = await ask.get(path)
    assert answer.status_code == 404
    error = error_of(answer)
    assert (error["code"], error["parameter"]) == ("not_found", None)
    assert "/docs" in error["message"]


async def test_other_methods(ask: httpx.AsyncClient) -> None:
    answer = await ask.post("/api/v1/logs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert error_of(answer)["code"] == "method_not_allowed"


async def test_a_store_that_cannot_answer(
    ask: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise StoreUnavailable("connection refused")

    for name in ("search", "get", "containers", "services", "labels", "label_values", "find_containers"):
        monkeypatch.setattr(house.store, name, fail)
    for path in STORE_PATHS:
        answer = await ask.get("/api/v1" + path)
        assert answer.status_code == 503, path
        assert answer.headers["retry-after"] == "5"
        error = error_of(answer)
        assert error["code"] == "store_unavailable" and "connection refused" in error["message"]


async def test_a_defect_shows_nothing_of_the_inside(
    ask: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> None:
        raise ZeroDivisionError("secret path /etc/x")

    monkeypatch.setattr(house.store, "search", fail)
    with caplog.at_level(logging.ERROR, "logdock.api"):
        answer = await ask.get("/api/v1/logs")
    assert answer.status_code == 500
    assert error_of(answer)["code"] == "internal" and "secret" not in answer.text
    assert "ZeroDivisionError" in caplog.text


async def test_what_the_framework_refuses_is_a_400(house: Any) -> None:
    router = APIRouter()

    @router.get("/typed")
    async def typed(count: int) -> int:
        return count

    services = house.services()
    services.routers.append(router)
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/typed?count=3")).json() == 3
        answer = await client.get("/typed?count=x")
        assert answer.status_code == 400
        assert error_of(answer)["parameter"] == "count"


async def _status(app: FastAPI, host: str) -> int:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{host}") as client:
        return (await client.get("/healthz")).status_code


async def test_only_loopback_names_while_on_loopback(house: Any) -> None:
    app = create_app(house.services())
    assert await _status(app, "127.0.0.1:8080") == 200
    assert await _status(app, "evil.example") == 403


async def test_any_name_once_bound_wider(house: Any) -> None:
    house.settings = load_settings(http="0.0.0.0:8080", insecure=True)
    assert await _status(create_app(house.services()), "logs.example") == 200


async def test_a_refused_host_is_answered_in_the_same_shape(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
        answer = await client.get("/api/v1/logs")
    assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden_host")
