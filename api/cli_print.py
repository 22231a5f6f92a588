"""Events on a person's screen or in a pipe.

A terminal gets colours and escaped control characters; a pipe gets each message as it is. As with
`docker logs`, what a container wrote to stderr goes to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TextIO
from urllib.parse import quote_plus

import orjson

from api import terminal
from api.cli_common import Output

Event = dict[str, Any]

SEPARATOR = b"--\n"  # as grep's


class Printer:
    """Prints pages of events in one of the output forms; `close` ends a JSON document."""

    def __init__(
        self, output: Output, *, timestamps: bool = False, details: bool = False, names: bool = False
    ) -> None:
        self._output = output
        self._timestamps = timestamps
        self._details = details
        self._names = names
        self._printed = 0
        self._separate = False
        self._notes: list[str] = []

    @property
    def is_empty(self) -> bool:
        return self._printed == 0

    def events(self, events: Sequence[Event]) -> None:
        """Print and flush."""
        if self._output is Output.text:
            self._text(events)
        elif self._output is Output.ndjson:
            _write_json(b"".join([orjson.dumps(event) + b"\n" for event in events]))
        else:
            self._json(events)
        self._printed += len(events)

    def separate(self) -> None:
        """The next event stands apart from those before: `--` before it in text, on its stream."""
        self._separate = self._output is Output.text

    def note(self, text: str, again: bool = False) -> None:
        """Something about the answer, said once unless `again`: on stderr, or in the JSON document."""
        if text in self._notes and not again:
            return
        if text not in self._notes:
            self._notes.append(text)
        if self._output is not Output.json:
            sys.stderr.write(f"logdock: {terminal.escape(text)}\n")
            sys.stderr.flush()

    def close(self) -> None:
        if self._output is Output.json:
            start = b"" if self._printed else b'{"events":['
            _write_json(start + b'],"notes":' + orjson.dumps(self._notes) + b"}\n")

    def _json(self, events: Sequence[Event]) -> None:
        for number, event in enumerate(events, self._printed):
            _write_json((b",\n" if number else b'{"events":[') + orjson.dumps(event))

    def _text(self, events: Sequence[Event]) -> None:
        """Runs of lines of one stream are written at once: both streams stay in order on one terminal."""
        run: list[bytes] = []
        current = sys.stdout
        for event in events:
            stream = sys.stderr if event["stream"] == "stderr" else sys.stdout
            if stream is not current:
                _write(current, b"".join(run))
                run, current = [], stream
            if self._separate:
                run.append(SEPARATOR)
                self._separate = False
            run.append(self._line(event, stream))
        _write(current, b"".join(run))

    def _line(self, event: Event, stream: TextIO) -> bytes:
        if stream.isatty():
            return self._for_terminal(event, terminal.wants_colour(stream)).encode("utf-8", "replace")
        head = f"{event['timestamp']} " if self._timestamps else ""
        head += f"{details(event)} " if self._details else ""
        return f"{head}{event['message']}\n".encode("utf-8", "replace")

    def _for_terminal(self, event: Event, colour: bool) -> str:
        text = terminal.escape(event["message"])
        head = ""
        if self._names:
            name = terminal.escape(container_name(event)).replace("\n", "\\n")
            head += f"{terminal.by_name(name) if colour else name} | "
        if self._timestamps:
            head += f"{terminal.dim(event['timestamp']) if colour else event['timestamp']} "
        if self._details:
            head += f"{details(event)} "
        if colour:
            is_context = event.get("match") is False
            text = terminal.dim(text) if is_context else terminal.by_level(text, event["level"])
        return f"{head}{text}\n"


def details(event: Event) -> str:
    """Labels as `docker logs --details` shows them: k=v, query-escaped, by key (httputils/logstream.go)."""
    return ",".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in sorted(event["labels"].items()))


def container_name(event: Event) -> str:
    """The container's name, else the start of its id, else the host it ran on."""
    container = event["container"]
    return str(container["name"] or (container["id"] or "")[:12] or event["host"])


def _write_json(data: bytes) -> None:
    _write(sys.stdout, terminal.json_for(sys.stdout, data))


def _write(stream: TextIO, data: bytes) -> None:
    if data:
        stream.flush()
        stream.buffer.write(data)
        stream.buffer.flush()
