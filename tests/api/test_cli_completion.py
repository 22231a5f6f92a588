"""What a TAB gives: by itself, and in real shells on a terminal."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from api import cli
from api.cli_completion import BASH, LEVELS, STREAMS, ZSH, complete, split
from parsers import event
from parsers.event import Container, make_origin
from storage import params

ROOT = Path(__file__).parents[2]
EVIL = "evil;$(touch pwned)`touch pwned`"
PATIENCE = 20.0


@pytest.fixture
def server(running: Any, origins: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOGDOCK_SERVER", running.url)
    running.add(origins.web, "a")
    running.add(origins.other_web, "b")
    running.add(origins.db, "c")
    running.add(make_origin(Container("ee" * 32, EVIL), "node-c", labels={"spaced": "a b", "c": "x\ny"}), "d")
    return str(running.url)


def candidates(line: str) -> list[str]:
    _directive, word, *found = complete(line, typer.main.get_command(cli.build([])))
    assert word == split(line)[1]
    return found


def directive(line: str) -> str:
    return complete(line, typer.main.get_command(cli.build([])))[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("logdock lo", ["logs"]),
        ("logdock q", ["quarantine"]),
        ("logdock nope ", []),
        ("logdock quarantine ", ["list", "retry", "drop"]),
        ("logdock quarantine list --conta", ["--container"]),
        ("logdock logs --ta", ["--tail", "--tag"]),
        ("logdock logs -", None),
        ("logdock logs -o ", ["text", "json", "ndjson"]),
        ("logdock logs --output=nd", ["--output=ndjson"]),
        ("logdock logs --level e", ["error"]),
        ("logdock logs --stream std", ["stdout", "stderr"]),
        ("logdock logs --scope s", ["service"]),
        ("logdock logs -n ", []),
        ("logdock ps ", []),
        ("logdock completion ", ["bash", "zsh"]),
    ],
)
def test_words_that_need_no_server(line: str, expected: list[str] | None) -> None:
    found = candidates(line)
    assert found == expected if expected is not None else {"-f", "--follow", "-q"} <= set(found)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("logdock logs ", ["db", "web", EVIL, "shop-db-1", "shop-web-2", "shop-web-1"]),
        ("logdock logs sho", ["shop-db-1", "shop-web-2", "shop-web-1"]),
        ("logdock logs -f -n 10 w", ["web"]),
        ("logdock logs ab1", ["ab12" + "c" * 60]),
        ("logdock logs --service ", ["db", "web"]),
        ("logdock logs --service=w", ["--service=web"]),
        ("logdock ps --host ", ["node-c", "node-a"]),
        ("logdock export --container shop-w", ["shop-web-2", "shop-web-1"]),
        ("logdock quarantine list --container shop-d", ["shop-db-1"]),
        ("logdock logs --label st", ["stage="]),
        ("logdock logs --label stage=", ["stage=prod", "stage=test"]),
        ("logdock logs --label=stage=t", ["--label=stage=test"]),
        ("logdock logs --label com.example/team=", ["com.example/team=shop"]),
        ("logdock logs --label path=a", ["path=a/b"]),
        ("logdock logs --label c=", []),  # a newline would be two candidates
        ("logdock logs -q 'a b' --service d", ["db"]),
        ("logdock logs 'sho", ["shop-db-1", "shop-web-2", "shop-web-1"]),
    ],
)
def test_names_that_the_server_knows(line: str, expected: list[str]) -> None:
    assert candidates(line) == expected


@pytest.mark.usefixtures("server")
def test_directives() -> None:
    assert directive("logdock doctor ") == directive("logdock doctor --compose ") == "files"
    assert directive("logdock logs --label st") == "nospace"
    assert directive("logdock logs --label stage=") == "-"


def test_the_server_that_is_named_is_asked(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_SERVER", "127.0.0.1:1")
    assert candidates(f"logdock logs --server {server} --service w") == ["web"]
    assert candidates(f"logdock logs --server={server} --service w") == ["web"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ([], "")),
        ("logdock ", (["logdock"], "")),
        ("logdock lo", (["logdock"], "lo")),
        ("logdock -q 'a b", (["logdock", "-q"], "a b")),
        ('logdock -q "a b" x', (["logdock", "-q", "a b"], "x")),
        ("logdock a\\ b", (["logdock"], "a b")),
        ("logdock 'a ", (["logdock"], "a ")),
    ],
)
def test_split(line: str, expected: tuple[list[str], str]) -> None:
    assert split(line) == expected


def test_a_server_that_is_away_or_silent_is_no_candidate_and_no_message(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        for address in ("127.0.0.1:1", f"127.0.0.1:{silent.getsockname()[1]}"):
            monkeypatch.setenv("LOGDOCK_SERVER", address)
            begun = time.monotonic()
            assert cli.run(["__complete", "logdock logs w"]) == 0
            assert time.monotonic() - begun < 10
            assert capfd.readouterr() == ("", "")


def test_fixed_words_are_those_of_the_server() -> None:
    assert set(LEVELS) == set(event.LEVELS)
    assert set(STREAMS) == set(params.STREAMS)


def test_the_command_prints_the_scripts(capfd: pytest.CaptureFixture[str]) -> None:
    for shell, script in (("bash", BASH), ("zsh", ZSH)):
        assert cli.run(["completion", shell]) == 0
        assert capfd.readouterr() == (script.strip() + "\n", "")


# In real shells


class Terminal:
    """A shell on a pseudo terminal: what is typed, and what is on the screen since."""

    def __init__(self, command: list[str], folder: Path) -> None:
        program = folder / "logdock"
        program.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from api.cli import main; main()' \"$@\"\n")
        program.chmod(0o755)
        environ = {
            **os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "TERM": "dumb",
            "HOME": str(folder), "PS1": "> ", "INPUTRC": "/dev/null", "BASH_SILENCE_DEPRECATION_WARNING": "1",
        }  # fmt: skip
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environ, start_new_session=True
        )
        os.close(slave)

    def type(self, text: str, expected: str) -> str:
        """Type, and wait until `expected` is there; what was printed since."""
        os.write(self._master, text.encode())
        seen, end = "", time.monotonic() + PATIENCE
        while expected not in seen:
            assert time.monotonic() < end, f"{text!r}: no {expected!r} in {seen!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                seen += os.read(self._master, 4096).decode(errors="replace")
        return seen

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(logdock completion bash)"),
    "zsh": (["zsh", "-f", "-i"], "source <(logdock completion zsh)"),
}


@pytest.fixture(params=SHELLS)
def terminal(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> Iterator[Terminal]:
    assert os.environ["LOGDOCK_SERVER"] == server
    command, script = SHELLS[request.param]
    if shutil.which(command[0]) is None:
        missing = pytest.fail if os.environ.get("LOGDOCK_REQUIRE_REAL") == "1" else pytest.skip
        missing(f"MISSING: {command[0]}")
    shell = Terminal(command, tmp_path)
    shell.type(f"cd . ; {script}; echo do''ne\n", "done")
    yield shell
    shell.close()


def test_tab_in_a_real_shell(terminal: Terminal, tmp_path: Path) -> None:
    """After TAB the cursor goes home and the line becomes the argument of echo: its words, one a line."""
    for typed, *words in [
        ("logdock comp\t", "completion"),
        ("logdock logs --service we\t", "logs", "--service", "web"),
        ("logdock logs shop-d\t", "logs", "shop-db-1"),
        ("logdock logs --label sta\tte\t", "logs", "--label", "stage=test"),
        ("logdock logs --label=stage=te\t", "logs", "--label=stage=test"),
        ("logdock logs --label com.example/team=s\t", "logs", "--label", "com.example/team=shop"),
        ("logdock logs -q 'a b' --servi\tdb", "logs", "-q", "a b", "--service", "db"),
        ("logdock logs --label spaced=\t", "logs", "--label", "spaced=a b"),
        ("logdock logs ev\t", "logs", EVIL),
    ]:
        shown = "".join(f"<{word}>" for word in ["logdock", *words])
        terminal.type(f"{typed}\x01printf '<%s>' \x05 ; echo do''ne\n", shown)
    terminal.type("echo do''ne\n", "done")
    assert not (tmp_path / "pwned").exists()
