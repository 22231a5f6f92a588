from typing import Any

import pytest

from parsers.go.info import Info
from parsers.go.values import AnyMap, to_go
from parsers.gotemplate import CLI_FUNCTIONS, TemplateError, parse, render

INFO = Info(
    container_name="/web",
    container_id="0123456789abcdef",
    container_labels={"a": "1", "b": ""},
    container_args=["x"],
)
DATA = to_go({"s": "text", "i": 7, "n": None, "l": [1, "b", None, {"k": "v"}], "m": {"x": {"y": "z"}}})


def told(template: str, value: Any = INFO) -> str:
    return render(parse(template, CLI_FUNCTIONS), value, CLI_FUNCTIONS).decode()


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Name}} {{$.Name}} {{(.).Name}}", "web web web"),
        ("{{.ContainerLabels.a}} {{.ContainerLabels.none}}", "1 <no value>"),
        ("{{.ContainerLabels.none.x.y}}", "<no value>"), ("{{.Name | printf `%s-%s` `a`}}", "a-web"),
        ("{{`a` | print `b` | len}}", "2"), ("{{and 1 0 (index .ContainerArgs 9)}}", "0"),
        ("{{or 1 (index .ContainerArgs 9)}}", "1"), ("{{`x` | or ``}}", "x"), ("{{`x` | and 1}}", "x"),
        ("{{or nil}}", "<no value>"), ("{{$x := 1}}{{$x = 2}}{{$x}}", "2"), ("{{print nil}}", "<nil>"),
        ("{{index .ContainerLabels `none`}}|", "|"), ("{{truncate .Name 2.0}}", "we"),
        ("{{print -0x1e 0x1e 'a'}}", "-30 30 97"), ("{{(index .ContainerArgs 0) | len}}", "1"),
        ("{{print true | printf `%q`}}", '"true"'), ("{{.ContainerCreated.Year}}", "1"),
    ],
)  # fmt: skip
def test_pipelines(template: str, text: str) -> None:
    assert told(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.s}} {{.i}} {{.n}} {{.none}}", "text 7 <no value> <no value>"),
        ("{{.m.x.y}} {{index .m `x` `y`}}", "z z"), ("{{index .l 3 `k`}} {{(index .l 3).k}}", "v v"),
        ("{{index .l 2}} {{print (index .l 2)}}", "<no value> <nil>"), ("{{lower .s}}", "text"),
        ("{{eq .i 7}} {{eq .n nil}} {{len .l}}", "true true 4"), ("{{join .l `,`}}", "1,b,<nil>,map[k:v]"),
        ("{{json .m}}", '{"x":{"y":"z"}}'),
    ],
)  # fmt: skip
def test_values_in_interfaces(template: str, text: str) -> None:
    assert told(template, DATA) == text


@pytest.mark.parametrize(
    ("template", "value", "docker"),
    [
        ("{{.Nope}}", INFO, "1:2 <.Nope>: can't evaluate field Nope in type *logger.Info"),
        ("{{.name}}", INFO, "1:2 <.name>: can't evaluate field name in type *logger.Info"),
        ("{{.Name.x}}", INFO, "1:7 <.Name.x>: can't evaluate field x in type string"),
        (
            "{{.ContainerLabels.a.b}}",
            INFO,
            "1:18 <.ContainerLabels.a.b>: can't evaluate field b in type string",
        ),
        ("{{.s.x}}", DATA, "1:4 <.s.x>: can't evaluate field x in type interface {}"),
        ("{{.n.x}}", DATA, "1:4 <.n.x>: nil pointer evaluating interface {}.x"),
        (
            "{{.ContainerLabels.a 1}}",
            INFO,
            "1:18 <.ContainerLabels.a>: a is not a method but has arguments",
        ),
        ("{{.LogPath 1}}", INFO, "1:2 <.LogPath>: LogPath has arguments but cannot be invoked as function"),
        ("{{1 2}}", INFO, "1:2 <1>: can't give argument to non-function 1"),
        ("{{.Name | $}}", INFO, "1:10 <$>: can't give argument to non-function $"),
        ("{{(print 1) 2}}", INFO, "1:2 <(print 1) 2>: can't give argument to non-function print 1"),
        ("{{nil}}", INFO, "1:2 <nil>: nil is not a command"),
        ("{{lower nil}}", INFO, "1:8 <nil>: cannot assign nil to string"),
        ("{{lower 1}}", INFO, "1:8 <1>: expected string; found 1"),
        (
            "{{lower .ContainerLabels.none}}",
            INFO,
            "1:24 <.ContainerLabels.none>: invalid value; expected string",
        ),
        ("{{truncate .Name `a`}}", INFO, "1:17 <`a`>: expected integer; found `a`"),
        ("{{lower}}", INFO, "1:2 <lower>: wrong number of args for lower: want 1 got 0"),
        ("{{`a` | lower `b`}}", INFO, "1:8 <lower>: wrong number of args for lower: want 1 got 2"),
        ("{{call .Name}}", INFO, "1:2 <call .Name>: error calling call: non-function .Name of type string"),
        ("{{1 | call}}", INFO, "1:6 <call>: error calling call: non-function <int Value> of type int"),
        ("{{$x = 1}}", INFO, "1:7 <1>: undefined variable: $x"),
        ("{{9223372036854775808}}", INFO, "1:2 <9223372036854775808>: 9223372036854775808 overflows int"),
        ("\n {{\n.Nope}}", INFO, "3:0 <.Nope>: can't evaluate field Nope in type *logger.Info"),
        ("{{len .i}}", DATA, "1:2 <len .i>: error calling len: len of type int"),
        (
            "{{eq 1 `a` | print}}",
            INFO,
            "1:2 <eq 1 `a`>: error calling eq: incompatible types for comparison: int and string",
        ),
    ],
)  # fmt: skip
def test_errors_have_gos_words(template: str, value: Any, docker: str) -> None:
    with pytest.raises(TemplateError) as caught:
        told(template, value)
    place, _, rest = docker.partition(" ")
    assert caught.value.docker == f'template: log-tag:{place}: executing "log-tag" at {rest}'


@pytest.mark.parametrize(
    ("template", "depends"),
    [
        ("{{.Nope}}", False), ("{{lower 1}}", False), ("{{lower .ContainerArgs}}", False),
        ("{{lower .ContainerLabels.none}}", True), ("{{index .ContainerArgs 9}}", True),
        ("{{slice .Name 9}}", True), ("{{lower}}", False), ("{{range 999999}}{{end}}", True),
    ],
)  # fmt: skip
def test_whether_another_container_could_do_better(template: str, depends: bool) -> None:
    with pytest.raises(TemplateError) as caught:
        told(template)
    assert caught.value.depends_on_values is depends


def test_fields_of_a_map_and_of_no_value() -> None:
    assert told("{{.a.b}}", AnyMap({b"a": AnyMap({b"b": b"x"})})) == "x"
    assert told("{{.a.b}}{{.}}", None) == "<no value><no value>"
