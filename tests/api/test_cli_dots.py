import json
from typing import Any

import pytest

from api.cli_dots import CONTAINERS, EVENTS, Kind, header, shown
from api.cli_fields import SAMPLE_CONTAINER, SAMPLE_EVENT, View
from parsers.gotemplate import CLI_FUNCTIONS, CLI_HEADER_FUNCTIONS, parse, render

EVENT = {
    **SAMPLE_EVENT,
    "labels": {"com.example/team": "shop", "stage": "prod"},
    "fields": {"status": 502, "user": {"name": "ann"}, "none": None},
    "tag_fields": {"Name": "web"},
}


def printed(template: str, item: Any = EVENT, kind: Kind = EVENTS, view: View | None = None) -> str:
    dot = kind.dot(item, view or View())
    return render(parse(template, CLI_FUNCTIONS, ""), dot, CLI_FUNCTIONS).decode()


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Message}}|{{.message}}", "GET /cart 502|GET /cart 502"),
        ("{{.Container.Name}} {{.container.name}}", "shop-web-1 shop-web-1"),
        ("{{.container.Image}}", "registry.example/shop/web:1.27"),
        ("{{.service_detail.project}} {{.ServiceDetail.Project}} {{.Project}}", "shop shop shop"),
        ("{{.service_source}}", "label:com.docker.compose.service"),
        ('{{.Label "stage"}}|{{.Label "none"}}|{{.Label "com.example/team"}}', "prod||shop"),
        ('{{.Labels.stage}} {{index .labels "com.example/team"}}', "prod shop"),
        ("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "com.example/team=shop;stage=prod;"),
        ("{{.Labels}}", "map[com.example/team:shop stage:prod]"),
        ("{{.Fields.status}} {{.Fields.user.name}}", "502 ann"),
        ("{{.Fields.none}} {{.Fields.x}}", "<no value> <no value>"),
        ('{{if eq .Level "error"}}{{upper .Message}}{{end}}', "GET /CART 502"),
        ('{{join .Flags ","}} {{len .Flags}} {{json .TagFields}}', 'joined 1 {"Name":"web"}'),
        ("{{.Sequence}} {{.Offset}} {{with .container}}{{.id}}{{end}}", "26 26 " + "0123456789abcdef" * 4),
        ("{{truncate .Container.ID 12}}", "0123456789ab"),
    ],
)  # fmt: skip
def test_events(template: str, text: str) -> None:
    assert printed(template) == text


def test_what_is_unknown_prints_nothing() -> None:
    bare = {**EVENT, **dict.fromkeys(("stream", "level", "service", "service_detail", "tag"))}
    bare["container"] = dict.fromkeys(("id", "name", "image"))
    names = (
        "Stream",
        "level",
        "Service",
        "service_detail.kind",
        "Kind",
        "tag",
        "Container.Name",
        "container.id",
    )
    assert printed("".join(f"[{{{{.{name}}}}}]" for name in names), bare) == "[]" * len(names)


def test_an_events_json_is_the_rest_object() -> None:
    found = printed("{{json .}}")
    assert json.loads(found) == EVENT
    assert list(json.loads(found)) == list(EVENT)
    assert json.loads(printed("{{json .Labels}}")) == EVENT["labels"]
    assert json.loads(printed("{{json .Container}}")) == EVENT["container"]


def test_a_containers_json_has_the_names_of_a_template() -> None:
    found = json.loads(printed("{{json .}}", SAMPLE_CONTAINER, CONTAINERS))
    assert list(found) == sorted(CONTAINERS.readers)
    assert (found["Names"], found["Lines"], found["ID"]) == ("shop-web-1", 1000, "0123456789ab")


@pytest.mark.parametrize("kind", [CONTAINERS, EVENTS], ids=lambda kind: kind.go_type.name)
def test_every_name_works_and_has_a_title(kind: Kind) -> None:
    for name in kind.names:
        action = '{{.Label "a.b"}}' if name == "Label" else f"{{{{json .{name}}}}}"
        printed(action, kind.sample, kind)
        if name not in kind.parts:
            titles = render(parse(action, CLI_FUNCTIONS, ""), header(kind, True), CLI_HEADER_FUNCTIONS)
            assert titles, name


@pytest.mark.parametrize(
    ("template", "whole_maps", "title"),
    [
        ("{{.ID}} {{.Container.ID}} {{.container.name}}", True, "ID CONTAINER ID CONTAINER NAME"),
        ("{{.ServiceSource}} {{.service_source}} {{.TaskID}}", True, "SERVICE SOURCE SERVICE SOURCE TASK ID"),
        ("{{.Labels}} {{.tag_fields}} {{.Flags}}", True, "LABELS TAG FIELDS FLAGS"),
        ('{{.Label "com.example/my-team_x"}} {{.Label "stage"}}', True, "example/my team x stage"),
        ('{{.Labels.stage}} {{index .Fields "a.b"}}{{range .Flags}} {{.}}{{end}}', False, "stage b FLAGS"),
        ("{{upper .Message}} {{json .Labels}} {{truncate .Tag 1}}", True, "MESSAGE LABELS TAG"),
        ("{{pad .Host 1 1}}|", True, " HOST |"),
    ],
)  # fmt: skip
def test_titles(template: str, whole_maps: bool, title: str) -> None:
    found = render(parse(template, CLI_FUNCTIONS, ""), header(EVENTS, whole_maps), CLI_HEADER_FUNCTIONS)
    assert found.decode() == title


def test_the_title_of_a_containers_id_is_dockers() -> None:
    found = render(parse("{{.ID}}", CLI_FUNCTIONS, ""), header(CONTAINERS, True), CLI_HEADER_FUNCTIONS)
    assert found == b"CONTAINER ID"


def test_texts_are_shown_as_they_can_be_borne() -> None:
    view = View(shown=lambda text: text.replace("\x1b", "ESC"))
    evil = {**EVENT, "message": "\x1b[2J", "labels": {"\x1bk": "\x1bv"}, "flags": ["\x1b"]}
    assert printed("{{.Message}} {{.Labels}} {{.Flags}}", evil, view=view) == "ESC[2J map[ESCk:ESCv] [ESC]"
    assert printed('{{.Label "\x1bk"}}', evil, view=view) == "ESCv"
    assert json.loads(printed("{{json .}}", evil, view=view))["labels"] == {"ESCk": "ESCv"}
    assert shown({"a": [1, None, True, 2.5, {"b": "c"}]}, str.upper) == {
        "A": [1, None, True, 2.5, {"B": "C"}]
    }
