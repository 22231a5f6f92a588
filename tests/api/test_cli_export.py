import json
from typing import Any

import pytest

from api import cli
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
