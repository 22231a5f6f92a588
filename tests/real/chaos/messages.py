"""HTTP/1.1 messages as the proxy passes them on: a head, a body, and nothing in between is interpreted.

Only what Elasticsearch and its client use (RFC 9112): Content-Length or chunked bodies, no upgrades.
"""

import asyncio
import gzip
import json
from dataclasses import dataclass
from typing import Any

import msgspec

MAX_HEAD = 64 << 10  # bytes; Elasticsearch itself refuses heads beyond 16 KiB
BODYLESS = (204, 304)


@dataclass(frozen=True)
class Message:
    """A request or a reply. `lines` are those of the head, the first one included, without line ends."""

    lines: tuple[bytes, ...]
    body: bytes

    @property
    def first(self) -> list[str]:
        return self.lines[0].decode("latin-1").split(" ", 2)

    @property
    def method(self) -> str:
        return self.first[0]

    @property
    def path(self) -> str:
        return self.first[1]

    @property
    def status(self) -> int:
        return int(self.first[1])

    @property
    def is_bulk(self) -> bool:
        return self.method in ("POST", "PUT") and self.path.partition("?")[0].endswith("/_bulk")

    def header(self, name: bytes) -> bytes | None:
        for line in self.lines[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name:
                return value.strip()
        return None

    def without(self, *names: bytes) -> tuple[bytes, ...]:
        kept = [line for line in self.lines[1:] if line.partition(b":")[0].strip().lower() not in names]
        return (self.lines[0], *kept)

    def with_body(self, body: bytes) -> "Message":
        """The same with another, uncompressed body and the length of that."""
        lines = self.without(b"content-length", b"transfer-encoding", b"content-encoding")
        return Message((*lines, b"content-length: %d" % len(body)), body)

    def plain(self) -> "Message":
        """The same with its body uncompressed."""
        if self.header(b"content-encoding") == b"gzip":
            return self.with_body(gzip.decompress(self.body))
        return self

    def json(self) -> Any:
        return msgspec.json.decode(self.plain().body)

    @property
    def raw(self) -> bytes:
        return b"\r\n".join((*self.lines, b"", b"")) + self.body

    def lines_of_body(self) -> list[bytes]:
        """The documents of a bulk body, each an action line and a source line."""
        parts = self.plain().body.split(b"\n")
        return [b"%b\n%b\n" % pair for pair in zip(parts[0:-1:2], parts[1:-1:2], strict=True)]


def reply(status: int, body: bytes | Any, kind: str = "application/json", product: bool = True) -> Message:
    """A reply of our own. `product`: with the header by which clients know Elasticsearch."""
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [b"HTTP/1.1 %d Said" % status, b"content-type: " + kind.encode()]
    if product:
        lines.append(b"X-elastic-product: Elasticsearch")
    return Message((*lines, b"content-length: %d" % len(told)), told)


async def read_message(reader: asyncio.StreamReader, *, bodyless: bool = False) -> Message | None:
    """The next message; None at the end of the stream. Raises asyncio.IncompleteReadError inside one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    message = Message(tuple(head[:-4].split(b"\r\n")), b"")
    is_reply = message.lines[0].startswith(b"HTTP/")
    if bodyless or (is_reply and message.status in BODYLESS):
        return message
    if message.header(b"transfer-encoding") == b"chunked":
        return message.with_body(await _chunks(reader))
    return Message(message.lines, await reader.readexactly(int(message.header(b"content-length") or 0)))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(parts)
