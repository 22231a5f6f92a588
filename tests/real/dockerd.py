"""A private real dockerd for tests, through scripts/dockerlab."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
LAB = REPOSITORY / "scripts" / "dockerlab"
PATIENCE = 240.0  # seconds for one docker command; the first `up` on a bare machine downloads 90 MB


class DockerError(Exception):
    """A docker command that ended badly; the text is what it printed."""


class Dockerd:
    """One daemon of one version. `start` may be called again: another daemon.json restarts it."""

    def __init__(self, version: str, folder: Path) -> None:
        self.version = version
        self.folder = folder
        self.environ: dict[str, str] = {}

    def start(self, daemon_json: Mapping[str, Any] | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        wanted = self.folder / "wanted.json"
        wanted.write_text(json.dumps(daemon_json or {}))
        self.lab("up", "--version", self.version, "--daemon-json", str(wanted))
        for line in self.lab("env").splitlines():
            name, _, value = shlex.split(line)[1].partition("=")
            self.environ[name] = value

    def lab(self, *args: str) -> str:
        return command([str(LAB), *args], {"DOCKERLAB_DIR": str(self.folder)})

    def docker(self, *args: str, environ: Mapping[str, str] | None = None) -> str:
        """What one docker command prints."""
        client = "/usr/bin/docker" if self.version == "20.10" else "docker"
        return command([client, *args], {**self.environ, **(environ or {})})

    def run(self, *args: str) -> str:
        """docker run, without a network unless one is named; gives what it prints (an id with -d)."""
        return self.lab("run", *args).strip()

    def inspect(self, reference: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.docker("inspect", reference))[0]
        return found

    def image(self, name: str, root: Path) -> None:
        self.lab("image", name, str(root))

    def stop(self) -> None:
        self.lab("down", "--purge")
        shutil.rmtree(self.folder, ignore_errors=True)
        Path(f"{self.folder}.lock").unlink(missing_ok=True)


def command(args: list[str], environ: Mapping[str, str]) -> str:
    done = subprocess.run(
        args,
        env={**os.environ, **environ},
        text=True,
        errors="replace",
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise DockerError(f"{shlex.join(args[:6])} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
