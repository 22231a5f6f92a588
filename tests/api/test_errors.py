"""The shape of every problem; the outermost middleware: a defect before the first byte, and one after it."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, HTTPException
from starlette.requests import ClientDisconnect

from api import routes_prune, routes_streams
from api.app import create_app
from api.errors import InterruptedStreamError, Unexpected
from storage.query import Query
from storage.store import StoreUnavailable

SCOPE = {"type": "http", "method": "GET", "path": "/x", "headers": []}


async def _run(error: BaseException | None, after: int) -> list[dict[str, Any]]:
    """What reaches the server from an application that fails after so many messages."""
    messages = [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"part", "more_body": True},
    ]
    sent: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages[:after]:
            await send(message)
        if error:
            raise error

    async def send(message: Any) -> None:
        sent.append(message)

    await Unexpected(app)(SCOPE, None, send)  # type: ignore[arg-type]
    return sent


async def test_before_the_first_byte_it_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    start, body = await _run(ValueError("secret"), 0)
    assert start["status"] == 500
    assert json.loads(body["body"])["error"]["code"] == "internal"
    assert b"secret" not in body["body"] and "secret" in caplog.text


async def test_under_way_the_answer_is_left_without_its_end(caplog: pytest.LogCaptureFixture) -> None:
    sent = await _run(ValueError("secret"), 2)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"] is True
    assert "secret" in caplog.text


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), InterruptedStreamError("gone")])
async def test_what_time_mends_is_a_warning(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    wrapped = RuntimeError("response already started")
    wrapped.__cause__ = error
    for one in (error, wrapped):
        caplog.clear()
        await _run(one, 1)
        [record] = caplog.records
        assert (record.levelno, record.getMessage()) == (logging.WARNING, "GET /x was broken off: gone")


async def test_all_is_well() -> None:
    assert len(await _run(None, 2)) == 2


async def test_other_scopes_pass() -> None:
    seen = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    await Unexpected(app)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]


# The contract: one shape, whatever went wrong

LOGS = "/api/v1/logs"


@pytest.fixture
async def client(house: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The application, with a route that wants a token: the server has none so far."""
    router, services = APIRouter(), house.services()

    @router.get("/guarded")
    async def guarded() -> None:
        raise HTTPException(401, "send a token: Authorization: Bearer ...", {"WWW-Authenticate": "Bearer"})

    services.routers.append(router)
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as made:
        yield made


def check(answer: httpx.Response, status: int, code: str, parameter: str | None, message: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"error": {"code": code, "parameter": parameter, "message": message}}


async def test_400_names_the_parameter(client: httpx.AsyncClient) -> None:
    text = "'0' is not a whole number from 1 to 10000"
    check(await client.get(LOGS, params={"limit": "0"}), 400, "bad_parameter", "limit", text)
    answer = await client.get(LOGS, params={"sence": "1h"})
    known = "container, service, host, stream, level, label, tag, q, since, until, limit, order, cursor"
    text = f"no such parameter: did you mean since?; known are {known}"
    check(answer, 400, "unknown_parameter", "sence", text)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/logs?since=1h&since=2h", "since"),
        ("/logs/export?limit=1&limit=2", "limit"),
        ("/logs/j1.0.0/context?before=1&before=2", "before"),
        ("/logs/j1.0.0/context?scope=all&scope=host", "scope"),
        ("/logs/tail?last_event_id=1&last_event_id=2", "last_event_id"),
        ("/histogram?by=level&by=service", "by"),
        ("/facets?field=level&limit=1&limit=2", "limit"),
        ("/quarantine?reason=a&reason=b", "reason"),
        ("/quarantine?cursor=1&cursor=2", "cursor"),
    ],
)
async def test_400_for_a_single_parameter_given_twice(
    client: httpx.AsyncClient, path: str, parameter: str
) -> None:
    check(await client.get(f"/api/v1{path}"), 400, "bad_parameter", parameter, "is given more than once")


@pytest.mark.parametrize("path", ["/logs/j1.0.0", "/prune"])
async def test_400_where_no_parameter_is_taken(client: httpx.AsyncClient, path: str) -> None:
    text = "no such parameter: none is taken here"
    check(await client.get(f"/api/v1{path}?limit=1"), 400, "unknown_parameter", "limit", text)


async def test_405_says_what_is_possible(client: httpx.AsyncClient) -> None:
    answer = await client.delete(LOGS)
    text = f"DELETE is not possible at {LOGS}: /docs says what is"
    check(answer, 405, "method_not_allowed", None, text)
    assert answer.headers["allow"] == "GET"


async def test_a_reader_that_goes_while_it_sends_is_no_defect(caplog: pytest.LogCaptureFixture) -> None:
    await _run(ClientDisconnect(), 0)
    assert not caplog.records


async def test_401(client: httpx.AsyncClient) -> None:
    answer = await client.get("/guarded")
    check(answer, 401, "unauthorized", None, "send a token: Authorization: Bearer ...")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_403_for_a_name_that_is_not_this_machine(client: httpx.AsyncClient) -> None:
    text = (
        "this server is bound to loopback and answers only to localhost names, not to 'evil.example': "
        "ask it as 127.0.0.1, or start it with --insecure"
    )
    answer = await client.get(LOGS, headers={"Host": "evil.example"})
    check(answer, 403, "forbidden_host", "Host", text)


async def test_404_for_a_line_and_for_a_path(client: httpx.AsyncClient) -> None:
    text = "no line has the id 'j1.0.0', or it is no longer kept"
    check(await client.get(f"{LOGS}/j1.0.0"), 404, "not_found", "id", text)
    text = "there is nothing at /nowhere: /docs lists what there is"
    check(await client.get("/nowhere"), 404, "not_found", None, text)


async def test_413_and_415_are_about_the_body(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_prune, "BODY_BYTES", 10)
    answer = await client.post("/api/v1/prune", json={"service": ["a long name"]})
    check(answer, 413, "too_large", "body", "the body is larger than 10 bytes")
    answer = await client.post("/api/v1/prune", data={"service": "web"})
    text = "the body must be JSON: send content-type application/json"
    check(answer, 415, "unsupported_media_type", "content-type", text)


async def test_429_when_too_many_follow(
    client: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_streams, "MAX_FOLLOWERS", 2)
    followers = [house.tail.follow(Query()), house.tail.follow(Query(services=("web",)))]
    answer = await client.get(f"{LOGS}/tail")
    text = "2 live tails are open already: close one, or come again later"
    check(answer, 429, "too_many_requests", None, text)
    assert answer.headers["retry-after"] == "5"
    followers[0].close()
    ended = await client.get(f"{LOGS}/tail", params={"until": "2026-11-24T00:00:00Z"})
    assert ended.status_code == 200


async def test_503_when_the_store_is_away(
    client: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise StoreUnavailable("connection refused")

    monkeypatch.setattr(house.store, "search", away)
    answer = await client.get(LOGS)
    text = "the store cannot answer now: connection refused; lines are still taken in, ask again later"
    check(answer, 503, "store_unavailable", None, text)
    assert answer.headers["retry-after"] == "5"
