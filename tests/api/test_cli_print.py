import io
import json
import sys
from typing import Any

import pytest

from api.cli_common import Output
from api.cli_print import Printer, container_name, details


def event(message: str, stream: str | None = "stdout", **more: Any) -> dict[str, Any]:
    return {
        "id": "j.0.0",
        "timestamp": "2026-11-24T01:00:00.000000000Z",
        "message": message,
        "stream": stream,
        "level": None,
        "container": {"id": "ab" * 32, "name": "web", "image": None},
        "host": "node-a",
        "labels": {"b": "x y", "a": "1,2"},
        **more,
    }


class _Stream(io.TextIOWrapper):
    def __init__(self, tty: bool, log: list[tuple[str, bytes]], name: str) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self._tty, self._log, self._label = tty, log, name

    def isatty(self) -> bool:
        return self._tty

    @property
    def buffer(self) -> Any:
        outer = self

        class Raw:
            def write(self, data: bytes) -> None:
                outer._log.append((outer._label, data))

            def flush(self) -> None: ...

        return Raw()


def printed(
    monkeypatch: pytest.MonkeyPatch, printer: Printer, *events: dict[str, Any], tty: bool = False
) -> Any:
    log: list[tuple[str, bytes]] = []
    monkeypatch.setattr(sys, "stdout", _Stream(tty, log, "out"))
    monkeypatch.setattr(sys, "stderr", _Stream(tty, log, "err"))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    printer.events(list(events))
    printer.close()
    return log


def test_streams_stay_apart_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [event("1"), event("2"), event("3", "stderr"), event("4", None)]
    assert printed(monkeypatch, Printer(Output.text), *events) == [
        ("out", b"1\n2\n"),
        ("err", b"3\n"),
        ("out", b"4\n"),
    ]


def test_a_pipe_gets_the_message_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    one = event("\x1b[31mred\x07\tgr\u00fc\u00dfe", level="error")
    log = printed(monkeypatch, Printer(Output.text, names=True), one)
    assert log == [("out", "\x1b[31mred\x07\tgr\u00fc\u00dfe\n".encode())]


def test_times_and_details_as_docker_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    log = printed(monkeypatch, Printer(Output.text, timestamps=True, details=True), event("m"))
    assert log == [("out", b"2026-11-24T01:00:00.000000000Z a=1%2C2,b=x+y m\n")]
    log = printed(monkeypatch, Printer(Output.text, details=True), event("m", labels={}))
    assert log == [("out", b" m\n")]


def test_a_terminal_gets_no_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    log = printed(monkeypatch, Printer(Output.text), event("\x1b[2J\x07"), tty=True)
    assert log == [("out", b"\\x1b[2J\\x07\n")]


def test_a_terminal_gets_colours_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    [(_, line)] = printed(monkeypatch, Printer(Output.text, names=True), event("m", level="error"), tty=True)
    assert line.endswith(b"\x1b[31mm\x1b[0m\n")
    assert b"web\x1b[0m | " in line


def test_names_cannot_break_out_of_their_line(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = event("m", container={"id": None, "name": "a\n\x1b[2J", "image": None})
    [(_, line)] = printed(monkeypatch, Printer(Output.text, names=True), evil, tty=True)
    assert b"a\\n\\x1b[2J" in line


def test_ndjson(monkeypatch: pytest.MonkeyPatch) -> None:
    log = printed(monkeypatch, Printer(Output.ndjson), event("a"), event("b", "stderr"))
    assert [json.loads(line)["message"] for line in log[0][1].splitlines()] == ["a", "b"]
    assert len(log) == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    printer = Printer(Output.json)
    printer.note("a note")
    log = printed(monkeypatch, printer, *[event("m")] * count)
    found = json.loads(b"".join(data for _, data in log))
    assert (len(found["events"]), found["notes"]) == (count, ["a note"])


@pytest.mark.parametrize("output", [Output.json, Output.ndjson])
def test_json_on_a_terminal_steers_nothing(monkeypatch: pytest.MonkeyPatch, output: Output) -> None:
    log = printed(monkeypatch, Printer(output), event("c1 \x9b31m"), tty=True)
    text = b"".join(data for _, data in log)
    assert b"c1 \\u009b31m" in text
    assert "\x9b".encode() not in text


def test_notes_are_said_once_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(Output.text)
    printer.note("damaged\x07")
    printer.note("damaged\x07")
    assert capsys.readouterr() == ("", "logdock: damaged\\x07\n")


def test_who_printed_it() -> None:
    assert container_name(event("")) == "web"
    assert container_name(event("", container={"id": "ab" * 32, "name": None})) == "abababababab"
    assert container_name(event("", container={"id": None, "name": None})) == "node-a"
    assert details(event("")) == "a=1%2C2,b=x+y"
