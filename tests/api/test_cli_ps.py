import json
from typing import Any

import pytest

from api import cli
from parsers.event import Container, make_origin


@pytest.fixture(autouse=True)
def _server(running: Any, origins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_SERVER", running.url)
    monkeypatch.setenv("TZ", "UTC")
    running.add(origins.web, "1", "2")
    running.add(origins.db, "3")


def test_a_table_for_pipes(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ps"]) == 0
    header, db, web = capfd.readouterr().out.splitlines()
    assert header.split("   ")[0] == "CONTAINER ID"
    assert db.split()[:5] == ["d0" * 6, "shop-db-1", "db", "nginx:1.27", "node-a"]
    assert web.split()[-1] == "2"
    assert web.index("shop-web-1") == db.index("shop-db-1") == header.index("NAME")


def test_filters(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ps", "--service", "db", "-o", "json"]) == 0
    assert [item["name"] for item in json.loads(capfd.readouterr().out)["items"]] == ["shop-db-1"]
    assert cli.run(["ps", "--label", "stage=prod", "-o", "ndjson"]) == 0
    assert json.loads(capfd.readouterr().out)["lines"] == 2


def test_names_of_strangers(running: Any, capfd: pytest.CaptureFixture[str]) -> None:
    running.add(make_origin(Container(None, "evil\n\x1b[2J"), "h"), "x")
    assert cli.run(["ps"]) == 0
    out = capfd.readouterr().out
    assert "\x1b" not in out and "evil\\n\\x1b[2J" in out
    assert len(out.splitlines()) == 4


def test_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.run(["ps"]) == 0
    out = capsys.readouterr().out
    assert "CONTAINER ID" in out and "shop-web-1" in out


def test_standing_warnings(running: Any, capfd: pytest.CaptureFixture[str]) -> None:
    running.house.notes.append("5 bytes of journal were damaged")
    assert cli.run(["ps"]) == 0
    assert capfd.readouterr().err == "logdock: 5 bytes of journal were damaged\n"


def test_a_server_that_is_down(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ps", "--server", "127.0.0.1:1"]) == 1
    assert "logdock serve" in capfd.readouterr().err
