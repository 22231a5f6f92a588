import asyncio
import io
import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from api import cli, cli_prune
from api.units import human_size
from parsers.event import Container, make_origin
from storage.prune import Pruned


@pytest.fixture(autouse=True)
def _server(running: Any, origins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_SERVER", running.url)
    monkeypatch.setenv("TZ", "UTC")
    running.add(origins.web, "1", "2")
    running.add(origins.db, "3")


def kept(running: Any) -> list[str]:
    return [event.message for event in running.house.store._events.values()]


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_dry_run_says_what_would_go(running: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["prune", "--service", "web", "--dry-run"]) == 0
    out, err = capfd.readouterr()
    first, header, row = out.splitlines()
    assert first == "Would remove 2 lines from 2026-11-24T01:00:00Z to 2026-11-24T01:00:01Z"
    assert header.split("   ")[0] == "CONTAINER ID"
    assert row.split()[:4] == ["ab" * 6, "shop-web-1", "web", "2"]
    assert (err, kept(running)) == ("", ["1", "2", "3"])


@pytest.mark.parametrize("flag", ["--force", "-f"])
def test_force_asks_nothing(running: Any, capfd: pytest.CaptureFixture[str], flag: str) -> None:
    assert cli.run(["prune", "--service", "web", flag]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("Removed 2 lines from ") and err == ""
    assert kept(running) == ["3"]


@pytest.mark.parametrize("said", ["y\n", "Y\n", "yes\n"])
def test_a_yes_removes_what_was_shown(
    running: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    answer(monkeypatch, said)
    assert cli.run(["prune", "--label", "stage=prod"]) == 0
    out, err = capfd.readouterr()
    assert "This will remove 2 lines" in err and "[y/N]" in err
    assert out.startswith("Removed 2 lines") and kept(running) == ["3"]


@pytest.mark.parametrize("said", ["n\n", "\n", "", "yesterday\n"])
def test_anything_else_is_a_no_also_the_end_of_a_pipe(
    running: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    answer(monkeypatch, said)
    assert cli.run(["prune", "--service", "web"]) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.endswith("logdock: nothing was removed\n")
    assert kept(running) == ["1", "2", "3"]


def test_the_prune_removes_no_more_than_was_shown(
    running: Any, origins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line() -> str:
        running.add(origins.web, "later", timestamp=10**18 * 2)
        return "y\n"

    monkeypatch.setattr("sys.stdin", SimpleNamespace(readline=line))
    assert cli.run(["prune", "--service", "web"]) == 0
    assert kept(running) == ["3", "later"]


@pytest.mark.parametrize(
    ("flags", "left"),
    [
        (["--until", "2026-11-24T01:00:01Z"], ["2", "3"]),
        (["--until", "2026-11-25"], []),
        (["--container", "shop-db-1"], ["1", "2"]),
        (["--container", "d0d0", "--container", "shop-web-1"], []),
        (["--label", "stage!=prod"], ["1", "2"]),
        (["--label", "stage", "--label", "path=a/b"], ["1", "2"]),
        (["--filter", "label!=stage=prod"], ["1", "2"]),
        (["--filter", "label!=com.example/team"], ["1", "2"]),
        (["--filter", "label=stage=prod", "--filter", "until=2026-11-24T01:00:01Z"], ["2", "3"]),
        (["--filter", "service=db"], ["1", "2"]),
        (["--filter", "until=1h", "--service", "web"], ["1", "2", "3"]),
    ],
)
def test_filters(running: Any, flags: list[str], left: list[str]) -> None:
    assert cli.run(["prune", "--force", *flags]) == 0
    assert kept(running) == left


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        ([], 2, "say what may go"),
        (["--dry-run"], 2, "say what may go"),
        (["--filter", "until"], 2, "has no value"),
        (["--filter", "until="], 2, "until"),
        (["--filter", "network=x"], 2, "does not exist"),
        (["--until", "soon"], 2, "not a time"),
        (["--until", "1h", "--filter", "until=2h"], 2, "more than once"),
        (["--label", "=x"], 2, "has no key"),
        (["--service", ""], 2, "empty"),
    ],
)
def test_what_is_refused(
    running: Any, capfd: pytest.CaptureFixture[str], flags: list[str], code: int, said: str
) -> None:
    assert cli.run(["prune", "--force", *flags]) == code
    out, err = capfd.readouterr()
    assert out == "" and said in err and err.count("\n") == 1
    assert kept(running) == ["1", "2", "3"]


def test_an_ambiguous_container_lists_the_candidates(
    running: Any, origins: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    running.add(origins.other_web, "4")
    assert cli.run(["prune", "--container", "ab", "--force"]) == 2
    err = capfd.readouterr().err
    assert "ambiguous" in err and "shop-web-1" in err and "shop-web-2" in err
    assert kept(running) == ["1", "2", "3", "4"]


def test_nothing_to_remove_is_no_failure(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["prune", "--service", "wbe"]) == 0
    out, err = capfd.readouterr()
    assert out == "Removed 0 lines\n"
    assert err == "logdock: no service 'wbe' was ever seen\nlogdock: did you mean web?\n"


def test_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["prune", "--service", "web", "-f", "-o", "json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["lines"], told["dry_run"]) == (2, False)


def test_history(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["prune", "--service", "web", "--until", "1s", "-f"]) == 0
    capfd.readouterr()
    assert cli.run(["prune", "--history"]) == 0
    header, row = capfd.readouterr().out.splitlines()
    assert header.startswith("REMOVED") and row.endswith("service=web until=1s")
    assert cli.run(["prune", "--history", "-o", "ndjson"]) == 0
    assert json.loads(capfd.readouterr().out)["lines"] == 2


def test_names_of_strangers_do_not_move_the_cursor(running: Any, capfd: pytest.CaptureFixture[str]) -> None:
    running.add(make_origin(Container(None, "a\x1b[2Jb\nc"), "h", service="s"), "x")
    assert cli.run(["prune", "--service", "s", "--dry-run"]) == 0
    out = capfd.readouterr().out
    assert "\x1b" not in out and len(out.splitlines()) == 3


def test_progress_on_a_terminal(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            if "1,234 lines" in text:
                told.set()
            return super().write(text)

    told, prune, terminal = threading.Event(), running.house.store.prune, Terminal()

    async def slow(selection: Any, dry_run: bool) -> Any:
        running.house.store._removed.show(Pruned("x", 1, "prune", 1234, 0, 0, state="running"))
        assert await asyncio.to_thread(told.wait, 30)
        return await prune(selection, dry_run)

    monkeypatch.setattr(running.house.store, "prune", slow)
    monkeypatch.setattr(cli_prune, "PROGRESS_SECONDS", 0.05)
    monkeypatch.setattr("sys.stderr", terminal)
    assert cli.run(["prune", "--service", "web", "-f"]) == 0
    assert terminal.getvalue().endswith("\r\x1b[K") and kept(running) == ["3"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (1_234_567, "1.235MB"),
        (5 * 10**18, "5000PB"),
        (-1500, "-1.5kB"),
    ],
)
def test_sizes_as_docker_says_them(size: int, text: str) -> None:
    assert human_size(size) == text
