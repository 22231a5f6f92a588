from typing import Any

import pytest

from parsers.go.info import Info
from parsers.go.values import Uint8, to_go
from parsers.gotemplate import TemplateError, parse, render

INFO = Info(container_name="/web", container_labels={"a": "1", "b": "2"}, container_args=["x", "y", "z"])


def told(template: str, value: Any = INFO) -> str:
    return render(parse(template), value).decode()


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("a{{.Name}}b", "awebb"), ("{{$x := 1}}", ""), ("{{if .Name}}y{{else}}n{{end}}", "y"),
        ("{{if .LogPath}}y{{else}}n{{end}}", "n"), ("{{if 0}}a{{else if ``}}b{{else}}c{{end}}", "c"),
        ("{{with .Name}}{{.}}{{end}}", "web"), ("{{with .LogPath}}a{{else}}{{.Name}}{{end}}", "web"),
        ("{{with $x := .Name}}{{$x}}{{.}}{{end}}", "webweb"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{$x}}{{end}}{{$x}}", "32"),
        ("{{range .ContainerArgs}}{{.}}{{end}}", "xyz"),
        ("{{range $i, $e := .ContainerArgs}}{{$i}}{{$e}}{{end}}", "0x1y2z"),
        ("{{range $e := .ContainerArgs}}{{$e}}{{end}}", "xyz"),
        ("{{range $k, $v := .ContainerLabels}}{{$k}}{{$v}}{{end}}", "a1b2"),
        ("{{range 3}}{{.}}{{end}}", "012"), ("{{range $n := 3}}{{$n}}{{end}}", "012"),
        ("{{range 0}}a{{else}}b{{end}}", "b"), ("{{range -1}}a{{else}}b{{end}}", "b"),
        ("{{range .ContainerEnv}}a{{else}}b{{end}}", "b"),
        ("{{range .ContainerLabels.none}}a{{else}}b{{end}}", "b"),
        ("{{range .ContainerArgs}}{{if eq . `y`}}{{continue}}{{end}}{{.}}{{end}}", "xz"),
        ("{{range .ContainerArgs}}{{if eq . `y`}}{{break}}{{end}}{{.}}{{else}}n{{end}}", "x"),
        ("{{range 2}}{{range 2}}{{if .}}{{break}}{{end}}{{.}}{{end}};{{end}}", "0;0;"),
        ("{{$a := 0}}{{$b := 0}}{{range $a, $b = .ContainerArgs}}{{end}}{{$a}}{{$b}}", "2z"),
        ("{{$a := 0}}{{range $a = .ContainerArgs}}{{end}}{{$a}}", "z"),
        ("{{range $i, $e := .ContainerArgs}}{{$.Name}}{{$x := $e}}{{end}}", "webwebweb"),
        (
            "{{define `t`}}{{.}}{{$}}{{end}}{{template `t` .Name}}{{template `t`}}",
            "webweb<no value><no value>",
        ),
        ("{{block `b` .Name}}<{{.}}>{{end}}", "<web>"),
        (
            "{{define `t`}}{{if .}}{{slice . 0 1}}{{template `t` slice . 1}}{{end}}{{end}}"
            "{{template `t` `abc`}}",
            "abc",
        ),
        ("{{define `log-tag`}}{{.Name}}{{end}} ", "web"),
        ("{{.}}", "{map[]  /web  [x y z]   0001-01-01 00:00:00 +0000 UTC [] map[a:1 b:2]  docker}"),
    ],
)  # fmt: skip
def test_actions(template: str, text: str) -> None:
    assert told(template) == text


def test_loops_over_values_in_interfaces() -> None:
    data = to_go({"l": [1, "a", None], "m": {"k": [2]}})
    assert told("{{range .l}}<{{.}}>{{end}}", data) == "<1><a><<no value>>"
    assert told("{{range $k, $v := .m}}{{$k}}{{range $v}}{{.}}{{end}}{{end}}", data) == "k2"
    assert told("{{range .}}{{.}}{{printf `%T` .}}{{end}}", Uint8(2)) == "0uint81uint8"


@pytest.mark.parametrize(
    ("template", "docker"),
    [
        (
            "{{range .Name}}{{end}}",
            'template: log-tag:1:8: executing "log-tag" at <.Name>: range can\'t iterate over web',
        ),
        (
            "{{range .}}{{end}}",
            (
                'template: log-tag:1:8: executing "log-tag" at <.>: range can\'t iterate over {map'
                "[]  /web  [x y z]   0001-01-01 00:00:00 +0000 UTC [] map[a:1 b:2]  docker}"
            ),
        ),
        (
            "{{range $a, $b := 3}}{{end}}",
            (
                'template: log-tag:1:18: executing "log-tag" at <3>: can\'t use 3 to iterate over '
                "more than one variable"
            ),
        ),
        (
            "{{template `none` .}}",
            (
                'template: log-tag:1:11: executing "log-tag" at <{{template "none" .}}>: template'
                ' "none" not defined'
            ),
        ),
        (
            "{{define `t`}}{{.x}}{{end}}{{template `t` .Name}}",
            'template: log-tag:1:16: executing "t" at <.x>: can\'t evaluate field x in type string',
        ),
        (
            "{{define `t`}}{{$.x}}{{end}}{{range 1}}{{template `t` .}}{{end}}",
            'template: log-tag:1:17: executing "t" at <$.x>: can\'t evaluate field x in type int',
        ),
    ],
)  # fmt: skip
def test_errors_have_gos_words(template: str, docker: str) -> None:
    with pytest.raises(TemplateError) as caught:
        told(template)
    assert caught.value.docker == docker


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (
            '{{printf "%1000000000d" 1}}{{range 99999}}{{printf "%9999d" 1}}{{end}}',
            "text of more than 4194304 bytes",
        ),
        ("{{range 10000000}}x{{end}}", "more than 100000 steps"),
        ("{{range 999}}{{range 999}}{{end}}{{end}}", "more than 100000 steps"),
        ("{{$x := `aa`}}{{range 60}}{{$x = print $x $x}}{{end}}", "more than"),
        ("{{range 99999}}{{json $}}{{end}}", "more than"),
        ("{{define `t`}}{{template `t` .}}{{end}}{{template `t` .}}", "goes too deep"),
        ("{{define `t`}}{{range 2}}{{template `t` .}}{{end}}{{end}}{{template `t` .}}", "goes too deep"),
        (
            "{{$x := split (printf `%1000000d` 1) ``}}{{range 9}}{{$x = split (join $x `aa`) ``}}{{end}}",
            "more than",
        ),
    ],
)  # fmt: skip
def test_what_go_would_do_and_we_do_not(template: str, says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        told(template)


def test_the_deepest_template_that_is_read_can_run() -> None:
    assert told("{{" + "print (" * 98 + "1" + ")" * 98 + "}}") == "1"
    assert told("{{if .}}" * 66 + "x" + "{{end}}" * 66) == "x"
    with pytest.raises(TemplateError, match=r"can't evaluate field No in type \*logger.Info"):
        told("{{" + "print (" * 98 + ".No" + ")" * 98 + "}}")
