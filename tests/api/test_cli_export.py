import json
from typing import Any

import pytest

from api import cli, cli_export, routes_streams
from api.client import Client
from storage.store import StoreUnavailable


@pytest.fixture(autouse=True)
def _server(running: Any, origins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_SERVER", running.url)
    running.add(origins.web, "web 1", "web 2")
    running.add(origins.db, "db 1")


def _messages(text: str) -> list[str]:
    return [json.loads(line)["message"] for line in text.splitlines()]


def test_everything(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["export"]) == 0
    assert _messages(capfd.readouterr().out) == ["web 1", "web 2", "db 1"]


def test_filters(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["export", "--container", "shop-db-1", "--container", "abab", "-q", "1"]) == 0
    assert _messages(capfd.readouterr().out) == ["web 1", "db 1"]


def test_what_the_server_says_comes_on_stderr(running: Any, capfd: pytest.CaptureFixture[str]) -> None:
    running.house.notes.append("damaged\x1b")
    assert cli.run(["export", "--service", "wbe"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "logdock: damaged\\x1b", "logdock: no service 'wbe' was ever seen", "logdock: did you mean web?",
    ]  # fmt: skip


def test_errors(running: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.run(["export", "--since", "yesterday"]) == 2

    async def fail(_query: Any) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(running.house.store, "search", fail)
    assert cli.run(["export"]) == 1
    assert "gone" in capfd.readouterr().err


def test_progress_on_a_terminal_that_does_not_show_the_lines(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(cli_export, "TELL_SECONDS", 0.0)
    assert cli.run(["export"]) == 0
    out, err = capfd.readouterr()
    assert len(_messages(out)) == 3
    told = err.split("\r\x1b[K")
    assert told[0] == "" and len(told) > 2
    assert told[-2].startswith("3 lines, ") and told[-2].endswith(" ...")
    assert told[-1].startswith("3 lines, ") and told[-1].endswith("B\n")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)  # who sees the lines needs no count
    assert cli.run(["export"]) == 0
    assert capfd.readouterr().err == ""


def test_a_server_that_dies_in_the_middle(
    running: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_streams, "EXPORT_PAGE", 2)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    search, count = running.house.store.search, 0

    async def fail(query: Any) -> Any:
        nonlocal count
        count += 1
        if count > 1:
            raise StoreUnavailable("gone")
        return await search(query)

    monkeypatch.setattr(running.house.store, "search", fail)
    assert cli.run(["export"]) == 1
    out, err = capfd.readouterr()
    assert _messages(out) == ["web 1", "web 2"]
    progress, error, _ = err.split("\n")
    assert "2 lines" in progress
    assert error.startswith("logdock: the connection to") and "broke" in error


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_on_a_terminal_lines_are_whole_and_harmless(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], size: int
) -> None:
    """However the bytes came in."""
    text = '{"message":"\u00e4\x9b31m"}\n{"message":"\u65e5\u672c"}\n'.encode()

    def chunks(_client: Client, _params: Any, _note: Any) -> Any:
        yield from (text[start : start + size] for start in range(0, len(text), size))

    monkeypatch.setattr(Client, "export", chunks)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert cli.run(["export"]) == 0
    out = capfd.readouterr().out
    assert out == '{"message":"\u00e4\\u009b31m"}\n{"message":"\u65e5\u672c"}\n'
