import pytest

from parsers.go.cursor import Cursor
from parsers.go.errors import TemplateError
from parsers.go.expressions import Expressions
from parsers.go.lexer import RIGHT_DELIMITER
from parsers.go.nodes import (
    BoolNode,
    ChainNode,
    CommandNode,
    DotNode,
    FieldNode,
    IdentifierNode,
    NilNode,
    NumberNode,
    PipeNode,
    StringNode,
    VariableNode,
)


def pipeline(source: str, context: str = "command") -> PipeNode:
    cursor = Cursor(source.encode(), b"t", {b"f", b"g"})
    cursor.next()
    return Expressions(cursor).pipeline(context, RIGHT_DELIMITER)


def test_commands_and_their_arguments() -> None:
    assert pipeline('{{f .A 1 "s" | g true nil .}}') == PipeNode(
        2, 1,
        (
            CommandNode(
                2,
                (
                    IdentifierNode(2, b"f"), FieldNode(4, (b"A",)), NumberNode(7, b"1", 1, 1, 1.0),
                    StringNode(9, b'"s"', b"s"),
                ),
            ),
            CommandNode(15, (IdentifierNode(15, b"g"), BoolNode(17, True), NilNode(22), DotNode(26))),
        ),
    )  # fmt: skip


def test_fields_join_what_they_follow() -> None:
    (command,) = pipeline("{{.A.B $.C.D (f 1).E f.G}}").commands
    field, variable, chain, function = command.arguments
    assert field == FieldNode(4, (b"A", b"B"))
    assert variable == VariableNode(8, (b"$", b"C", b"D"))
    assert isinstance(chain, ChainNode) and isinstance(chain.term, PipeNode) and chain.names == (b"E",)
    assert function == ChainNode(22, IdentifierNode(21, b"f"), (b"G",))


def test_variables_are_declared_or_set() -> None:
    assert pipeline("{{$x := 1}}").variables == (b"$x",)
    assert not pipeline("{{$x := 1}}").assigns
    assert pipeline("{{$x = 1}}").assigns
    assert pipeline("{{$i, $e := .}}", "range").variables == (b"$i", b"$e")
    assert pipeline("{{$ .A}}").variables == ()


@pytest.mark.parametrize(
    ("source", "context", "says", "position"),
    [
        ("{{}}", "if", "missing value for if", 2),
        ("{{h}}", "command", 'function "h" not defined', 2),
        ("{{f $x}}", "command", 'undefined variable "$x"', 4),
        ("{{$a, $b := 1}}", "command", "too many declarations in command", 4),
        ("{{$a, 1}}", "range", "range can only initialize variables", 6),
        ("{{$a, $b, $c := 1}}", "range", "too many declarations in range", 8),
        ("{{. | 1}}", "command", "non executable command in pipeline stage 2", 6),
        ("{{1.A}}", "command", 'bad number syntax: "1.A"', 2),
        ("{{true.A}}", "command", 'unexpected . after term "true"', 6),
        ("{{f ,}}", "command", 'unexpected "," in operand', 4),
        ("{{f := 1}}", "command", 'unexpected ":=" in operand', 4),
        ("{{()}}", "command", "missing value for parenthesized pipeline", 3),
        ('{{"\\q"}}', "command", "invalid syntax", 2),
        ("{{08}}", "command", 'integer overflow: "08"', 2),
    ],
)
def test_what_is_no_pipeline(source: str, context: str, says: str, position: int) -> None:
    with pytest.raises(TemplateError) as caught:
        pipeline(source, context)
    assert (str(caught.value), caught.value.position) == (says, position)


def test_parentheses_have_a_limit() -> None:
    assert pipeline("{{" + "(" * 100 + "1" + ")" * 100 + "}}").commands
    with pytest.raises(TemplateError, match="nested more than 100 levels deep"):
        pipeline("{{" + "(" * 101 + "1" + ")" * 101 + "}}")
