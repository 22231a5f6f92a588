import pytest

from parsers.go.node_text import node_text
from parsers.gotemplate import parse


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a b", "a b"),
        ("{{ .A.B  |print   1 `x`\n\"y\" }}", '{{.A.B | print 1 `x` "y"}}'),
        ("{{$x:=1}}", "{{$x := 1}}"),
        ("{{$x:=1}}{{$x =(print $ $x.y nil true).z}}", "{{$x := 1}}{{$x = (print $ $x.y nil true).z}}"),
        ("{{print (1|print .)}}", "{{print (1 | print .)}}"),
        ("{{if .}}a{{else}}b{{end}}", "{{if .}}a{{else}}b{{end}}"),
        ("{{with .}}a{{end}}", "{{with .}}a{{end}}"),
        ("{{range $i,$e:=.}}{{break}}{{continue}}{{end}}",
         "{{range $i, $e := .}}{{break}}{{continue}}{{end}}"),
        ("{{define `a`}}{{end}}{{template `a`}}{{template `a` .}}", '{{template "a"}}{{template "a" .}}'),
        ("{{print.X 'a' 1+2i}}", "{{print.X 'a' 1+2i}}"),
    ],
)  # fmt: skip
def test_a_node_as_go_writes_it(source: str, text: str) -> None:
    assert b"".join(map(node_text, parse(source).nodes)) == text.encode()
