import pytest

from parsers.go.errors import GoError
from parsers.go.quoting import can_backquote, quote, quote_rune, unquote, unquote_rune


@pytest.mark.parametrize(
    ("data", "quoted", "ascii_only"),
    [
        (b"", b'""', b'""'),
        (b"plain text", b'"plain text"', b'"plain text"'),
        (b'a"b\\c', rb'"a\"b\\c"', rb'"a\"b\\c"'),
        (b"\a\b\f\n\r\t\v\0\x7f", rb'"\a\b\f\n\r\t\v\x00\x7f"', rb'"\a\b\f\n\r\t\v\x00\x7f"'),
        ("é".encode(), '"é"'.encode(), rb'"\u00e9"'),
        ("\U0001f600".encode(), '"\U0001f600"'.encode(), rb'"\U0001f600"'),
        ("\u00a0\u200b".encode(), rb'"\u00a0\u200b"', rb'"\u00a0\u200b"'),
        (b"\xff\xe2\x82", rb'"\xff\xe2\x82"', rb'"\xff\xe2\x82"'),
        ("\ufffd".encode(), '"\ufffd"'.encode(), rb'"\ufffd"'),
        ("\U000e0001".encode(), rb'"\U000e0001"', rb'"\U000e0001"'),
    ],
)
def test_a_string_in_quotes(data: bytes, quoted: bytes, ascii_only: bytes) -> None:
    assert quote(data) == quoted
    assert quote(data, ascii_only=True) == ascii_only
    assert unquote(quoted) == data


def test_a_rune_in_quotes() -> None:
    assert [quote_rune(rune) for rune in (97, 39, 34, 10, 0xE9, 0xD800, 0x110000)] == [
        b"'a'", b"'\\''", b"'\"'", b"'\\n'", "'é'".encode(), "'\ufffd'".encode(), "'\ufffd'".encode(),
    ]  # fmt: skip
    assert quote_rune(0xE9, ascii_only=True) == b"'\\u00e9'"


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (b"`a\\n\r\nb`", b"a\\n\nb"),
        (b"``", b""),
        (rb'"\x41\xff\101\u00e9\U0001F600"', "A\u00ff".encode("latin-1") + "Aé\U0001f600".encode()),
        (b'"a\xffb"', "a\ufffdb".encode()),  # only raw literals keep what is not UTF-8
        (b'"\'"', b"'"),
        (b"'\"'", b'"'),
        (b"''", b""),
    ],
)
def test_what_a_literal_says(literal: bytes, value: bytes) -> None:
    assert unquote(literal) == value


@pytest.mark.parametrize(
    "literal",
    [
        b"", b'"', b"abc", b'"a', b'"a"b"', b'"a\nb"', rb'"\q"', rb'"\x4"', rb'"\u12"', rb'"\400"', rb'"\18"',
        rb'"\ud800"', rb'"\U00110000"', rb'"\'"', b'"\\', b"`a`b`", b"'ab'", rb"'\"'",
    ],
)  # fmt: skip
def test_what_is_no_literal(literal: bytes) -> None:
    with pytest.raises(GoError, match="invalid syntax"):
        unquote(literal)


def test_a_character_and_the_rest() -> None:
    assert unquote_rune(b"'\\x41b'", 1, 39) == (0x41, False, 5)
    assert unquote_rune("'é'".encode(), 1, 39) == (0xE9, True, 3)
    with pytest.raises(GoError):
        unquote_rune(b"''", 1, 39)


def test_what_a_raw_literal_can_hold() -> None:
    assert all(map(can_backquote, (b"", b"a\tb", "é\u200b".encode(), b"\\")))
    assert not any(map(can_backquote, (b"`", b"\n", b"\x7f", b"\xff", "\ufeff".encode())))
