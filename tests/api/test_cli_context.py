"""Lines around matches: beside the real grep, and what it has no word for."""

import json
import random
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from api import cli, cli_context

Capture = pytest.CaptureFixture[str]
Ask = Callable[..., int]


@pytest.fixture
def logs(running: Any, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("LOGDOCK_SERVER", running.url)
    return lambda *arguments: cli.run(["logs", *arguments])


def grep(lines: list[str], *arguments: str) -> str:
    text = "".join(line + "\n" for line in lines)
    done = subprocess.run(["grep", *arguments], input=text, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("seed", range(6))
def test_one_container_is_printed_as_grep_prints_a_file(
    logs: Ask, running: Any, origins: Any, capfd: Capture, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole seconds are what Docker sends by default, so many lines have the same timestamp."""
    chance = random.Random(seed)
    monkeypatch.setattr(cli_context, "AT_ONCE", chance.choice([3, 50]))
    share = chance.choice([0.02, 0.1, 0.4])
    lines = [f"{'hit' if chance.random() < share else 'line'} {number}" for number in range(200)]
    for number, line in enumerate(lines):
        running.add(origins.web, line, timestamp=1_795_482_000_000_000_000 + number // 7 * 10**9)
        if chance.random() < 0.3:
            running.add(origins.db, f"hit of another container {number}")
    for _ in range(6):
        before, after = chance.randrange(6), chance.randrange(6)
        sides = chance.choice([("-C", before), ("-A", after), ("-B", before)])
        arguments = [f"{sides[0]}{sides[1]}"]
        assert logs("shop-web-1", "-q", "hit", *arguments) == 0
        assert capfd.readouterr() == (grep(lines, "hit", *arguments), ""), arguments


def test_both_sides_apart_and_a_bound_in_time(logs: Ask, running: Any, origins: Any, capfd: Capture) -> None:
    running.add(origins.web, *[f"line {number}" for number in range(30)])
    assert logs("web", "-q", '"line 1"', "-B", "1", "-A", "2", "--until", "2026-11-24T01:00:10Z") == 0
    assert capfd.readouterr().out.split("\n") == [
        "line 0", "line 1", "line 2", "line 3", "--", "line 9", "line 10", "line 11", "line 12", ""
    ]  # fmt: skip
    assert logs("web", "-q", '"line 1"', "-C", "1", "--since", "2026-11-24T01:00:19Z") == 0
    assert capfd.readouterr().out == "line 18\nline 19\nline 20\n"
    assert logs("web", "-q", '"line 1"', "-C", "1", "-A", "0", "-n", "1") == 0
    assert capfd.readouterr().out == "line 18\nline 19\n"


def mixed(running: Any, origins: Any) -> None:
    for number in range(6):
        running.add(origins.web, f"web {number}")
        running.add(origins.other_web, f"other {number}")
        running.add(origins.db, f"db {number}", stream="stderr")


def test_lines_around_are_of_the_same_container(
    logs: Ask, running: Any, origins: Any, capfd: Capture
) -> None:
    mixed(running, origins)
    assert logs("-q", '"web 2" OR "other 4"', "-C", "1") == 0
    assert capfd.readouterr() == ("web 1\nweb 2\nweb 3\n--\nother 3\nother 4\nother 5\n", "")


@pytest.mark.parametrize(
    ("scope", "out"),
    [
        ("service", "other 1\nweb 2\nother 2\n"),
        ("host", "web 2\nother 2\n"),
        ("all", "web 2\nother 2\n"),
    ],
)
def test_scopes(logs: Ask, running: Any, origins: Any, capfd: Capture, scope: str, out: str) -> None:
    mixed(running, origins)
    assert logs("-q", '"web 2"', "-C", "1", "--scope", scope) == 0
    found = capfd.readouterr()
    assert found.out == out
    assert found.err == ("" if scope == "service" else "db 1\n")


def test_containers_that_match_in_turn_print_no_line_twice(
    logs: Ask, running: Any, origins: Any, capfd: Capture
) -> None:
    mixed(running, origins)
    assert logs("--service", "web", "-q", "2 OR 4", "-C", "1") == 0
    assert capfd.readouterr().out.split("\n") == [
        "web 1", "web 2", "web 3", "--", "other 1", "other 2", "other 3", "--",
        "web 4", "web 5", "--", "other 4", "other 5", "",
    ]  # fmt: skip
    assert logs("--service", "web", "-q", "1 OR 4", "-C", "1") == 0
    assert capfd.readouterr().out.split("\n") == [
        "web 0", "web 1", "web 2", "--", "other 0", "other 1", "other 2", "--",
        "web 3", "web 4", "web 5", "--", "other 3", "other 4", "other 5", "",
    ]  # fmt: skip


def test_the_separator_goes_where_the_next_line_goes(
    logs: Ask, running: Any, origins: Any, capfd: Capture
) -> None:
    mixed(running, origins)
    assert logs("db", "-q", '"db 0" OR "db 5"', "-C", "1") == 0
    assert capfd.readouterr() == ("", "db 0\ndb 1\n--\ndb 4\ndb 5\n")


def test_json_says_which_lines_match(logs: Ask, running: Any, origins: Any, capfd: Capture) -> None:
    running.add(origins.web, *[f"line {number}" for number in range(10)])
    wanted = [("line 0", False, 1), ("line 1", True, 1), ("line 2", False, 1),
              ("line 7", False, 2), ("line 8", True, 2), ("line 9", False, 2)]  # fmt: skip
    assert logs("-q", '"line 1" OR "line 8"', "-C", "1", "-o", "ndjson") == 0
    found = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(line["message"], line["match"], line["group"]) for line in found] == wanted
    assert logs("-q", '"line 1" OR "line 8"', "-C", "1", "-o", "json") == 0
    document = json.loads(capfd.readouterr().out)
    assert [(line["message"], line["match"], line["group"]) for line in document["events"]] == wanted


@pytest.mark.parametrize(
    ("template", "out"),
    [
        ("{{.Message}}!", "line 0!\n--\nline 2!\n"),
        ("table {{.Message}}", "MESSAGE\nline 0\nline 2\n"),
        ("{{json .Message}}", '"line 0"\n--\n"line 2"\n'),
    ],
)
def test_templates(logs: Ask, running: Any, origins: Any, capfd: Capture, template: str, out: str) -> None:
    running.add(origins.web, "line 0", "line 1", "line 2")
    assert logs("-q", "0 OR 2", "-A", "0", "--format", template) == 0
    assert capfd.readouterr() == (out, "")


def test_nothing_found(logs: Ask, running: Any, origins: Any, capfd: Capture) -> None:
    running.add(origins.web, "line")
    assert logs("web", "-q", "nowhere", "-C", "3") == 0
    out, err = capfd.readouterr()
    assert out == "" and "there are 1 lines" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-C", "501"], "--context"),
        (["-A", "x"], "--after-context"),
        (["-C", "1", "-f"], "leave out -f"),
        (["--scope", "host"], "give --context, -B or -A too"),
        (["-C", "1", "--scope", "planet"], "'planet' is not one of"),
    ],
)
def test_wrong_usage(logs: Ask, capfd: Capture, arguments: list[str], expected: str) -> None:
    assert logs("web", *arguments) == 2
    out, err = capfd.readouterr()
    assert out == "" and expected in err and err.count("\n") == 1
