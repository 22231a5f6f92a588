"""`logdock logs` against a real server."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api import cli, cli_logs, client
from api.cli_common import Output
from api.cli_dots import EVENTS
from api.cli_format import Format, Formatted
from api.cli_logs import count_of
from api.cli_print import Printer
from api.client import Message
from parsers.event import Container, make_origin
from storage.store import StoreUnavailable
from tests.api.conftest import SECOND, START

Capture = pytest.CaptureFixture[str]
Ask = Callable[..., int]


@pytest.fixture
def logs(running: Any, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("LOGDOCK_SERVER", running.url)
    return lambda *arguments: cli.run(["logs", *arguments])


@pytest.fixture
def lines(running: Any, origins: Any) -> None:
    running.add(origins.web, "web 1", "web 2", stream="stdout", level="info")
    running.add(origins.db, "db 1 failed", stream="stderr", level="error")
    running.add(origins.other_web, "web 3", stream="stdout")


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("arguments", "out", "err"),
    [
        (["shop-web-1"], "web 1\nweb 2\n", ""),
        (["ab" * 32], "web 1\nweb 2\n", ""),
        (["abab"], "web 1\nweb 2\n", ""),
        (["web"], "web 1\nweb 2\nweb 3\n", ""),
        (["shop-db-1"], "", "db 1 failed\n"),
        (["db"], "", "db 1 failed\n"),
        ([], "web 1\nweb 2\nweb 3\n", "db 1 failed\n"),
        (["web", "-n", "1"], "web 3\n", ""),
        (["web", "--tail", "2"], "web 2\nweb 3\n", ""),
        (["web", "--tail", "0"], "", ""),
        (["web", "--tail", "all"], "web 1\nweb 2\nweb 3\n", ""),
        (["web", "--tail", "-1"], "web 1\nweb 2\nweb 3\n", ""),
        (["--service", "web", "--label", "com.example/team"], "web 1\nweb 2\n", ""),
        (["--level", "error"], "", "db 1 failed\n"),
        (["-q", "WEB -2"], "web 1\nweb 3\n", ""),
        (["--stream", "stderr"], "", "db 1 failed\n"),
        (["web", "--since", "2026-11-24T01:00:01Z"], "web 2\nweb 3\n", ""),
        (["web", "--until", "2026-11-24T01:00:00Z"], "web 1\n", ""),
        (["-t", "shop-web-2"], "2026-11-24T01:00:03.000000000Z web 3\n", ""),
        (["--details", "shop-web-2"], "stage=prod web 3\n", ""),
    ],
)
def test_lines(logs: Ask, capfd: Capture, arguments: list[str], out: str, err: str) -> None:
    assert logs(*arguments) == 0
    assert capfd.readouterr() == (out, err)


def test_many_pages(
    logs: Ask, running: Any, origins: Any, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FIRST_PAGE", 3)
    monkeypatch.setattr(client, "LARGEST_PAGE", 7)
    running.add(origins.web, *[f"n {n}" for n in range(50)])
    assert logs("web") == 0
    assert capfd.readouterr().out.splitlines() == [f"n {n}" for n in range(50)]
    assert logs("web", "-n", "30") == 0
    assert capfd.readouterr().out.splitlines() == [f"n {n}" for n in range(20, 50)]


@pytest.mark.usefixtures("lines")
def test_json(logs: Ask, capfd: Capture) -> None:
    assert logs("web", "-o", "json") == 0
    found = json.loads(capfd.readouterr().out)
    assert [event["message"] for event in found["events"]] == ["web 1", "web 2", "web 3"]
    assert logs("db", "-o", "ndjson") == 0
    assert json.loads(capfd.readouterr().out)["container"]["name"] == "shop-db-1"


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["shop-wbe-1"], 1, "no container or service 'shop-wbe-1' was ever seen; did you mean shop-web-1"),
        (["wep"], 1, "no container or service 'wep' was ever seen; did you mean web?"),
        (["ab"], 2, "is ambiguous"),
        (["web", "--since", "yesterday"], 2, "logdock: --since: not a time: 'yesterday'"),
        (["web", "-q", "(a"], 2, "logdock: --grep: a ( without its )"),
        (["--service", " "], 2, "logdock: --service is empty"),
        ([""], 2, "the name of the container or service is empty"),
        (["x\ny\x1b[2J"], 1, "no container or service 'x\\ny\\x1b[2J' was ever seen"),
        (["--host", "a\udcff"], 2, "the question is not UTF-8"),
        (["--host", "a" * 70_000], 2, "the question is too long"),
        (["--server", "http://[::1"], 2, "is not an address of a server"),
        (["web", "--service", "db"], 2, "'web' is a service: leave out --service, or the name"),
        (["web", "-f", "-o", "json"], 2, "use --output ndjson"),
        (["web", "--format", "json", "-o", "json"], 2, "--format and --output exclude each other"),
        (["web", "--format", "{{.Message}}", "-t"], 2, "name .Timestamp or .Labels"),
        (["web", "--format", "table", "-f"], 2, "a table cannot be aligned while -f goes on"),
        (
            ["web", "--format", "{{.Mesage}}"],
            2,
            "at <.Mesage>: can't evaluate field Mesage in type logdock.Event",
        ),
        (
            ["--format", "{{.Level", "--server", "127.0.0.1:1"],
            2,
            "at character 9: template: :1: unclosed action",
        ),
    ],
)
def test_errors(logs: Ask, capfd: Capture, arguments: list[str], code: int, expected: str) -> None:
    assert logs(*arguments) == code
    out, err = capfd.readouterr()
    assert out == "" and expected in err
    assert err.startswith("logdock: ") and err.count("\n") == 1


@pytest.mark.usefixtures("lines")
def test_nothing_found_is_explained(logs: Ask, capfd: Capture) -> None:
    assert logs("web", "-q", "nowhere") == 0
    out, err = capfd.readouterr()
    assert out == "" and err.startswith("logdock: there are 3 lines up to")


def test_a_server_that_is_down(capfd: Capture) -> None:
    assert cli.run(["logs", "web", "--server", "127.0.0.1:1"]) == 1
    assert "start one with `logdock serve`" in capfd.readouterr().err


@pytest.mark.parametrize("more", [[], ["db00" + "e" * 60]])
def test_a_service_wins_over_the_start_of_an_id(
    logs: Ask, running: Any, origins: Any, capfd: Capture, more: list[str]
) -> None:
    """Many services are called db, and one container id in 256 begins so."""
    for identity in ["db" * 32, *more]:
        running.add(make_origin(Container(identity, "other"), "h"), "of another container")
    running.add(origins.db, "of the service")
    assert logs("db") == 0
    assert capfd.readouterr().out == "of the service\n"


def test_count_of() -> None:
    assert [count_of(text) for text in ("0", "12", "all", "-1", "x", "1.5")] == [
        0,
        12,
        None,
        None,
        None,
        None,
    ]


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("template", "out"),
    [
        (
            "{{.Container.Name}}: {{.Message}}",
            "shop-web-1: web 1\nshop-web-1: web 2\nshop-db-1: db 1 failed\nshop-web-2: web 3\n",
        ),
        ("{{.level}}/{{.stream}}", "info/stdout\ninfo/stdout\nerror/stderr\n/stdout\n"),
        (
            r"table {{.Container.Name}}\t{{.Level}}\t{{.Message}}",
            "CONTAINER NAME   LEVEL     MESSAGE\n"
            "shop-web-1       info      web 1\n"
            "shop-web-1       info      web 2\n"
            "shop-db-1        error     db 1 failed\n"
            "shop-web-2                 web 3\n",
        ),
        ('{{if eq .Level "error"}}{{.ID}}{{end}}', "\n\nj1.2.0\n\n"),
    ],
)  # fmt: skip
def test_format_prints_both_streams_to_stdout(logs: Ask, capfd: Capture, template: str, out: str) -> None:
    assert logs("--format", template) == 0
    assert capfd.readouterr() == (out, "")


@pytest.mark.usefixtures("lines")
def test_format_json_is_what_rest_says(logs: Ask, running: Any, capfd: Capture) -> None:
    with client.Client(running.url) as asked:
        wanted = [event for page in asked.pages("/logs", {"order": "asc"}) for event in page["events"]]
    for template in ("json", "{{json .}}"):
        assert logs("--format", template) == 0
        assert [json.loads(line) for line in capfd.readouterr().out.splitlines()] == wanted


@pytest.mark.usefixtures("lines")
def test_lines_that_do_not_bear_the_template(logs: Ask, capfd: Capture) -> None:
    assert logs("--format", "{{slice .Message 0 7}}") == 1
    out, err = capfd.readouterr()
    assert out == "db 1 fa\n"
    assert "error calling slice: index out of range: 7" in err
    assert err.splitlines()[-1] == "logdock: left out because the template fails on them: 3"


class Following:
    """`logdock logs -f ...` as a process."""

    def __init__(self, url: str, *arguments: str) -> None:
        code = "from api import cli_logs, cli; cli_logs.FIRST_PAUSE = 0.05; cli.main()"
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", code, "logs", "-f", "--server", url, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            # a shell that runs the tests in the background makes its children ignore Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        self.out: list[str] = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.out.append(line.rstrip("\n"))

    def wait_for(self, *lines: str) -> None:
        deadline = time.monotonic() + 15
        while self.out != list(lines):
            assert time.monotonic() < deadline, self.out
            time.sleep(0.02)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@pytest.fixture
def following(running: Any) -> Iterator[Callable[..., Following]]:
    started: list[Following] = []

    def start(*arguments: str) -> Following:
        started.append(Following(running.url, *arguments))
        return started[-1]

    yield start
    for one in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.process.pid, signal.SIGKILL)
        one.process.wait()


@pytest.mark.usefixtures("lines")
def test_follow(following: Callable[..., Following], running: Any, origins: Any) -> None:
    follower = following("web")
    follower.wait_for("web 1", "web 2", "web 3")
    until_followed(running)
    running.add(origins.db, "elsewhere")
    running.add(origins.web, "web 4")
    follower.wait_for("web 1", "web 2", "web 3", "web 4")
    assert follower.interrupt() == 130
    assert follower.process.stderr is not None and follower.process.stderr.read() == ""


@pytest.mark.usefixtures("lines")
def test_follow_with_a_format(following: Callable[..., Following], running: Any, origins: Any) -> None:
    follower = following("web", "-n", "1", "--format", "{{upper .Message}}")
    until_followed(running)
    running.add(origins.web, "web 4", stream="stderr")
    follower.wait_for("WEB 3", "WEB 4")
    assert follower.interrupt() == 130


@pytest.mark.usefixtures("lines")
def test_follow_without_history(following: Callable[..., Following], running: Any, origins: Any) -> None:
    follower = following("web", "-n", "0")
    until_followed(running)
    running.add(origins.web, "web 4")
    follower.wait_for("web 4")


@pytest.mark.usefixtures("lines")
def test_a_lost_connection_is_taken_up_where_it_broke(
    following: Callable[..., Following], running: Any, origins: Any
) -> None:
    follower = following("web", "-n", "1")
    until_followed(running)
    running.add(origins.web, "web 4")
    follower.wait_for("web 3", "web 4")
    running.call(lambda: running.house.tail.close())  # ends every stream, as a restart would
    running.add(origins.web, "web 5")
    follower.wait_for("web 3", "web 4", "web 5")


@pytest.mark.usefixtures("lines")
def test_a_store_that_is_away_when_the_connection_is_taken_up_is_waited_for(
    following: Callable[..., Following], running: Any, origins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = following("shop-web-1", "-n", "1")
    until_followed(running)
    refused, find = threading.Event(), running.house.store.find_containers

    async def away(_ref: str) -> Any:
        refused.set()
        raise StoreUnavailable("away")

    monkeypatch.setattr(running.house.store, "find_containers", away)
    running.call(lambda: running.house.tail.close())
    assert refused.wait(15)
    running.add(origins.web, "web 4")
    monkeypatch.setattr(running.house.store, "find_containers", find)
    follower.wait_for("web 2", "web 4")
    assert follower.interrupt() == 130
    assert follower.process.stderr is not None
    assert "the store cannot answer now: away" in follower.process.stderr.read()


@pytest.mark.usefixtures("lines")
def test_a_fixed_since_holds_for_live_lines_too(
    following: Callable[..., Following], running: Any, origins: Any
) -> None:
    """As docker: --since in the future shows nothing before it, however often the connection is made anew."""
    follower = following("web", "--since", "2026-11-24T01:30:00Z")
    until_followed(running)
    running.add(origins.web, "before")
    running.add(origins.web, "then", timestamp=START + 1800 * SECOND)
    follower.wait_for("then")
    running.call(lambda: running.house.tail.close())
    running.add(origins.web, "before, too")
    running.add(origins.web, "later", timestamp=START + 1801 * SECOND)
    follower.wait_for("then", "later")


def test_everything_that_is_missing_is_said_each_time(capfd: Capture) -> None:
    """The same number twice is two losses."""
    printers = [Printer(Output.text), Formatted(Format("{{.Message}}", EVENTS))]
    for printer in printers:
        for message in [Message("dropped", {"dropped": 5})] * 2 + [Message("gap", {"missing": None})] * 2:
            cli_logs._show(message, printer, set())
        err = capfd.readouterr().err
        assert err.count("logdock: 5 lines came faster than they were read") == 2
        assert err.count("are no longer kept") == 2


def test_a_proxy_whose_server_restarts_is_waited_for(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    monkeypatch.setattr(cli_logs, "FIRST_PAUSE", 0.01)
    log = Message("log", {"id": "1", "message": "back", "stream": "stdout"}, "7")
    turns: list[Any] = [502, 504, [log], 502, [Message("end", {})]]
    resumed: list[str | None] = []

    class Proxied:
        def tail(self, _filters: Any, resume: str | None) -> Iterator[Message]:
            resumed.append(resume)
            turn = turns.pop(0)
            if isinstance(turn, int):
                raise client.RefusedError(turn, "unknown", None, f"answered {turn}")
            yield from turn

    history = cli_logs._History(Proxied(), Printer(Output.text), {})  # type: ignore[arg-type]
    history.resume = "3"
    cli_logs._follow(Proxied(), Printer(Output.text), {}, history)  # type: ignore[arg-type]
    assert resumed == ["3", "3", "3", "7", "7"]
    out, err = capfd.readouterr()
    assert out == "back\n"
    assert err == "logdock: answered 502 (still trying)\n" * 2


def until_followed(running: Any) -> None:
    deadline = time.monotonic() + 15
    while running.house.metrics.registry.get_sample_value("logdock_tail_followers") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_lines_that_arrive_between_history_and_tail_come_once(
    running: Any, origins: Any, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line stored after `resume` was read and before the search ran is in both."""
    running.add(origins.web, "a")
    search = running.house.store.search

    async def late(query: Any) -> Any:
        monkeypatch.setattr(running.house.store, "search", search)
        await running.house.add(origins.web, "b")
        return await search(query)

    seen: list[Any] = []

    class Enough(Exception):  # noqa: N818
        pass

    def show(message: Any, printer: Any, known: set[str]) -> None:
        cli_show(message, printer, known)
        seen.append(message)
        if message.kind == "log" and message.data["message"] == "c":
            raise Enough

    cli_show = cli_logs._show
    monkeypatch.setattr(cli_logs, "_show", show)
    monkeypatch.setattr(running.house.store, "search", late)
    history_print = cli_logs._History.print

    def print_then_more(self: Any, count: int | None) -> None:
        history_print(self, count)
        running.add(origins.web, "c")

    monkeypatch.setattr(cli_logs._History, "print", print_then_more)
    with pytest.raises(Enough):
        cli.run(["logs", "-f", "--server", running.url])
    assert [m.data["message"] for m in seen if m.kind == "log"] == ["b", "c"]
    assert capfd.readouterr().out == "a\nb\nc\n"
