"""Which Docker Engine a file is judged for: the one that was told, one that answers here, or a current one.

Options and keys came and went, so each rule asks the version. A dockerd that does not start because of its
daemon.json cannot be asked; its binary still says which one it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from api.doctor.versions import CURRENT, OLDEST, Version, parse_version

DEFAULT_SOCKET = "/var/run/docker.sock"
ANSWER_SECONDS = 2.0  # a daemon that lives answers within milliseconds; one that hangs must not hang us
_BINARY = re.compile(r"Docker version ([^\s,]+)")


@dataclass(frozen=True)
class Engine:
    """A version, and where it comes from: told, daemon, binary or assumed."""

    version: Version
    source: str
    text: str

    def __str__(self) -> str:
        return f"Docker {self.text}"


_SOURCES = {
    "told": "as told",
    "daemon": "asked the local daemon",
    "binary": "asked the local dockerd binary",
    "assumed": "no local Docker answers, so a current one is assumed; --docker-version tells another",
}


def explain(engine: Engine) -> str:
    """One line for people."""
    note = f"; judged as {OLDEST}, the oldest known" if engine.version < OLDEST else ""
    return f"{engine} ({_SOURCES[engine.source]}{note})"


def told(text: str) -> Engine:
    """Raises ValueError."""
    return Engine(parse_version(text), "told", text.strip().removeprefix("v"))


def find(environment: Mapping[str, str] = os.environ) -> Engine:
    """Ask this machine; never raises, never waits longer than two answers take."""
    asks: tuple[tuple[str, Callable[[Mapping[str, str]], str | None]], ...] = (
        ("daemon", _ask_daemon),
        ("binary", _ask_binary),
    )
    for source, ask in asks:
        engine = _believed(ask(environment), source)
        if engine is not None:
            return engine
    return Engine(CURRENT, "assumed", str(CURRENT))


def _believed(text: str | None, source: str) -> Engine | None:
    """Other programs answer at Docker's socket too, with versions of their own (Podman: 4.9)."""
    try:
        version = parse_version(text or "")
    except ValueError:
        return None
    return Engine(version, source, text or "")


def _ask_daemon(environment: Mapping[str, str]) -> str | None:
    """GET /version at DOCKER_HOST or the usual socket."""
    import httpx

    scheme, _, rest = (environment.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}").partition("://")
    if scheme not in ("unix", "tcp") or (scheme == "unix" and not os.path.exists(rest)):  # noqa: PTH110
        return None
    transport = httpx.HTTPTransport(uds=rest) if scheme == "unix" else httpx.HTTPTransport()
    base = "http://docker" if scheme == "unix" else f"http://{rest}"
    try:
        with httpx.Client(
            transport=transport, base_url=base, timeout=ANSWER_SECONDS, trust_env=False
        ) as client:
            return _version(orjson.loads(client.get("/version").content))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError):
        return None


def _version(answer: Any) -> str | None:
    text = answer.get("Version") if isinstance(answer, dict) else None
    return text if isinstance(text, str) else None


def _ask_binary(environment: Mapping[str, str]) -> str | None:
    path = shutil.which("dockerd", path=f"{environment.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _BINARY.search(done.stdout)
    return found[1] if found else None
