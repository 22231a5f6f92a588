"""`logdock export`: everything that matches, one JSON object a line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import typer

from api import terminal
from api.cli_common import DEFAULT_SERVER, Container, Params, Server, asking, filtered
from api.units import human_size

TELL_SECONDS = 0.2  # between two looks of a person at how far it is


def register(app: typer.Typer) -> None:
    app.command("export")(filtered(export))


def export(container: Container = None, server: Server = DEFAULT_SERVER, *, params: Params) -> None:
    """Write every matching line as NDJSON, oldest first, without limit."""
    if container:
        params = {**params, "container": container}
    progress = _Progress()
    try:
        with asking(server) as client:
            for chunk in _printable(client.export(params, _note)):
                sys.stdout.buffer.write(chunk)
                progress.passed(chunk)
        sys.stdout.buffer.flush()
    finally:
        progress.end()


def _printable(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What may be written: on a terminal whole lines, because a chunk may end within a character."""
    if not sys.stdout.isatty():
        yield from chunks
        return
    rest = b""
    for chunk in chunks:
        whole, newline, rest = (rest + chunk).rpartition(b"\n")
        yield terminal.json_for(sys.stdout, whole + newline)


class _Progress:
    """How far it is, on a terminal that does not show the lines themselves."""

    def __init__(self) -> None:
        self._lines = self._bytes = 0
        self._told = 0.0
        self._is_shown = sys.stderr.isatty() and not sys.stdout.isatty()

    def passed(self, chunk: bytes) -> None:
        """Count what was written."""
        self._lines, self._bytes = self._lines + chunk.count(b"\n"), self._bytes + len(chunk)
        if self._is_shown and time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            self._tell(" ...")

    def end(self) -> None:
        """What was written, however it ended: an error is told in the next line."""
        if self._is_shown:
            self._tell("\n")

    def _tell(self, end: str) -> None:
        sys.stderr.write(f"\r\x1b[K{self._lines:,} lines, {human_size(self._bytes)}{end}")
        sys.stderr.flush()


def _note(text: str) -> None:
    print(f"logdock: {terminal.escape(text)}", file=sys.stderr)
