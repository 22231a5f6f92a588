import json
from typing import Any

import pytest

from api import cli
from api.cli_histogram import bar_of, in_order
from storage.counts import Histogram

Capture = pytest.CaptureFixture[str]
RED, RESET = "\x1b[31m", "\x1b[0m"


@pytest.fixture(autouse=True)
def _server(running: Any, origins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_SERVER", running.url)
    monkeypatch.setenv("TZ", "UTC")
    running.add(origins.web, "1", "2", level="info")
    running.add(origins.db, "3", level="error")
    running.add(origins.db, "4", fields={"who": "a\x1b[2Jb\n"}, timestamp=1_795_482_005 * 10**9)


def test_bars_for_pipes(capfd: Capture) -> None:
    assert cli.run(["histogram", "--buckets", "3"]) == 0
    out, err = capfd.readouterr()
    full, half = "#" * 40, "#" * 20
    assert out.splitlines() == [
        f"2026-11-24 01:00:00  2  {full}  info 2",
        f"2026-11-24 01:00:02  1  {half}{' ' * 20}  error 1",
        f"2026-11-24 01:00:04  1  {half}{' ' * 20}  (none) 1",
    ]
    assert err == ""


def test_totals_only(capfd: Capture) -> None:
    assert cli.run(["histogram", "--by", "", "--buckets", "1"]) == 0
    assert capfd.readouterr().out == f"2026-11-24 01:00:00  4  {'#' * 40}\n"


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        (["web"], [1, 1]),
        (["shop-db-1"], [1, 0, 0, 1]),
        (["--level", "error"], [1]),
        (["--service", "web", "-q", "2"], [1]),
        (["--since", "2026-11-24T01:00:01Z", "--until", "2026-11-24T01:00:02Z"], [1, 1]),
    ],
)
def test_the_same_questions_as_logs(arguments: list[str], counts: list[int], capfd: Capture) -> None:
    assert cli.run(["histogram", *arguments, "-o", "json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert [bucket["count"] for bucket in answer["buckets"]] == counts
    assert answer["exact"] is True and answer["interval"] == "1s"


def test_ndjson_is_one_bucket_a_line(capfd: Capture) -> None:
    assert cli.run(["histogram", "-o", "ndjson", "--by", "service", "--buckets", "3"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["by"] for line in lines] == [{"web": 2}, {"db": 1}, {"db": 1}]


def test_colours_of_levels_on_a_terminal(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "44")
    assert cli.run(["histogram", "--buckets", "1", "--until", "2026-11-24T01:00:03Z"]) == 0
    row, legend = capsys.readouterr().out.splitlines()
    assert row == f"2026-11-24 01:00:00  3  {RED}{'█' * 7}{RESET}{'█' * 13}"
    assert legend == f"{RED}█{RESET} error 1  █ info 2"


def test_a_terminal_without_colours_has_room_for_words(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.run(["histogram", "--buckets", "1", "--until", "2026-11-24T01:00:03Z"]) == 0
    assert capsys.readouterr().out == f"2026-11-24 01:00:00  3  {'#' * 28}  error 1, info 2\n"


def test_what_containers_print_does_not_reach_a_terminal(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for terminal in (True, False):
        monkeypatch.setattr("sys.stdout.isatty", lambda terminal=terminal: terminal)
        assert cli.run(["histogram", "--by", "who", "--buckets", "1"]) == 0
        out = capsys.readouterr().out
        assert "\x1b[2J" not in out and "a\\x1b[2Jb\\n 1" in out


def test_wrong_questions(capfd: Capture) -> None:
    for arguments in (
        ["--buckets", "0"],
        ["--by", "label."],
        ["--level", "loud"],
        ["web", "--service", "db"],
    ):
        assert cli.run(["histogram", *arguments]) == 2
    assert cli.run(["histogram", "never"]) == 1
    assert "no container or service 'never'" in capfd.readouterr().err


def test_what_is_not_exact_and_what_is_empty_is_said(
    running: Any, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.run(["histogram", "-q", "nothing-like-it"]) == 0
    out, err = capfd.readouterr()
    assert out == "" and "; of them q leaves none" in err

    async def some(*_: object) -> Histogram:
        return Histogram(10**9, exact=False, notes=("estimates",))

    monkeypatch.setattr(running.house.store, "histogram", some)
    assert cli.run(["histogram"]) == 0
    assert capfd.readouterr().err.startswith("logdock: these counts are not exact\nlogdock: estimates\n")


def test_bars_are_never_empty_where_there_are_lines() -> None:
    paint = lambda text, value: f"<{value}{text}>"  # noqa: E731
    bucket = {"count": 1, "by": {"a": 1}}
    assert bar_of(bucket, ["a", "b"], 1000, 20, paint) == "<a█>"
    assert bar_of({"count": 3, "by": {"a": 1, "b": 2}}, ["a", "b"], 3, 9, paint) == "<a███><b██████>"
    assert bar_of({"count": 0, "by": {}}, ["a"], 3, 9, paint) == ""


def test_the_worst_levels_and_the_most_lines_come_first() -> None:
    buckets = [{"by": {"info": 5, "": 9, "error": 1}}, {"by": {"b": 2, "a": 2}}]
    assert in_order(buckets[:1], "level") == ["error", "info", ""]
    assert in_order(buckets, "who") == ["info", "a", "b", "error", ""]
