import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.gotemplate import TemplateError
from parsers.tag import (
    DEFAULT_TEMPLATE,
    MAX_TAG_LENGTH,
    TagTemplate,
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


def invert(template: str, tag: str, **known: str | None) -> dict[str, str] | None:
    return TagTemplate.compile(template).invert(tag, **known)


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
    reading = TagTemplate.compile(template).read(render(template, VALUES))
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
    reading = template.read(tag)
    assert reading is not None
    assert (dict(reading.fields), reading.ambiguous) == ({}, ("Name", "ImageName"))
    assert template.invert(tag, container_name="shop.web") == {"Name": "shop.web", "ImageName": "nginx.1"}
    assert template.invert(tag, ID, "shop") == {"Name": "shop", "ImageName": "web.nginx.1"}


def test_the_settled_part_of_an_ambiguous_tag_is_told() -> None:
    reading = TagTemplate.compile("{{.ID}}.{{.Name}}.{{.ImageName}}").read(ID[:12] + ".a1.b2.c3")
    assert reading is not None
    assert (dict(reading.fields), reading.ambiguous) == ({"ID": ID[:12]}, ("Name", "ImageName"))


def test_one_place_of_a_field_settles_its_other_place() -> None:
    reading = TagTemplate.compile("{{.Name}}.{{.ImageName}}|{{.Name}}").read("a1.b2.c3|a1.b2")
    assert reading is not None
    assert dict(reading.fields) == {"Name": "a1.b2", "ImageName": "c3"}


def test_a_tag_that_contradicts_the_record_is_read_for_itself() -> None:
    assert invert("docker.{{.Name}}", "docker.web", container_name="other") == {"Name": "web"}
    assert invert("{{.ID}}", ID[:12], container_id="f" * 64) == {"ID": ID[:12]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{.FullName}}", "no field or method FullName"),
        ("ab{{.Labels}}", "no field or method Labels"),
        ("{{.Command}}", "not understood yet"),
        ("{{.ContainerName}}", "not understood yet"),
        ("{{if .Name}}{{end}}", "not understood yet"),
    ],
)
def test_a_template_docker_would_refuse_or_we_do_not_understand_is_an_error(text: str, says: str) -> None:
    with pytest.raises(TemplateError, match=says) as caught:
        TagTemplate.compile(text)
    assert caught.value.position == text.index("{{")


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
            found = read_tag(templates, tag, None, None)
            assert found is not None
            assert found[0].text == winner
    assert read_tag(templates, "no/such tag", None, None) is None


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


names = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,20}", fullmatch=True)
images = st.from_regex(r"[a-z0-9._/:@-]{1,30}", fullmatch=True)
hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
pieces = st.one_of(
    st.sampled_from(
        ["{{.ID}}", "{{.FullID}}", "{{.Name}}", "{{.ImageName}}", "{{.ImageID}}", "{{.Hostname}}"]
    ),
    st.text("ab.-/0 ", max_size=3),
)


@given(st.lists(pieces, max_size=6), hexes, hexes, names, images, st.booleans())
def test_no_field_is_ever_read_wrongly(
    parts: list[str], full_id: str, image_id: str, name: str, image: str, told: bool
) -> None:
    values = {
        "ID": full_id[:12], "FullID": full_id, "Name": name, "ImageName": image, "ImageID": image_id[:12],
        "Hostname": "n1",
    }  # fmt: skip
    template = "".join(parts)
    reading = TagTemplate.compile(template).read(
        render(template, values) if template else full_id[:12],
        full_id if told else None,
        name if told else None,
    )
    assert reading is not None
    assert dict(reading.fields) == {key: values[key] for key in reading.fields}
    shown = {key for key in values if "{{." + key + "}}" in (template or DEFAULT_TEMPLATE)}
    assert {*reading.fields, *reading.ambiguous} == shown


@pytest.mark.parametrize("end", ["", "!"])
def test_the_longest_tag_against_a_nasty_template_is_only_read_once(end: str) -> None:
    """It would not end if readings were tried one after the other: 65,536 over 7 of them."""
    template = TagTemplate.compile(".".join(["{{.Name}}", "{{.ImageName}}", "{{.Hostname}}"] * 3))
    reading = template.read("a.b1" * (MAX_TAG_LENGTH // 4 - 1) + end)
    assert (reading is None) == bool(end)
    assert reading is None or set(reading.ambiguous) == {"Name", "ImageName", "Hostname"}


def test_a_tag_beyond_the_limit_is_not_read() -> None:
    assert invert("{{.Name}}", "a" * MAX_TAG_LENGTH) is not None
    assert invert("{{.Name}}", "a" * (MAX_TAG_LENGTH + 1)) is None
