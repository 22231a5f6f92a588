"""The whole server in process: real sockets in, HTTP out, and the same again after a restart."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from api import house as house_module
from api import serve
from api.serve import greet, journal_identity
from storage.store import Checkpoint
from tests.api.running import Running, quick, running
from tests.ingest.bench import ID, ack, frame, packed_frames, part, until

__all__ = ["quick", "running"]  # fixtures

STORES = ["memory", "local"]


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

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(server._house.tail, "publish", broken)
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
