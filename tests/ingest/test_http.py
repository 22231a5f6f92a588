"""The HTTP inputs: what of a body reaches the journal, and what is answered."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgpack
import orjson
import pytest
from fastapi import FastAPI

from ingest import http as http_module
from ingest.entries import Kind, Protocol, split_payloads
from ingest.gate import Gate
from ingest.http import http_inputs
from ingest.journal import Journal
from tests.ingest.bench import Journals, counted, data, entries, put

MSGPACK = {"content-type": "application/msgpack"}
JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Input:
    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.gate = Gate(journal.metrics)
        app = FastAPI()
        app.include_router(http_inputs(self.gate, journal))
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async def post(self, path: str, content: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.client.post(path, content=content, headers=headers)

    def frames(self) -> list[Any]:
        """[tag, [[time, record], ...]] of every journalled frame."""
        options: Any = {"strict_map_key": False, "unicode_errors": "surrogateescape"}
        return [msgpack.unpackb(raw, **options) for raw in data(self.journal)]

    def records(self) -> list[Any]:
        return [record for _, pairs in self.frames() for _, record in pairs]


@pytest.fixture
async def inputs(journals: Journals) -> AsyncIterator[Input]:
    made = Input(journals())
    yield made
    await made.client.aclose()


# -- /fluentd ------------------------------------------------------------------------------------------

ONE, TWO = {"log": "one", "n": 1}, {"log": "twö", "deep": {"a": [1, None]}}


@pytest.mark.parametrize(
    ("content", "headers", "wanted"),
    [
        (orjson.dumps(ONE), JSON, [ONE]),
        (orjson.dumps([ONE, TWO]), JSON, [ONE, TWO]),
        (orjson.dumps(ONE), {"content-type": "application/json; charset=utf-8"}, [ONE]),
        (orjson.dumps(ONE), {}, [ONE]),
        (orjson.dumps(ONE), {"content-type": "text/plain"}, [ONE]),
        (b'{"log":"one","n":1}\n\r\n{"log":"b"}\n', NDJSON, [ONE, {"log": "b"}]),
        (msgpack.packb(ONE), MSGPACK, [ONE]),
        (msgpack.packb([ONE, TWO]), MSGPACK, [ONE, TWO]),
        (b"json=%7B%22log%22%3A%22one+two+%C3%B6%22%7D", FORM, [{"log": "one two ö"}]),
        (b"other=x&json=[{}]", FORM, [{}]),
        (msgpack.packb(ONE), {"content-type": "application/x-msgpack"}, [ONE]),
        (gzip.compress(orjson.dumps(ONE)), JSON | {"content-encoding": "gzip"}, [ONE]),
        (zlib.compress(msgpack.packb(ONE)), MSGPACK | {"content-encoding": "Deflate"}, [ONE]),
        (gzip.compress(b"json=[{}]"), FORM | {"content-encoding": "x-gzip"}, [{}]),
        (orjson.dumps(ONE), JSON | {"content-encoding": "identity"}, [ONE]),
        (b'{"log":"\\ud800 \xff"}', JSON, [{"log": "\ufffd \ufffd"}]),
    ],
)  # fmt: skip
async def test_bodies(inputs: Input, content: bytes, headers: dict[str, str], wanted: list[Any]) -> None:
    answer = await inputs.post("/fluentd/app.web", content, headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert [tag for tag, _ in inputs.frames()] == ["app.web"]
    assert inputs.records() == wanted


async def test_a_multipart_form(inputs: Input) -> None:
    answer = await inputs.client.post("/fluentd/app", files={"json": (None, '{"log":"ö"}')})
    assert answer.status_code == 200
    assert inputs.records() == [{"log": "ö"}]


async def test_msgpack_in_a_form_is_bytes(inputs: Input) -> None:
    packed = msgpack.packb({"log": "ö", "n": 200})
    content = b"msgpack=" + "".join(f"%{byte:02x}" for byte in packed).encode()
    assert (await inputs.post("/fluentd/app", content, FORM)).status_code == 200
    assert inputs.records() == [{"log": "ö", "n": 200}]


async def test_a_line_that_is_no_text_stays_as_it_is(inputs: Input) -> None:
    body = b"\x81\xa3log\xa3\xff\xfea"
    assert (await inputs.post("/fluentd/app", body, MSGPACK)).status_code == 200
    assert b"\xa3log\xa3\xff\xfea" in data(inputs.journal)[0]


async def test_it_is_one_forward_entry_of_its_sender(inputs: Input) -> None:
    await inputs.post("/fluentd/app", b'[{"a":1},{"a":2}]', JSON)
    entry = entries(inputs.journal)[-1]
    assert (entry.kind, entry.protocol, entry.count, entry.peer) == (
        Kind.DATA,
        Protocol.FORWARD,
        1,
        "127.0.0.1",
    )


@pytest.mark.parametrize("tag", ["app", "docker/web/1", "a b", "föö", ""])
async def test_any_tag(inputs: Input, tag: str) -> None:
    assert (await inputs.post(f"/fluentd/{tag}", b"{}", JSON)).status_code == 200
    assert inputs.frames()[0][0] == tag


@pytest.mark.parametrize(
    ("text", "seconds", "nanoseconds"),
    [
        ("1700000000", 1_700_000_000, 0),
        ("1700000000.123456789", 1_700_000_000, 123_456_789),
        ("1700000000.1", 1_700_000_000, 100_000_000),
        ("4294967295", 4_294_967_295, 0),
        ("0.5", 0, 500_000_000),
    ],
)
async def test_time_is_exact(inputs: Input, text: str, seconds: int, nanoseconds: int) -> None:
    assert (await inputs.post(f"/fluentd/app?time={text}", b"[{},{}]", JSON)).status_code == 200
    wanted = msgpack.ExtType(0, seconds.to_bytes(4, "big") + nanoseconds.to_bytes(4, "big"))
    assert [time for time, _ in inputs.frames()[0][1]] == [wanted, wanted]


@pytest.mark.parametrize("text", ["now", "-1", "4294967296", "NaN", "Infinity", "1e999999", "1e99999999999"])
async def test_a_time_that_is_none(inputs: Input, text: str) -> None:
    answer = await inputs.post(f"/fluentd/app?time={text}", b"{}", JSON)
    assert answer.status_code == 400
    assert "time" in answer.text
    assert data(inputs.journal) == []


@pytest.mark.parametrize(
    ("content", "headers", "status", "says"),
    [
        (b"{", JSON, 400, "not JSON"),
        (b"\xff", JSON, 400, "not JSON"),
        (b"", JSON, 400, "not JSON"),
        (b"[" * 100_000, JSON, 400, "not JSON"),
        (b"1", JSON, 400, "must be an object"),
        (b'[{"a":1},2]', JSON, 400, "must be an object"),
        (b"\xc1", MSGPACK, 400, "not msgpack"),
        (b"\x81\xa1a", MSGPACK, 400, "not msgpack"),
        (b"\x91" * 100_000, MSGPACK, 400, "not msgpack"),
        (b"\x92\x80\x01", MSGPACK, 400, "must be an object"),
        (b"\x80\x80", MSGPACK, 400, "something follows"),
        (b"x=1", FORM, 400, "json or msgpack"),
        (b"json={", FORM, 400, "not JSON"),
        (b"<log/>", {"content-type": "application/xml"}, 415, "application/xml"),
        (b"{}", JSON | {"content-encoding": "br"}, 415, "gzip"),
        (b"{}", JSON | {"content-encoding": "gzip"}, 400, "gzip"),
        (gzip.compress(b"{}")[:-4], JSON | {"content-encoding": "gzip"}, 400, "cut off"),
        (b"nonsense", {"content-type": "multipart/form-data"}, 400, ""),
        (b"nonsense", {"content-type": "multipart/form-data; boundary=x"}, 400, ""),
    ],
)
async def test_what_is_wrong_is_said_and_not_kept(
    inputs: Input, content: bytes, headers: dict[str, str], status: int, says: str
) -> None:
    answer = await inputs.post("/fluentd/app", content, headers)
    assert answer.status_code == status
    assert says in answer.text
    assert data(inputs.journal) == []


@pytest.mark.parametrize("headers", [JSON, FORM, {"content-type": "multipart/form-data; boundary=x"}])
async def test_a_body_too_large(
    inputs: Input, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its length told beforehand, and without."""
    monkeypatch.setattr(http_module, "BODY_BYTES", 1000)
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(100):
            read.append(number)
            yield b"x" * 500

    assert (await inputs.post("/fluentd/app", b"x" * 1001, headers)).status_code == 413
    assert (await inputs.post("/fluentd/app", endless(), headers)).status_code == 413
    assert 0 < len(read) < 10
    read.clear()
    told = headers | {"content-length": "1001"}
    assert (await inputs.post("/fluentd/app", endless(), told)).status_code == 413
    assert read == []
    assert data(inputs.journal) == []


async def test_a_body_that_inflates_too_far(inputs: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "BODY_BYTES", 1000)
    bomb = gzip.compress(b" " * 100_000)
    assert len(bomb) < 1000
    assert (await inputs.post("/fluentd/app", bomb, JSON | {"content-encoding": "gzip"})).status_code == 413
    assert data(inputs.journal) == []


async def test_a_body_that_grows_too_large(inputs: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MAX_RAW_BYTES", 1000)
    body = b"[" + b",".join([b"{}"] * 200) + b"]"
    assert (await inputs.post("/fluentd/app?time=1700000000", body, JSON)).status_code == 413
    assert data(inputs.journal) == []


async def test_a_blocked_journal_asks_to_come_again(inputs: Input) -> None:
    inputs.journal.blocked = "journal full: for this test"
    for path in ("/fluentd/app", "/gelf"):
        answer = await inputs.post(path, b'{"short_message":"x"}', JSON)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "journal full" in answer.text
    inputs.journal.blocked = None
    assert data(inputs.journal) == []


async def test_every_refusal_is_counted_by_reason(inputs: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "BODY_BYTES", 1000)
    refused = inputs.journal.metrics.refused
    broken_form = {"content-type": "multipart/form-data"}
    for content, headers, reason in (
        (b"{", JSON, "malformed"),
        (b"x" * 1001, JSON, "oversize"),
        (b"<x/>", {"content-type": "application/xml"}, "unknown_type"),
        (b"{}", JSON | {"content-encoding": "br"}, "unknown_encoding"),
        (b"nonsense", broken_form, "malformed"),
    ):
        before = counted(refused, "forward_http", reason)
        assert (await inputs.post("/fluentd/app", content, headers)).status_code >= 400
        assert counted(refused, "forward_http", reason) == before + 1
    inputs.journal.blocked = "journal full: for this test"
    await inputs.post("/gelf", GELF, JSON)
    assert counted(refused, "gelf_http", "journal_blocked") == 1
    inputs.journal.blocked = None


async def test_bodies_of_all_requests_are_bounded(inputs: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "ALL_BODIES_BYTES", 2000)
    go_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'[{"log":"' + b"x" * 1500
        await go_on.wait()
        yield b'"}]'

    line = b'{"log":"' + b"y" * 600 + b'"}'
    slow = asyncio.create_task(inputs.post("/fluentd/app", slowly(), JSON))
    await asyncio.sleep(0.02)
    answer = await inputs.post("/fluentd/app", line, JSON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert counted(inputs.journal.metrics.refused, "forward_http", "busy") == 1
    go_on.set()
    assert (await slow).status_code == 200
    assert (await inputs.post("/fluentd/app", line, JSON)).status_code == 200
    packed = gzip.compress(b'{"log":"' + b"z" * 3000 + b'"}')
    answer = await inputs.post("/fluentd/app", packed, JSON | {"content-encoding": "gzip"})
    assert answer.status_code == 503
    assert [record["log"][0] for record in inputs.records()] == ["x", "y"]


async def test_what_was_told_to_come_again_is_kept_once(
    inputs: Input, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk hangs: the sender is not left waiting, and its body is not doubled when it comes again."""
    held: list[Any] = []
    monkeypatch.setattr(http_module, "UNANSWERED_SECONDS", 0.05)
    monkeypatch.setattr(inputs.journal._syncer, "when_safe", held.extend)
    line = b'{"log":"the same twice"}'
    answers = await asyncio.gather(*(inputs.post("/fluentd/app", line, JSON) for _ in range(2)))
    answers.append(await inputs.post("/fluentd/app", line, JSON))
    assert [answer.status_code for answer in answers] == [503] * 3
    assert answers[0].headers["retry-after"] == "5"
    assert counted(inputs.journal.metrics.refused, "forward_http", "journal_slow") == 3
    for done in held:
        done()
    held.clear()
    for _ in range(2):
        assert (await inputs.post("/fluentd/app", line, JSON)).status_code == 200
    assert len(inputs.records()) == 2
    monkeypatch.undo()
    assert (await inputs.post("/fluentd/app", line, JSON)).status_code == 200
    assert len(inputs.records()) == 3


async def test_answered_once_it_is_written(inputs: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[Any] = []
    monkeypatch.setattr(inputs.journal._syncer, "when_safe", held.extend)
    asking = asyncio.create_task(inputs.post("/fluentd/app", b"{}", JSON))
    while not held:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert not asking.done()
    held[0]()
    assert (await asking).status_code == 200


# -- /gelf ---------------------------------------------------------------------------------------------

GELF = b'{"version":"1.1","host":"h","short_message":"line"}'


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zlib.compress])
async def test_gelf(inputs: Input, pack: Any) -> None:
    answer = await inputs.post("/gelf", pack(GELF), JSON)
    assert (answer.status_code, answer.content) == (202, b"")
    entry = entries(inputs.journal)[-1]
    assert (entry.protocol, entry.count) == (Protocol.GELF_HTTP, 1)
    assert split_payloads(entry.raw) == [GELF]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", gzip.compress(GELF)[:-9], gzip.compress(b"x" * 20_000_000)]
)
async def test_no_gelf(inputs: Input, body: bytes) -> None:
    answer = await inputs.post("/gelf", body, JSON)
    assert answer.status_code == 400
    assert data(inputs.journal) == []
    refused = inputs.journal.metrics.refused
    assert counted(refused, "gelf_http", "malformed") + counted(refused, "gelf_http", "inflated_too_big") == 1


async def test_lines_before_and_after_stay_in_order(inputs: Input) -> None:
    put(inputs.journal, b"before")
    await inputs.post("/gelf", GELF, JSON)
    put(inputs.journal, b"after")
    assert [raw[-5:] for raw in data(inputs.journal)] == [b"efore", GELF[-5:], b"after"]
