"""`logdock emit` against a socket that keeps what it gets."""

import contextlib
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest

from api import cli, cli_emit
from parsers.event import Container, make_origin


class Sink:
    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.data = b""
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self.server.accept()
            with connection:
                while chunk := connection.recv(65536):
                    self.data += chunk

    def records(self) -> list[Any]:
        self.thread.join(5)
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        unpacker.feed(self.data)
        return list(unpacker)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Sink(server)


def _address(sink: Sink) -> str:
    return f"127.0.0.1:{sink.server.getsockname()[1]}"


def test_a_record_as_docker_sends_it(sink: Sink, capfd: pytest.CaptureFixture[str]) -> None:
    identity = "ab" * 32
    flags = f"--container-name web --container-id {identity} --label a=1 --label b=x=y --stream stderr"
    code = cli.run(["emit", "hello", "--forward", _address(sink), *flags.split()])
    assert code == 0
    [[tag, time, record]] = sink.records()
    assert tag == identity[:12]
    assert isinstance(time, msgpack.ExtType) and time.code == 0 and len(time.data) == 8
    assert record == {
        "container_id": identity,
        "container_name": "/web",
        "source": "stderr",
        "log": "hello",
        "a": "1",
        "b": "x=y",
    }
    assert capfd.readouterr().out.startswith("sent 1 lines as container web abababababab")


def test_every_line_of_stdin(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one\n\nthree")))
    assert cli.run(["emit", "--forward", _address(sink), "--tag", "my.tag"]) == 0
    found = sink.records()
    assert [record["log"] for _, _, record in found] == ["one", "", "three"]
    assert {tag for tag, _, _ in found} == {"my.tag"}
    assert len({record["container_id"] for _, _, record in found}) == 1


def test_bytes_that_are_no_text(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go as they are: fluent-logger would send a record about itself instead of the line."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe bad\nend\r\n")))
    assert cli.run(["emit", "--forward", _address(sink)]) == 0
    found = sink.records()
    assert [record["log"] for _, _, record in found] == [b"\xff\xfe bad", "end\r"]
    assert all("container_id" in record for _, _, record in found)


def test_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        sink = Sink(server)
        assert cli.run(["emit", "x", "--forward", f"unix://{path}"]) == 0
        assert [record["log"] for _, _, record in sink.records()] == ["x"]


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--forward", "127.0.0.1:1"], 1, "start the server with `logdock serve`"),
        (["--forward", "nonsense"], 2, "--forward: 'nonsense' has no port"),
        (["--label", "novalue"], 2, "--label novalue: write key=value"),
        (["--stream", "stdlog"], 2, "--stream stdlog: write stdout or stderr"),
    ],
)
def test_errors(arguments: list[str], code: int, expected: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["emit", "x", *arguments]) == code
    out, err = capfd.readouterr()
    assert out == "" and expected in err and err.count("\n") == 1


def test_check_waits_for_the_answer(
    sink: Sink, running: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = "cd" * 32
    origin = make_origin(Container(identity, "web"), "h")
    monkeypatch.setattr(cli_emit.time, "sleep", lambda _seconds: running.add(origin, "hello"))
    arguments = ["emit", "hello", "--forward", _address(sink), "--container-id", identity, "--check"]
    assert cli.run([*arguments, "--server", running.url]) == 0
    assert f"logdock logs {identity[:12]}" in capfd.readouterr().out


def test_check_gives_up(
    sink: Sink, running: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_emit, "CHECK_SECONDS", 0.05)
    assert cli.run(["emit", "hello", "--forward", _address(sink), "--check", "--server", running.url]) == 1
    assert "the server answers with 0 of 1 lines" in capfd.readouterr().err
