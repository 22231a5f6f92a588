"""Every code has a case, and docs/daemon-json.md explains exactly the codes that there are."""

import re
from pathlib import Path

from api.doctor.codes import CODES
from tests.api.doctor.cases import ALL

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs/daemon-json.md").read_text()


def test_every_code_has_a_test() -> None:
    tested = {case.code for case in ALL}
    here = "\n".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert [code for code in CODES if code not in tested and f'"{code}"' not in here] == []


def test_every_code_is_raised_somewhere() -> None:
    source = "\n".join(
        path.read_text() for path in (ROOT / "api/doctor").glob("*.py") if path.name != "codes.py"
    )
    assert [code for code in CODES if f'"{code}"' not in source] == []


def test_the_document_explains_exactly_the_codes_that_there_are() -> None:
    documented = re.findall(r"^\| `([a-z0-9-]+)` \|", DOC, re.MULTILINE)
    assert sorted(documented) == sorted(CODES)


def test_the_document_names_the_severities_that_the_cases_show() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \| ([a-z, ]+) \|", DOC, re.MULTILINE))
    wrong = {
        (case.code, str(case.severity)) for case in ALL if str(case.severity) not in rows.get(case.code, "")
    }
    assert wrong == set()
