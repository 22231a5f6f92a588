import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from storage.elastic import client as elastic_client
from storage.elastic.client import Client, Refused, Unreachable, hosts, said
from storage.store import StoreUnavailable
from tests.storage.fake_elasticsearch import (
    FakeElasticsearch,
    Fault,
    error,
    lost_answer,
    lost_request,
    refused,
)


@pytest.mark.parametrize(
    ("url", "nodes", "login"),
    [
        ("http://es", ["http://es:9200"], None),
        ("https://es:443/path/", ["https://es:443/path"], None),
        ("http://me:p%40s%2Fs@es", ["http://es:9200"], ("me", "p@s/s")),
        ("https://me:x@a:1,b,c:3", ["https://a:1", "https://b:9200", "https://c:3"], ("me", "x")),
        ("http://a,http://b:1", ["http://a:9200", "http://b:1"], None),
        ("http://[::1]:9201", ["http://[::1]:9201"], None),
    ],
)
def test_addresses(url: str, nodes: list[str], login: tuple[str, str] | None) -> None:
    assert hosts(url) == (nodes, login)


@pytest.mark.parametrize(
    "url", ["", "es:9200", "ftp://es", "http://", "http://a,,b", "http://a:port", "http://me@a,you@b"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        hosts(url)


def test_the_password_is_in_no_message() -> None:
    client = Client("http://me:secret@localhost:1")
    assert client.where == "http://localhost:1"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error":{"root_cause":[{"type":"a","reason":"b\\nc"}]},"status":400}', "a: b c"),
        (b'{"error":{"type":"a","reason":"b"}}', "a: b"),
        (b'{"error":"no handler"}', '{"error":"no handler"}'),
        (b"<html>\nproxy", "<html> proxy"),
        (None, "None"),
        (b"x" * 900, "x" * 500),
    ],
)
def test_what_an_error_says(body: bytes | None, text: str) -> None:
    assert said(body) == text


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Refused) for status in (400, 404, 413)),
        *((status, StoreUnavailable) for status in (401, 403, 429, 500, 503)),
    ],
)
async def test_later_or_never(status: int, kind: type[Exception]) -> None:
    async with FakeElasticsearch() as server:
        client = Client(server.url)
        server.faults.append(refused(status))
        with pytest.raises(kind, match=f"status_{status}: said so"):
            await client.bulk("/s/_bulk", b"{}\n{}\n")
        await client.close()
    assert server.bodies == [1]  # once, whatever the answer


async def test_bytes_come_and_go_as_they_are() -> None:
    async with FakeElasticsearch() as server:
        client = Client(server.url)
        body = b'{"create":{"_id":"a"}}\n{"x": 1}\n'
        assert (await client.bulk("/s/_bulk", body)).startswith(b'{"errors": false')
        assert server.indices["backing-000001"] == {"a": b'{"x": 1}'}
        await client.close()


@contextmanager
def closed_port() -> Iterator[str]:
    """An address that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def silent_port() -> Iterator[str]:
    """An address that answers no SYN, as a host that is switched off: its queue of connections is full."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("dead", [closed_port, silent_port])
async def test_what_a_dead_host_cannot_take_goes_to_the_next(
    dead: Callable[[], AbstractContextManager[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_client, "CONNECT_SECONDS", 0.2)
    async with FakeElasticsearch() as server:
        with dead() as address:
            client = Client(f"http://{address},{server.url}")
            for number in range(6):
                await client.bulk("/s/_bulk", b'{"create":{"_id":"%d"}}\n{}\n' % number)
                await client.ask("GET", "/_resolve/index/s")
            await client.close()
    assert server.bodies == [1] * 6
    assert server.ids == list("012345")


@pytest.mark.parametrize("dead", [closed_port, silent_port])
async def test_only_dead_hosts(
    dead: Callable[[], AbstractContextManager[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_client, "CONNECT_SECONDS", 0.2)
    with dead() as one, dead() as other:
        client = Client(f"http://{one},{other}")
        with pytest.raises(Unreachable, match=f"http://{one}, http://{other} does not answer"):
            await client.bulk("/s/_bulk", b"{}\n{}\n")
        with pytest.raises(Unreachable):
            await client.ask("GET", "/")
        await client.close()


@pytest.mark.parametrize("fault", [lost_answer, lost_request])
async def test_a_body_that_may_have_arrived_is_sent_no_second_time(fault: Fault) -> None:
    async with FakeElasticsearch() as one, FakeElasticsearch() as other:
        one.faults.append(fault)
        other.faults.append(fault)
        client = Client(f"{one.url},{other.url}")
        with pytest.raises(StoreUnavailable) as raised:
            await client.bulk("/s/_bulk", b'{"create":{"_id":"a"}}\n{}\n')
        await client.close()
    assert type(raised.value) is StoreUnavailable
    assert one.bodies + other.bodies == [1]


async def test_a_body_follows_no_redirection() -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % elsewhere.url.encode()
        )
        await writer.drain()

    async with (
        FakeElasticsearch() as elsewhere,
        await asyncio.start_server(redirect, "127.0.0.1", 0) as server,
    ):
        client = Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(Refused, match="302"):
            await client.bulk("/s/_bulk", b"{}\n{}\n")
        await client.close()


async def test_nobody_there_says_where() -> None:
    with closed_port() as address:
        client = Client(f"http://{address}")
        with pytest.raises(StoreUnavailable, match=f"Elasticsearch at http://{address} does not answer"):
            await client.ask("GET", "/")
        await client.close()


def test_the_fake_speaks_of_errors_as_the_real_one_does() -> None:
    assert set(error("x")["error"]) >= {"root_cause", "type", "reason"}
