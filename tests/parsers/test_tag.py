import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.inversion.readings import MAX_READINGS
from parsers.tag import (
    DEFAULT_TEMPLATE,
    MAX_TAG_LENGTH,
    TagTemplate,
    TemplateError,
    most_specific_first,
    read_tag,
    templates_from_daemon_json,
)

ID = "0123456789abcdef" * 4
DIGEST = "fedcba9876543210" * 4
VALUES = {
    "ID": ID[:12],
    "FullID": ID,
    "Name": "shop-web-1",
    "ImageName": "ghcr.io/shop/web:1.2",
    "ImageID": DIGEST[:12],
    "ImageFullID": "sha256:" + DIGEST,
    "Hostname": "node-a.lan",
    "DaemonName": "docker",
}


def render(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace("{{." + name + "}}", value)
    return template


def invert(template: str, tag: str, **known: str) -> dict[str, str] | None:
    reading = TagTemplate.compile(template).invert(tag, known)
    return None if reading is None else dict(reading.fields)


@pytest.mark.parametrize(
    "template",
    [
        "{{.ID}}", "{{.FullID}}", "{{.Name}}", "{{.ImageName}}", "{{.ImageID}}", "{{.ImageFullID}}",
        "docker.{{.Name}}", "{{.Name}}/{{.ID}}", "{{.Name}}.{{.ID}}", "{{.ID}}{{.Name}}",
        "{{.ID}}{{.ImageID}}",
        "docker.{{.Name}}.{{.ID}}.end", "{{.Name}}|{{.ImageName}}", "{{.ImageName}}|{{.Name}}|{{.FullID}}",
        "{{.DaemonName}}.{{.Name}}", "{{.Hostname}}/{{.Name}}", "{{.Name}}/{{.Name}}", "no field at all",
        "{{.Name}} {{.ImageFullID}}{{.ID}}", "한 국.{{.Name}}",
    ],
)  # fmt: skip
def test_a_tag_gives_back_what_made_it(template: str) -> None:
    expected = {name: value for name, value in VALUES.items() if "{{." + name + "}}" in template}
    reading = TagTemplate.compile(template).invert(render(template, VALUES))
    assert reading is not None
    assert (dict(reading.fields), reading.ambiguous) == (expected, ())


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        ("{{.ID}}", ID[:11]), ("{{.ID}}", ID[:13]), ("{{.ID}}", ID[:12].upper()), ("{{.ID}}", ""),
        ("{{.ID}}", "<no value>"),
        ("{{.FullID}}", ID[:12]), ("{{.Name}}", "a"), ("{{.Name}}", "-ab"), ("{{.Name}}", "a b"),
        ("{{.Name}}", "a/b"),
        ("docker.{{.Name}}", "dockerweb"), ("docker.{{.Name}}", "docker."),
        ("docker.{{.Name}}", "xdocker.web"),
        ("{{.Name}}.end", "web.end "), ("{{.ImageName}}", ""), ("{{.ImageName}}", "a b"),
        ("{{.ImageFullID}}", DIGEST),
        ("{{.DaemonName}}", "dockerd"), ("literal", "literals"), ("{{.Name}}/{{.Name}}", "web/api"),
        ("{{.ID}}/{{.FullID}}", "f" * 12 + "/" + ID),
    ],
)  # fmt: skip
def test_a_tag_of_another_template_is_not_read(template: str, tag: str) -> None:
    assert invert(template, tag) is None


def test_two_readings_are_no_guess_until_the_record_decides() -> None:
    template, tag = TagTemplate.compile("{{.Name}}.{{.ImageName}}"), "shop.web.nginx.1"
    reading = template.invert(tag)
    assert reading is not None
    assert dict(reading.fields) == {}
    assert {(one["Name"], one["ImageName"]) for one in reading.ambiguous} == {
        ("shop", "web.nginx.1"), ("shop.web", "nginx.1"), ("shop.web.nginx", "1"),
    }  # fmt: skip
    assert not reading.more
    assert invert(template.text, tag, Name="shop.web") == {"Name": "shop.web", "ImageName": "nginx.1"}
    assert invert(template.text, tag, FullID=ID, Name="shop") == {"Name": "shop", "ImageName": "web.nginx.1"}


def test_the_settled_part_of_an_ambiguous_tag_is_told() -> None:
    reading = TagTemplate.compile("{{.ID}}.{{.Name}}.{{.ImageName}}").invert(ID[:12] + ".a1.b2.c3")
    assert reading is not None
    assert dict(reading.fields) == {"ID": ID[:12]}
    assert list(map(dict, reading.ambiguous)) == [
        {"Name": "a1", "ImageName": "b2.c3"},
        {"Name": "a1.b2", "ImageName": "c3"},
    ]


def test_more_readings_than_can_be_shown_are_said_to_be_more() -> None:
    reading = TagTemplate.compile("{{.ID}}.{{.Name}}.{{.ImageName}}").invert(ID[:12] + ".aa" * 60)
    assert reading is not None
    assert (dict(reading.fields), len(reading.ambiguous), reading.more) == (
        {"ID": ID[:12]},
        MAX_READINGS,
        True,
    )


def test_one_place_of_a_field_settles_its_other_place() -> None:
    assert invert("{{.Name}}.{{.ImageName}}|{{.Name}}", "a1.b2.c3|a1.b2") == {
        "Name": "a1.b2",
        "ImageName": "c3",
    }


@pytest.mark.parametrize(
    ("template", "tag", "known"),
    [
        ("docker.{{.Name}}", "docker.web", {"Name": "other"}),
        ("{{.ID}}", ID[:12], {"FullID": "f" * 64}),
        ("{{upper .Name}}", "WEB", {"Name": "other"}),
        ('{{if eq .Name "web"}}a{{else}}b{{end}}', "a", {"Name": "other"}),
    ],
)
def test_a_tag_that_contradicts_what_is_known_is_not_read(
    template: str, tag: str, known: dict[str, str]
) -> None:
    assert invert(template, tag) is not None
    assert invert(template, tag, **known) is None


@pytest.mark.parametrize(
    ("template", "tag", "fields"),
    [
        ('{{index .ContainerLabels "a.b"}}/{{.ID}}', f"a/b/{ID[:12]}", {"ContainerLabels.a.b": "a/b"}),
        ("{{.ContainerLabels.app}}", "web", {"ContainerLabels.app": "web"}),
        ("{{.ContainerLabels.app}}", "<no value>", {}),
        ('{{index .ContainerLabels "app"}}', "", {}),
        ("{{.ContainerName}}", "/web", {"ContainerName": "/web", "Name": "web"}),
        ("{{slice .ContainerName 1}}", "web", {"Name": "web"}),
        ('{{index (split .ContainerName "/") 1}}', "web", {"Name": "web"}),
        ("{{.ContainerID}}", ID, {"ContainerID": ID, "FullID": ID}),
        ("{{.Command}}", "/bin/sh -c true", {"Command": "/bin/sh -c true"}),
        ("{{upper .ID}}", ID[:12].upper(), {"ID": ID[:12]}),
        ("{{title .FullID}}", "A" + "b" * 63, {"FullID": "a" + "b" * 63}),
        ("{{lower .Name}}", "web", {}),
        ("{{lower .Name}}", "1.2-3", {"Name": "1.2-3"}),
        ("{{truncate .Name 8}}", "web", {"Name": "web"}),
        ("{{truncate .Name 3}}", "web", {}),
        ("{{truncate .ID 12}}", ID[:12], {"ID": ID[:12]}),
        ("{{pad .Name 1 2}}", " web  ", {"Name": "web"}),
        ("{{json .Name}}", '"web"', {"Name": "web"}),
        ('{{json (index .ContainerLabels "a")}}{{.ID}}', '"x\\"y"' + ID[:12], {"ContainerLabels.a": 'x"y'}),
        ("{{json .ContainerLabels}}/{{.ID}}", '{"a":"}","b":""}/' + ID[:12], {"ContainerLabels.a": "}"}),
        ('{{join (split .ImageName "/") "|"}}', "ghcr.io|shop|web:1", {"ImageName": "ghcr.io/shop/web:1"}),
        ('{{join (split .Name ".") "-"}}', "a-b", {}),
        ('{{index (split .ImageName ":") 0}}', "nginx", {}),
        ('{{printf "%s-%s" .ID .Name}}', f"{ID[:12]}-web", {"Name": "web"}),
        ('{{printf "%-6s|" .Name}}', "web   |", {"Name": "web"}),
        ('{{printf "%q" .Name}}', '"web"', {"Name": "web"}),
        ('{{printf "%x" .Name}}', "776562", {"Name": "web"}),
        ("{{- .Name -}} ", "web", {"Name": "web"}),
        ("{{with .Name}}<{{.}}>{{end}}", "<web>", {"Name": "web"}),
        ("{{$n := .Name}}{{$n}}/{{$n}}", "web/web", {"Name": "web"}),
        ('{{define "t"}}[{{.Name}}]{{end}}{{template "t" .}}', "[web]", {"Name": "web"}),
        ('{{block "t" .Name}}{{.}}{{end}}', "web", {"Name": "web"}),
        ('{{if eq .ImageName "nginx"}}w{{else}}o{{end}}', "w", {"ImageName": "nginx"}),
        ('{{if eq .ImageName "nginx"}}w{{else}}o{{end}}', "o", {}),
        ('{{if or (eq .Name "web") (eq .Name "api")}}x{{else}}-{{end}}{{.Name}}', "xapi", {"Name": "api"}),
        ('{{if .ContainerLabels.a}}a:{{.ContainerLabels.a}}{{else}}{{.Name}}{{end}}', "web", {"Name": "web"}),
        ('{{with .ContainerLabels.a}}a:{{.}}{{else}}n:{{$.Name}}{{end}}', "a:x", {"ContainerLabels.a": "x"}),
        ('{{$x := "n"}}{{if .ContainerLabels.a}}{{$x = .ID}}{{end}}{{$x}}', ID[:12], {"ID": ID[:12]}),
        ("{{range .ContainerEnv}}{{.}},{{end}}|{{.Name}}", "A=1,B=2,|web", {"Name": "web"}),
        ('{{range split "a.b" "."}}{{.}}-{{end}}{{.Name}}', "a-b-web", {"Name": "web"}),
        ('{{(.ExtraAttributes nil).app}}/{{.ID}}', f"web/{ID[:12]}", {"ExtraAttributes.app": "web"}),
        ("{{.DaemonName}}.{{.Name}}", "docker.web", {"DaemonName": "docker"}),
        ("{{print .ID .Name}}", f"{ID[:12]}web", {"Name": "web"}),
        ("{{len .Name}}{{.ID}}", f"3{ID[:12]}", {"ID": ID[:12]}),
    ],
)  # fmt: skip
def test_what_a_template_does_is_undone_where_it_can_be(
    template: str, tag: str, fields: dict[str, str]
) -> None:
    reading = TagTemplate.compile(template).invert(tag)
    assert reading is not None
    assert reading.ambiguous == ()
    if not fields:
        assert dict(reading.fields) == {}
    assert {name: reading.fields.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    ("template", "tag", "expression"),
    [
        ("{{lower .Name}}", "web", "lower .Name"),
        ("{{truncate .Name 3}}", "web", "truncate .Name 3"),
        ('{{index (split .ImageName ":") 0}}', "nginx", 'index (split .ImageName ":") 0'),
    ],
)
def test_what_is_told_in_part_is_said(template: str, tag: str, expression: str) -> None:
    reading = TagTemplate.compile(template).invert(tag)
    assert reading is not None
    assert dict(reading.partial) == {expression: tag}


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("{{.FullName}}", 2, "can't evaluate field FullName in type *logger.Info"),
        ("ab{{.Labels}}", 4, "can't evaluate field Labels in type *logger.Info"),
        ("{{.Name", 7, "unclosed action"),
        ("{{foo .Name}}", 2, 'function "foo" not defined'),
        ("{{lower .Name .ID}}", 2, "wrong number of args for lower"),
        ("{{if .Name}}{{.Bad}}{{end}}", 14, "can't evaluate field Bad"),
        ("{{.Name}}{{end}}", 14, "unexpected {{end}}"),
    ],
)
def test_a_template_that_docker_refuses_is_an_error(text: str, position: int, says: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(says)) as caught:
        TagTemplate.compile(text)
    assert caught.value.position == position
    assert "template: log-tag:1:" in caught.value.docker


@pytest.mark.parametrize("text", ["{{eq .Name 1}}", "{{pad .Name -1 0}}", "{{index .ContainerLabels 1}}"])
def test_a_template_that_fails_for_every_container_is_an_error(text: str) -> None:
    with pytest.raises(TemplateError):
        TagTemplate.compile(text)


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_is_more_specific_than_a_label(order: int) -> None:
    texts = ("{{.Name}}/{{.ID}}", '{{index .ContainerLabels "a"}}/{{.ID}}')[::order]
    found = read_tag(most_specific_first(map(TagTemplate.compile, texts)), f"web/{ID[:12]}")
    assert found is not None
    assert found[0].text == "{{.Name}}/{{.ID}}"


@pytest.mark.parametrize(
    "text",
    [
        "{{slice .Name 0 200}}",
        "{{lower .ContainerLabels.x}}",
        '{{if eq .Name "never"}}{{.Bad}}{{end}}{{.ID}}',
        "{{if .ContainerLabels.x}}{{.Bad}}{{else}}{{.ID}}{{end}}",
    ],
)
def test_a_template_with_which_some_containers_start_is_taken(text: str) -> None:
    TagTemplate.compile(text)


def test_an_empty_template_is_dockers_default() -> None:
    assert TagTemplate.compile("") == TagTemplate.compile(DEFAULT_TEMPLATE)


def test_the_most_specific_template_wins() -> None:
    texts = ["{{.Name}}", "docker.{{.Name}}", "{{.ID}}", "docker.{{.Name}}.{{.ID}}", "{{.Name}}.{{.ID}}"]
    for order in itertools.permutations(texts):
        templates = most_specific_first(map(TagTemplate.compile, order))
        for tag, winner in (
            (f"docker.web.{ID[:12]}", "docker.{{.Name}}.{{.ID}}"),
            ("docker.web", "docker.{{.Name}}"),
            (f"web.{ID[:12]}", "{{.Name}}.{{.ID}}"),
        ):
            found = read_tag(templates, tag)
            assert found is not None
            assert found[0].text == winner
    assert read_tag(templates, "no/such tag") is None


def test_a_template_that_contradicts_what_is_known_leaves_the_tag_to_the_next() -> None:
    """`cafe12345678` is an id by its looks, but the record says that it is the name."""
    templates = most_specific_first(map(TagTemplate.compile, ("{{.ID}}", "{{.Name}}")))
    name = "cafe12345678"
    found = read_tag(templates, name, ({"FullID": ID, "Name": name}, {}))
    assert found is not None
    assert (found[0].text, dict(found[1].fields)) == ("{{.Name}}", {"Name": name})


@pytest.mark.parametrize(
    ("config", "templates"),
    [
        ({}, ["{{.ID}}"]),
        ({"log-driver": "fluentd"}, ["{{.ID}}"]),
        ({"log-opts": {}}, ["{{.ID}}"]),
        ({"log-opts": {"tag": ""}}, ["{{.ID}}"]),
        ({"log-opts": {"tag": "docker.{{.Name}}"}}, ["docker.{{.Name}}"]),
        ({"log-driver": "gelf", "log-opts": {"tag": "docker.{{.Name}}"}}, ["docker.{{.Name}}"]),
        ({"log-driver": "json-file", "log-opts": {"tag": "{{.Name}}"}}, ["{{.ID}}"]),
        ({"log-opts": {"tag": None}}, ["{{.ID}}"]),
        ({"log-opts": None}, ["{{.ID}}"]),
        (None, ["{{.ID}}"]),
    ],
)
def test_daemon_json_names_the_template(config: object, templates: list[str]) -> None:
    assert templates_from_daemon_json(json.dumps(config)) == templates
    assert templates_from_daemon_json("\ufeff" + json.dumps(config)) == templates


@pytest.mark.parametrize("text", ["", " \n", "\ufeff"])
def test_an_empty_daemon_json_is_one(text: str) -> None:
    """So dockerd takes it (`dockerd --validate`, 26.1)."""
    assert templates_from_daemon_json(text) == ["{{.ID}}"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ('{"a": 1,}', "not JSON"),
        ("[]", "daemon.json must be"),
        ('{"log-opts": []}', "log-opts must be"),
        ('{"log-opts": 0}', "log-opts must be"),
        ('{"log-opts": {"tag": 1}}', "log-opts.tag must be"),
    ],
)
def test_a_broken_daemon_json_says_which_key(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        templates_from_daemon_json(text)


NASTY = (
    ".".join(["{{.Name}}", "{{.ImageName}}", "{{.Hostname}}"] * 3),
    '{{index .ContainerLabels "a"}}{{index .ContainerLabels "b"}}{{index .ContainerLabels "c"}}',
    "{{if .ContainerLabels.a}}{{.ContainerLabels.a}}{{end}}" * 8,
    "{{with .ContainerLabels.a}}{{.}}{{else}}{{.Name}}{{end}}" * 8,
    "{{range .ContainerEnv}}{{.}}a{{end}}",
    "{{range $k, $v := .ContainerLabels}}{{$k}}={{$v}},{{end}}" * 3,
    "{{lower .Name}}{{upper .Name}}{{truncate .ImageName 300}}",
    '{{json (index .ContainerLabels "a")}}{{index .ContainerLabels "b"}}{{json .ContainerLabels}}',
)


@pytest.mark.parametrize("end", ["", "!", " "])
@pytest.mark.parametrize("template", NASTY)
@pytest.mark.parametrize("text", ["a", "a.b1", "a=b,", '"a\\', '{"a":"b"}'])
def test_the_longest_tag_against_a_nasty_template_ends(template: str, text: str, end: str) -> None:
    """It would not if readings were tried one after the other: there are 65,536 over 7 of the first."""
    tag = (text * MAX_TAG_LENGTH)[: MAX_TAG_LENGTH - len(end)] + end
    reading = TagTemplate.compile(template).invert(tag)
    assert reading is None or len(reading.ambiguous) <= MAX_READINGS


def test_a_tag_beyond_the_limit_is_not_read() -> None:
    assert invert("{{.Name}}", "a" * MAX_TAG_LENGTH) is not None
    assert invert("{{.Name}}", "a" * (MAX_TAG_LENGTH + 1)) is None


@given(st.text(max_size=80), st.sampled_from([*NASTY, "{{.ID}}", "{{.Name}}/{{.ID}}", "{{json .}}"]))
def test_any_tag_is_read_or_refused(tag: str, template: str) -> None:
    TagTemplate.compile(template).invert(tag)
