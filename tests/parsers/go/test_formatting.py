from collections.abc import Callable
from typing import Any

import pytest

from parsers.go.errors import LimitError
from parsers.go.formatting import Formatter


def made(write: Callable[[Formatter], None], **flags: Any) -> bytes:
    formatter = Formatter()
    for name, value in flags.items():
        setattr(formatter, name, value)
    write(formatter)
    return formatter.buffer.value()


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({}, "é"), ({"width": 4}, "   é"), ({"width": 4, "minus": True}, "é   "),
        ({"width": 4, "zero": True}, "000é"), ({"width": 4, "zero": True, "minus": True}, "é   "),
        ({"width": 1}, "é"), ({"width": 0}, "é"),
    ],
)  # fmt: skip
def test_padding_counts_runes(flags: dict[str, Any], text: str) -> None:
    assert made(lambda to: to.pad("é".encode()), **flags) == text.encode()


@pytest.mark.parametrize(
    ("value", "base", "verb", "flags", "text"),
    [
        (0, 10, "d", {}, "0"), (-12, 10, "d", {}, "-12"), (12, 10, "d", {"plus": True}, "+12"),
        (12, 10, "d", {"space": True}, " 12"), (12, 10, "d", {"width": 5, "zero": True}, "00012"),
        (-12, 10, "d", {"width": 5, "zero": True}, "-0012"), (12, 10, "d", {"precision": 4}, "0012"),
        (12, 10, "d", {"precision": 4, "width": 6, "zero": True}, "  0012"),
        (0, 10, "d", {"precision": 0}, ""), (0, 10, "d", {"precision": 0, "width": 3, "zero": True}, "   "),
        (255, 16, "x", {"sharp": True}, "0xff"), (255, 16, "X", {"sharp": True}, "0XFF"),
        (5, 2, "b", {"sharp": True}, "0b101"), (8, 8, "o", {"sharp": True}, "010"),
        (0, 8, "o", {"sharp": True}, "0"), (8, 8, "O", {}, "0o10"),
        (-255, 16, "x", {"width": 8, "zero": True, "sharp": True}, "-0x00000ff"),
    ],
)  # fmt: skip
def test_whole_numbers(value: int, base: int, verb: str, flags: dict[str, Any], text: str) -> None:
    assert made(lambda to: to.integer(value, base, verb), **flags) == text.encode()


def test_strings() -> None:
    assert made(lambda to: to.string("éàü".encode()), precision=2) == "éà".encode()
    assert made(lambda to: to.string(b"\xff\xfe\xfd"), precision=2) == b"\xff\xfe"
    assert made(lambda to: to.quoted(b"a\n"), width=8) == b'   "a\\n"'
    assert made(lambda to: to.quoted(b"a\tb"), sharp=True) == b"`a\tb`"
    assert made(lambda to: to.quoted("é".encode()), plus=True) == b'"\\u00e9"'


@pytest.mark.parametrize(
    ("flags", "upper", "text"),
    [
        ({}, False, "ab01"), ({}, True, "AB01"), ({"sharp": True}, False, "0xab01"),
        ({"sharp": True}, True, "0XAB01"), ({"space": True}, False, "ab 01"),
        ({"space": True, "sharp": True}, False, "0xab 0x01"), ({"precision": 1}, False, "ab"),
        ({"width": 6}, False, "  ab01"), ({"width": 6, "minus": True}, False, "ab01  "),
        ({"width": 6, "zero": True}, False, "00ab01"),
    ],
)  # fmt: skip
def test_bytes_in_base_16(flags: dict[str, Any], upper: bool, text: str) -> None:
    assert made(lambda to: to.hexadecimal(b"\xab\x01", upper), **flags) == text.encode()


def test_nothing_in_base_16_is_padding() -> None:
    assert made(lambda to: to.hexadecimal(b"", False), width=3, sharp=True) == b"   "


def test_characters() -> None:
    assert made(lambda to: to.character(0x110000)) == "\ufffd".encode()
    assert made(lambda to: to.quoted_character(0x1F600)) == "'\U0001f600'".encode()
    assert made(lambda to: to.unicode(0x78)) == b"U+0078"
    assert made(lambda to: to.unicode(0x78), sharp=True) == b"U+0078 'x'"
    assert made(lambda to: to.unicode(0xA), sharp=True, precision=6) == b"U+00000A"
    assert made(lambda to: to.unicode(2**64 - 1)) == b"U+FFFFFFFFFFFFFFFF"


@pytest.mark.parametrize(
    ("value", "verb", "precision", "flags", "text"),
    [
        (1.0, "g", -1, {}, "1"), (1.0, "g", -1, {"plus": True}, "+1"),
        (1.0, "g", -1, {"space": True}, " 1"), (1.0, "g", -1, {"sharp": True}, "1.00000"),
        (0.0, "g", -1, {"sharp": True}, "0.00000"), (1.5, "f", 6, {"precision": 1}, "1.5"),
        (-1.5, "f", 6, {"precision": 1, "width": 7, "zero": True}, "-0001.5"),
        (1e6, "g", -1, {"sharp": True}, "1.00000e+06"),
        (1.0, "e", 6, {"precision": 0, "sharp": True}, "1.e+00"),
        (1.0, "x", -1, {"sharp": True}, "0x1.0000p+00"),
        (1.0, "b", -1, {"sharp": True}, "4503599627370496p-52"),
        (float("inf"), "g", -1, {"width": 6, "zero": True}, "  +Inf"),
        (float("inf"), "g", -1, {"space": True}, " Inf"), (float("nan"), "g", -1, {}, "NaN"),
        (float("nan"), "g", -1, {"plus": True}, "+NaN"),
        (1.5, "g", -1, {"width": 6, "minus": True}, "1.5   "),
        (1.5, "g", -1, {"width": 6, "zero": True}, "0001.5"),
    ],
)  # fmt: skip
def test_floating_point(value: float, verb: str, precision: int, flags: dict[str, Any], text: str) -> None:
    assert made(lambda to: to.floating(value, verb, precision), **flags) == text.encode()


def test_a_text_has_a_limit_before_it_is_made() -> None:
    for write, flags in (
        (lambda to: to.pad(b"a"), {"width": 5_000_000}),
        (lambda to: to.integer(1, 10, "d"), {"precision": 5_000_000}),
        (lambda to: to.floating(1.0, "f", 6), {"precision": 5_000_000}),
        (lambda to: to.unicode(1), {"precision": 5_000_000}),
        (lambda to: to.hexadecimal(b"a" * 3_000_000, False), {}),
    ):
        with pytest.raises(LimitError, match="makes a text of more than 4194304 bytes"):
            made(write, **flags)
