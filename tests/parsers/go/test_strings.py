import pytest

from parsers.go.errors import GoError, LimitError
from parsers.go.strings import join, lower, pad, split, title, truncate, upper


def test_case() -> None:
    assert (lower(b"AbC-1"), upper(b"aBc-1"), title(b"ab cd-ef")) == (b"abc-1", b"ABC-1", b"Ab Cd-Ef")
    assert upper("éßǆ".encode()) == "ÉßǄ".encode()
    assert lower("ÉİẞB\u03a3".encode()) == "éißb\u03c3".encode()
    assert title("ǆ éa it's a_b 1st".encode()) == "ǅ Éa It'S A_b 1st".encode()
    assert title("a\u00a0b\u2028c\u3000d€e".encode()) == "A\u00a0B\u2028C\u3000D€e".encode()


def test_invalid_bytes_are_replaced_where_letters_are_mapped() -> None:
    assert lower(b"A\xff\xe2\x82") == "a\ufffd\ufffd\ufffd".encode()
    assert title(b"a\xffb") == "A\ufffdb".encode()
    assert upper(b"abc") == b"ABC"


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        (b"a,b,,c", b",", (b"a", b"b", b"", b"c")), (b"", b",", (b"",)), (b"abc", b"", (b"a", b"b", b"c")),
        (b"", b"", ()), ("aé".encode() + b"\xff", b"", (b"a", "é".encode(), b"\xff")),
        (b"aXXbXX", b"XX", (b"a", b"b", b"")),
    ],
)  # fmt: skip
def test_split(text: bytes, separator: bytes, parts: tuple[bytes, ...]) -> None:
    assert split(text, separator) == parts


def test_join() -> None:
    assert join((b"a", b"b"), b", ") == b"a, b"
    assert join((), b",") == b""
    with pytest.raises(LimitError):
        join((b"",) * 5000, b"x" * 1000)


def test_pad() -> None:
    assert pad(b"a", 2, 1) == b"  a "
    assert pad(b"", 2, 1) == b""
    assert pad(b"", -1, -1) == b""
    for before, after in ((-1, 0), (0, -1)):
        with pytest.raises(GoError, match="strings: negative Repeat count"):
            pad(b"a", before, after)
    with pytest.raises(LimitError):
        pad(b"a", 0, 2**62)


def test_truncate() -> None:
    assert [truncate(b"abc", length) for length in (0, 2, 3, 9)] == [b"", b"ab", b"abc", b"abc"]
    assert truncate("é".encode(), 1) == b"\xc3"
    with pytest.raises(GoError, match=r"runtime error: slice bounds out of range \[:-1\]"):
        truncate(b"", -1)
