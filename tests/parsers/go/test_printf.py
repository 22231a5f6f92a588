from typing import Any

import pytest

from parsers.go.errors import LimitError
from parsers.go.printf import printf
from parsers.go.values import Uint8


@pytest.mark.parametrize(
    ("form", "values", "text"),
    [
        ("", (), ""), ("a%%b", (), "a%b"), ("%5%|", (), "%|"), ("%s-%d", (b"a", 1), "a-1"),
        ("%5s|%-5s|%05d", (b"a", b"b", 7), "    a|b    |00007"), ("%.2s", (b"abc",), "ab"),
        ("%+v %#v", (b"a", b"a"), 'a "a"'), ("%x % x %#x", (b"ab", b"ab", b"ab"), "6162 61 62 0x6162"),
        ("%*d|%-*d|", (4, 1, 4, 2), "   1|2   |"), ("%*d", (-4, 1), "1   "), ("%.*f", (1, 2.5), "2.5"),
        ("%.*d", (-1, 5), "%!(BADPREC)5"), ("%*d", (b"x", 5), "%!(BADWIDTH)5"),
        ("%*d", (2_000_000, 5), "%!(BADWIDTH)5"), ("%[2]s %[1]s", (b"a", b"b"), "b a"),
        ("%[2]*[1]d", (5, 3), "  5"), ("%[3]d", (1,), "%!d(BADINDEX)"), ("%[x]d", (1,), "%!d(BADINDEX)"),
        ("%[1", (1,), "%!(NOVERB)"), ("%[]d", (1,), "%!d(BADINDEX)"), ("%[1]2d", (1,), "%!d(BADINDEX)"),
        ("%[0]d", (1,), "%!d(BADINDEX)"), ("%[2]d %d", (1, 2), "2 %!d(MISSING)"),
        ("%d", (), "%!d(MISSING)"), ("%", (), "%!(NOVERB)"), ("%5", (1,), "%!(NOVERB)%!(EXTRA int=1)"),
        ("%.", (1,), "%!.(int=1)"), ("", (1, None, b"a"), "%!(EXTRA int=1, <nil>, string=a)"),
        ("%é", (1,), "%!é(int=1)"), ("%!", (1,), "%!!(int=1)"),
        ("%99999999999d", (1,), "%!(NOVERB)%!(EXTRA int=1)"), ("%d", (Uint8(7),), "7"),
        ("%[1]d %[1]s", (5,), "5 %!s(int=5)"), ("%s", ((b"a", b"b"),), "[a b]"), ("%.0d|", (0,), "|"),
        ("%6.2f|%e|%G", (1.5, 1.5, 1e-10), "  1.50|1.500000e+00|1E-10"),
        ("%v %v", (1j, True), "(0+1i) true"),
        ("%08.3f|%+.1e|% d", (-1.5, 12345.0, 5), "-001.500|+1.2e+04| 5"), ("%t", (b"x",), "%!t(string=x)"),
    ],
)  # fmt: skip
def test_a_format(form: str, values: tuple[Any, ...], text: str) -> None:
    assert printf(form.encode(), values) == text.encode()


def test_a_format_of_bytes_that_are_no_text() -> None:
    assert printf(b"\xff%s\xfe", (b"\x80",)) == b"\xff\x80\xfe"
    assert printf(b"%\xff", (1,)) == "%!\ufffd(int=1)".encode()


def test_a_million_is_wide_enough() -> None:
    assert len(printf(b"%1000000d", (1,))) == 1_000_000
    with pytest.raises(LimitError):
        printf(b"%1000000d" * 5, (1, 2, 3, 4, 5))
