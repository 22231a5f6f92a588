import pytest

from parsers.go.errors import TemplateError
from parsers.go.node_text import node_text
from parsers.go.nodes import (
    ActionNode,
    BreakNode,
    ContinueNode,
    IfNode,
    RangeNode,
    Template,
    TemplateNode,
    TextNode,
    WithNode,
)
from parsers.go.parser import parse_source


def parse(source: str) -> Template:
    return parse_source(source.encode(), b"log-tag", {b"f"})


def test_text_and_actions() -> None:
    first, second, third = parse("a{{.ID}}b").nodes
    assert first == TextNode(0, b"a") and third == TextNode(8, b"b")
    assert isinstance(second, ActionNode) and (second.position, second.line) == (3, 1)


def test_branches() -> None:
    (node,) = parse("{{if .A}}a{{else if .B}}b{{else}}c{{end}}").nodes
    assert isinstance(node, IfNode) and node.body == (TextNode(9, b"a"),)
    (inner,) = node.otherwise
    assert isinstance(inner, IfNode) and inner.otherwise == (TextNode(33, b"c"),)
    (node,) = parse("{{with .A}}a{{else with .B}}b{{end}}").nodes
    assert isinstance(node, WithNode) and isinstance(node.otherwise[0], WithNode)


def test_loops_and_their_jumps() -> None:
    (node,) = parse("{{range $i, $e := .A}}{{break}}{{continue}}{{else}}x{{end}}").nodes
    assert isinstance(node, RangeNode)
    assert node.body == (BreakNode(24, 1), ContinueNode(33, 1))
    assert node.otherwise == (TextNode(51, b"x"),)


def test_templates_within() -> None:
    found = parse('{{define "a"}}1{{end}}{{block "b" .}}2{{end}}{{template `a` .}}')
    assert found.trees[b"a"] == (TextNode(14, b"1"),)
    assert found.trees[b"b"] == (TextNode(37, b"2"),)
    assert [node_text(node) for node in found.nodes] == [b'{{template "b" .}}', b'{{template "a" .}}']
    assert found.trees[b"log-tag"] == found.nodes
    call = found.nodes[1]
    assert isinstance(call, TemplateNode) and (call.name, call.position) == (b"a", 56)


def test_an_empty_template_gives_way() -> None:
    assert parse('{{define "a"}} {{end}}{{define "a"}}1{{end}}').trees[b"a"] == (TextNode(36, b"1"),)
    assert parse('{{define "a"}}1{{end}}{{define "a"}}\u00a0{{end}}').trees[b"a"] == (TextNode(14, b"1"),)
    assert parse('{{define "log-tag"}}1{{end}} ').nodes == (TextNode(20, b"1"),)


def test_variables_end_with_their_block() -> None:
    assert parse("{{if $x := .}}{{$x}}{{else}}{{$x}}{{end}}").nodes
    with pytest.raises(TemplateError, match="undefined variable"):
        parse("{{if $x := .}}{{end}}{{$x}}")
    with pytest.raises(TemplateError, match="undefined variable"):
        parse('{{$x := 1}}{{define "a"}}{{$x}}{{end}}')


@pytest.mark.parametrize(
    ("source", "docker", "position"),
    [
        ("{{if .}}", "template: log-tag:1: unexpected EOF", 8),
        ("{{end}}", "template: log-tag:1: unexpected {{end}}", 5),
        ("\n{{else}}", "template: log-tag:2: unexpected {{else}}", 7),
        ("{{if .}}{{else}}{{else}}{{end}}", "template: log-tag:1: expected end; found {{else}}", 22),
        ("{{break}}", "template: log-tag:1: {{break}} outside {{range}}", 2),
        ("{{range .}}{{break 1}}{{end}}", "template: log-tag:1: unexpected \"1\" in {{break}}", 19),
        ('{{range .}}{{block "a" .}}{{continue}}{{end}}{{end}}',
         "template: log-tag:1: {{continue}} outside {{range}}", 28),
        ("{{template a}}", 'template: log-tag:1: unexpected "a" in template clause', 11),
        ("{{define a}}", 'template: log-tag:1: unexpected "a" in define clause', 9),
        ('{{define "a"}}{{else}}', "template: log-tag:1: unexpected {{else}} in define clause", 20),
        ('{{block "a" .}}\n{{else}}', "template: log-tag:1: unexpected {{else}} in block clause", 22),
        ('{{if .}}{{define "a"}}{{end}}{{end}}', "template: log-tag:1: unexpected <define> in command", 10),
        ("{{if .}}{{else with .}}{{end}}", "template: log-tag:1: unexpected <with> in input", 15),
        ("{{range .}}{{else range .}}", 'template: log-tag:1: unexpected <range> in else', 18),
        ("{{\n.A", "template: log-tag:2: unclosed action started at log-tag:1", 5),
        ('{{define "a"}}1{{end}}{{define "a"}}2{{end}}',
         'template: log-tag:1: template: multiple definition of template "a"', 42),
    ],
)  # fmt: skip
def test_what_is_no_template(source: str, docker: str, position: int) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(source)
    assert (caught.value.docker, caught.value.position) == (docker, position)


@pytest.mark.parametrize("start", ["{{if .}}", "{{range .}}", "{{with .}}"])
def test_nesting_has_a_limit(start: str) -> None:
    assert parse(start * 100 + "{{end}}" * 100).nodes
    with pytest.raises(TemplateError, match="nested more than 100 levels deep"):
        parse(start * 101 + "{{end}}" * 101)
