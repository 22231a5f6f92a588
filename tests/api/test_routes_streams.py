"""The export: whole, in pages of the store, stopped with its reader."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from api import routes_streams
from api.client import Client, ServerDownError
from storage.query import Page, Query
from storage.store import StoreUnavailable


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_streams, "EXPORT_PAGE", 50)
    monkeypatch.setattr(routes_streams, "EXPORT_CHUNK", 20)


def lines(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line)["message"] for line in answer.text.splitlines()]


async def test_everything_oldest_first(ask: httpx.AsyncClient, house: Any, origins: Any) -> None:
    await house.add(origins.web, *[f"n {n}" for n in range(175)])
    answer = await ask.get("/api/v1/logs/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="logs.ndjson"'
    assert lines(answer) == [f"n {n}" for n in range(175)]
    assert lines(await ask.get("/api/v1/logs/export?order=desc")) == [f"n {n}" for n in range(174, -1, -1)]


@pytest.mark.parametrize("limit", [0, 1, 49, 50, 51, 100, 175, 20_000])
async def test_a_limit_of_any_size(ask: httpx.AsyncClient, house: Any, origins: Any, limit: int) -> None:
    await house.add(origins.web, *[f"n {n}" for n in range(175)])
    assert len(lines(await ask.get(f"/api/v1/logs/export?limit={limit}"))) == min(limit, 175)


async def test_filters(ask: httpx.AsyncClient, house: Any, origins: Any) -> None:
    await house.add(origins.web, "a", "b")
    await house.add(origins.db, "c")
    assert lines(await ask.get("/api/v1/logs/export?service=db")) == ["c"]
    assert lines(await ask.get("/api/v1/logs/export?service=nothing")) == []


async def test_notes_are_in_a_header(ask: httpx.AsyncClient, house: Any, origins: Any) -> None:
    async def told(query: str = "") -> list[str]:
        answer = await ask.get(f"/api/v1/logs/export{query}")
        found: list[str] = json.loads(answer.headers.get("logdock-notes", "[]"))
        return found

    await house.add(origins.web, "a")
    assert await told() == []
    assert await told("?service=wbe") == ["no service 'wbe' was ever seen", "did you mean web?"]
    house.notes += ["5 bytes of journal were damaged \u2028", *(f"{n} " + "x" * 1000 for n in range(9))]
    notes = await told()
    assert notes[:2] == house.notes[:2]
    assert notes[-1] == "6 more notes do not fit here"


@pytest.mark.parametrize("query", ["since=x", "limit=x", "limit=1&limit=2", "order=up", "unknown=1"])
async def test_errors_are_a_status(ask: httpx.AsyncClient, query: str) -> None:
    assert (await ask.get(f"/api/v1/logs/export?{query}")).status_code == 400


class Slow:
    """A store that never ends; counts its searches, and fails when told to."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.searches = 0
        self.fail = False

    async def __call__(self, query: Query) -> Page:
        self.searches += 1
        await asyncio.sleep(0.01)
        if self.fail:
            raise StoreUnavailable("gone")
        page: Page = await self.house.store.__class__.search(self.house.store, query)
        return page


@pytest.fixture
def slow(running: Any, origins: Any, monkeypatch: pytest.MonkeyPatch) -> Slow:
    running.add(origins.web, *["x" * 500] * 20_000)
    found = Slow(running.house)
    monkeypatch.setattr(running.house.store, "search", found)
    return found


def test_the_reader_goes_and_the_searches_stop(running: Any, slow: Slow) -> None:
    with httpx.stream("GET", f"{running.url}/api/v1/logs/export") as answer:
        next(answer.iter_bytes())
    time.sleep(0.3)
    after = slow.searches
    time.sleep(0.3)
    assert slow.searches == after < 400


def test_a_store_that_fails_midway_is_seen(running: Any, slow: Slow) -> None:
    with Client(running.url) as client, pytest.raises(ServerDownError, match="broke"):
        for _ in client.export({}):
            slow.fail = True


@pytest.mark.usefixtures("slow")
def test_a_server_that_stops_is_seen(running: Any) -> None:
    with Client(running.url) as client, pytest.raises(ServerDownError, match="broke"):
        for number, _ in enumerate(client.export({})):
            if number == 0:
                running.call(running.app.state.streams.close)
    running.stop(patience=3)


async def test_what_could_not_be_searched_is_not_passed_over(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def search(_query: Query) -> Page:
        return Page([], None, "scan_limit")

    monkeypatch.setattr(running.house.store, "search", search)
    with Client(running.url) as client, pytest.raises(ServerDownError):
        list(client.export({}))
