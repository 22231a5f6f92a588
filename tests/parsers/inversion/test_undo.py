"""One term and the text that it printed -> facts."""

import pytest

from parsers.gotemplate import render
from parsers.inversion.readings import Reading
from parsers.inversion.samples import USUAL, info
from parsers.tag import TagTemplate

ID = "0123456789ab"
LABEL = '(index .ContainerLabels "a")'


def read(template: str, tag: str, **known: str) -> Reading:
    reading = TagTemplate.compile(template).invert(tag, known)
    assert reading is not None
    return reading


@pytest.mark.parametrize(
    ("template", "tag", "fields"),
    [
        ("{{html .Name}}/{{js .ID}}/{{urlquery .Name}}", f"web/{ID}/web", {"Name": "web", "ID": ID}),
        ("{{html " + LABEL + "}}", "a&amp;amp;&lt;", {"ContainerLabels.a": "a&amp;<"}),
        ("{{urlquery " + LABEL + "}}", "a+b%2F", {"ContainerLabels.a": "a b/"}),
        ('{{printf "%X" .Name}}', "776562", {"Name": "web"}),
        ('{{printf "%q" ' + LABEL + "}}", '"a\\"b"', {"ContainerLabels.a": 'a"b'}),
        ('{{printf "%.8s" .Name}}', "web", {"Name": "web"}),
        ("{{json .ContainerName}}", '"/web"', {"Name": "web", "ContainerName": "/web"}),
        ('{{json (print .Name "/" .ID)}}', f'"web/{ID}"', {"Name": "web", "ID": ID}),
        ('{{if eq .ContainerName "/web"}}x{{end}}', "x", {"Name": "web", "ContainerName": "/web"}),
        ('{{json (split .ImageName ":")}}', '["nginx","1"]', {"ImageName": "nginx:1"}),
        ('{{split .ImageName ":"}}', "[nginx 1]", {"ImageName": "nginx:1"}),
    ],
)
def test_what_is_undone(template: str, tag: str, fields: dict[str, str]) -> None:
    reading = read(template, tag)
    assert (dict(reading.fields), reading.ambiguous, reading.partial) == (fields, (), {})


@pytest.mark.parametrize(
    ("template", "tag", "fields"),
    [
        ('{{printf "%#v" .Name}}/{{.ID}}', f'"web"/{ID}', {"ID": ID}),
        ('{{printf "%x" (len .Name)}}/{{.ID}}', f"42/{ID}", {"ID": ID}),
        ('{{printf "%d" .Name}}/{{.ID}}', f"%!d(string=web)/{ID}", {"ID": ID}),
    ],
)
def test_what_is_not_undone_is_passed_over(template: str, tag: str, fields: dict[str, str]) -> None:
    assert dict(read(template, tag).fields) == fields


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        ('/{{printf "%-6s" .ContainerLabels.x}}', "/%!s(<nil>)"),
        ("{{.ID}}{{print .ContainerLabels.x}}", f"{ID}<nil>"),
        ("{{.ID}}{{print 0 .ContainerLabels.x}}", f"{ID}0 <nil>"),
        ("{{.ID}}{{json .ContainerLabels.x}}", f"{ID}null"),
        ("{{.ID}}{{not .ContainerLabels.x}}{{.ContainerLabels.x}}", f"{ID}true<no value>"),
    ],
)
def test_a_label_that_is_not_there_is_no_text(template: str, tag: str) -> None:
    reading = read(template, tag)
    assert "ContainerLabels.x" not in reading.fields
    assert not reading.ambiguous or any("ContainerLabels.x" not in one for one in reading.ambiguous)
    made = render(TagTemplate.compile(template).template, info({**USUAL, "FullID": ID.encode()}))
    assert made.decode() == tag


def test_a_label_can_be_the_text_that_go_prints_for_none() -> None:
    template = "{{if .ContainerLabels.x}}{{.ContainerLabels.x}}{{else}}-{{.ContainerLabels.x}}{{end}}"
    assert dict(read(template, "<no value>").fields) == {"ContainerLabels.x": "<no value>"}
    assert dict(read(template, "-<no value>").fields) == {}


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        ("{{truncate " + LABEL + " 3}}/{{.ID}}", b"ab\xc3/" + ID.encode()),
        ("{{slice " + LABEL + " 0 3}}/{{.ID}}", b"ab\xc3/" + ID.encode()),
        ("{{slice " + LABEL + " 1 2}}/{{.ID}}", b"\xa9/" + ID.encode()),
        ("{{json (truncate " + LABEL + " 3)}}/{{.ID}}", b'"ab\\ufffd"/' + ID.encode()),
    ],
)
def test_half_a_rune_does_not_hide_the_other_fields(template: str, tag: bytes) -> None:
    """The drivers, or logdock, write U+FFFD for a byte that is no UTF-8."""
    assert dict(read(template, tag.decode("utf-8", "replace")).fields) == {"ID": ID}


def test_no_text_ends_within_a_rune() -> None:
    reading = read('{{index .ContainerLabels "a"}}{{index .ContainerLabels "b"}}', "é")
    assert len(reading.ambiguous) == 2


def test_parts_of_two_readings_are_not_mixed() -> None:
    reading = read("{{lower .Name}}.{{lower .ImageName}}", "a1.b2.c3")
    assert (dict(reading.fields), dict(reading.partial)) == ({}, {})
