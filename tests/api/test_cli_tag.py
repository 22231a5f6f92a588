import json

import pytest

from api import cli


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["{{.Name}}/{{.ID}}", "web/0123456789ab"], "Name=web\nID=0123456789ab\n"),
        (["{{.Name}}.{{.ImageName}}", "a.b.c.d", "--name", "/a.b"], "Name=a.b\nImageName=c.d\n"),
        (["{{lower .Name}}", "web"], "lower .Name = web\n"),
        (["{{.Name}}/{{.ID}}"], "good: a tag gives Name, ID\n"),
        (["plain", "plain"], ""),
    ],
)
def test_text(arguments: list[str], out: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", *arguments]) == 0
    assert capfd.readouterr() == (out, "")


def test_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", "{{.Name}}-{{.ID}}", "web-0123456789ab", "-o", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found == {
        "fields": {"Name": "web", "ID": "0123456789ab"}, "ambiguous": [], "more": False, "partial": {},
    }  # fmt: skip


def test_what_is_ambiguous_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", "{{.Name}}.{{.ImageName}}", "a1.b1.c1", "-o", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["ambiguous"] == [
        {"Name": "a1", "ImageName": "b1.c1"},
        {"Name": "a1.b1", "ImageName": "c1"},
    ]
    assert cli.run(["tag", "{{.Name}}.{{.ImageName}}", "a1.b1.c1"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "several readings" in err and "Name=a1.b1, ImageName=c1" in err


def test_an_ambiguous_template_comes_with_a_counterexample_and_a_better_one(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["tag", "{{.Hostname}}.{{.ImageName}}"]) == 0
    out = capfd.readouterr().out
    assert out.startswith("ambiguous: a tag gives Hostname, ImageName\nthe tag ")
    assert "better: '{{.Hostname}}/{{.ImageName}}'" in out
    assert cli.run(["tag", "{{.Hostname}}.{{.ImageName}}", "-o", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["fields"] == ["Hostname", "ImageName"]
    assert found["better"] == "{{.Hostname}}/{{.ImageName}}"
    assert len(found["ambiguous"]) > 1 and not found["settled_by_record"]
    assert cli.run(["tag", "{{.Hostname}}.{{.ImageName}}", found["counterexample"], "-o", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["ambiguous"] == found["ambiguous"]


@pytest.mark.parametrize(
    ("template", "warning"),
    [
        ("{{.ContainerLabels.a}}", 'prints "<no value>" for a container without it'),
        ("plain", "the same for every container"),
        ("{{json .}}", "the container's environment, secrets too"),
        ("{{lower .Hostname}}", "tells its field only in part"),
        ("{{slice .Name 0 100}}", "some containers would not start: template: log-tag:1:"),
    ],
)
def test_warnings(template: str, warning: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", template]) == 0
    assert warning in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["{{.Nam}}"], 2, "'{{.Nam}}': "),
        (["{{.Name"], 2, "'{{.Name': unclosed action"),
        (["{{.FullName}}"], 2, "can't evaluate field FullName in type *logger.Info"),
        (["a-{{.ID}}", "b-0123456789ab"], 1, "cannot have made the tag 'b-0123456789ab'"),
    ],
)
def test_errors(arguments: list[str], code: int, expected: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["tag", *arguments]) == code
    out, err = capfd.readouterr()
    assert out == "" and expected in err and err.count("\n") == 1
