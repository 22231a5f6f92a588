"""VictoriaLogs as a peer: built from its Go module into the benchmarks' cache, started on a free port."""

import http.client
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rig

VERSION = "v1.52.1"
MODULE = f"github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@{VERSION}"
INSERT = "/insert/jsonline?_stream_fields=container,service"
START_SECONDS = 30.0


def binary() -> Path:
    """The program, built once."""
    folder = rig.CACHE / f"victorialogs-{VERSION}"
    if not (folder / "victoria-logs").exists():
        settings = {**os.environ, "GOBIN": str(folder)}
        subprocess.run([rig.go(), "install", MODULE], env=settings, cwd=rig.HERE.parent, check=True)
    return folder / "victoria-logs"


class Victoria:
    """A running VictoriaLogs."""

    def __init__(self, process: rig.Process, port: int) -> None:
        self.process, self.address = process, f"127.0.0.1:{port}"

    def insert(self, rows: bytes) -> None:
        """Store lines of JSON. They can be found within a second."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request("POST", INSERT, rows, {"content-type": "application/stream+json"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise SystemExit(f"VictoriaLogs refused lines: {answer.read().decode()}")
        connection.close()


@contextmanager
def victorialogs(folder: Path) -> Iterator[Victoria]:
    """A server whose data stays in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y"]
    process = rig.Process([str(binary()), *options], folder.parent / "victorialogs.log")
    try:
        rig.wait_until(lambda: _answers(port), process, START_SECONDS)
        yield Victoria(process, port)
        process.stop()
    finally:
        process.kill()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
