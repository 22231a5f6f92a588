"""The outermost middleware: a defect before the first byte, and one after it."""

import json
import logging
from typing import Any

import pytest

from api.errors import InterruptedStreamError, Unexpected
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
