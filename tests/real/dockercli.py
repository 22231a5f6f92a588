"""Real docker clients of several versions, each against any server."""

import os
import subprocess
from pathlib import Path

CACHE = Path(os.environ.get("LOGDOCK_TEST_CACHE", Path.home() / ".cache" / "logdock-tests"))
CLIENTS = {"20.10": Path("/usr/bin/docker"), "26.1": CACHE / "docker-26.1" / "docker"}
PATIENCE = 60.0  # seconds for one command


def environ(host: str, config: Path) -> dict[str, str]:
    """What makes a client ask `host` and nothing of this machine's own set-up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    return {**kept, "DOCKER_HOST": host, "DOCKER_CONFIG": str(config), "TZ": "Asia/Seoul"}


def docker(version: str, host: str, *args: str) -> tuple[bytes, bytes, int]:
    """(stdout, stderr, exit code) of one command, byte for byte."""
    done = subprocess.run(
        [str(CLIENTS[version]), *args],
        env=environ(host, Path("/nonexistent")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout, done.stderr, done.returncode


def follower(version: str, host: str, *args: str) -> subprocess.Popen[bytes]:
    """A command that goes on; its output is to be read from pipes."""
    return subprocess.Popen(
        [str(CLIENTS[version]), *args],
        env=environ(host, Path("/nonexistent")),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
