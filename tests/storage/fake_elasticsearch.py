"""A server that answers like Elasticsearch where the store asks, and has the faults that a test wants."""

import asyncio
import gzip
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Self

Reply = tuple[int, Any]
Fault = Callable[["FakeElasticsearch", bytes], Reply | None]
"""What to answer to a bulk body instead; None ends the connection without an answer."""


class FakeElasticsearch:
    """Documents by id in backing indices; `faults` are used up by one bulk request each."""

    def __init__(self) -> None:
        self.indices: dict[str, dict[str, bytes]] = {}
        self.faults: deque[Fault] = deque()
        self.bodies: list[int] = []  # events per bulk request
        self.looked_up = 0
        self.packed = 0  # bodies that came compressed
        self.template: dict[str, Any] | None = None
        self.templates_put = 0
        self.mappings: dict[str, dict[str, Any]] = {}  # by index, as far as somebody asks for them
        self.refuse_mapping = self.no_logsdb = False
        self.parameters = ""  # of the request that is being answered
        self.refuse: Callable[[bytes], bool] = lambda _: False  # documents that get status 400
        self.url = ""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.listen(0)
        return self

    async def listen(self, port: int) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=1 << 26)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.close()

    @property
    def ids(self) -> list[str]:
        """Every stored id, as often as it is stored."""
        return [name for documents in self.indices.values() for name in documents]

    def roll_over(self) -> None:
        name = f"backing-{len(self.mappings) + 1:06}"
        self.indices[name] = {}
        self.mappings[name] = (self.template or {}).get("template", {}).get("mappings", {})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split(" ")
        lengths = [
            line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length")
        ]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        if "content-encoding: gzip" in head.lower():
            self.packed += 1
            body = gzip.decompress(body)
        path, _, self.parameters = target.partition("?")
        reply = self._reply(method, path, body)
        if reply is None:
            return False
        data = json.dumps(reply[1]).encode()
        head = f"HTTP/1.1 {reply[0]} Said\r\nX-Elastic-Product: Elasticsearch\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()
        return True

    def _reply(self, method: str, path: str, body: bytes) -> Reply | None:
        if path.endswith("/_bulk"):
            self.bodies.append(body.count(b"\n") // 2)
            return self.faults.popleft()(self, body) if self.faults else self.store(body)
        if path.startswith("/_index_template/"):
            return self._templates(method, body)
        if path.endswith("/_mapping"):
            return self._mapping(method, path.split("/")[1], body)
        if path.startswith("/_resolve/index/"):
            streams = [{"backing_indices": list(self.indices)}] if self.indices else []
            return (200, {"data_streams": streams}) if streams else (404, error("index_not_found_exception"))
        if path.endswith("/_rollover"):
            self.roll_over()
            return 200, {}
        return (200, {}) if path.endswith("/_refresh") else self._search(json.loads(body))

    def _templates(self, method: str, body: bytes) -> Reply:
        if method == "PUT" and self.no_logsdb and b'"index.mode":' in body:
            return 400, error("illegal_argument_exception", "No enum constant IndexMode.LOGSDB")
        if method == "PUT":
            self.template = json.loads(body)
            self.templates_put += 1
            return 200, {"acknowledged": True}
        if self.template is None:
            return 404, error("resource_not_found_exception")
        return 200, {"index_templates": [{"name": "logs-docker", "index_template": self.template}]}

    def _mapping(self, method: str, index: str, body: bytes) -> Reply:
        if method == "GET":
            return 200, {index: {"mappings": self.mappings[index]}}
        if self.refuse_mapping:
            return 400, error("illegal_argument_exception", "Mapper for [x] conflicts with existing mapper")
        self.mappings[index] = self.mappings[index] | json.loads(body)
        return 200, {"acknowledged": True}

    def _search(self, search: dict[str, Any]) -> Reply:
        query = search["query"]
        if "ids" in query:
            self.looked_up += len(query["ids"]["values"])
            found = [{"_id": name} for name in query["ids"]["values"] if name in self.ids]
            return 200, {"hits": {"hits": found}}
        sources = [json.loads(source) for documents in self.indices.values() for source in documents.values()]
        highest = max((source["logdock"]["offset"] for source in sources), default=None)
        return 200, {"hits": {"hits": [] if highest is None else [{"_id": "x", "sort": [highest]}]}}

    def store(self, body: bytes) -> Reply:
        """Take a bulk body as Elasticsearch does: ids are known within the write index only."""
        if not self.indices:
            self.roll_over()
        lines = body.splitlines()
        verdicts = [self._create(*pair) for pair in zip(lines[::2], lines[1::2], strict=True)]
        failed = any(verdict["status"] != 201 for verdict in verdicts)
        return 200, {"errors": failed, "items": [{"create": verdict} for verdict in verdicts]}

    def _create(self, action: bytes, document: bytes) -> dict[str, Any]:
        documents = self.indices[list(self.indices)[-1]]
        name = json.loads(action)["create"]["_id"]
        if name in documents:
            why = {"type": "version_conflict_engine_exception", "reason": "known"}
            return {"_id": name, "status": 409, "error": why}
        if self.refuse(document):
            why = {"type": "document_parsing_exception", "reason": "no"}
            return {"_id": name, "status": 400, "error": why}
        documents[name] = document
        return {"_id": name, "status": 201}


def error(kind: str, reason: str = "said so") -> dict[str, Any]:
    return {"error": {"root_cause": [{"type": kind, "reason": reason}], "type": kind, "reason": reason}}


def refused(status: int) -> Fault:
    """The whole request is answered with this status and nothing is stored."""
    return lambda _server, _body: (status, error(f"status_{status}"))


def lost_answer(server: FakeElasticsearch, body: bytes) -> None:
    """Everything is stored, and the connection ends before the answer."""
    server.store(body)


def lost_request(_server: FakeElasticsearch, _body: bytes) -> None:
    """The connection ends and nothing is stored."""


def rubbish(server: FakeElasticsearch, body: bytes) -> Reply:
    """Everything is stored, and the answer is a page of something in between."""
    server.store(body)
    return 200, "<html>all good</html>"


def another_answer(_server: FakeElasticsearch, body: bytes) -> Reply:
    """Nothing is stored, and the answer belongs to another body of as many documents."""
    items = [{"create": {"_id": f"x.{n:x}.0", "status": 201}} for n in range(body.count(b"\n") // 2)]
    return 200, {"errors": False, "items": items}


def too_few(server: FakeElasticsearch, body: bytes) -> Reply:
    """Everything is stored, and the last verdict is missing."""
    status, said = server.store(body)
    return status, {"errors": False, "items": said["items"][:-1]}


def busy(*places: int) -> Fault:
    """The items at these places get 429, the others are stored."""

    def answer(server: FakeElasticsearch, body: bytes) -> Reply:
        lines = body.splitlines(keepends=True)
        kept = [line for place, line in enumerate(lines) if place // 2 not in places]
        items = server.store(b"".join(kept))[1]["items"]
        for place in places:
            why = {"type": "es_rejected_execution_exception", "reason": "queue is full"}
            name = json.loads(lines[2 * place])["create"]["_id"]
            items.insert(place, {"create": {"_id": name, "status": 429, "error": why}})
        return 200, {"errors": True, "items": items}

    return answer
