import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.cli_common import DEFAULT_SERVER
from api.client import (
    DEFAULT_SERVER as CLIENT_DEFAULT,
)
from api.client import (
    Client,
    ClientError,
    Message,
    NotFoundError,
    RefusedError,
    ServerDownError,
    WrongUseError,
    messages,
    part,
    server_url,
)

Handler = Callable[[httpx.Request], httpx.Response]


def _client(handler: Handler) -> Client:
    return Client("127.0.0.1:1", transport=httpx.MockTransport(handler))


def _page(count: int, cursor: str | None) -> dict[str, Any]:
    return {"events": [{"id": str(n)} for n in range(count)], "next": cursor, "notes": []}


def test_both_defaults_are_the_same() -> None:
    assert DEFAULT_SERVER == CLIENT_DEFAULT


def test_server_url() -> None:
    assert server_url("127.0.0.1:8080") == "http://127.0.0.1:8080"
    assert server_url("https://logs.example/") == "https://logs.example"


def test_a_part_of_a_path_keeps_its_slashes() -> None:
    assert part("a/b c") == "a%2Fb%20c"


def test_get_repeats_parameters() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/logs"
        assert request.url.query == b"label=a%3D1&label=b%3D2&limit=5"
        return httpx.Response(200, json={"notes": []})

    assert _client(handler).get("/logs", {"label": ["a=1", "b=2"], "limit": 5}) == {"notes": []}


def test_pages_follow_the_cursor_up_to_the_limit() -> None:
    asked: list[tuple[str | None, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        asked.append((params.get("cursor"), params["limit"]))
        return httpx.Response(200, json=_page(int(params["limit"]), f"c{len(asked)}"))

    assert len(list(_client(handler).events("/logs", {}, limit=4500))) == 4500
    assert asked == [(None, "1000"), ("c1", "2000"), ("c2", "1500")]


def test_pages_end_where_nothing_is_left() -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=_page(2, None))

    assert len(list(_client(handler).events("/logs", {}))) == 2


def test_a_problem_is_a_typed_error() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        status = 404 if request.url.path.endswith("/gone") else 400
        body = {"error": {"code": "bad_parameter", "parameter": "since", "message": "since: no"}}
        return httpx.Response(status, json=body)

    with pytest.raises(RefusedError, match="since: no") as caught:
        _client(handler).get("/logs")
    assert (caught.value.status, caught.value.code, caught.value.parameter) == (400, "bad_parameter", "since")
    with pytest.raises(NotFoundError):
        _client(handler).get("/gone")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"error": "x"}', b"[]"])
def test_another_server_is_recognised(body: bytes) -> None:
    client = _client(lambda _request: httpx.Response(502, content=body))
    with pytest.raises(RefusedError, match="answered 502"):
        client.get("/logs")


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", b"<html>"),
        (200, "application/json", b"{"),
        (200, "application/json", b"[]"),
        (200, "application/json", b"{}"),
        (302, "application/json", b"{}"),
        (204, "text/plain", b""),
    ],
)
def test_an_answer_of_another_server(status: int, kind: str, body: bytes) -> None:
    answer = httpx.Response(status, headers={"content-type": kind}, content=body)
    client = _client(lambda _request: answer)
    for ask in (lambda: client.get("/logs"), lambda: list(client.tail({})), lambda: list(client.export({}))):
        with pytest.raises(ClientError, match="is no logdock server"):
            ask()


@pytest.mark.parametrize("server", ["", "http://", "http://[::1", "ftp://a", ":8080", "unix:///x"])
def test_what_is_no_address_of_a_server(server: str) -> None:
    with pytest.raises(WrongUseError, match="write host:port"):
        Client(server)


@pytest.mark.parametrize(("text", "says"), [("a\udcff", "not UTF-8"), ("a" * 100_000, "too long")])
def test_what_cannot_be_asked(text: str, says: str) -> None:
    with pytest.raises(WrongUseError, match=says):
        _client(lambda _request: httpx.Response(200)).get("/logs", {"q": text})


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout])
def test_a_server_that_is_down(error: type[httpx.RequestError]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("refused", request=request)

    with pytest.raises(ServerDownError, match="start one with `logdock serve`"):
        _client(handler).get("/logs")


def test_a_broken_connection() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("incomplete", request=request)

    with pytest.raises(ServerDownError, match="incomplete"):
        list(_client(handler).export({}))


def test_tail_resumes() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["last-event-id"] == "41"
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, content=b'id: 42\nevent: log\ndata: {"message":"x"}\n\n')

    assert list(_client(handler).tail({}, "41")) == [Message("log", {"message": "x"}, "42")]


STREAM = b': hello\n\nid: 1\nevent: log\ndata: {"a":1}\n\nevent: gap\ndata: {}\n\n: beat\n\ndata: {"x":2}\n\n'
FOUND = [Message("log", {"a": 1}, "1"), Message("gap", {}), Message("message", {"x": 2})]


def test_messages_whole() -> None:
    assert list(messages(iter([STREAM]))) == FOUND


def test_messages_byte_by_byte() -> None:
    assert list(messages(bytes([b]) for b in STREAM)) == FOUND


def test_messages_leave_an_unfinished_one() -> None:
    assert list(messages(iter([STREAM, b'data: {"half']))) == FOUND


def test_a_message_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.client.MAX_MESSAGE", 100)
    with pytest.raises(ClientError, match="without end"):
        list(messages(b"x" * 40 for _ in range(5)))


def test_data_is_json() -> None:
    text = json.dumps({"m": "a\nb"}).encode()
    assert next(messages(iter([b"data: " + text + b"\n\n"]))).data == {"m": "a\nb"}
