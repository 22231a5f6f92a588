"""The one place that wires the house: what is opened first, and what is closed last.

The ingest ports open before anything heavy is imported or replayed, because a container whose log driver
finds no listener does not start. Closing goes the other way round: senders first, the store last.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import orjson

from api.settings import Settings, unknown_variables
from ingest.entries import Protocol
from ingest.folder_format import UnknownFormat, claim_format
from ingest.gate import Gate
from ingest.journal import Journal
from ingest.lock import FolderInUse, lock_folder
from ingest.receivers import Receivers
from ingest.shedding import DropNew, Report, Shed
from ingest.space import Space
from parsers.tag import TagTemplate, templates_from_daemon_json
from storage.durable import make_folder, write_durably
from storage.metrics import Metrics
from storage.prune import Pruned
from storage.pruned import FILE as PRUNED_FILE
from storage.pruned import PrunedLog

if TYPE_CHECKING:
    from api.house import House

log = logging.getLogger("logdock.serve")

IDENTITY_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
IDENTITY_LENGTH = 8  # 41 bits: two folders of one site never share it


class StartError(Exception):
    """Why the server cannot start, in one line for the operator."""


class Server:
    """One running logdock. Tests start the very same object on port 0.

    `addresses` says where it listens: {"http": "host:port", "forward": [...], "gelf_udp": [...], ...}.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.addresses: dict[str, object] = {}
        self._house: House | None = None

    async def start(self) -> None:
        """Open everything. Raises StartError; then everything is closed again."""
        templates = load_templates(self.settings)
        self._lock = _own(self.settings.data)
        self.gate = Gate(self.metrics)
        try:
            _claim(self.settings.data)
            self.pruned = PrunedLog(self.settings.data / PRUNED_FILE, self.metrics)
            self.journal = _open_journal(self.settings, self.metrics, self.report_shed)
        except BaseException:
            self._lock.close()
            raise
        self.receivers = Receivers(self.gate, self.journal)
        try:
            await self._open(templates)
        except BaseException:
            await self.stop()
            raise

    def report_shed(self, how: str, shed: Shed) -> None:
        """Keep for later answers what --on-full gave up. Raises OSError."""
        now = time.time_ns()
        self.pruned.add(
            Pruned(
                f"{how}-{now:x}",
                now,
                how,
                shed.records,
                shed.first,
                shed.last,
                shed.size,
                "the journal was full",
            )
        )

    async def _open(self, templates: list[TagTemplate]) -> None:
        await self._open_inputs()
        await self.journal.load_resends()
        await self.receivers.start()
        self._house = await asyncio.to_thread(self._furnish, templates)
        self.addresses = {**self.receivers.addresses, **await self._house.open()}
        self._tell_addresses()

    def _tell_addresses(self) -> None:
        try:
            write_durably(self.settings.data / "addresses.json", orjson.dumps(self.addresses))
        except OSError as problem:  # a full disk: lines are worth more than this file
            log.warning("cannot write addresses.json: %s", problem.strerror)

    def _furnish(self, templates: list[TagTemplate]) -> House:
        from api.house import House  # imports the stores and the HTTP stack: a second, after the ports

        return House(self, templates)

    async def _open_inputs(self) -> None:
        settings = self.settings
        for protocol, addresses in (
            (Protocol.FORWARD, settings.forward),
            (Protocol.GELF_TCP, settings.gelf_tcp),
        ):
            for address in addresses:
                with _naming(f"--{protocol.label.replace('_', '-')} {address}"):
                    if address.kind == "unix":
                        await self.receivers.open_unix(protocol, Path(address.path))
                    else:
                        await self.receivers.open_tcp(protocol, address.host, address.port)
        for address in settings.gelf_udp:
            with _naming(f"--gelf-udp {address}"):
                self.receivers.open_udp(address.host, address.port)

    async def stop(self) -> None:
        """Take nothing more in, hand on what is there, and close; what is left over stays in the journal."""
        await self.receivers.stop()
        self.journal.flush()
        if self._house is not None:
            await self._house.close()
        await self.journal.close()
        self._lock.close()


class _naming:  # noqa: N801 - reads as a phrase
    """Turns an OSError of the block into a StartError that names the flag."""

    def __init__(self, flag: str) -> None:
        self._flag = flag

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, OSError):
            why = problem.strerror or str(problem)
            raise StartError(f"cannot listen on {self._flag}: {why}; choose another address") from None


def load_templates(settings: Settings) -> list[TagTemplate]:
    """The tag templates of --daemon-json and --tag-template. Raises StartError."""
    try:
        texts = list(settings.tag_template)
        if settings.daemon_json is not None:
            texts = templates_from_daemon_json(settings.daemon_json.read_text()) + [
                text for text in texts if text != "{{.ID}}"
            ]
        return [TagTemplate.compile(text) for text in texts]
    except (ValueError, OSError) as problem:
        source = f"--daemon-json {settings.daemon_json}" if settings.daemon_json else "--tag-template"
        raise StartError(f"{source}: {problem}") from None


def _own(data: Path) -> TextIO:
    try:
        make_folder(data / "journal")
        return lock_folder(data)
    except FolderInUse as problem:
        raise StartError(str(problem)) from None
    except OSError as problem:
        raise StartError(
            f"cannot use data folder {data}: {problem.strerror}; choose another --data"
        ) from None


def _claim(data: Path) -> None:
    try:
        claim_format(data)
    except UnknownFormat as problem:
        raise StartError(str(problem)) from None
    except OSError as problem:
        raise StartError(f"cannot read {problem.filename}: {problem.strerror}") from None


def _open_journal(settings: Settings, metrics: Metrics, report: Report) -> Journal:
    folder = settings.data / "journal"
    metrics.journal_limit.set(settings.journal_size)
    try:
        floor = settings.floor(shutil.disk_usage(folder).total)
        return Journal(
            folder,
            journal_identity(folder),
            metrics,
            Space(folder, settings.journal_size, floor),
            always=settings.sync == "always",
            drop_new=DropNew(metrics, report) if settings.on_full == "drop-new" else None,
        )
    except (OSError, ValueError) as problem:
        raise StartError(f"cannot open the journal in {folder}: {problem}") from problem


def journal_identity(folder: Path) -> str:
    """The random name of this data folder's journal, made once: ids of two folders never meet."""
    file = folder / "id"
    if file.exists() and (name := file.read_text().strip()):
        return name
    name = "".join(secrets.choice(IDENTITY_CHARACTERS) for _ in range(IDENTITY_LENGTH))
    write_durably(file, name.encode())
    return name


async def _serve(settings: Settings) -> int:
    server = Server(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.ensure_future(server.start())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():  # a full disk may hold a start up for long
        starting.cancel()
    try:
        await starting
    except asyncio.CancelledError:
        log.info("stopped before it was up")
        return 0
    except StartError as problem:
        print(f"logdock: {problem}", file=sys.stderr)
        return 1
    greet(server)
    await stopping
    log.info("stopping")
    await server.stop()
    log.info("stopped")
    return 0


def greet(server: Server) -> None:
    """Tell where it listens and what to do next."""
    addresses = server.addresses
    forward = next(iter(server.receivers.addresses["forward"]), None)
    lines = [
        f"logdock is up (pid {os.getpid()}, store {server.settings.store_name}, data {server.settings.data})",
        *(f"  {name:9} {_text(where)}" for name, where in addresses.items()),
    ]
    if forward:
        lines += [
            "Next:",
            "  try it       echo hello | logdock emit && logdock logs",
            f"  one container docker run --log-driver fluentd --log-opt fluentd-address={forward} ...",
            "  all of them  put that into /etc/docker/daemon.json (see README, Point Docker at it), restart",
            "               Docker and create your containers again",
            f"  ask          logdock ps; logdock logs NAME; http://{addresses['http']}/docs",
        ]
    print("\n".join(lines), file=sys.stderr, flush=True)


def _text(where: object) -> str:
    return ", ".join(where) or "off" if isinstance(where, list) else str(where)


def run(settings: Settings) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for name in unknown_variables():
        log.warning("%s is in the environment, but no setting reads it", name)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_serve(settings))
    gc.unfreeze()  # or DuckDB reports at exit what it takes for leaks
    return code
