from typing import Any

from api.doctor import engine, fix
from api.doctor.examine import sorted_findings
from api.doctor.live import Trial
from api.doctor.report import Report, as_json, as_text
from tests.api.doctor.cases import FLUENTD, context, file, look

BAD = file("fluentd", {**FLUENTD, "fluentd-async": True, "fluentd-max-retries": "0"})


def report(text: str = BAD, **more: Any) -> Report:
    examined = look(text)
    correction = fix.correct(examined, context())
    texts = {"daemon.json": text.split("\n")}
    findings = sorted_findings(examined.findings)
    return Report("daemon.json", engine.told("26.1"), findings, correction, text, texts, **more)


def test_text() -> None:
    text = as_text(report(), colour=False, to_terminal=False)
    assert text.startswith(
        "daemon.json, judged for Docker 26.1 (as told)\n\nerror    opt-not-string  line 7, column 5\n"
    )
    assert '    7 |     "fluentd-async": true,\n            ^\n' in text
    assert "         so: dockerd does not start: json: cannot unmarshal bool" in text
    assert '         fix: write "true"' in text
    assert "\n1 error, 1 warning, " in text
    assert text.endswith("the corrected file:\n\n" + (fix.correct(look(BAD), context()).text or ""))
    assert max(len(line) for line in text.split("\n")) <= 110


def test_the_line_of_something_missing_is_not_shown() -> None:
    text = as_text(report(), colour=False, to_terminal=False)
    assert '"log-opts": {' not in text.split("the corrected file")[0]


def test_a_terminal_gets_colour_and_no_control_characters() -> None:
    evil = file("fluentd", {**FLUENTD, "tag": "{{.\x1b[2J"}).replace("\\u001b", "\x1b")
    plain = as_text(report(evil), colour=False, to_terminal=True)
    assert "\x1b" not in plain and "\\x1b" in plain
    assert "\x1b[31merror\x1b[0m" in as_text(report(), colour=True, to_terminal=True)


def test_a_fine_file_and_a_hopeless_one() -> None:
    fine = as_text(report(file("fluentd", FLUENTD)), colour=False, to_terminal=False)
    assert "the corrected file" not in fine and "advice" in fine.strip().split("\n")[-1]
    hopeless = as_text(report("{{"), colour=False, to_terminal=False)
    assert "no corrected file: a person must decide about json-syntax" in hopeless


def test_long_lines_are_cut_around_the_place() -> None:
    text = '{"log-driver": "fluentd", ' + '"a": 1, ' * 900 + '"log-opts": {"fluentd-async": true}}'
    shown = as_text(report(text), colour=False, to_terminal=False).split("the corrected file")[0]
    assert '"fluentd-async": true' in shown and max(len(line) for line in shown.split("\n")) <= 110


def test_json() -> None:
    found = as_json(report())
    assert {key: found[key] for key in ("file", "engine")} == {
        "file": "daemon.json",
        "engine": {"version": "26.1", "source": "told"},
    }
    assert found["findings"][0] == {
        "code": "opt-not-string", "severity": "error", "file": "daemon.json", "line": 7, "column": 5,
        "path": "log-opts.fluentd-async", "message": "fluentd-async is true, not a string",
        "effect": "dockerd does not start: json: cannot unmarshal bool into log-opts of type string",
        "fix": 'write "true"', "automatic": True,
    }  # fmt: skip
    assert found["corrected"].startswith('{\n  "log-driver"') and "live" not in found


def test_trials() -> None:
    trials = [
        Trial("tcp://h:1", 0.001, 0.002, 0.0301),
        Trial("tcp://h:2", 0.001, None, 0.03),
        Trial("tcp://h:3"),
    ]
    text = as_text(report(trials=trials), colour=False, to_terminal=False)
    said = "connected after 1.0 ms, acknowledged after 2.0 ms, found by query after 30.1 ms"
    assert f"one line through tcp://h:1: {said}\n" in text
    assert "one line through tcp://h:2: connected after 1.0 ms, found by query after 30.0 ms\n" in text
    assert "tcp://h:3" not in text
    assert as_json(report(trials=trials))["live"][2] == {
        "target": "tcp://h:3", "connected_ms": None, "acknowledged_ms": None, "found_ms": None,
    }  # fmt: skip
