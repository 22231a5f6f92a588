"""Which Docker a file is judged for: told, asked at a socket, asked of a binary, assumed."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.doctor import engine
from api.doctor.versions import CURRENT


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine without Docker."""
    monkeypatch.setattr(engine, "DEFAULT_SOCKET", str(tmp_path / "nothing"))
    monkeypatch.setattr(engine.shutil, "which", lambda *_args, **_more: None)
    return {"PATH": str(tmp_path)}


class Daemon:
    """Answers every request with one body, or never."""

    def __init__(self, path: Path, body: bytes | None) -> None:
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        self.body = body
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            connection.recv(65536)
            if self.body is not None:
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + self.body)
                connection.close()


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "docker.sock"


def test_told() -> None:
    told = engine.told("v26.1.5+dfsg1")
    assert (told.version, told.source, str(told)) == ((26, 1, 5), "told", "Docker 26.1.5+dfsg1")
    assert "judged as 20.10" in engine.explain(engine.told("19.03"))
    with pytest.raises(ValueError):
        engine.told("new")


def test_nobody_answers(empty: dict[str, str]) -> None:
    found = engine.find(empty)
    assert (found.version, found.source) == (CURRENT, "assumed")
    assert "--docker-version" in engine.explain(found)


@pytest.mark.parametrize(
    ("body", "source"),
    [
        (b'{"Version": "27.5.1"}', "daemon"),
        (b'{"Version": "4.9.3"}', "assumed"),  # Podman
        (b'{"Version": 5}', "assumed"),
        (b"[]", "assumed"),
        (b"<html>", "assumed"),
    ],
)
def test_the_daemon_answers(empty: dict[str, str], sockets: Path, body: bytes, source: str) -> None:
    Daemon(sockets, body)
    found = engine.find({**empty, "DOCKER_HOST": f"unix://{sockets}"})
    assert found.source == source
    assert source != "daemon" or found.text == "27.5.1"


def test_a_daemon_that_hangs_is_not_waited_for(
    empty: dict[str, str], sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.1)
    Daemon(sockets, None)
    assert engine.find({**empty, "DOCKER_HOST": f"unix://{sockets}"}).source == "assumed"


@pytest.mark.parametrize("host", ["ssh://u@h", "tcp://127.0.0.1:1", "tcp://[", "nonsense", "unix://relative"])
def test_a_docker_host_that_does_not_answer(empty: dict[str, str], host: str) -> None:
    assert engine.find({**empty, "DOCKER_HOST": host}).source == "assumed"


def test_the_binary_of_a_daemon_that_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "DEFAULT_SOCKET", str(tmp_path / "nothing"))
    binary = tmp_path / "dockerd"
    binary.write_text("#!/bin/sh\necho 'Docker version 28.2.2, build e6534b4'\n")
    binary.chmod(0o755)
    found = engine.find({"PATH": str(tmp_path)})
    assert (found.version, found.source) == ((28, 2, 2), "binary")
    binary.write_text("#!/bin/sh\nexit 1\n")
    assert engine.find({"PATH": str(tmp_path)}).source == "assumed"
