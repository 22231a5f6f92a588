"""The rooms behind the ingest ports: store, pipeline, live tail and HTTP."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from api.address import Address
from api.app import create_app
from api.services import Readiness, Services
from api.wire import http_server
from ingest.ahead import Ahead
from ingest.http import http_inputs
from ingest.making import Maker
from ingest.pipeline import Pipeline
from ingest.shedding import DropOldest
from parsers.join import Joiner
from parsers.normalize import Normalizer
from parsers.tag import TagTemplate
from storage.local.catalogue import CatalogueError
from storage.metrics import Metrics
from storage.quarantine import Quarantine
from storage.quarantine_work import Worker
from storage.steady import steady_clock
from storage.store import Checkpoint, Store
from storage.tail import Tail

if TYPE_CHECKING:
    from api.serve import Server

log = logging.getLogger("logdock.serve")

DRAIN_SECONDS = 4.0  # of the ten that SIGTERM allows; what is not handed on then stays in the journal
FLUSH_SECONDS = 3.0
HTTP_SECONDS = 1
FULL_DISK_SECONDS = 1.0  # how often a start looks for room; its ports are open meanwhile
STORE_OPENS_WITH = 1 << 20  # bytes free with which SQLite can open, its shared memory included
LAG_TOLD_SECONDS = 2.0  # less is how lines usually travel


class House:
    """Built in a thread (imports, files), opened in the loop."""

    def __init__(self, server: Server, templates: list[TagTemplate]) -> None:
        self._server = server
        self._settings = server.settings
        self._journal = server.journal
        self._quarantine = _open_quarantine(server.settings.data / "quarantine", server.metrics)
        self._templates = templates
        self._http_socket: socket.socket | None = None
        self._started = False  # the store is
        self._running: asyncio.Task[None] | None = None
        self._serving: asyncio.Task[None] | None = None

    async def open(self) -> dict[str, str]:
        """Start the store, the replay and HTTP; returns {"http": "host:port"}. Raises StartError.

        `close` undoes what was done, also when only a part of it was.
        """
        server, journal, metrics = self._server, self._journal, self._server.metrics
        self._http_socket = self._bind_http()
        checkpoint = await self._start_store()
        self.tail = Tail(metrics)
        self._ahead = Ahead(journal, self.tail, lambda: Maker(journal, self._normalizer(), Joiner()))
        self.pipeline = Pipeline(
            journal, self.store, self.tail, self._normalizer(), Joiner(), metrics, self._ahead
        )
        self.pipeline.restore(checkpoint)
        self.tail.begin(self.pipeline.checkpoint.offset - 1)
        self._make_room()
        self._running = asyncio.create_task(self.pipeline.run(), name="pipeline")
        self._running.add_done_callback(_report)
        self._watch_metrics()
        self._app = create_app(
            Services(
                store=self.store,
                tail=self.tail,
                metrics=metrics,
                settings=self._settings,
                readiness=self.readiness,
                routers=[http_inputs(server.gate, journal)],
                notes=self.notes,
                quarantine=Worker(self._quarantine),
                presence=self.pipeline.presence,
            )
        )
        self._serve_http(self._http_socket)
        gc.freeze()  # what was imported and built lives for ever: the collector need not walk it
        return {"http": str(Address("tcp", *self._http_socket.getsockname()[:2]))}

    def _normalizer(self) -> Normalizer:
        return Normalizer(self._settings.hostname, self._templates)

    async def _start_store(self) -> Checkpoint | None:
        from api.serve import StartError

        while True:
            self.store = self._make_store()
            try:
                checkpoint = await self.store.start()
                break
            except (CatalogueError, ValueError, OSError) as problem:
                if shutil.disk_usage(self._settings.data).free > STORE_OPENS_WITH:
                    raise StartError(f"cannot open the {self.store.name} store: {problem}") from problem
                log.error("the disk is full: the start goes on when there is room (%s)", problem)
            await asyncio.sleep(FULL_DISK_SECONDS)
        self._started = True
        return checkpoint

    def _make_store(self) -> Store:
        settings, metrics, identity = self._settings, self._server.metrics, self._journal.identity
        if settings.store == "memory":
            from storage.memory import MemoryStore

            return MemoryStore(metrics, removed=self._server.pruned)
        clock = steady_clock(file=settings.data / "clock")
        if settings.store == "local":
            from storage.local.keeper import SEAL_ROWS
            from storage.local.parquet import LocalStore

            return LocalStore(
                settings.data / "store",
                identity,
                metrics,
                retention_seconds=settings.retention and settings.retention / 1e9,
                retention_bytes=settings.retention_size,
                clock=clock,
                on_rejected=self._quarantine.take,
                seal_rows=int(os.environ.get("LOGDOCK_SEAL_ROWS", SEAL_ROWS)),
                pruned=self._server.pruned,
            )
        from storage.elastic.store import ElasticStore

        key = settings.elasticsearch_api_key
        return ElasticStore(
            settings.store,
            settings.data,
            identity,
            metrics,
            on_rejected=self._quarantine.take,
            compress=settings.elasticsearch_compress,
            ca_certs=str(settings.elasticsearch_ca) if settings.elasticsearch_ca else None,
            api_key=key.get_secret_value() if key else None,
            pruned=self._server.pruned,
            retention_seconds=settings.retention and settings.retention / 1e9,
            retention_bytes=settings.retention_size,
            clock=clock,
        )

    def _make_room(self) -> None:
        """A full journal gives up its oldest lines, if that is wanted."""
        if self._settings.on_full != "drop-oldest":
            return
        server, pipeline = self._server, self.pipeline
        shedder = DropOldest(self._journal, lambda: pipeline.read_to, server.metrics, server.report_shed)
        self._journal.on_blocked.append(shedder.blocked)
        if self._journal.blocked:
            shedder.blocked()

    def _bind_http(self) -> socket.socket:
        from api.serve import StartError

        address = self._settings.http
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            return socket.create_server((address.host, address.port), family=family, backlog=2048)
        except OSError as problem:
            raise StartError(
                f"cannot listen on --http {address}: {problem.strerror}; choose another"
            ) from None

    def _serve_http(self, sock: socket.socket) -> None:
        self._http = http_server(self._app, HTTP_SECONDS)
        self._serving = asyncio.create_task(self._http.serve(sockets=[sock]), name="http")

    # -- how it is -------------------------------------------------------------------------------------

    def readiness(self) -> Readiness:
        """Ready when the replay is done, the pipeline runs and the journal takes lines."""
        reasons = []
        if self._running is None or self._running.done():
            reasons.append("the pipeline has stopped: see the log")
        if not self.pipeline.ready:
            reasons.append(f"replaying the journal: {self.pipeline.lag_bytes} bytes to go")
        if self._journal.blocked:
            reasons.append(f"the journal takes nothing: {self._journal.blocked}")
        details = {
            "store": self.store.name,
            "store_problem": self._store_problem(),
            "lag_bytes": self._lag_bytes(),
            "lag_seconds": round(self._lag_seconds(), 3),
            "replayed_records": self.pipeline.replayed,
            "journal_bytes": self._journal.size,
            "damaged": self._journal.damaged,
        }
        return Readiness(not reasons, reasons, details, replaying=not self.pipeline.ready)

    def notes(self) -> list[str]:
        """What every answer should say now."""
        notes = [f"part of the journal was damaged: {text}" for text in self._journal.damaged]
        if not self.pipeline.ready:
            notes.append(
                f"the journal is being replayed, {self.pipeline.lag_bytes} bytes to go: lines may be missing"
            )
        elif (seconds := self.pipeline.lag_seconds) > LAG_TOLD_SECONDS:
            notes.append(
                f"the store is {seconds:.0f} s and {self._lag_bytes()} bytes behind: newer lines are missing"
            )
        if self._journal.blocked:
            notes.append(f"senders are paused: {self._journal.blocked}")
        return notes

    def _watch_metrics(self) -> None:
        metrics, journal = self._server.metrics, self._journal

        metrics.before_scrape.hooks.append(self._server.gate.publish)
        metrics.journal_bytes.set_function(lambda: journal.size)
        metrics.lag_bytes.set_function(self._lag_bytes)
        metrics.lag_seconds.set_function(self._lag_seconds)
        metrics.store_up.set_function(lambda: float(self._store_problem() is None))
        metrics.unsafe_bytes.set_function(self._unsafe_bytes)
        metrics.udp_drops.set_function(lambda: sum(udp.kernel_drops for udp in self._server.receivers.udp))

    def _store_problem(self) -> str | None:
        return self.store.lag().problem or self.pipeline.problem

    def _lag_bytes(self) -> int:
        return self._unsafe_bytes() if self.store.lag().lines else self.pipeline.lag_bytes

    def _lag_seconds(self) -> float:
        return max(self.pipeline.lag_seconds, self.store.lag().seconds)

    def _unsafe_bytes(self) -> int:
        safe = self.store.safe()
        return self._journal.bytes_after(safe.oldest if safe else 0)

    # -- the end ---------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Hand on what the journal holds, seal, end the streams and HTTP, close the store: in 9 seconds."""
        if self._running is not None:
            self.pipeline.stop()
            await self._ahead.close()
            await _at_most(DRAIN_SECONDS, self._running, "handing on; the rest is replayed at the next start")
            if not self._running.cancelled():
                await _at_most(FLUSH_SECONDS, asyncio.ensure_future(self.store.flush()), "sealing")
        if self._serving is not None:
            self._app.state.streams.close()
            self._http.should_exit = True
            await _at_most(HTTP_SECONDS + 1, self._serving, "HTTP")
        if self._http_socket is not None:
            self._http_socket.close()
        if self._started:
            await self.store.close()


def _open_quarantine(folder: Path, metrics: Metrics) -> Quarantine:
    from api.serve import StartError

    try:
        return Quarantine(folder, metrics)
    except OSError as problem:
        raise StartError(f"cannot open the quarantine in {folder}: {problem.strerror}") from problem


async def _at_most(seconds: float, task: asyncio.Future[None], what: str) -> None:
    done, _ = await asyncio.wait([task], timeout=seconds)
    if not done:
        log.warning("%s took more than %s s: gave it up", what, seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    elif not task.cancelled() and (problem := task.exception()):
        log.error("%s failed: %r", what, problem)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()):
        log.critical("the pipeline stopped; lines wait in the journal", exc_info=problem)
