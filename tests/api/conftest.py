"""One small server over the memory store, asked in process or over a real socket."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.services import Readiness, Services
from api.settings import Settings, load_settings
from ingest.presence import Presence
from parsers.event import Container, Event, Origin, make_origin
from storage.memory import MemoryStore
from storage.metrics import Metrics
from storage.store import Checkpoint
from storage.tail import Tail

SECOND = 1_000_000_000
START = 1_795_482_000 * SECOND  # 2026-11-24T01:00:00Z
NOW = START + 3600 * SECOND

WEB_ID, OTHER_WEB_ID, DB_ID = "ab" * 32, "ab12" + "c" * 60, "d0" * 32


def origin(name: str, identity: str | None, service: str | None = None, **labels: str) -> Origin:
    return make_origin(
        Container(identity, name, "nginx:1.27"),
        "node-a",
        service=service,
        service_source="label:com.docker.compose.service" if service else None,
        labels=labels,
        tag=(identity or name)[:12],
    )


WEB = origin("shop-web-1", WEB_ID, "web", **{"com.example/team": "shop", "stage": "prod"})
OTHER_WEB = origin("shop-web-2", OTHER_WEB_ID, "web", stage="prod")
DB = origin("shop-db-1", DB_ID, "db", path="a/b", stage="test")
NOBODY = make_origin(Container(), "node-b", tag="app")


@dataclass(frozen=True)
class Origins:
    web: Origin = WEB
    other_web: Origin = OTHER_WEB
    db: Origin = DB
    nobody: Origin = NOBODY


@pytest.fixture
def origins() -> Origins:
    return Origins()


@dataclass
class House:
    """Everything behind the routes, with a pipeline made of `add`."""

    store: MemoryStore = field(default_factory=MemoryStore)
    metrics: Metrics = field(default_factory=Metrics)
    readiness: Readiness = field(default_factory=Readiness)
    notes: list[str] = field(default_factory=list)
    settings: Settings = field(default_factory=load_settings)
    presence: Presence = field(default_factory=Presence)
    count: int = 0

    def __post_init__(self) -> None:
        self.tail = Tail(self.metrics)

    def services(self) -> Services:
        return Services(
            self.store,
            self.tail,
            self.metrics,
            self.settings,
            readiness=lambda: self.readiness,
            notes=lambda: list(self.notes),
            clock=lambda: NOW,
            presence=self.presence,
        )

    def events(self, origin: Origin, messages: Sequence[str], **more: Any) -> list[Event]:
        """One second apart, unless `timestamp` says otherwise."""
        made = []
        for message in messages:
            values = {"timestamp": START + self.count * SECOND, **more}
            event = Event(
                "j1", self.count, 0, observed=values["timestamp"], sequence=self.count, offset=self.count,
                message=message, origin=origin, **values,
            )  # fmt: skip
            made.append(event)
            self.count += 1
        return made

    async def add(self, origin: Origin, *messages: str, **more: Any) -> list[Event]:
        events = self.events(origin, messages, **more)
        await self.store.append(events, Checkpoint(self.count, self.count, self.count))
        self.tail.publish(events)
        return events


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def app(house: House) -> FastAPI:
    return create_app(house.services())


@pytest.fixture
async def ask(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


class Running:
    """The application behind uvicorn on a free port, in a thread of its own with its own event loop."""

    def __init__(self, house: House, app: FastAPI) -> None:
        self.house, self.app = house, app
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="critical", timeout_graceful_shutdown=1, lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._up = threading.Event()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        task = asyncio.create_task(self.server.serve())
        while not self.server.started and not task.done():  # noqa: ASYNC110 - uvicorn announces nothing
            await asyncio.sleep(0.01)
        self._up.set()
        await task

    def start(self) -> None:
        self.thread.start()
        assert self._up.wait(10)

    @property
    def url(self) -> str:
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def call(self, made: Callable[[], Any]) -> Any:
        """Run something in the server's loop: a coroutine function's result, or a plain function's."""

        async def run() -> Any:
            result = made()
            return await result if asyncio.iscoroutine(result) else result

        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def add(self, origin: Origin, *messages: str, **more: Any) -> list[Event]:
        found: list[Event] = self.call(lambda: self.house.add(origin, *messages, **more))
        return found

    def stop(self, patience: float = 10) -> None:
        if not self.thread.is_alive():
            return
        self.call(self.app.state.streams.close)
        self.server.should_exit = True
        self.thread.join(patience)
        assert not self.thread.is_alive(), "the server did not stop"


@pytest.fixture
def running(house: House, app: FastAPI) -> Iterator[Running]:
    server = Running(house, app)
    server.start()
    yield server
    with contextlib.suppress(RuntimeError):
        server.stop()


def not_ready(house: House, *reasons: str, **details: Any) -> None:
    house.readiness = replace(house.readiness, ready=False, reasons=list(reasons), details=details)
