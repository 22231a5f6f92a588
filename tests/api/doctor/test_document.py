import pytest

from api.doctor.document import Replacement, apply, decode, duplicates
from api.doctor.reader import read

TEXT = '{\n  "a": 1,\r\n  "b": {"c": [true]},\n  "a": 2\n}\n'


def test_places_and_lines() -> None:
    document = read(TEXT)
    root = document.object
    assert root is not None
    assert [document.place(member.start) for member in root.members] == [(2, 3), (3, 3), (4, 3)]
    assert (document.place(0), document.place(len(TEXT))) == ((1, 1), (6, 1))
    assert (document.line(2), document.line(5)) == ('  "a": 1,', "}")
    assert document.newline == "\r\n"


def test_the_last_of_two_members_counts() -> None:
    root = read(TEXT).object
    assert root is not None
    found = root.get("a")
    assert found is not None and found.value == "2"
    assert root.get("nothing") is None
    assert [(first.node.value, last.node.value) for first, last in duplicates(root)] == [("1", "2")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"{}", ("{}", "utf-8", False)),
        (b"\xef\xbb\xbf{}", ("{}", "utf-8", True)),
        ("{}".encode("utf-16"), ("{}", "utf-16-le", True)),
        (b"\xfe\xff" + "{}".encode("utf-16-be"), ("{}", "utf-16-be", True)),
    ],
)
def test_byte_order_marks(data: bytes, expected: tuple[str, str, bool]) -> None:
    assert decode(data) == expected


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(b'{"a": "\xff"}')


def test_replacements() -> None:
    assert apply("abc", [Replacement(1, 2, "X"), Replacement(3, 3, "!"), Replacement(0, 0, "<")]) == "<aXc!"
    assert apply("ab", [Replacement(1, 1, "1"), Replacement(1, 1, "2")]) == "a12b"
    with pytest.raises(AssertionError):
        apply("abc", [Replacement(0, 2, ""), Replacement(1, 3, "")])
