"""HTTP/1 over a real socket: what no route sees, and clients of HTTP/1.0."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.wire import MAX_ADDRESS, MAX_HEAD, HttpServer, http_server

HOST = b"Host: localhost\r\n"
LOGS = b"/api/v1/logs"


class Served:
    """The application behind the server's own HTTP, in a thread with a loop of its own."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        self._thread = threading.Thread(target=server.run, args=([self._socket],), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
        assert not self._thread.is_alive()

    def ask(self, *parts: bytes, enough: Callable[[bytes], bool] = lambda _: False) -> bytes:
        """All bytes that come until the server closes, or until they are enough."""
        got = b""
        with socket.create_connection(self.address, timeout=10) as peer:
            for part in parts:
                peer.sendall(part)
            while not enough(got):
                some = peer.recv(1 << 16)
                if not some:
                    break
                got += some
        return got


@pytest.fixture
def served(app: Any) -> Iterator[Served]:
    running = Served(http_server(app, 1))
    yield running
    running.stop()


def split(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def check(answer: bytes, status: int, code: str) -> str:
    """The one shape of a problem; its message."""
    got, headers, body = split(answer)
    assert (got, headers["content-type"]) == (status, "application/json")
    assert (headers["connection"], int(headers["content-length"])) == ("close", len(body))
    error = json.loads(body)["error"]
    assert (error["code"], error["parameter"]) == (code, None)
    return str(error["message"])


def get(path: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = [b"GET " + path + b" HTTP/" + version + b"\r\n", HOST, *headers]
    return b"".join(lines) + b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",  # TLS
        b"FOO /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
        get(LOGS + b"?q=a b"),
        get(LOGS + b"?q=\xff\xfe"),
        get(LOGS, b"X: a\x00b\r\n"),
        get(LOGS, b"no header\r\n"),
    ],
)
def test_what_is_no_request_is_a_400_in_the_one_shape(served: Served, request_: bytes) -> None:
    assert "must be %XX" in check(served.ask(request_), 400, "bad_request")


def test_an_address_of_any_length(served: Served) -> None:
    path = LOGS + b"?service=web" + b"&service=w" * 500
    longest = path + b"&q=" + b"a" * (MAX_ADDRESS - len(path) - 3)
    assert split(served.ask(get(longest)))[0] == 400  # as any `q` that is too long
    assert str(MAX_ADDRESS) in check(served.ask(get(longest + b"a")), 414, "address_too_long")


@pytest.mark.parametrize("size", [MAX_HEAD, 10 * MAX_HEAD])
def test_headers_without_end_are_refused(served: Served, size: int) -> None:
    def answered(got: bytes) -> bool:
        return b'"error"' in got

    with socket.create_connection(served.address, timeout=10) as peer:
        peer.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: ")
        got = b""
        try:
            peer.sendall(b"x" * size)
            while not answered(got) and (some := peer.recv(1 << 16)):
                got += some
        except ConnectionError:  # it closed with some of it unread
            assert size > MAX_HEAD
            return
    assert str(MAX_HEAD) in check(got, 431, "headers_too_large")


def test_many_headers_are_as_large(served: Served) -> None:
    lines = [b"X%d: y\r\n" % number for number in range(MAX_HEAD // 8)]
    answer = served.ask(b"GET /healthz HTTP/1.1\r\n" + HOST, b"".join(lines))
    assert check(answer, 431, "headers_too_large")


def test_a_long_body_and_a_second_request_are_no_headers(served: Served) -> None:
    body = json.dumps({"service": [f"{n:x>300}" for n in range(900)], "dry_run": True}).encode()
    head = b"POST /api/v1/prune HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
    assert len(body) > 2 * MAX_HEAD
    post = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    answers = served.ask(post, b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n", get(b"/healthz"))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200", b"200"]


def test_a_body_that_is_too_large_is_refused_before_it_comes(served: Served) -> None:
    """Its sender waits for a word (RFC 9110, section 10.1.1)."""
    head = b"POST /api/v1/prune HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
    lines = (b"Content-Length: 99999999999\r\n", b"Expect: 100-continue\r\n", b"\r\n")
    answer = served.ask(head + b"".join(lines), enough=lambda got: got.endswith(b"}}"))
    status, _, body = split(answer)
    assert (status, json.loads(body)["error"]["parameter"]) == (413, "body")


# HTTP/1.0: no chunks, and the end of an answer is that of the connection


def test_an_export_over_http_1_0(served: Served, house: Any, origins: Any) -> None:
    asyncio.run(house.add(origins.web, "a", "b", "c"))
    status, headers, body = split(served.ask(get(LOGS + b"/export", version=b"1.0")))
    assert (status, headers.get("transfer-encoding"), headers["connection"]) == (200, None, "close")
    assert [json.loads(line)["message"] for line in body.splitlines()] == ["a", "b", "c"]


def test_an_answer_with_a_length_over_http_1_0(served: Served) -> None:
    status, headers, body = split(served.ask(get(b"/healthz", version=b"1.0")))
    assert (status, int(headers["content-length"]), body) == (200, len(body), b'{"status":"ok"}')


def test_a_live_tail_over_http_1_0(served: Served) -> None:
    answer = served.ask(get(LOGS + b"/tail", version=b"1.0"), enough=lambda got: got.endswith(b"id: -1\n\n"))
    status, headers, body = split(answer)
    assert (status, headers.get("transfer-encoding"), body) == (200, None, b"id: -1\n\n")


def test_a_head_of_a_live_tail_opens_none(served: Served, house: Any) -> None:
    answer = served.ask(b"HEAD /api/v1/logs/tail HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    status, headers, body = split(answer)
    assert (status, headers["allow"], body) == (405, "get", b"")
    assert house.tail.count == 0


def test_an_upgrade_is_not_taken_and_is_no_advice(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Not what to install: that is for whoever runs the server, and they need nothing."""
    upgrade = (b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"Sec-WebSocket-Version: 13\r\n")
    lines = [b"GET /healthz HTTP/1.1\r\n", HOST, *upgrade, b"\r\n"]
    answer = served.ask(b"".join(lines), enough=lambda got: got.endswith(b"}"))
    assert split(answer)[2] == b'{"status":"ok"}'
    assert "pip install" not in caplog.text
