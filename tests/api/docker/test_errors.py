"""Problems in Docker's shape."""

import httpx
import pytest
from fastapi import FastAPI

from api.docker.errors import DockerError, bad_request, not_found, unavailable
from storage.query import Page, Query
from storage.store import StoreUnavailable
from tests.api.conftest import House


def test_statuses() -> None:
    made = [bad_request("a"), not_found("b"), unavailable("c"), DockerError(403, "d")]
    assert [(problem.status, str(problem)) for problem in made] == [
        (400, "a"), (404, "b"), (503, "c"), (403, "d")
    ]  # fmt: skip


async def test_a_store_that_is_away(
    ask: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_query: Query) -> Page:
        raise StoreUnavailable("no route")

    monkeypatch.setattr(house.store, "containers", away)
    answer = await ask.get("/containers/json")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json() == {"message": "the store cannot answer now: no route; ask again later"}


async def test_a_defect_says_nothing_of_the_inside(
    app: FastAPI, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_query: Query) -> Page:
        raise ValueError("secret")

    monkeypatch.setattr(house.store, "containers", broken)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/containers/json")
    assert answer.status_code == 500
    assert answer.json() == {"message": "this is a defect of the server: its log says more"}


async def test_a_method_that_docker_has_nowhere(ask: httpx.AsyncClient) -> None:
    answer = await ask.request("TRACE", "/v1.45/version")
    assert answer.status_code == 405
    assert answer.json() == {"message": "TRACE /version: Method Not Allowed"}
