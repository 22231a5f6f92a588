import gzip
from collections import Counter

import pytest
import zstandard

from parsers.forward import decode
from tests.parsers.wire import pack, peak_of, records_of

ENTRIES = [[n, {"log": f"line {n}"}] for n in (1, 2, 3)]
PACKED = b"".join(pack(*e) for e in ENTRIES)
DECODED = [tuple(e) for e in ENTRIES]

BROKEN_PACKED = {
    "cut off": (PACKED[:-3], {}, "malformed", 2),
    "garbage behind": (PACKED + b"GET / HTTP/1.1", {}, "malformed", 3),
    "the unused byte behind": (PACKED + b"\xc1" * 9, {}, "malformed", 3),
    "gzip cut off": (gzip.compress(PACKED)[:-12], {"compressed": "gzip"}, "malformed", 2),
    "gzip broken": (b"\x1f\x8bnonsense", {"compressed": "gzip"}, "malformed", 0),
    "no gzip at all": (PACKED, {"compressed": "gzip"}, "malformed", 0),
    "empty gzip": (b"", {"compressed": "gzip"}, "malformed", 0),
    "zstd broken": (b"\x28\xb5\x2f\xfdnonsense", {"compressed": "zstd"}, "malformed", 0),
    "no such method": (PACKED, {"compressed": "lzma"}, "unknown_compression", 0),
    "method is a number": (PACKED, {"compressed": 7}, "unknown_compression", 0),
}


@pytest.mark.parametrize("name", BROKEN_PACKED)
def test_what_can_be_read_of_broken_entries_is_and_the_rest_counted(name: str) -> None:
    packed, option, reason, at_least = BROKEN_PACKED[name]
    good = pack("u", 1, {"a": "x"})
    records, skipped = records_of(good + pack("t", packed, option) + good)
    assert (records[0].tag, records[-1].tag) == ("u", "u")
    assert [(r.time, r.record) for r in records[1:-1]] == DECODED[: len(records) - 2]
    assert len(records) - 2 >= at_least
    assert skipped == {reason: 1}


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_a_bomb_is_read_up_to_the_limit(method: str) -> None:
    one = pack(1, {"a": "b" * 1000})
    compress = gzip.compress if method == "gzip" else zstandard.compress
    frame = pack("t", compress(one * 5000), {"compressed": method})
    skipped: Counter[str] = Counter()
    records = list(decode(frame, 1, skipped, max_inflated=1_000_000))
    assert len(records) == 1_000_000 // len(one)
    assert skipped == {"inflated_too_big": 1}


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_compressed_entries_are_never_all_held(method: str) -> None:
    compress = gzip.compress if method == "gzip" else zstandard.compress
    frame = pack("t", compress(pack(1, {}) * 400_000), {"compressed": method})
    count, peak = peak_of(decode(frame, 1))
    assert count == 400_000
    assert peak < 40 << 20
