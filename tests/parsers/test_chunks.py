import itertools
import random

import pytest

from parsers.chunks import MAX_DONE, ChunkAssembler

SENDER = "10.0.0.1:4000"
ID = b"id-of-8b"


def chunk(seq: int, count: int, part: bytes, message_id: bytes = ID) -> bytes:
    return b"\x1e\x0f" + message_id + bytes((seq, count)) + part


def chunks(payload: bytes, size: int = 5, message_id: bytes = ID) -> list[bytes]:
    """As go-gelf cuts: one more, empty, when the payload is a multiple of the size."""
    count = len(payload) // size + 1
    return [chunk(n, count, payload[n * size : (n + 1) * size], message_id) for n in range(count)]


def fed(
    assembler: ChunkAssembler, datagrams: list[bytes], now: float = 0.0, sender: str = SENDER
) -> list[bytes]:
    return [whole for d in datagrams if (whole := assembler.feed(d, sender, now)) is not None]


@pytest.mark.parametrize("datagram", [b"", b"{}", b"\x1f\x8b", b"\x1e", b"\x1e\x10" + b"x" * 20])
def test_a_bare_datagram_is_itself(datagram: bytes) -> None:
    assert ChunkAssembler().feed(datagram, SENDER, 0.0) == datagram


@pytest.mark.parametrize("payload", [b"", b"abc", b"abcdefgh", b"abcdefghij", b"0123456789abcd"])
def test_any_order_and_doubles(payload: bytes) -> None:
    for order in itertools.permutations(chunks(payload)):
        assembler = ChunkAssembler()
        assert fed(assembler, [d for d in order for _ in range(2)]) == [payload]
        assert (assembler.pending, assembler.buffered, assembler.dropped.total()) == (0, 0, 0)


def test_128_chunks() -> None:
    payload = bytes(range(256)) * 5
    datagrams = chunks(payload, size=len(payload) // 128 + 1)
    full = [chunk(n, 128, payload[n * 10 : (n + 1) * 10]) for n in range(128)]
    random.Random(1).shuffle(full)
    assert fed(ChunkAssembler(), full) == [payload]
    assert fed(ChunkAssembler(), datagrams) == [payload]


def test_the_first_copy_counts() -> None:
    assert fed(ChunkAssembler(), [chunk(0, 2, b"a"), chunk(0, 2, b"X"), chunk(1, 2, b"b")]) == [b"ab"]


def test_senders_and_ids_are_kept_apart() -> None:
    assembler = ChunkAssembler()
    one, two, three = chunks(b"one---1"), chunks(b"two---2"), chunks(b"three-3", message_id=b"another!")
    assert fed(assembler, one[:1]) == []
    assert fed(assembler, two[:1], sender="10.0.0.2:4000") == []
    assert fed(assembler, three[:1]) == []
    assert fed(assembler, two[1:], sender="10.0.0.2:4000") == [b"two---2"]
    assert fed(assembler, three[1:] + one[1:]) == [b"three-3", b"one---1"]


@pytest.mark.parametrize(
    "datagram",
    [
        b"\x1e\x0f",
        chunk(0, 1, b"")[:11],
        chunk(0, 0, b"x"),
        chunk(0, 129, b"x"),
        chunk(2, 2, b"x"),
        chunk(255, 128, b"x"),
    ],
)
def test_impossible_chunks_are_refused(datagram: bytes) -> None:
    assembler = ChunkAssembler()
    assert assembler.feed(datagram, SENDER, 0.0) is None
    assert (assembler.pending, assembler.dropped) == (0, {"chunk_invalid": 1})


def test_another_count_is_refused_and_harms_nothing() -> None:
    assembler = ChunkAssembler()
    assert fed(assembler, [chunk(0, 2, b"a"), chunk(1, 3, b"X"), chunk(1, 2, b"b")]) == [b"ab"]
    assert assembler.dropped == {"chunk_invalid": 1}


def test_five_seconds_after_the_first_chunk_all_is_dropped_late_ones_too() -> None:
    assembler = ChunkAssembler()
    one = chunks(b"0123456789ab")
    assert fed(assembler, one[:1], now=100.0) == []
    assert fed(assembler, one[1:2], now=104.9) == []
    assert (assembler.expire(104.9), assembler.buffered) == (0, 10)
    assert assembler.expire(105.0) == 1
    assert (assembler.pending, assembler.buffered) == (0, 0)
    assert fed(assembler, one, now=105.1) == []
    assert (assembler.pending, assembler.dropped) == (0, {"chunk_timeout": 1})


def test_a_late_chunk_itself_ends_its_message() -> None:
    assembler = ChunkAssembler()
    first, second = chunks(b"01234567")
    assert fed(assembler, [first], now=0.0) + fed(assembler, [second], now=5.0) == []
    assert (assembler.pending, assembler.dropped) == (0, {"chunk_timeout": 1})


def test_an_id_may_be_used_again_after_a_minute() -> None:
    assembler = ChunkAssembler()
    assert fed(assembler, chunks(b"first--")) == [b"first--"]
    assert fed(assembler, chunks(b"second-"), now=30.0) == []
    assert fed(assembler, chunks(b"second-"), now=60.0) == [b"second-"]


def test_too_many_messages_evict_the_oldest() -> None:
    assembler = ChunkAssembler(max_pending=3)
    for n in range(5):
        fed(assembler, [chunk(0, 2, b"x", b"%08d" % n)], now=n / 10)
    assert (assembler.pending, assembler.buffered) == (3, 3)
    assert assembler.dropped == {"chunk_overflow": 2}
    ends = [chunk(1, 2, b"y", b"%08d" % n) for n in range(5)]
    assert fed(assembler, ends, now=1.0) == [b"xy"] * 3


def test_too_many_bytes_evict_the_oldest() -> None:
    assembler = ChunkAssembler(max_bytes=100)
    for n in range(5):
        fed(assembler, [chunk(0, 2, b"x" * 40, b"%08d" % n)])
    assert (assembler.pending, assembler.buffered) == (2, 80)
    assert assembler.dropped == {"chunk_overflow": 3}
    fed(assembler, [chunk(0, 2, b"x" * 101, b"too big!")])
    assert (assembler.pending, assembler.buffered) == (0, 0)


def test_the_memory_of_ids_is_bounded() -> None:
    assembler = ChunkAssembler()
    for n in range(MAX_DONE + 10):
        fed(assembler, [chunk(0, 1, b"x", b"%08d" % n)])
    assert len(assembler._done) == MAX_DONE
