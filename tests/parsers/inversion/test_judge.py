"""Verdicts: counterexamples are real, better templates are."""

import pytest

from parsers.inversion.judge import judge
from parsers.tag import TagTemplate


@pytest.mark.parametrize(
    "template",
    [
        "{{.ID}}", "{{.Name}}", "{{.Name}}/{{.ID}}", "docker.{{.Name}}", "{{.Name}}-{{.ID}}",
        "{{.ImageName}}/{{.Name}}/{{.ID}}", "{{.Hostname}}/{{.Name}}/{{.ID}}", "{{.ImageName}}.{{.ID}}",
        '{{index .ContainerLabels "a"}}/{{.ID}}', "{{json .ContainerLabels}}", "{{.ImageName}}:{{.Name}}",
    ],
)  # fmt: skip
def test_common_templates_are_not_ambiguous(template: str) -> None:
    assert not judge(TagTemplate.compile(template)).is_ambiguous


@pytest.mark.parametrize(
    ("template", "better"),
    [
        ("{{.Name}}.{{.ImageName}}", "{{.Name}}/{{.ImageName}}"),
        ('{{"{{"}}{{.Name}}.{{.ImageName}}', "{{.Name}}/{{.ImageName}}"),
        ("{{.Name}}{{.Hostname}}", "{{.Name}}/{{.Hostname}}"),
        (
            '{{index .ContainerLabels "k\\"q"}}.{{.Name}}.{{.Hostname}}',
            '{{index .ContainerLabels "k\\"q"}}/{{.Name}}/{{.Hostname}}',
        ),
        (
            "{{.Name}}.{{(.ExtraAttributes nil).app}}.{{.Hostname}}",
            "{{.Name}}/{{(.ExtraAttributes nil).app}}/{{.Hostname}}",
        ),
    ],
)
def test_an_ambiguous_template_has_a_better_one(template: str, better: str) -> None:
    compiled = TagTemplate.compile(template)
    verdict = judge(compiled)
    assert verdict.counterexample is not None
    reading = compiled.invert(verdict.counterexample)
    assert reading is not None
    assert len(reading.ambiguous) > 1
    assert verdict.better == better
    assert not judge(TagTemplate.compile(better)).is_ambiguous
