import pytest

from parsers.go.cursor import MAX_NESTING, Cursor
from parsers.go.errors import TemplateError


def cursor(source: bytes) -> Cursor:
    return Cursor(source, b"t", ())


def test_tokens_in_their_order_and_then_the_end() -> None:
    found = cursor(b"a{{ .B }}")
    assert [found.next().kind for _ in range(7)] == ["text", "{{", "space", "field", "space", "}}", "EOF"]
    assert found.next().kind == "EOF"


def test_spaces_are_gone_when_looked_past() -> None:
    found = cursor(b"{{ .B }}")
    found.next()
    assert found.peek_non_space().value == b".B"
    assert found.peek().value == b".B"
    assert found.next_non_space().value == b".B"
    assert found.next_non_space().kind == "}}"


def test_an_error_names_the_line_of_the_last_token_and_its_place() -> None:
    found = cursor(b"a\n{{.A\n.B}}")
    for _ in range(5):
        found.next()
    with pytest.raises(TemplateError, match=r"^wrong$") as caught:
        found.fail("wrong")
    assert caught.value.position == 7
    assert caught.value.docker == "template: t:3: wrong"
    assert found.error("wrong", 0, line=9).docker == "template: t:9: wrong"


def test_what_was_expected() -> None:
    found = cursor(b"{{.A}}")
    assert found.expect(("{{",), "here").kind == "{{"
    with pytest.raises(TemplateError, match=r'unexpected "\.A" in here'):
        found.expect(("}}",), "here")


def test_an_action_that_began_on_another_line_is_named() -> None:
    found = cursor(b"{{\n\n(")
    for _ in range(3):
        found.next()
    with pytest.raises(TemplateError, match=r"^unclosed action started at t:1$"):
        found.unexpected(found.next(), "command", 1)


def test_nesting_has_a_limit() -> None:
    found = cursor(b"a")
    for _ in range(MAX_NESTING):
        found.enter()
    with pytest.raises(TemplateError, match="nested more than 100 levels deep"):
        found.enter()
