import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api import cli
from api.app import create_app
from storage.quarantine import Quarantine
from storage.quarantine_work import Worker
from storage.store import Rejection
from tests.api.conftest import Running

DOCS = (Path(__file__).parents[2] / "docs/commands.md").read_text()


@pytest.fixture(autouse=True)
def quarantine(
    house: Any, tmp_path: Path, origins: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Quarantine]:
    made = Quarantine(tmp_path / "quarantine", house.metrics)
    (web,) = house.events(origins.web, ["one \x1b[31m\tred\n" + "x" * 100])
    (db,) = house.events(origins.db, ["two"])
    monkeypatch.setattr("storage.quarantine.SEGMENT_BYTES", 1)  # each in a file of its own
    made.take([Rejection(web, "refused", "no such type")])
    made.take([Rejection(db, "too_large", "413")])
    server = Running(house, create_app(replace(house.services(), quarantine=Worker(made))))
    server.start()
    monkeypatch.setenv("LOGDOCK_SERVER", server.url)
    yield made
    server.stop()


def test_list_is_a_table_with_what_the_store_said(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["quarantine", "list"]) == 0
    out = capfd.readouterr().out
    header, web, why, db, _ = out.splitlines()
    assert header.split() == ["QUARANTINED", "REASON", "TRIES", "CONTAINER", "ID", "MESSAGE"]
    assert web.split()[1:5] == ["refused", "1", "shop-web-1", "j1.0.0"]
    assert web.endswith("…")
    assert "\x1b" not in out
    assert why == "    no such type"
    assert db.split()[1:] == ["too_large", "1", "shop-db-1", "j1.1.0", "two"]


def test_list_filters_and_forms(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["quarantine", "list", "--reason", "too_large", "-o", "json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert [item["id"] for item in answer["items"]] == ["j1.1.0"]
    assert cli.run(["quarantine", "list", "--container", "shop-web-1", "-o", "ndjson"]) == 0
    assert json.loads(capfd.readouterr().out)["id"] == "j1.0.0"
    assert cli.run(["quarantine", "list", "--service", "db", "--since", "2026-11-24T01:00:00Z"]) == 0
    assert "j1.1.0" in capfd.readouterr().out


def test_list_follows_pages_and_says_when_there_is_more(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.cli_quarantine.PAGE", 1)
    assert cli.run(["quarantine", "list", "-o", "ndjson"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 2
    assert cli.run(["quarantine", "list", "--limit", "1"]) == 0
    said = capfd.readouterr()
    assert "j1.0.0" in said.out
    assert "j1.1.0" not in said.out
    assert "there are more: 2 in all" in said.err


def test_retry(capfd: pytest.CaptureFixture[str], quarantine: Quarantine) -> None:
    assert cli.run(["quarantine", "retry", "j1.0.0"]) == 0
    assert capfd.readouterr().out == "1 taken by the store, 0 refused again, 1 left\n"
    assert cli.run(["quarantine", "retry", "--reason", "too_large"]) == 0
    assert len(quarantine) == 0
    assert cli.run(["quarantine", "retry", "--all"]) == 0
    assert cli.run(["quarantine", "retry", "j1.0.0"]) == 1
    assert "j1.0.0 is not in quarantine" in capfd.readouterr().err


def test_a_retry_in_several_answers_adds_them_up(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.quarantine_work.WORK_SECONDS", -1.0)
    assert cli.run(["quarantine", "retry", "--all"]) == 0
    said = capfd.readouterr()
    assert said.out == "2 taken by the store, 0 refused again, 0 left\n"
    assert said.err == "1 taken, 0 refused so far\n"


@pytest.mark.parametrize("verb", ["retry", "drop"])
@pytest.mark.parametrize("arguments", [[], ["x", "--all"], ["--all", "--reason", "x"]])
def test_it_must_be_said_what(
    capfd: pytest.CaptureFixture[str], quarantine: Quarantine, verb: str, arguments: list[str]
) -> None:
    assert cli.run(["quarantine", verb, *arguments]) == 2
    assert "say which: ids, --reason or --all" in capfd.readouterr().err
    assert len(quarantine) == 2


def test_drop_asks_first(
    capfd: pytest.CaptureFixture[str], quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert cli.run(["quarantine", "drop", "--all"]) == 2
    assert "--force" in capfd.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, left in ((False, 2), (True, 1)):
        monkeypatch.setattr("typer.confirm", lambda _text, answer=answer: answer)
        assert cli.run(["quarantine", "drop", "j1.0.0"]) == (0 if answer else 1)
        assert len(quarantine) == left
    assert cli.run(["quarantine", "drop", "--all", "--force"]) == 0
    assert capfd.readouterr().out.endswith("1 dropped, 0 left\n")


def test_every_flag_is_documented() -> None:
    text = DOCS[DOCS.index("## logdock quarantine") :].split("\n## ")[0]
    for name in ("list", "retry", "drop"):
        assert f"logdock quarantine {name}" in text
    for flag in ("--reason", "--container", "--service", "--since", "--until", "--limit", "--output"):
        assert f"`{flag}`" in text, flag
    for flag in ("--all", "--force", "--server"):
        assert f"`{flag}`" in text, flag
