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
    assert db.split()[:7] == ["d0" * 6, "shop-db-1", "db", "shop", "1", "nginx:1.27", "node-a"]
    assert web.split()[-1] == "2"
    assert web.index("shop-web-1") == db.index("shop-db-1") == header.index("NAME")


def test_filters(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ps", "--service", "db", "-o", "json"]) == 0
    assert [item["name"] for item in json.loads(capfd.readouterr().out)["items"]] == ["shop-db-1"]
    assert cli.run(["ps", "--label", "stage=prod", "-o", "ndjson"]) == 0
    assert json.loads(capfd.readouterr().out)["lines"] == 2


@pytest.mark.parametrize(
    ("name", "labels", "cells"),
    [
        ("shop-job-run-0123456789ab", {}, ["job", "shop", "oneoff"]),
        ("brave_curie", {"com.docker.compose.hook": "pre_start"}, ["job", "-", "hook"]),
        ("job.kljaxb2u1j62u64905zyizmv4.l7vsr3kgrgbp6mi6oesythfim", {}, ["job", "-", "kljaxb2u1j62"]),
        ("bare", {}, ["job", "-", "-"]),
    ],
)
def test_one_offs_hooks_and_replicas_are_told_apart(
    running: Any, capfd: pytest.CaptureFixture[str], name: str, labels: dict[str, str], cells: list[str]
) -> None:
    labels = {"service.name": "job", **labels}
    running.add(make_origin(Container(None, name), "h", service="job", labels=labels), "x")
    assert cli.run(["ps", "--service", "job"]) == 0
    assert capfd.readouterr().out.splitlines()[1].split()[2:5] == cells


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["--format", "{{.Names}} {{.Lines}}"], "shop-db-1 1\nshop-web-1 2\n"),
        (["--format", "{{.ID}}|{{.id}}"], f"{'d0' * 6}|{'d0' * 32}\n{'ab' * 6}|{'ab' * 32}\n"),
        (["--format", "{{.ID}}", "--no-trunc", "--service", "db"], f"{'d0' * 32}\n"),
        (["--format", "{{.Labels}}", "--service", "db"], "path=a/b,stage=test\n"),
        (["--format", '{{.Label "stage"}}'], "test\nprod\n"),
        (
            ["--format", r"table {{.Names}}\t{{.Service}}"],
            "NAMES        SERVICE\nshop-db-1    db\nshop-web-1   web\n",
        ),
        (["--format", "table {{.Host}}", "--service", "none"], "HOST\n"),
        (["--format", "{{.Host}}", "--service", "none"], ""),
    ],
)  # fmt: skip
def test_format(capfd: pytest.CaptureFixture[str], arguments: list[str], out: str) -> None:
    assert cli.run(["ps", *arguments]) == 0
    assert capfd.readouterr().out == out


def test_format_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ps", "--format", "json"]) == 0
    db, web = map(json.loads, capfd.readouterr().out.splitlines())
    assert (db["Names"], db["Labels"], web["Lines"]) == ("shop-db-1", "path=a/b,stage=test", 2)
    assert web["Status"].startswith("last line ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--format", "json", "-o", "ndjson"], "--format and --output exclude each other"),
        (["--format", "{{.Ports}}"], "log lines do not tell docker's .Ports; there is .ID .Names"),
        (
            ["--format", "{{.Names", "--server", "127.0.0.1:1"],
            "at character 9: template: :1: unclosed action",
        ),
    ],
)
def test_wrong_formats(capfd: pytest.CaptureFixture[str], arguments: list[str], expected: str) -> None:
    assert cli.run(["ps", *arguments]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert expected in err


def test_an_empty_format_is_none(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ps", "--format", ""]) == 0
    assert capfd.readouterr().out.startswith("CONTAINER ID   NAME ")


def test_whole_ids_in_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ps", "--no-trunc"]) == 0
    assert "d0" * 32 in capfd.readouterr().out


def test_names_of_strangers(running: Any, capfd: pytest.CaptureFixture[str]) -> None:
    running.add(make_origin(Container(None, "evil\n\x1b[2J"), "h"), "x")
    assert cli.run(["ps"]) == 0
    out = capfd.readouterr().out
    assert "\x1b" not in out and "evil\\n\\x1b[2J" in out
    assert len(out.splitlines()) == 4


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_on_a_terminal_nothing_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    assert cli.run(["ps"]) == 0
    plain = capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert cli.run(["ps"]) == 0
    header, rest = plain.split("\n", 1)
    assert capsys.readouterr().out == f"\x1b[1m{header}\x1b[0m\n{rest}"


def test_json_on_a_terminal(
    running: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    running.add(make_origin(Container(None, "evil\x9b"), "h"), "x")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for output in ("json", "ndjson"):
        assert cli.run(["ps", "-o", output]) == 0
        assert "evil\\u009b" in capsys.readouterr().out


def test_standing_warnings(running: Any, capfd: pytest.CaptureFixture[str]) -> None:
    running.house.notes.append("5 bytes of journal were damaged")
    assert cli.run(["ps"]) == 0
    assert capfd.readouterr().err == "logdock: 5 bytes of journal were damaged\n"


def test_a_server_that_is_down(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ps", "--server", "127.0.0.1:1"]) == 1
    assert "logdock serve" in capfd.readouterr().err
