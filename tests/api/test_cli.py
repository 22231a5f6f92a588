import subprocess
import sys

import pytest

from api import cli
from api.cli_common import CliError


def run(*arguments: str) -> int:
    return cli.run(arguments)


def test_help_names_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert run() == run("--help") == 0
    text = capfd.readouterr().out
    for name in cli.COMMANDS:
        assert f" {name} " in text


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(name, "--help") == 0
    assert f"logdock {name}" in capfd.readouterr().out


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capfd.readouterr().out.startswith("logdock ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["logs", "--bogus"], "No such option: --bogus"),
        (["logs", "-n"], "Option '-n' requires an argument"),
        (["logs", "-o", "xml"], "'xml' is not one of"),
        (["logs", "a", "b"], "Got unexpected extra argument"),
        (["tag"], "Missing argument"),
        (["serve", "--http", "8080"], "--http (LOGDOCK_HTTP): '8080' has no port"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("logdock: ") and expected in err
    assert err.count("\n") == 1


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def build(_arguments: object) -> object:
        def app(**_more: object) -> None:
            raise error

        return app

    monkeypatch.setattr(cli, "build", build)
    return run("logs")


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert _raising(monkeypatch, CliError("not found")) == 1
    assert _raising(monkeypatch, CliError("wrong", 2)) == 2
    assert capfd.readouterr().err == "logdock: not found\nlogdock: wrong\n"
    assert _raising(monkeypatch, KeyboardInterrupt()) == 130
    assert capfd.readouterr().err == ""


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        _raising(monkeypatch, ZeroDivisionError())


HEAVY = ("duckdb", "pyarrow", "elasticsearch", "uvicorn", "fastapi", "starlette", "storage")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["logs", "--help"], ["logs", "web", "--server", "127.0.0.1:1"]]
)
def test_asking_commands_import_nothing_of_the_server(arguments: list[str]) -> None:
    code = (
        "import sys; from api.cli import run; run(sys.argv[1:]);"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_reader_that_has_enough() -> None:
    code = (
        "import sys, types; from api import cli;"
        "chatty = types.ModuleType('chatty');"
        "chatty.register = lambda app: app.command('logs')(lambda: [print('x' * 10000) for _ in range(100)]);"
        "sys.modules['chatty'] = chatty; cli.COMMANDS = {'logs': 'chatty'};"
        "sys.exit(cli.run(['logs']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("output", "code", "says"),
    [(">/dev/full", 1, "logdock: cannot write the answer: No space left on device\n"), (">&-", 0, "")],
)
def test_an_output_that_takes_nothing(output: str, code: int, says: str) -> None:
    command = f"{sys.executable} -c 'from api.cli import main; main()' --version {output}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, says)
