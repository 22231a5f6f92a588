import pytest

from parsers.go.fields import MAX_CALLS
from parsers.gotemplate import fields_used, parse


def used(template: str) -> set[str]:
    return {".".join(name.decode() for name in found.path) for found in fields_used(parse(template))}


@pytest.mark.parametrize(
    ("template", "paths"),
    [
        ("text", set()), ("{{.}}", {""}), ("{{.Name}} {{$.ID}}", {"Name", "ID"}),
        ("{{.A.B | lower}}", {"A.B"}), ('{{index .L "x.y"}}', {"L.x.y"}), ("{{index .L .K}}", {"L", "K"}),
        ("{{index $ `a` `b`}}", {"a.b"}),
        ("{{(.ExtraAttributes nil).k}}", {"ExtraAttributes", "ExtraAttributes.k"}),
        ("{{$m := .L}}{{$m.a}}", {"L", "L.a"}), ("{{if .A}}{{.B}}{{else}}{{.C}}{{end}}", {"A", "B", "C"}),
        ("{{with .A}}{{.B}}{{$.C}}{{else}}{{.D}}{{end}}", {"A", "A.B", "C", "D"}),
        ("{{range $k, $v := .A}}{{.B}}{{$v.C}}{{$.D}}{{end}}", {"A", "D"}),
        ("{{with lower .A}}{{.B}}{{end}}", {"A"}),
        ('{{define "t"}}{{.B}}{{$.C}}{{end}}{{template "t" .A}}', {"A", "A.B", "A.C"}),
        ('{{define "t"}}{{.B}}{{end}}', set()), ('{{block "t" .}}{{.B}}{{end}}', {"", "B"}),
        ('{{template "none" .A}}', {"A"}), ("{{.A | eq .B}}", {"A", "B"}),
        ("{{with .A | lower}}{{.B}}{{end}}", {"A"}), ("{{(index .L `a`).b}}", {"L.a", "L.a.b"}),
    ],
)  # fmt: skip
def test_the_paths_that_a_template_reads(template: str, paths: set[str]) -> None:
    assert used(template) == paths


def test_places_are_in_order() -> None:
    assert [(found.path, found.position) for found in fields_used(parse("{{.B}}{{.A}}{{.B}}"))] == [
        ((b"B",), 2), ((b"A",), 8), ((b"B",), 14),
    ]  # fmt: skip


def test_a_template_that_calls_itself_deeper_and_deeper_ends() -> None:
    template = parse('{{define "t"}}{{template "t" .x}}{{template "t" .y}}{{end}}{{template "t" .}}')
    assert 1 < len(fields_used(template)) <= 3 * MAX_CALLS
