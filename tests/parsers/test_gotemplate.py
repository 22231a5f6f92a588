import pytest

from parsers.gotemplate import Field, TemplateError, Text, parse


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("", ()),
        ("plain", (Text("plain"),)),
        ("{{.ID}}", (Field("ID", 0),)),
        ("{{ .ID }}", (Field("ID", 0),)),
        ("{{\t.ID\n}}", (Field("ID", 0),)),
        ("docker.{{.Name}}.{{.ID}}", (Text("docker."), Field("Name", 7), Text("."), Field("ID", 17))),
        ("a {{- .ID -}} b", (Text("a"), Field("ID", 2), Text("b"))),
        ("a {{.ID}} b", (Text("a "), Field("ID", 2), Text(" b"))),
        ("a {{- .ID}}{{.Name -}} ", (Text("a"), Field("ID", 2), Field("Name", 11))),
        ("a}}b", (Text("a}}b"),)),
        ("{single}", (Text("{single}"),)),
        ("한국/{{.ID}}", (Text("한국/"), Field("ID", 3))),
    ],
)
def test_a_template_is_text_and_fields(text: str, nodes: tuple[Text | Field, ...]) -> None:
    assert parse(text) == nodes


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("a{{.ID", 1, "unclosed"),
        ("a{{}}", 1, "missing value"),
        ("ab{{ }}", 2, "missing value"),
        ("{{.ID}}{{if .Name}}x{{end}}", 7, "not understood yet"),
        ("x{{lower .Name}}", 1, "not understood yet"),
        ("{{.Name | upper}}", 0, "not understood yet"),
        ("{{.Config.tag}}", 0, "not understood yet"),
        ('{{index .ContainerLabels "a"}}', 0, "not understood yet"),
        ("{{.}}", 0, "not understood yet"),
        ("{{-.ID}}", 0, "not understood yet"),  # Go wants a blank behind the marker
        ("{{.Na me}}", 0, "not understood yet"),
        ("{{/* c */}}", 0, "not understood yet"),
    ],
)
def test_what_is_not_understood_is_refused_where_it_stands(text: str, position: int, says: str) -> None:
    with pytest.raises(TemplateError, match=says) as caught:
        parse(text)
    assert caught.value.position == position
