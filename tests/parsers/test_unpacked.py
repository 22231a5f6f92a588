import math
import struct
from typing import Any

import msgpack
import orjson
import pytest

from parsers.forward import decode
from parsers.record import Ext, Record, nanoseconds
from parsers.unpacked import TOO_DEEP
from tests.parsers.wire import pack, peak_of, records_of

EVENT_TIME = msgpack.ExtType(0, struct.pack(">II", 1_700_000_000, 5))
BAD_TEXT = b"\xff raw \x80"


@pytest.mark.parametrize(
    ("time", "ns"),
    [
        (1_700_000_000, 1_700_000_000_000_000_000),
        (2**32 - 1, (2**32 - 1) * 10**9),
        (2**33, 2**33 * 10**9),
        (-5, -5 * 10**9),
        (0, None),
        (None, None),
        (True, None),
        ("soon", None),
        (1_700_000_000.123, 1_700_000_000_123_000_000),
        (float(2**33), 2**33 * 10**9),
        (math.nan, None),
        (math.inf, None),
        (EVENT_TIME, 1_700_000_000_000_000_005),
        (msgpack.ExtType(0, struct.pack(">II", 2**32 - 1, 999_999_999)), (2**32 - 1) * 10**9 + 999_999_999),
        (msgpack.ExtType(0, b"\0" * 4), None),
        (msgpack.ExtType(7, b"\0" * 8), None),
        (msgpack.Timestamp(1_700_000_000, 5), 1_700_000_000_000_000_005),
        (msgpack.Timestamp(1_700_000_000, 0), 1_700_000_000_000_000_000),
        (msgpack.Timestamp(-1, 5), -(10**9) + 5),
        (msgpack.Timestamp(2**34, 5), 2**34 * 10**9 + 5),
        ([EVENT_TIME, {"meta": "data"}], 1_700_000_000_000_000_005),
        ([EVENT_TIME, {}], 1_700_000_000_000_000_005),
    ],
)
def test_times(time: Any, ns: int | None) -> None:
    records, skipped = records_of(pack("t", [[time, {"a": "b"}]]) + pack("t", pack(time, {"a": "b"})))
    if not isinstance(time, (list, str)):  # in a message, those make it another mode
        records += records_of(pack("t", time, {"a": "b"}, {}))[0]
    assert [(nanoseconds(r.time), r.record) for r in records] == [(ns, {"a": "b"})] * len(records)
    assert len(records) >= 2
    assert not skipped


def test_event_time_as_ext_8() -> None:
    records, _ = records_of(b"\x93\xa1t\xc7\x08\x00" + EVENT_TIME.data + b"\x81\xa3log\xa1x")
    assert records[0].time == Ext(0, EVENT_TIME.data)


@pytest.mark.parametrize("head", [b"\xd2", b"\xce"])
def test_seconds_as_int_32_and_uint_32(head: bytes) -> None:
    records, _ = records_of(b"\x93\xa1t" + head + (1_700_000_000).to_bytes(4, "big") + b"\x80")
    assert records[0].time == 1_700_000_000


ODD_VALUES = {
    "not UTF-8": (BAD_TEXT, BAD_TEXT),
    "not UTF-8, nested": ([BAD_TEXT], ["\ufffd raw \ufffd"]),
    "bytes that are UTF-8": (b"text", "text"),
    "numbers": ([1, -1, 2**63, 1.5, True, None], [1, -1, 2**63, 1.5, True, None]),
    "not a number": ([math.nan, math.inf, -math.inf], ["NaN", "Infinity", "-Infinity"]),
    "an extension": (msgpack.ExtType(5, b"\x01\xff"), "01ff"),
    "a Timestamp": (msgpack.Timestamp(12, 34), "12.000000034"),
    "keys that are no text": (
        {1: "a", None: "b", False: "c", b"\xff": "d"},
        {"1": "a", "null": "b", "false": "c", "\ufffd": "d"},
    ),
    "nested": ({"a": [{"b": {}}]}, {"a": [{"b": {}}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_VALUES)
def test_odd_values_become_what_json_can_hold(name: str) -> None:
    value, wanted = ODD_VALUES[name]
    raw = pack("t", 1, {"log": value}, {}) + pack("t", pack(1, {"log": value}))
    records, skipped = records_of(raw)
    assert [r.record for r in records] == [{"log": wanted}] * 2
    assert not skipped
    orjson.dumps(records[0].record, default=bytes.hex)


def test_a_lone_surrogate_in_utf_8_stays_bytes() -> None:
    records, _ = records_of(b"\x93\xa1t\x01\x81\xa3log\xa3\xed\xa0\x80")
    assert records[0].record == {"log": b"\xed\xa0\x80"}


def test_one_bad_text_does_not_change_its_neighbours() -> None:
    good = pack("t", 1, {"log": "fine"}, {})
    records, _ = records_of(good + pack("t", 1, {"log": BAD_TEXT}, {}) + good)
    assert [r.record["log"] for r in records] == ["fine", BAD_TEXT, "fine"]


def test_tags_and_keys_that_are_not_utf_8() -> None:
    records, _ = records_of(b"\x93\xa2t\xff\x01\x81\xa2k\xff\xa1v")
    assert (records[0].tag, records[0].record) == ("t\ufffd", {"k\ufffd": "v"})


def test_maps_as_keys_and_doubled_keys() -> None:
    records, _ = records_of(b"\x93\xa1t\x01\x83\x81\xa1a\x01\xa1v\xa1k\xa11\xa1k\xa12")
    assert records[0].record == {"{'a': 1}": "v", "k": "2"}


def test_deep_nesting_ends_in_a_note() -> None:
    records, _ = records_of(b"\x93\xa1t\x01\x81\xa1a" + b"\x91" * 900 + b"\xc0")
    text = orjson.dumps(records[0].record).decode()
    assert TOO_DEEP in text and text.count("[") == 64


MANY_MAPS = b"\x81\xa3log\xdd\x00\x20\x00\x00" + b"\x80" * (2 << 20)
MANY_KEYS = b"\xdf\x00\x08\x00\x00" + b"".join(b"\xa8%08x\xc0" % n for n in range(8 << 16))


@pytest.mark.parametrize("record", [MANY_MAPS, MANY_KEYS], ids=["two million maps", "half a million keys"])
def test_a_record_that_would_fill_memory_is_kept_as_text(record: bytes) -> None:
    count, peak = peak_of(decode(b"\x93\xa1t\x01" + record, 1))
    assert count == 1
    assert peak < 12 * len(record)


def test_a_long_line_is_no_such_record() -> None:
    line = "x" * (5 << 20)
    records, skipped = records_of(
        pack("t", 1, {"log": line, "n": 1, "bad": b"\xff" * (1 << 20)}, {"chunk": "q"})
    )
    assert records == [Record("t", 1, {"log": line, "n": 1, "bad": b"\xff" * (1 << 20)}, {"chunk": "q"})]
    assert not skipped
