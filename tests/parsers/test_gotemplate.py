"""The whole of it: what Go gave for many templates, and what is ours alone: places, limits, messages."""

from typing import Any

import pytest

from parsers.go.info import Info
from parsers.gotemplate import CLI_FUNCTIONS, MAX_TEMPLATE, TemplateError, parse, render
from tests.parsers.common_templates import CONTAINER, GIVES, REFUSES
from tests.parsers.questions import Answer, Question, load, readable

INFO = Info(**CONTAINER)
ANSWERED = load()


@pytest.mark.parametrize(("template", "text"), GIVES)
def test_a_template_gives_what_go_gives(template: str, text: bytes) -> None:
    assert render(parse(template), INFO) == text


@pytest.mark.parametrize(("template", "docker"), REFUSES)
def test_a_template_that_docker_refuses(template: str, docker: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(parse(template), INFO)
    assert caught.value.docker == docker


def test_the_answers_of_go_in_the_file() -> None:
    assert len(ANSWERED) > 900
    stages = [answer.stage for _, answer in ANSWERED]
    assert all(stages.count(stage) > 90 for stage in ("output", "parse", "execute"))
    differing: list[tuple[Question, Answer, Answer]] = []
    for question, answer in ANSWERED:
        ours = question.answer()
        if ours != readable(answer):
            differing.append((question, answer, ours))
    assert differing == []


@pytest.mark.parametrize(
    ("template", "position"),
    [
        ("한국 {{foo}}", 5), ("한국 {{.Foo}}", 5), ("한국\n{{.Name}} {{", 15), ("é\udcff{{.Foo}}", 4),
        (b"\xed\x95\x9c{{foo}}", 5), ("{{.ID}}{{.Name.First}}", 14),
    ],
)  # fmt: skip
def test_an_error_has_its_place_in_the_text_as_it_was_given(template: str | bytes, position: int) -> None:
    with pytest.raises(TemplateError, match=rf"\(at position {position}\)$") as caught:
        render(parse(template), INFO)
    assert caught.value.position == position


def test_a_message_is_one_short_line() -> None:
    with pytest.raises(TemplateError) as caught:
        parse("{{" + "9" * 1000 + "}}")
    assert len(str(caught.value)) < 450 and len(caught.value.docker) > 1000
    with pytest.raises(TemplateError) as caught:
        render(parse("{{range .}}{{end}}"), b"a\nb")
    assert str(caught.value) == "range can't iterate over a\\nb (at position 8)"
    assert caught.value.docker.endswith("range can't iterate over a\nb")


def test_the_name_and_the_functions_are_the_callers() -> None:
    with pytest.raises(TemplateError) as caught:
        parse("{{foo}}", name="x%y")
    assert caught.value.docker == 'template: x%y:1: function "foo" not defined'
    with pytest.raises(TemplateError) as caught:
        render(parse("{{.a.b}}", name='x"%d'), {b"a": b"1"})
    assert caught.value.docker == (
        'template: x"%d:1:4: executing "x\\"%d" at <.a.b>: can\'t evaluate field b in type string'
    )
    assert render(parse("{{join . `,`}}", CLI_FUNCTIONS), [1, 2], CLI_FUNCTIONS) == b"1,2"


def test_bytes_that_are_no_text_pass_through() -> None:
    assert render(parse(b"\xff{{.}}`\xfe`"), b"\x80") == b"\xff\x80`\xfe`"
    assert render(parse("\udcff{{`\udcfe`}}"), b"") == b"\xff\xfe"


def test_a_template_has_a_limit() -> None:
    assert parse("x" * MAX_TEMPLATE).nodes
    with pytest.raises(TemplateError, match="a template of more than 131072 bytes"):
        parse("x" * (MAX_TEMPLATE + 1))


def test_a_caller_deep_in_the_stack_gets_an_error_of_its_own_kind() -> None:
    template = parse("{{" + "print (" * 90 + "1" + ")" * 90 + "}}")

    def deep(levels: int, work: Any) -> Any:
        return deep(levels - 1, work) if levels else work()

    assert render(template, INFO) == b"1"
    with pytest.raises(TemplateError, match="nested too deep for this reader"):
        deep(700, lambda: render(template, INFO))
    with pytest.raises(TemplateError, match="nested too deep for this reader"):
        deep(700, lambda: parse("{{if .}}" * 90 + "{{end}}" * 90))
