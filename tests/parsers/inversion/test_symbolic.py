"""A template's tree -> the pattern of its texts: what Docker takes is followed, and in bounded time."""

import pytest

from parsers.gotemplate import TemplateError, render
from parsers.inversion.samples import USUAL, info
from parsers.tag import TagTemplate

ID = USUAL["FullID"].decode()[:12]


@pytest.mark.parametrize(
    "template",
    [
        '{{$n := 1}}{{if .ContainerLabels.x}}{{$n = 50}}{{end}}{{slice "abc" $n}}/{{.ID}}',
        '{{or .Name (slice "a" 5)}}/{{.ID}}',
        "{{lower (print 3 .Name)}}/{{.ID}}",
        "{{truncate .ImageName 1e2}}/{{.ID}}",
        '{{define "t"}}{{.}}{{.Name}}{{end}}{{template "t"}}/{{.ID}}',
        "{{.ContainerLabels.x.y}}/{{.ID}}",
        "{{range .ContainerLabels.x}}{{else}}-{{end}}/{{.ID}}",
        "{{$x := 1}}{{if .ContainerLabels.x}}{{else}}{{$x = true}}{{end}}{{$x}}/{{.ID}}",
        '{{$x := "a"}}{{range $x = .ContainerArgs}}{{break}}{{end}}{{$x}}/{{.ID}}',
        '{{$x := "a"}}{{range .ContainerArgs}}{{print ($x = .)}}{{end}}{{$x}}/{{.ID}}',
        '{{range .ContainerEnv}}{{if ne (or (title .) $.ID) "LANG=C.UTF-8"}},{{else}};{{end}}{{end}}/{{.ID}}',
        "{{lower (.ExtraAttributes nil).app}}/{{.ID}}",
        "{{range .ContainerArgs}}{{lower $.ContainerLabels.x}}{{break}}{{end}}/{{.ID}}",
    ],
)
def test_what_docker_makes_is_read(template: str) -> None:
    compiled = TagTemplate.compile(template)
    for extra in ({}, {"ContainerLabels.x": b"Web"}, {"ExtraAttributes.app": b"Web"}):
        try:
            tag = render(compiled.template, info({**USUAL, **extra})).decode()
        except TemplateError:
            continue
        reading = compiled.invert(tag)
        assert reading is not None, tag
        assert reading.fields.get("ID") == ID


@pytest.mark.parametrize(
    "template",
    [
        "{{if " + "and (" * 60 + ".Name" + ") .ContainerLabels.x" * 60 + "}}a{{end}}",
        "".join(
            f'{{{{$v{n} := ""}}}}{{{{if .ContainerLabels.a{n}}}}}{{{{$v{n} = "x"}}}}{{{{end}}}}'
            for n in range(40)
        ) + "{{print " + " ".join(f"$v{n}" for n in range(40)) + "}}",
        "".join(
            f'{{{{define "t{n}"}}}}{{{{template "t{n + 1}" .}}}}{{{{template "t{n + 1}" .}}}}{{{{end}}}}'
            for n in range(12)
        ) + '{{define "t12"}}{{end}}{{template "t0" .}}',
        "{{range $.ContainerEnv}}" * 30 + "x" + "{{end}}" * 30,
        "{{truncate .Name 1000000000}}",
    ],
)  # fmt: skip
def test_a_template_does_not_grow_without_bound(template: str) -> None:
    """Each of these is of exponential size, or the number's, when it is followed without limits."""
    try:
        TagTemplate.compile(template).invert("x" * 1000)
    except TemplateError as error:
        assert "as far as this reader goes" in str(error) or "too deep" in str(error)
