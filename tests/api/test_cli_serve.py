from typing import Any

import pytest

from api import cli, serve
from api.cli_serve import shown_default
from api.settings import Settings, flag


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, list[Settings]]:
    started: list[Settings] = []

    def run(settings: Settings) -> int:
        started.append(settings)
        return 0

    monkeypatch.setattr(serve, "run", run)
    return cli.run(["serve", *arguments]), started


def test_every_setting_is_a_flag(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.run(["serve", "--help"]) == 0
    text = capfd.readouterr().out
    for name in Settings.model_fields:
        assert flag(name) in text
    for shown in (
        "127.0.0.1:8080",
        "127.0.0.1:24224",
        "{{.ID}}",
        "30d",
        "20GB",
        "[user:password@]",
        "LOGDOCK_",
    ):
        assert shown in text


def test_every_setting_is_explained() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description and field.description.endswith("."), name


def test_flags_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    code, [settings] = _run(
        monkeypatch,
        *("--http", "127.0.0.1:0", "--forward", "127.0.0.1:1", "--forward", "unix:///run/x"),
        *("--gelf-udp", "off", "--tag-template", "{{.Name}}", "--retention", "1d", "--store", "memory"),
        *("--insecure", "--log-level", "debug"),
    )
    assert code == 0
    assert [str(address) for address in settings.forward] == ["127.0.0.1:1", "unix:///run/x"]
    assert (settings.http.port, settings.gelf_udp, settings.tag_template) == (0, (), ("{{.Name}}",))
    assert (settings.store, settings.insecure, settings.log_level) == ("memory", True, "debug")


def test_no_flags_leave_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_INSECURE", "1")
    monkeypatch.setenv("LOGDOCK_FORWARD", "off")
    _, [settings] = _run(monkeypatch)
    assert (settings.insecure, settings.forward) == (True, ())


def test_a_wrong_setting_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, started = _run(monkeypatch, "--forward", "0.0.0.0:24224")
    assert (code, started) == (2, [])
    assert capfd.readouterr().err.startswith(
        "logdock: --forward (LOGDOCK_FORWARD): 0.0.0.0:24224 can be reached"
    )


def test_the_servers_exit_code_is_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "run", lambda _settings: 1)
    assert cli.run(["serve"]) == 1


def test_shown_defaults_mean_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LOGDOCK_{name.upper()}", raising=False)
    defaults = Settings()
    for name, field in Settings.model_fields.items():
        text = shown_default(name, field)
        if text == "none" or name == "hostname":
            continue
        values: dict[str, Any] = {name: text}
        assert getattr(Settings(**values), name) == getattr(defaults, name), name
