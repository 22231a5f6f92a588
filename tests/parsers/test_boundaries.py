import msgpack
import pytest

from parsers.boundaries import Boundaries, children, head, string
from tests.parsers.wire import cuts

VALUES = [
    5,
    "text",
    b"bin" * 100,
    None,
    [1, [2, {"a": "b"}]],
    {"k": [None] * 20},
    1.5,
    msgpack.ExtType(0, b"12345678"),
]
PACKED = [msgpack.packb(value) for value in VALUES]


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_values_are_cut_where_they_end(step: int) -> None:
    boundaries = Boundaries()
    got = b""
    ends: list[int] = []
    for part in cuts(b"".join(PACKED) + b"\xda\x01", step):
        raw, some = boundaries.feed(part)
        ends += [len(got) + end for end in some]
        got += raw
    assert [got[start:end] for start, end in zip([0, *ends], ends, strict=False)] == PACKED
    assert (bytes(boundaries.tail), boundaries.broken) == (b"\xda\x01", None)


def test_values_in_front_of_a_bad_byte_are_given() -> None:
    boundaries = Boundaries()
    assert boundaries.feed(b"\x01\x02\xc1\x03") == (b"\x01\x02", [1, 2])
    assert boundaries.broken is not None


def test_a_grown_buffer_is_given_back_and_nothing_lost() -> None:
    boundaries = Boundaries()
    big = msgpack.packb("x" * (2 << 20))
    unpacker = boundaries._unpacker
    got = b"".join(boundaries.feed(part)[0] for part in cuts((big + PACKED[4]) * 2 + PACKED[5], 500_000))
    assert got == (big + PACKED[4]) * 2 + PACKED[5]
    assert boundaries._unpacker is not unpacker


@pytest.mark.parametrize("size", [0, 5, 15, 16, 31, 32, 255, 256, 70_000])
def test_heads(size: int) -> None:
    for value in ([None] * size, dict.fromkeys(range(size)), "x" * size, b"x" * size):
        packed = msgpack.packb(value)
        assert head(packed)[0] == size
        assert string(packed) == (b"x" * size if isinstance(value, str | bytes) else None)


def test_children() -> None:
    assert children(msgpack.packb(VALUES)) == PACKED
    assert children(msgpack.packb({"a": VALUES, 5: None})) == [
        b"\xa1a",
        msgpack.packb(VALUES),
        b"\x05",
        b"\xc0",
    ]
    assert children(b"\x90") == []
