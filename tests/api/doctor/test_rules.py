"""Every rule: the bad file, its finding at its line, and the corrected file."""

import json

import pytest

from api.doctor import fix
from tests.api.doctor.cases import ALL, Case, context, look


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.code}")
def test_the_finding(case: Case) -> None:
    finding = case.finding()
    assert finding.severity is case.severity
    assert finding.message and finding.effect and finding.fix
    assert finding.file == "daemon.json"
    if case.docker == "refused":
        assert "dockerd does not start" in finding.effect
    if case.docker == "unstarted":
        assert "none starts" in finding.effect


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.code}")
def test_the_fix(case: Case) -> None:
    examined = look(case.bad, case.version)
    correction = fix.correct(examined, context(case.version))
    assert correction.text == case.good
    if case.good is None:
        assert case.code in [finding.code for finding in correction.left]
        return
    again = look(case.good, case.version)
    assert [finding.code for finding in again.findings if finding.counts] == []
    assert fix.correct(again, context(case.version)).text == case.good
    json.loads(case.good)
