import pytest

from parsers.go.runes import (
    LOWER,
    TITLE,
    UPPER,
    bytes_of,
    decode_rune,
    encode_rune,
    is_digit,
    is_invalid,
    is_letter,
    is_print,
    is_rune,
    is_word,
    rune_count,
    runes,
    text_of,
)


@pytest.mark.parametrize(
    ("data", "rune", "width"),
    [
        (b"a", 0x61, 1),
        ("é".encode(), 0xE9, 2),
        ("한".encode(), 0xD55C, 3),
        ("\U0001f600".encode(), 0x1F600, 4),
        (b"\xff", 0xFFFD, 1),
        (b"\x80a", 0xFFFD, 1),
        (b"\xe2\x82", 0xFFFD, 1),  # cut
        (b"\xc1\x80", 0xFFFD, 1),  # longer than needed
        (b"\xed\xa0\x80", 0xFFFD, 1),  # a surrogate
        (b"\xf4\x90\x80\x80", 0xFFFD, 1),  # beyond the last
        ("\ufffd".encode(), 0xFFFD, 3),
        (b"", 0xFFFD, 0),
    ],
)
def test_a_rune_and_its_width(data: bytes, rune: int, width: int) -> None:
    assert decode_rune(data, 0) == (rune, width)


def test_each_invalid_byte_is_a_rune() -> None:
    data = b"a\xe2\x82\xff\xc3\xa9"
    assert list(runes(data)) == [0x61, 0xFFFD, 0xFFFD, 0xFFFD, 0xE9]
    assert rune_count(data) == 5
    assert bytes_of(text_of(data)) == data
    assert [is_invalid(character) for character in text_of(data)] == [False, True, True, True, False]


def test_what_is_no_rune_is_written_as_the_replacement() -> None:
    assert [encode_rune(rune) for rune in (0x41, 0xE9, 0xD800, 0x110000, -1)] == [
        b"A", b"\xc3\xa9", b"\xef\xbf\xbd", b"\xef\xbf\xbd", b"\xef\xbf\xbd",
    ]  # fmt: skip
    assert [is_rune(rune) for rune in (0, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0x10FFFF, 0x110000)] == [
        True, True, False, False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("character", "letter", "digit", "printable"),
    [
        ("a", True, False, True), ("7", False, True, True), ("_", False, False, True),
        (" ", False, False, True),
        ("\u00a0", False, False, False), ("\u00ad", False, False, False), ("é", True, False, True),
        ("٣", False, True, True), ("²", False, False, True), ("\u200b", False, False, False),
        ("\ufffd", False, False, True), ("\U0001f600", False, False, True), ("\ue000", False, False, False),
        ("\U00031350", True, False, True),  # new in Unicode 15.0
        ("\U0002ebf0", False, False, False),  # new in 15.1, which Go does not know
    ],
)  # fmt: skip
def test_classes_are_those_of_unicode_15(character: str, letter: bool, digit: bool, printable: bool) -> None:
    rune = ord(character)
    assert (is_letter(rune), is_digit(rune), is_print(rune)) == (letter, digit, printable)
    assert is_word(rune) == (letter or digit or character == "_")


def test_a_rune_maps_to_a_rune() -> None:
    assert [chr(UPPER.get(ord(c), ord(c))) for c in "aéß\u0149\u0131\u017fǆ"] == list("AÉß\u0149ISǄ")
    assert [chr(LOWER.get(ord(c), ord(c))) for c in "AÉİẞ\u03a3"] == list("aéiß\u03c3")
    assert [chr(TITLE.get(ord(c), ord(c))) for c in "aǆǄǳა"] == list("Aǅǅǲა")
