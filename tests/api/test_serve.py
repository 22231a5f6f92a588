"""The whole server in process: real sockets in, HTTP out, and the same again after a restart."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest

from api import house as house_module
from api import serve
from api.serve import Server, StartError, greet, journal_identity, load_templates
from api.settings import Settings, load_settings
from storage.store import Checkpoint
from tests.ingest.bench import ID, ack, frame, packed_frames, part, until

STORES = ["memory", "local"]


def settings(data: Path, **changes: Any) -> Settings:
    free = "127.0.0.1:0"
    given = dict.fromkeys(("http", "forward", "gelf_udp", "gelf_tcp"), free) | {"store": "memory"}
    return load_settings(data=data, **(given | changes))


class Running:
    """One server after another on one data folder, and senders to the current one."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.server: Server | None = None

    async def start(self, **changes: Any) -> Server:
        server = Server(settings(self.data, **changes))
        await server.start()
        self.server = server
        return server

    async def stop(self) -> None:
        server, self.server = self.server, None
        if server is not None:
            await asyncio.wait_for(server.stop(), 15)

    def address(self, name: str, at: int = 0) -> tuple[str, int]:
        assert self.server is not None
        where = self.server.addresses[name]
        text = where if isinstance(where, str) else cast(list[str], where)[at]
        host, _, port = text.rpartition(":")
        return host, int(port)

    async def send(self, *parts: bytes, name: str = "forward", wanted: bytes = b"") -> None:
        """Over one connection of its own, until `wanted` was answered."""
        reader, writer = await asyncio.open_connection(*self.address(name))
        writer.write(b"".join(parts))
        assert await asyncio.wait_for(reader.readexactly(len(wanted)), 10) == wanted
        writer.close()
        await writer.wait_closed()

    async def get(self, path: str) -> httpx.Response:
        host, port = self.address("http")
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            return await client.get(path)

    async def post(self, path: str, content: bytes) -> httpx.Response:
        host, port = self.address("http")
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            return await client.post(path, content=content)

    async def events(self) -> list[dict[str, Any]]:
        answer = await self.get("/api/v1/logs?limit=10000&order=asc")
        assert answer.status_code == 200, answer.text
        return cast(list[dict[str, Any]], answer.json()["events"])

    async def lines(self) -> list[str]:
        """In the order of the journal."""
        return [e["message"] for e in sorted(await self.events(), key=lambda e: e["sequence"])]

    async def settled(self) -> None:
        """Until everything in the journal can be asked for."""
        assert self.server is not None and self.server._house is not None
        journal, pipeline = self.server.journal, self.server._house.pipeline
        journal.flush()
        await until(lambda: pipeline.lag_bytes == 0 and pipeline.caught_up)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.receivers.QUIET_SECONDS", 0.02)
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process goes on, and has more to collect


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    made = Running(tmp_path / "data")
    yield made
    await made.stop()


async def send_one_of_each(running: Running) -> list[str]:
    """A line over every input; what is to be found."""
    await running.send(frame("forward", "c1"), wanted=ack("c1"))
    await running.send(packed_frames(["packed 1", "packed 2"]))
    await running.send(b'{"short_message":"gelf tcp"}\0', name="gelf_tcp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b'{"short_message":"gelf udp"}', running.address("gelf_udp"))
    assert (await running.post("/fluentd/app", b'{"message":"http"}')).status_code == 200
    assert (await running.post("/gelf", b'{"short_message":"gelf http"}')).status_code == 202
    await running.send(part("a" * 100, 1), part("b" * 100, 2, last=True))
    alone = ["forward", "packed 1", "packed 2", "gelf tcp", "gelf udp", "http", "gelf http"]
    return [*alone, "a" * 100 + "b" * 100]


# -- start, stop, start again --------------------------------------------------------------------------


@pytest.mark.parametrize("store", STORES)
async def test_everything_is_there_once_after_a_restart(running: Running, store: str) -> None:
    await running.start(store=store)
    wanted = await send_one_of_each(running)

    async def all_there() -> bool:
        return len(await running.lines()) == len(wanted)

    for _ in range(200):
        if await all_there():
            break
        await asyncio.sleep(0.02)
    before = await running.events()
    assert sorted(event["message"] for event in before) == sorted(wanted)
    await running.stop()
    await running.start(store=store)
    await running.settled()
    assert await running.events() == before
    await running.send(frame("later", "c2"), wanted=ack("c2"))
    await running.settled()
    assert (await running.lines())[-1] == "later"
    assert len(await running.lines()) == len(wanted) + 1


@pytest.mark.parametrize("store", STORES)
async def test_a_killed_server_loses_and_doubles_nothing(
    running: Running, tmp_path: Path, store: str
) -> None:
    """A copy of the living folder is what kill -9 leaves."""
    await running.start(store=store)
    lines = [f"line {number}" for number in range(300)]
    acks = b"".join(ack(line) for line in lines)
    await running.send(*(frame(line, line) for line in lines), wanted=acks)
    await running.send(part("half of ", 1))
    await running.settled()
    copy = Running(tmp_path / "copy")
    shutil.copytree(running.data, copy.data)
    await copy.start(store=store)
    try:
        await copy.settled()
        assert await copy.lines() == [*lines, "half of "]
        again = lines[-100:]
        await copy.send(
            *(frame(line, line) for line in again), frame("new"), wanted=b"".join(map(ack, again))
        )
        await copy.settled()
        assert await copy.lines() == [*lines, "half of ", "new"]
    finally:
        await copy.stop()


@pytest.mark.parametrize("store", STORES)
async def test_stopping_takes_what_is_on_the_way(running: Running, store: str) -> None:
    await running.start(store=store)
    reader, writer = await asyncio.open_connection(*running.address("forward"))
    lines = [f"line {number}" for number in range(5000)]
    writer.write(b"".join(map(frame, lines)) + part("unfinished", 1))
    await writer.drain()
    await running.stop()
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await running.start(store=store)
    await running.settled()
    assert await running.lines() == [*lines, "unfinished"]


async def test_numbers_grow_over_restarts(running: Running) -> None:
    for number in range(3):
        await running.start(store="local")
        await running.send(frame(f"line {number}"))
        await running.settled()
        await running.stop()
    await running.start(store="local")
    await running.settled()
    events = await running.events()
    assert sorted(event["sequence"] for event in events) == [event["sequence"] for event in events]
    assert [event["message"] for event in events] == ["line 0", "line 1", "line 2"]
    assert len({event["id"] for event in events}) == 3


async def test_the_tail_begins_where_the_last_run_ended(running: Running) -> None:
    await running.start(store="local")
    await running.send(frame("line"))
    await running.settled()
    first = running.server
    assert first is not None and first._house is not None
    offset = first._house.tail.offset
    await running.stop()
    server = await running.start(store="local")
    assert server._house is not None
    assert server._house.tail.offset >= offset


async def test_damage_is_told_in_every_answer(running: Running) -> None:
    await running.start()
    await running.send(frame("kept"))
    await running.settled()
    await running.stop()
    (segment,) = (running.data / "journal").glob("*.log")
    with segment.open("ab") as file:
        file.write(b"torn")
    await running.start()
    await running.settled()
    assert await running.lines() == ["kept"]
    ready = (await running.get("/readyz")).json()
    assert (ready["ready"], ready["reasons"]) == (True, [])
    assert "4 bytes set aside" in ready["damaged"][0]
    (note,) = (await running.get("/api/v1/logs")).json()["notes"]
    assert "part of the journal was damaged" in note
    assert "logdock_journal_damaged_bytes_total 4.0" in (await running.get("/metrics")).text


# -- listening -----------------------------------------------------------------------------------------


async def test_addresses_are_written_down(running: Running, tmp_path: Path) -> None:
    path = tmp_path / "run" / "forward.sock"
    server = await running.start(forward=("127.0.0.1:0", f"unix://{path}"), gelf_tcp=())
    assert orjson.loads((running.data / "addresses.json").read_bytes()) == server.addresses
    assert cast(list[str], server.addresses["forward"])[1] == f"unix://{path}"
    assert server.addresses["gelf_tcp"] == []
    for name in ("http", "forward", "gelf_udp"):
        assert running.address(name)[1] > 0
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(frame("unix", "c1"))
    assert await asyncio.wait_for(reader.readexactly(len(ack("c1"))), 10) == ack("c1")
    writer.close()
    await running.settled()
    (event,) = await running.events()
    assert (event["message"], event["host"]) == ("unix", server.settings.hostname)
    await running.stop()
    assert not path.exists()


async def test_ready_when_the_replay_is_done(running: Running) -> None:
    server = await running.start()
    await running.settled()
    answer = await running.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["ready"] is True
    assert body["store"] == "memory"
    assert (body["lag_bytes"], body["damaged"]) == (0, [])
    server.journal.blocked = "journal full: for this test"
    answer = await running.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the journal takes nothing: journal full: for this test"]
    server.journal.blocked = None


async def test_a_pipeline_that_died_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await running.start()
    assert server._house is not None

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(server._house.store, "append", broken)
    await running.send(frame("line", "c1"), wanted=ack("c1"))
    pipeline = server._house._running
    assert pipeline is not None
    await until(pipeline.done)
    answer = await running.get("/readyz")
    assert answer.status_code == 503
    assert "the pipeline has stopped" in answer.json()["reasons"][0]
    await running.stop()
    await running.start()  # nothing was lost with it
    await running.settled()
    assert await running.lines() == ["line"]


async def test_metrics_know_the_counts(running: Running) -> None:
    await running.start()
    await running.send(frame("line", "c1"), frame("line", "c1"), wanted=ack("c1") * 2)
    await running.settled()
    text = (await running.get("/metrics")).text
    for wanted in (
        'logdock_frames_total{protocol="forward"} 2.0',
        "logdock_acks_total 2.0",
        "logdock_resends_total 1.0",
        "logdock_events_total 1.0",
        "logdock_pipeline_lag_bytes 0.0",
    ):
        assert wanted in text


# -- what prevents a start -----------------------------------------------------------------------------


async def refused(data: Path, **changes: Any) -> str:
    """Why it does not start. Whatever it opened is closed again: the same server starts without `changes`."""
    with pytest.raises(StartError) as caught:
        await Server(settings(data, **changes)).start()
    return str(caught.value)


async def test_a_second_server_is_told_the_pid_of_the_first(running: Running) -> None:
    await running.start()
    why = await refused(running.data)
    assert f"pid {os.getpid()}" in why
    assert str(running.data) in why
    await running.send(frame("undisturbed", "c1"), wanted=ack("c1"))


@pytest.mark.parametrize("name", ["http", "forward", "gelf_tcp", "gelf_udp"])
async def test_a_port_in_use(running: Running, name: str) -> None:
    kind = socket.SOCK_DGRAM if name == "gelf_udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        why = await refused(running.data, **{name: address})
    assert f"--{name.replace('_', '-')} {address}" in why
    assert "in use" in why
    await running.start()
    await running.send(frame("line", "c1"), wanted=ack("c1"))


async def test_a_unix_socket_in_use(running: Running, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "sock"))
        other.listen()
        why = await refused(running.data, forward=f"unix://{tmp_path / 'sock'}")
    assert f"--forward unix://{tmp_path / 'sock'}" in why


@pytest.mark.parametrize("template", ["{{.ID", "{{.Nope}}", "{{if}}"])
async def test_a_bad_tag_template(running: Running, template: str) -> None:
    why = await refused(running.data, tag_template=(template,))
    assert why.startswith("--tag-template: ")
    assert not (running.data / "lock").exists()  # it is looked at first


async def test_a_bad_daemon_json(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "daemon.json"
    file.write_text('{"log-driver": "fluentd", "log-opts": {"tag": "{{.ID"}}')
    assert f"--daemon-json {file}" in await refused(running.data, daemon_json=file)
    file.write_text("{")
    assert f"--daemon-json {file}" in await refused(running.data, daemon_json=file)


def test_templates_of_daemon_json_and_flags(tmp_path: Path) -> None:
    file = tmp_path / "daemon.json"
    file.write_text('{"log-driver": "fluentd", "log-opts": {"tag": "docker.{{.Name}}"}}')
    default = load_templates(settings(tmp_path))
    from_file = load_templates(settings(tmp_path, daemon_json=file))
    both = load_templates(settings(tmp_path, daemon_json=file, tag_template=("x.{{.ID}}",)))
    assert [len(default), len(from_file), len(both)] == [1, 1, 2]


async def test_a_data_folder_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert f"cannot use data folder {file}" in await refused(file)


async def test_a_journal_that_cannot_be_opened(running: Running) -> None:
    (running.data / "journal").mkdir(parents=True)
    (running.data / "journal" / "run").write_text("not a number")
    assert "cannot open the journal" in await refused(running.data)
    (running.data / "journal" / "run").unlink()
    await running.start()


async def test_a_store_that_needs_its_operator(running: Running) -> None:
    await running.start(store="local")
    await running.send(frame("line"))
    await running.settled()
    await running.stop()
    catalogue = running.data / "store" / "catalogue.sqlite"
    kept = catalogue.with_name("kept")
    catalogue.rename(kept)
    assert "cannot open the local store: " in await refused(running.data, store="local")
    for file in (running.data / "store").glob("catalogue.sqlite*"):
        file.unlink()
    kept.rename(catalogue)
    await running.start(store="local")
    await running.settled()
    assert await running.lines() == ["line"]


# -- small things --------------------------------------------------------------------------------------


def test_the_journals_name_is_made_once(tmp_path: Path) -> None:
    name = journal_identity(tmp_path)
    assert journal_identity(tmp_path) == name
    assert len(name) == serve.IDENTITY_LENGTH
    other = tmp_path / "other"
    other.mkdir()
    assert journal_identity(other) != name


async def test_it_says_where_it_listens_and_what_to_do(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await running.start(gelf_tcp=())
    greet(server)
    text = capsys.readouterr().err
    assert f"pid {os.getpid()}" in text
    assert f"fluentd-address={cast(list[str], server.addresses['forward'])[0]}" in text
    assert f"http://{server.addresses['http']}/docs" in text
    assert "gelf_tcp  off" in text


async def test_stopping_has_an_end(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that never answers costs its patience only; the lines stay in the journal."""
    monkeypatch.setattr(house_module, "DRAIN_SECONDS", 0.05)
    server = await running.start()
    assert server._house is not None
    never: Callable[[], Any] = asyncio.Event().wait

    async def hang(_events: object, _checkpoint: Checkpoint) -> None:
        await never()

    monkeypatch.setattr(server._house.store, "append", hang)
    await running.send(frame("line", "c1"), wanted=ack("c1"))
    await running.stop()
    assert "gave it up" in caplog.text
    await running.start()
    await running.settled()
    assert await running.lines() == ["line"]


async def test_data_folder_holds_the_id(running: Running) -> None:
    await running.start()
    await running.send(frame("line", container_id=ID))
    await running.settled()
    (event,) = await running.events()
    identity = (running.data / "journal" / "id").read_text()
    assert event["id"].startswith(f"{identity}.")
