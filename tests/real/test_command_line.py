"""The asking commands as processes, in pipes, against a real server: what a shell and a person see."""

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO, Any

import pytest

from tests.real.conftest import Launcher, missing
from tests.real.forwarding import ended, started
from tests.real.server import REPOSITORY, Logdock, until

SENDERS = 3
LINES = 3_000
LOGDOCK = f"{sys.executable} -c 'from api.cli import main; main()'"
PATIENCE = 30.0


@pytest.fixture(scope="module")
def full(logdock_module: Launcher) -> Logdock:
    """A server with LINES lines."""
    server = logdock_module("--store", "memory")
    text = "".join(f"line {number} of many\n" for number in range(LINES))
    done = subprocess.run(
        ["sh", "-c", f"{LOGDOCK} emit --container-name web --check --forward {server.forward}"],
        input=text, text=True, capture_output=True, timeout=60, env=environment(server), check=False,
        cwd=REPOSITORY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return server


def environment(server: Logdock) -> dict[str, str]:
    return {**server.environ, "LOGDOCK_SERVER": server.http}


def shell(server: Logdock, command: str) -> subprocess.CompletedProcess[str]:
    """One line of bash, with `logdock` for the command; the code of the first failing part."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"logdock() {{ {LOGDOCK} \"$@\"; }}; {command}"],
        capture_output=True, text=True, timeout=60, env=environment(server), cwd=REPOSITORY, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    ["logs web", "logs web -o ndjson", "logs web -o json", "logs web -q many -C 2", "export", "logs -f web"],
)
def test_a_reader_that_has_enough_ends_the_command_quietly(full: Logdock, command: str) -> None:
    done = shell(full, f"logdock {command} | head -n 3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 3


def test_a_reader_of_stderr_that_has_enough_ends_the_command_quietly(full: Logdock) -> None:
    emit = f"logdock emit --container-name err --stream stderr --check --forward {full.forward}"
    assert shell(full, f"seq 3000 | {emit} 2>/dev/null").returncode == 0
    done = shell(full, "logdock logs err 2>&1 >/dev/null | head -n 1; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_less(full: Logdock) -> None:
    if shutil.which("less") is None:
        missing("less")
    done = shell(full, "logdock logs web | less")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", LINES)


def test_jq(full: Logdock) -> None:
    if shutil.which("jq") is None:
        missing("jq")
    done = shell(full, "logdock logs web -n 2 -o ndjson | jq -r .message")
    wanted = f"line {LINES - 2} of many\nline {LINES - 1} of many\n"
    assert (done.returncode, done.stderr, done.stdout) == (0, "", wanted)
    done = shell(full, "logdock logs web -n 2 -o json | jq -r '.events[].message'")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", wanted)


def test_every_line_of_ndjson_is_an_object(full: Logdock) -> None:
    done = shell(full, "logdock logs web -o ndjson")
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == [
        f"line {number} of many" for number in range(LINES)
    ]


class Command:
    """`logdock ...` in the background, its lines as they come."""

    def __init__(self, server: Logdock, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from api.cli import main; main()", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=REPOSITORY, env=environment(server),
            # a shell that runs the tests in the background makes its children ignore Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        self.out: list[str] = []
        self.err: list[str] = []
        assert self.process.stdout is not None and self.process.stderr is not None
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _read(stream: IO[str], lines: list[str]) -> None:
        for line in stream:  # as they come: a list of the whole would wait for its end
            lines += [line.rstrip("\n")]

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@pytest.fixture
def commands() -> Iterator[Any]:
    running: list[Command] = []

    def start(server: Logdock, *arguments: str) -> Command:
        running.append(Command(server, *arguments))
        return running[-1]

    yield start
    for command in running:
        if command.process.poll() is None:
            command.process.kill()
        command.process.wait()


def test_ctrl_c_is_quiet(full: Logdock, commands: Any) -> None:
    command = commands(full, "logs", "-f", "web")
    until(lambda: len(command.out) == LINES, PATIENCE, lambda: f"{len(command.out)} lines")
    assert command.interrupt() == 130
    assert command.err == []


def test_follow_goes_on_by_itself_when_the_server_was_killed(logdock: Launcher, commands: Any) -> None:
    """No gap, no double, in order, and one line on stderr about it."""
    server = logdock()
    seed = f"{random.randrange(1 << 40):x}"
    senders = started(SENDERS, server.forward, seed, pause=0.02)
    until(lambda: all(sender.acked for sender in senders), PATIENCE, lambda: "nothing was acknowledged")
    everything = commands(server, "logs", "-f")
    one = commands(server, "logs", "-f", senders[1].container, "-q", senders[1].name)
    until(lambda: bool(everything.out and one.out), PATIENCE, lambda: f"{everything.err}, {one.err}")
    for _ in range(2):
        time.sleep(1.0)
        server.kill()
        server.launch()
        server.wait_open()
    time.sleep(1.0)
    ended(senders)
    lines = sum(sender.acked for sender in senders)
    until(
        lambda: len(everything.out) >= lines and len(one.out) >= senders[1].acked,
        PATIENCE,
        lambda: f"{len(everything.out)} of {lines}, {len(one.out)} of {senders[1].acked}: {one.err}",
    )
    time.sleep(0.5)
    for sender in senders:
        acked = [sender.text(line) for line in range(1, sender.acked + 1)]
        assert [line for line in everything.out if line.endswith(sender.name)] == acked
    assert len(everything.out) == lines
    assert one.out == [sender_line for sender_line in everything.out if sender_line.endswith(senders[1].name)]
    assert [command.interrupt() for command in (everything, one)] == [130, 130]
    assert all(line.endswith("(still trying)") for line in everything.err + one.err)
