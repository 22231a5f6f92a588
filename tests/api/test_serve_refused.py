"""What prevents a start, and that nothing is left open then."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from api.serve import Server, StartError, load_templates
from tests.api.running import Running, quick, running, settings
from tests.ingest.bench import ack, frame

__all__ = ["quick", "running"]  # fixtures


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


async def test_a_quarantine_that_cannot_be_read(running: Running) -> None:
    """It is read before anything could be put into it again."""
    (running.data / "quarantine" / "rejected-000001.ndjson").mkdir(parents=True)
    assert "cannot open the quarantine" in await refused(running.data)
    (running.data / "quarantine" / "rejected-000001.ndjson").rmdir()
    await running.start()
