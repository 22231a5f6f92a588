import socket

import pytest

from storage.elastic_client import Client, Refused, hosts, said
from storage.store import StoreUnavailable
from tests.storage.fake_elasticsearch import FakeElasticsearch, error, refused


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


@pytest.mark.parametrize("url", ["", "es:9200", "ftp://es", "http://", "http://a,,b", "http://a:port"])
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


async def test_nobody_there_says_where() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = Client(address)
        with pytest.raises(StoreUnavailable, match=f"Elasticsearch at {address} does not answer"):
            await client.ask("GET", "/")
        await client.close()


def test_the_fake_speaks_of_errors_as_the_real_one_does() -> None:
    assert set(error("x")["error"]) >= {"root_cause", "type", "reason"}
