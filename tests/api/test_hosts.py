import asyncio
import json
from typing import Any

import pytest

from api.hosts import HostGuard, host_name


async def _app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def _status(headers: list[tuple[bytes, bytes]], loopback_only: bool = True, version: str = "1.1") -> int:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "headers": headers, "http_version": version, "method": "GET", "path": "/"}
    asyncio.run(HostGuard(_app, loopback_only)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8080",
        "localhost",
        "LOCALHOST:1",
        "a.localhost:9",
        "[::1]",
        "[::1]:8080",
        "127.8.8.8",
    ],
)
def test_loopback_names_are_answered(host: str) -> None:
    assert _status([(b"host", host.encode())]) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.1",
        "",
        "[::2]:1",
        "0.0.0.0:8080",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    assert _status([(b"host", host.encode())]) == 403


def test_http_1_1_needs_exactly_one_host() -> None:
    assert _status([]) == 400
    assert _status([(b"host", b"localhost"), (b"host", b"localhost")]) == 400
    assert _status([], version="1.0") == 200


def test_bound_wider_any_name_is_answered() -> None:
    assert _status([(b"host", b"logs.example.com")], loopback_only=False) == 200


@pytest.mark.parametrize(
    ("header", "name"),
    [("a", "a"), ("a:1", "a"), ("[::1]:1", "::1"), ("[::1]", "::1"), ("a:b", "a:b")],
)
def test_host_name(header: str, name: str) -> None:
    assert host_name(header) == name


def test_a_docker_client_is_told_in_its_own_shape() -> None:
    assert set(_told("/v1.45/containers/json")) == {"message"}
    assert set(_told("/api/v1/logs")) == {"error"}


def _told(path: str) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "headers": [(b"host", b"evil.example")], "method": "GET", "path": path}
    asyncio.run(HostGuard(_app, True)(scope, receive, send))
    told: dict[str, Any] = json.loads(sent[1]["body"])
    return told
