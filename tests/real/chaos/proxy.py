"""A proxy in front of Elasticsearch that does to requests what it is told: see misbehaviour.py.

It runs in a thread of its own, and its port stays the same while it is down.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from tests.real.chaos.messages import MAX_HEAD, Message, read_message

STREAM_BYTES = 64 << 20  # of one body; what logdock sends is far below
CONNECT_SECONDS = 5.0
Behaviour = Callable[["Exchange"], Awaitable[None]]


class Cut(Exception):  # noqa: N818 - what a behaviour does, no mistake
    """Reset the client's connection, and Elasticsearch's."""


class Exchange:
    """One request on its way. `answer` may be given once; without any the client waits."""

    def __init__(self, proxy: "Proxy", request: Message, client: asyncio.StreamWriter) -> None:
        self.proxy, self.request, self._client = proxy, request, client

    async def ask(self, request: Message | None = None) -> Message:
        """What Elasticsearch answers to this request, or to another one."""
        asked = (request or self.request).with_body((request or self.request).plain().body)
        plain = Message(asked.without(b"accept-encoding"), asked.body)
        async with self._elasticsearch() as (reader, writer):
            writer.write(plain.raw)
            await writer.drain()
            reply = await read_message(reader, bodyless=self.request.method == "HEAD")
        if reply is None:
            raise Cut
        return reply

    @contextlib.asynccontextmanager
    async def _elasticsearch(self):  # type: ignore[no-untyped-def] # a pair of streams
        target = urlsplit(self.proxy.target)
        opening = asyncio.open_connection(target.hostname, target.port, limit=STREAM_BYTES)
        reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def send_part(self, data: bytes) -> None:
        """Bytes to Elasticsearch that are no whole request; nobody waits for an answer."""
        async with self._elasticsearch() as (_, writer):
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(0.05)  # they should be there before the connection ends

    async def answer(self, data: Message | bytes) -> None:
        """Bytes to the client, whatever they are."""
        self._client.write(data if isinstance(data, bytes) else data.raw)
        await self._client.drain()


async def forward(exchange: Exchange) -> None:
    """What a proxy should do."""
    await exchange.answer(await exchange.ask())


class Proxy(threading.Thread):
    """Listens on `port` of loopback and passes everything to `target`, a URL.

    `behaviour` is done to every request that `chosen` picks, `forward` to the others. `touched` counts
    the former.
    """

    def __init__(self, port: int, target: str) -> None:
        super().__init__(daemon=True, name="proxy")
        self.port, self.target = port, target
        self.touched = 0
        self._behaviour: Behaviour = forward
        self._chosen: Callable[[Message], bool] = lambda _: True
        self._connections: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self.start()
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self) -> None:
        self._loop.run_forever()

    # What tests call, from their own thread

    def behave(self, behaviour: Behaviour, chosen: Callable[[Message], bool] | None = None) -> None:
        """From the next request on; without `chosen` to all bulks."""
        self._chosen = chosen or (lambda request: request.is_bulk)
        self._behaviour = behaviour

    def heal(self) -> None:
        """Pass everything on again; who still waits for an answer is cut off."""
        self._behaviour = forward
        self._call(self._cut_all())

    def down(self) -> None:
        """Refuse connections, as a host without the service does."""
        self._call(self._close())

    def up(self) -> None:
        self._call(self._listen())

    def close(self) -> None:
        self.down()
        self._call(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join()
        self._loop.close()

    def _call(self, work: Awaitable[None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    # In the proxy's thread

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, limit=max(STREAM_BYTES, MAX_HEAD), backlog=512
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut_all()

    async def _end_tasks(self) -> None:
        """Those that keep somebody waiting for an answer."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut_all(self) -> None:
        for writer in list(self._connections):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while (request := await read_message(reader)) is not None:
                await self._pass(Exchange(self, request, writer))
        except (Cut, OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # as a cable would: the client sees a reset
        finally:
            self._connections.discard(writer)
            writer.transport.abort()

    async def _pass(self, exchange: Exchange) -> None:
        if self._behaviour is forward or not self._chosen(exchange.request):
            await forward(exchange)
            return
        self.touched += 1
        await self._behaviour(exchange)
