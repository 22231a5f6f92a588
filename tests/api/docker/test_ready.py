"""Docker's clients wait for the replay of a start."""

import asyncio

import httpx
import pytest

from api.docker import ready
from api.services import Readiness
from tests.api.conftest import WEB, House, not_ready

ASKED = (
    "/containers/json?all=1",
    "/containers/shop-web-1/json",
    "/containers/shop-web-1/logs?stdout=1",
    "/services",
    "/tasks",
    "/nodes",
    "/events?until=1",
)


@pytest.mark.parametrize("path", ASKED)
async def test_an_answer_comes_when_all_is_there(ask: httpx.AsyncClient, house: House, path: str) -> None:
    not_ready(house, "replaying")
    asked = asyncio.create_task(ask.get(path))
    await asyncio.sleep(2 * ready.LOOK_SECONDS)
    assert not asked.done()
    await house.add(WEB, "a")
    house.readiness = Readiness()
    answer = await asked
    assert answer.status_code == 200
    if "logs" in path:
        assert answer.content[8:] == b"a\n"


async def test_patience_ends(ask: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "MAX_WAIT_SECONDS", 0.2)
    not_ready(house, "replaying")
    answer = await ask.get("/containers/json")
    assert answer.status_code == 503
    assert "replayed" in answer.json()["message"]
    assert answer.headers["retry-after"]


@pytest.mark.parametrize("path", ["/_ping", "/version", "/info"])
async def test_what_says_how_it_is_does_not_wait(ask: httpx.AsyncClient, house: House, path: str) -> None:
    not_ready(house, "replaying")
    assert (await ask.get(path)).status_code == 200
