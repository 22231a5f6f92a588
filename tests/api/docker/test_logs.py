"""The body of docker logs as a whole: errors before and within it."""

from typing import Any

import httpx
import pytest

from api.docker import lines, logs
from storage.query import Page, Query
from storage.store import StoreUnavailable
from tests.api.conftest import WEB, House, Running
from tests.api.docker.test_framing import demultiplexed

URL = "/containers/shop-web-1/logs"


def failing_after(house: House, searches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    search, left = house.store.search, [searches]

    async def once_more(query: Query) -> Page:
        left[0] -= 1
        if left[0] < 0:
            raise StoreUnavailable("it went away")
        return await search(query)

    monkeypatch.setattr(house.store, "search", once_more)


@pytest.mark.parametrize("searches", [0, 1])
async def test_before_the_first_byte_it_is_a_status(
    ask: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch, searches: int
) -> None:
    await house.add(WEB, "a")
    failing_after(house, searches, monkeypatch)
    answer = await ask.get(URL, params={"stdout": 1})
    assert answer.status_code == 503
    assert "it went away" in answer.json()["message"]


async def test_later_it_is_told_in_the_stream(
    ask: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "FIRST_PAGE", 1)
    await house.add(WEB, "a", "b")
    failing_after(house, 2, monkeypatch)
    answer = await ask.get(URL, params={"stdout": 1})
    assert answer.status_code == 200
    assert demultiplexed(answer.content) == [(1, b"a\n"), (3, b"Error grabbing logs: it went away\n")]


async def test_a_server_that_stops_says_so(ask: httpx.AsyncClient, house: House, app: Any) -> None:
    await house.add(WEB, "a")
    app.state.streams.close()
    answer = await ask.get(URL, params={"stdout": 1})
    assert demultiplexed(answer.content)[-1] == (3, b"Error grabbing logs: the server stops\n")


def test_many_lines_in_many_chunks(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "CHUNK", 7)
    wanted = [f"line {number}" for number in range(1_000)]
    running.add(WEB, *wanted)
    answer = httpx.get(running.url + URL, params={"stdout": 1}, trust_env=False)
    assert [payload.decode()[:-1] for _, payload in demultiplexed(answer.content)] == wanted
    answer = httpx.get(running.url + URL, params={"stdout": 1, "tail": 600}, trust_env=False)
    assert [payload.decode()[:-1] for _, payload in demultiplexed(answer.content)] == wanted[400:]
