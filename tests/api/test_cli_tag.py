import json

import pytest

from api import cli


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["{{.Name}}/{{.ID}}", "web/0123456789ab"], "Name=web\nID=0123456789ab\n"),
        (["{{.Name}}/{{.ID}}"], "good: a tag gives Name, ID\n"),
        (["plain"], "good: a tag gives no fields\n"),
        (["plain", "plain"], ""),
    ],
)
def test_text(arguments: list[str], out: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", *arguments]) == 0
    assert capfd.readouterr() == (out, "")


def test_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", "{{.Name}}-{{.ID}}", "web-0123456789ab", "-o", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found == {"fields": {"Name": "web", "ID": "0123456789ab"}, "ambiguous": []}


def test_what_is_ambiguous_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", "{{.Name}}.{{.ImageName}}", "a1.b1.c1", "-o", "json"]) == 0
    assert set(json.loads(capfd.readouterr().out)["ambiguous"]) == {"Name", "ImageName"}
    assert cli.run(["tag", "{{.Name}}.{{.ImageName}}", "a1.b1.c1"]) == 0
    assert "several readings" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["{{.Nam}}"], 2, "'{{.Nam}}': "),
        (["{{.Name"], 2, "'{{.Name': "),
        (["a-{{.ID}}", "b-0123456789ab"], 1, "cannot have made the tag 'b-0123456789ab'"),
    ],
)
def test_errors(arguments: list[str], code: int, expected: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", *arguments]) == code
    out, err = capfd.readouterr()
    assert out == "" and expected in err and err.count("\n") == 1
