"""What the doctor found, for people and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api import terminal
from api.doctor.engine import Engine, explain
from api.doctor.findings import ADVICE, ERROR, WARNING, Finding, Severity
from api.doctor.fix import Correction
from api.doctor.live import Trial

WIDTH = 110  # of the text; a terminal that is narrower breaks it once more
_MARGIN = "         "  # as wide as "warning  "
_LEVELS = {ERROR: "error", WARNING: "warn", ADVICE: None}


@dataclass(frozen=True)
class Report:
    """`texts` are the files' texts by name, for the lines to show;"""

    file: str
    engine: Engine
    findings: Sequence[Finding]
    correction: Correction
    text: str
    texts: Mapping[str, Sequence[str]]
    trials: Sequence[Trial] | None = None

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)


def as_json(report: Report) -> dict[str, Any]:
    """One document. `live` is there when something was sent."""
    made: dict[str, Any] = {
        "file": report.file,
        "engine": {"version": report.engine.text, "source": report.engine.source},
        "findings": findings_as_json(report),
        "corrected": report.correction.text,
    }
    if report.trials is not None:
        made["live"] = [_trial_json(trial) for trial in report.trials]
    return made


def findings_as_json(report: Report) -> list[dict[str, Any]]:
    return [_finding_json(finding) for finding in report.findings]


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "path": ".".join(finding.path),
        "message": finding.message,
        "effect": finding.effect,
        "fix": finding.fix,
        "automatic": bool(finding.edits),
    }


def _trial_json(trial: Trial) -> dict[str, Any]:
    times = {"connected": trial.connected, "acknowledged": trial.acknowledged, "found": trial.found}
    return {"target": trial.target} | {
        f"{name}_ms": None if seconds is None else round(seconds * 1000, 3) for name, seconds in times.items()
    }


def as_text(report: Report, colour: bool, to_terminal: bool) -> str:
    """Every finding with its line, the effect and the fix; then the corrected file, when it is another."""
    shown = terminal.escape if to_terminal else _as_it_is
    parts = [f"{shown(report.file)}, judged for {shown(explain(report.engine))}", ""]
    for finding in report.findings:
        parts += [*_finding_lines(finding, report, colour, shown), ""]
    parts += [shown(line) for trial in report.trials or () for line in _trial_lines(trial)]
    parts.append(_summary(report))
    corrected = report.correction.text
    if corrected is not None and corrected != report.text:
        parts += ["", "the corrected file:", "", shown(corrected.rstrip("\r\n"))]
    return "\n".join(parts) + "\n"


def _as_it_is(text: str) -> str:
    return text


def _finding_lines(finding: Finding, report: Report, colour: bool, shown: Callable[[str], str]) -> list[str]:
    word = str(finding.severity)
    level = _LEVELS[finding.severity]
    head = terminal.by_level(word, level) if colour and level else word
    file = "" if finding.file == report.file else f"{shown(finding.file)} "
    place = f"{file}line {finding.line}, column {finding.column}"
    lines = [f"{head}{_MARGIN[len(word) :]}{finding.code}  {place}", *_wrapped(shown(finding.message))]
    source = report.texts.get(finding.file, ())
    if finding.line <= len(source) and _stands_there(finding, source[finding.line - 1]):
        lines += _source(shown(source[finding.line - 1]), finding)
    return [*lines, *_wrapped(shown(finding.effect), "so: "), *_wrapped(shown(finding.fix), "fix: ")]


def _stands_there(finding: Finding, line: str) -> bool:
    """What is missing has no line of its own to show."""
    return bool(line.strip()) and (not finding.path or finding.path[-1] in line)


def _source(line: str, finding: Finding) -> list[str]:
    """The line of the file with a mark below the column; only the neighbourhood of a long one."""
    start = max(0, finding.column - 60)
    cut = line.replace("\t", " ")[start : start + WIDTH - 16]
    number = f"{finding.line:>5} | "
    mark = " " * (len(number) + finding.column - 1 - start)
    return [f"{number}{cut}", f"{mark}^"] if len(cut) >= finding.column - 1 - start else [f"{number}{cut}"]


def _wrapped(text: str, label: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=_MARGIN + label,
        subsequent_indent=_MARGIN + " " * len(label),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _trial_lines(trial: Trial) -> list[str]:
    if trial.connected is None:
        return []
    steps = [
        ("connected", trial.connected),
        ("acknowledged", trial.acknowledged),
        ("found by query", trial.found),
    ]
    reached = [f"{name} after {seconds * 1000:.1f} ms" for name, seconds in steps if seconds is not None]
    return [f"one line through {trial.target}: {', '.join(reached)}", ""]


def _decisions(report: Report) -> str:
    codes = list(dict.fromkeys(finding.code for finding in report.correction.left))
    return f"a person must decide about {', '.join(codes)}" if codes else "it cannot be understood"


def _summary(report: Report) -> str:
    counts = ", ".join(
        f"{count} {severity}{'s' if count != 1 and severity is not ADVICE else ''}"
        for severity in (ERROR, WARNING, ADVICE)
        if (count := report.count(severity))
    )
    if not counts:
        return "nothing to say against it"
    if report.correction.text is None:
        return f"{counts}; no corrected file: {_decisions(report)}"
    return counts
