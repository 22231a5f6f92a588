import pytest

from parsers.go.lexer import EOF, ERROR, FIELD, KEYWORD, TEXT, Token, tokens_of


def kinds(source: bytes) -> list[str]:
    return [token.kind for token in tokens_of(source)]


def values(source: bytes) -> list[bytes]:
    return [token.value for token in tokens_of(source)]


def test_text_and_actions() -> None:
    assert tokens_of(b"a{{.ID}}") == [
        Token(TEXT, 0, b"a"), Token("{{", 1, b"{{"), Token(FIELD, 3, b".ID"), Token("}}", 6, b"}}"),
        Token(EOF, 8, b""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        (b"a {{- 1 -}} b", [b"a", b"b"]),
        (b"a \n\t{{-\n1\n-}}\r\n b", [b"a", b"b"]),
        (b" {{- 1 -}} ", []),
        (b"a {{/* c */}} b", [b"a ", b" b"]),
        (b"a {{- /* }} */ -}} b", [b"a", b"b"]),
        (b"a \xc2\xa0{{- 1}}", [b"a \xc2\xa0"]),  # only ASCII blanks are trimmed
        (b"a}}{b", [b"a}}{b"]),
    ],
)
def test_trim_markers_and_comments(source: bytes, texts: list[bytes]) -> None:
    assert [token.value for token in tokens_of(source) if token.kind == TEXT] == texts


def test_every_kind_of_token() -> None:
    source = b"""{{if . | f -1.5e3 1+2i 'a' "s\\"" `r` $x $ .A.B true nil, := = ( )}}"""
    assert [kind for kind in kinds(source) if kind != "space"] == [
        "{{", "keyword", "keyword", "|", "identifier", "number", "complex", "character constant", "string",
        "raw string", "variable", "variable", "field", "field", "bool", "keyword", "character", ":=", "=",
        "(", ")", "}}", "EOF",
    ]  # fmt: skip


def test_keywords_and_words_of_any_script() -> None:
    source = "{{range rangé}}{{break}}{{.Ünï_9}}".encode()
    assert [token.value for token in tokens_of(source) if token.kind == KEYWORD] == [b"range", b"break"]
    assert "rangé".encode() in values(source)
    assert ".Ünï_9".encode() in values(source)


@pytest.mark.parametrize(
    ("source", "says", "position"),
    [
        (b"ab{{", b"unclosed action", 4),
        (b"{{.A\n", b"unclosed action", 5),
        (b"{{(.A}}", b"unclosed left paren", 5),
        (b"{{.A)}}", b"unexpected right paren", 4),
        (b"{{/* a", b"unclosed comment", 2),
        (b"{{/* a */ }}", b"comment ends before closing delimiter", 2),
        (b'{{"a', b"unterminated quoted string", 2),
        (b'{{"a\nb"}}', b"unterminated quoted string", 2),
        (b"{{`a", b"unterminated raw quoted string", 2),
        (b"{{'a", b"unterminated character constant", 2),
        (b"{{.A!}}", b"bad character U+0021 '!'", 2),
        (b"{{$a!}}", b"bad character U+0021 '!'", 2),
        (b"{{a\xff}}", "bad character U+FFFD '\ufffd'".encode(), 2),
        (b"{{\x01}}", b"unrecognized character in action: U+0001", 2),
        (b"{{1x}}", b'bad number syntax: "1x"', 2),
        (b"{{1+2}}", b'bad number syntax: "1+2"', 2),
        (b"{{:}}", b"expected :=", 2),
        (b"{{-.A}}", b'bad number syntax: "-.A"', 2),
    ],
)
def test_what_is_no_token(source: bytes, says: bytes, position: int) -> None:
    assert tokens_of(source)[-1] == Token(ERROR, position, says)


def test_a_dot_at_the_very_end_is_taken_for_a_number() -> None:
    assert kinds(b"{{.") == ["{{", "number", "error"]


def test_a_token_as_messages_name_it() -> None:
    assert str(Token(EOF, 0, b"")) == "EOF"
    assert str(Token(KEYWORD, 0, b"if")) == "<if>"
    assert str(Token(ERROR, 0, b"unclosed action")) == "unclosed action"
    assert str(Token(FIELD, 0, b".Name")) == '".Name"'
    assert str(Token(TEXT, 0, "한국어로 쓴 긴 글".encode())) == '"한국어로 쓴 긴 글"...'
