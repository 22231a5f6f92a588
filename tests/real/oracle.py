"""Go's own text/template with Docker's functions: builds and asks the program in go_oracle/.

Run as a program, `python -m tests.real.oracle`, it writes anew the answers that the tests without Go compare.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.parsers.infos import container
from tests.parsers.questions import Answer, Question, questions, save

SOURCE = Path(__file__).parent / "go_oracle"
# The Go whose text/template parsers.go follows; an older one has other words, and lacks parts of it.
VERSION = (1, 26)
PATIENCE = 300  # seconds, for a first build of Go's standard library
LIMIT = b"the oracle's limit"
# Longer answers are not worth their place in the repository.
LONGEST = 400


def go() -> str | None:
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")


def version(command: str) -> tuple[int, ...]:
    told = subprocess.run([command, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"go(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def build(command: str, folder: Path) -> Path:
    binary = folder / "oracle"
    done = subprocess.run(
        [command, "build", "-o", str(binary), "."],
        cwd=SOURCE, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"},
    )  # fmt: skip
    assert done.returncode == 0, f"go build ended with {done.returncode}:\n{done.stderr}"
    return binary


def ask(binary: Path, asked: Sequence[Question]) -> list[Answer]:
    lines = b"".join(question.line() for question in asked)
    done = subprocess.run([binary], input=lines, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found = [_answer(json.loads(line)) for line in done.stdout.splitlines()]
    assert len(found) == len(asked)
    return found


def _answer(told: dict[str, str]) -> Answer:
    if "stage" not in told:
        return Answer("output", b64decode(told["output"] or ""))
    assert told["stage"] != "panic", b64decode(told["error"])
    return Answer(told["stage"], b64decode(told["error"]))


def tables(binary: Path) -> dict[str, str]:
    """Go's tables of Unicode, and their VERSION, as parsers.go.tables writes them."""
    told = subprocess.run(
        [binary, "tables"], capture_output=True, text=True, timeout=PATIENCE, check=True
    ).stdout
    return dict(line.split(" ", 1) for line in told.splitlines())


def main() -> None:
    command = go()
    assert command is not None and version(command) >= VERSION, "this needs Go 1.26"
    random = Random(20)
    containers = [container(random) for _ in range(24)]
    asked = questions(random, 1000, containers)
    with TemporaryDirectory() as folder:
        answers = ask(build(command, Path(folder)), asked)
    both = zip(asked, answers, strict=True)
    short = [(q, a) for q, a in both if len(q.template) + len(a.text) < LONGEST and LIMIT not in a.text]
    save([q for q, _ in short], containers, [a for _, a in short])


if __name__ == "__main__":
    main()
