"""`logdock doctor` from the command line: what it prints, writes and returns."""

import io
import json
from pathlib import Path

import pytest

from api import cli, cli_doctor
from tests.api.doctor.cases import ALL, FLUENTD, GELF_TCP, NEW, file

TOLD = ("--docker-version", "26.1")
BAD = file("fluentd", {**FLUENTD, "fluentd-async": True})
FIXED = file("fluentd", {**FLUENTD, "fluentd-async": "true"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "daemon.json"
    made.write_text(BAD)
    return made


def test_a_bad_file(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", str(path), *TOLD]) == 1
    out, err = capfd.readouterr()
    assert out.startswith(f"{path}, judged for Docker 26.1 (as told)") and "opt-not-string" in out
    assert err == "" and path.read_text() == BAD


def test_a_good_file(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path.write_text(FIXED)
    assert cli.run(["doctor", str(path), *TOLD]) == 0
    assert "the corrected file" not in capfd.readouterr().out


def test_fix_prints_only_the_corrected_file(path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert cli.run(["doctor", str(path), "--fix", *TOLD]) == 0
    out, err = capfdbinary.readouterr()
    assert (out.decode(), err) == (FIXED, b"")
    path.write_bytes(out)
    assert cli.run(["doctor", str(path), *TOLD]) == 0
    capfdbinary.readouterr()
    assert cli.run(["doctor", str(path), "--fix", *TOLD]) == 0
    assert capfdbinary.readouterr().out == out


def test_fix_keeps_line_ends_and_other_letters(path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    text = '{\r\n\t"log-driver": "fluentd",\r\n\t"log-opts": {"tag": "한글", "fluentd-async": 1}\r\n}\r\n'
    path.write_bytes(text.encode())
    assert cli.run(["doctor", str(path), "--fix", *TOLD]) == 0
    out = capfdbinary.readouterr().out.decode()
    assert (
        out.startswith('{\r\n\t"log-driver": "fluentd",\r\n') and '"tag": "한글", "fluentd-async": "1"' in out
    )


@pytest.mark.parametrize("arguments", [["--fix"], ["--write"]])
def test_what_cannot_be_corrected(
    arguments: list[str], path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path.write_text("{nonsense")
    assert cli.run(["doctor", str(path), *arguments, *TOLD]) == 1
    out, err = capfd.readouterr()
    assert out == "" and "cannot be corrected without you: json-syntax" in err and err.count("\n") == 1
    assert path.read_text() == "{nonsense" and len(list(path.parent.iterdir())) == 1


def test_write(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path.chmod(0o600)
    assert cli.run(["doctor", str(path), "--write", *TOLD]) == 0
    out, err = capfd.readouterr()
    assert path.read_text() == FIXED and path.stat().st_mode & 0o777 == 0o600
    assert path.with_name("daemon.json.bak").read_text() == BAD
    assert "opt-not-string" in out and "daemon.json.bak" in err
    assert cli.run(["doctor", str(path), "--write", *TOLD]) == 0
    assert capfd.readouterr().err == "" and len(list(path.parent.iterdir())) == 2


def test_write_into_a_folder_that_takes_nothing(
    path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("api.doctor.replace.replace_file", refuse)
    assert cli.run(["doctor", str(path), "--write", *TOLD]) == 1
    assert "cannot be replaced: Read-only file system" in capfd.readouterr().err


def test_stdin(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    assert cli.run(["doctor", "-", "--fix", *TOLD]) == 0
    assert capfd.readouterr().out == NEW.rstrip("\n")


def test_json(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", str(path), "-o", "json", *TOLD]) == 1
    found = json.loads(capfd.readouterr().out)
    assert (found["file"], found["corrected"]) == (str(path), FIXED)
    assert {"code", "severity", "line", "column", "path", "message", "effect", "fix"} <= set(
        found["findings"][0]
    )
    assert cli.run(["doctor", str(path), "-o", "ndjson", *TOLD]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert [json.loads(line)["code"] for line in lines] == [finding["code"] for finding in found["findings"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["/nonexistent/daemon.json"], "there is no file /nonexistent/daemon.json"),
        (["/"], "/ cannot be read: Is a directory"),
        (["-", "--write"], "--write replaces a file"),
        (["--compose", "/nonexistent"], "--compose /nonexistent cannot be read"),
        (["-", "--docker-version", "new"], "--docker-version: 'new' is not a version"),
        (["-", "--nonsense"], "No such option"),
    ],
)
def test_wrong_usage(
    arguments: list[str], expected: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    monkeypatch.setattr(cli_doctor, "DEFAULT_FILE", "/nonexistent")
    assert cli.run(["doctor", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == "" and expected in err and err.count("\n") == 1


def test_without_a_daemon_json(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cli_doctor, "DEFAULT_FILE", str(tmp_path / "daemon.json"))
    assert cli.run(["doctor", *TOLD]) == 2
    assert "makes one that sends them to logdock" in capfd.readouterr().err
    compose = tmp_path / "compose.yaml"
    compose.write_text("services: {web: {logging: {driver: fluentd}}}")
    assert cli.run(["doctor", "--compose", str(compose), *TOLD]) == 0
    assert "(which is not there), judged for" in capfd.readouterr().out


def test_a_file_too_large(
    path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.doctor.document.MAX_BYTES", 10)
    monkeypatch.setattr("api.doctor.compose.MAX_BYTES", 10)
    assert cli.run(["doctor", str(path), *TOLD]) == 2
    assert "larger than 10 bytes" in capfd.readouterr().err
    path.write_text("{}")
    big = path.with_name("compose.yaml")
    big.write_text("services: {}         ")
    assert cli.run(["doctor", str(path), "--compose", str(big), *TOLD]) == 2


def test_compose(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path.write_text(FIXED)
    compose = path.with_name("compose.yaml")
    compose.write_text("services:\n  logs:\n    ports: ['24224:24224']\n")
    assert cli.run(["doctor", str(path), "--compose", str(compose), "-o", "json", *TOLD]) == 1
    found = json.loads(capfd.readouterr().out)["findings"][0]
    assert (found["code"], found["file"], found["line"]) == ("receiver-logs-to-itself", str(compose), 3)
    assert cli.run(["doctor", str(path), "--compose", str(compose), *TOLD]) == 1
    assert f"{compose} line 3" in capfd.readouterr().out
    compose.write_text("services: [")
    assert cli.run(["doctor", str(path), "--compose", str(compose), *TOLD]) == 1
    assert "compose-syntax" in capfd.readouterr().out


def test_the_engine_is_asked_when_it_is_not_told(
    path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.doctor import engine
    from api.doctor.versions import Version

    monkeypatch.setattr(engine, "find", lambda: engine.Engine(Version(20, 10, 24), "daemon", "20.10.24"))
    path.write_text(file("fluentd", {**FLUENTD, "fluentd-async-reconnect-interval": "1s"}))
    assert cli.run(["doctor", str(path)]) == 1
    out = capfd.readouterr().out
    assert "asked the local daemon" in out and "opt-version" in out


def test_live(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path.write_text(file("fluentd", {**FLUENTD, "fluentd-address": "127.0.0.1:1"}))
    assert cli.run(["doctor", str(path), "--live", "-o", "json", *TOLD]) == 1
    found = json.loads(capfd.readouterr().out)
    assert found["findings"][0]["code"] == "live-connect"
    assert found["live"] == [
        {"target": "tcp://127.0.0.1:1", "connected_ms": None, "acknowledged_ms": None, "found_ms": None}
    ]
    path.write_text(file("gelf", GELF_TCP))
    compose = path.with_name("compose.yaml")
    compose.write_text(
        "services: {a: {logging: {driver: fluentd, options: {fluentd-address: '127.0.0.1:1'}}}}"
    )
    assert cli.run(["doctor", str(path), "--live", "--compose", str(compose), "-o", "json", *TOLD]) == 1
    targets = [trial["target"] for trial in json.loads(capfd.readouterr().out)["live"]]
    assert targets == ["tcp://127.0.0.1:12201", "tcp://127.0.0.1:1"]


def test_every_case_from_the_command_line(path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """--fix, then the doctor on what it printed."""
    for case in ALL[::7]:
        path.write_text(case.bad)
        known = ("--docker-version", case.version)
        code = cli.run(["doctor", str(path), *known])
        capfdbinary.readouterr()
        assert code == (0 if case.severity == "advice" else 1), case.code
        if case.good is not None and "logdock" not in case.bad:
            assert cli.run(["doctor", str(path), "--fix", *known]) == 0
            path.write_bytes(capfdbinary.readouterr().out)
            assert cli.run(["doctor", str(path), *known]) == 0, case.code
            capfdbinary.readouterr()
