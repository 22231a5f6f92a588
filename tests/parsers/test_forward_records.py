import gzip
import json
import struct
from typing import Any

import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from parsers.forward import ForwardSplitter, decode
from parsers.forward_records import MALFORMED
from parsers.record import Ext, Record
from tests.parsers.wire import pack, records_of

EVENT_TIME = msgpack.ExtType(0, struct.pack(">II", 1_700_000_000, 5))
BAD_TEXT = b"\xff raw \x80"


ENTRIES = [[1, {"a": "b"}], [2, {"a": "c"}], [EVENT_TIME, {"a": "d", "n": 5}]]
PACKED = b"".join(pack(*e) for e in ENTRIES)
DECODED = [(1, {"a": "b"}), (2, {"a": "c"}), (Ext(0, EVENT_TIME.data), {"a": "d", "n": 5})]

MODES = {
    "message": [pack("t", *e, {}) for e in ENTRIES],
    "message of three": [pack("t", *e) for e in ENTRIES],
    "message with nil option": [pack("t", *e, None) for e in ENTRIES],
    "forward": [pack("t", ENTRIES, {})],
    "forward of two": [pack("t", ENTRIES)],
    "forward with nil option": [pack("t", ENTRIES, None)],
    "packed, bin": [pack("t", PACKED, {"size": 3})],
    "packed, str": [b"\x92\xa1t\xd9" + bytes((len(PACKED),)) + PACKED],
    "compressed": [pack("t", gzip.compress(PACKED), {"compressed": "gzip"})],
    "compressed, one member an entry": [
        pack("t", b"".join(gzip.compress(pack(*e)) for e in ENTRIES), {"compressed": "gzip"})
    ],
    "compressed, padded": [pack("t", gzip.compress(PACKED) + b"\0" * 9, {"compressed": "gzip"})],
    "zstd": [pack("t", zstandard.compress(PACKED), {"compressed": "zstd"})],
    "zstd, one frame an entry": [
        pack("t", b"".join(zstandard.compress(pack(*e)) for e in ENTRIES), {"compressed": "zstd"})
    ],
    "compressed: text": [pack("t", PACKED, {"compressed": "text"})],
    "fluent_signal 0": [pack("t", PACKED, {"fluent_signal": 0})],
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_the_same_records(mode: str) -> None:
    records, skipped = records_of(b"".join(MODES[mode]))
    assert [(r.time, r.record) for r in records] == DECODED
    assert {r.tag for r in records} == {"t"}
    assert not skipped


def test_modes_keep_the_order_of_the_wire() -> None:
    records, _ = records_of(
        pack("1", 1, {"a": "x"}) + pack("2", ENTRIES) + pack("3", 1, {"a": BAD_TEXT}) + pack("4", PACKED)
    )
    assert [r.tag for r in records] == ["1", "2", "2", "2", "3", "4", "4", "4"]


def test_plain_messages_are_one_list_with_their_options() -> None:
    raw = (
        pack("t", 1, {"log": "x"}, {"chunk": "q"})
        + pack("t", EVENT_TIME, {"log": ""})
        + pack("t", None, {}, None)
    )
    records = decode(raw, 3)
    assert isinstance(records, list)
    wanted = [
        Record("t", 1, {"log": "x"}, {"chunk": "q"}),
        Record("t", Ext(0, EVENT_TIME.data), {"log": ""}),
        Record("t", None, {}),
    ]
    assert records == wanted
    assert wanted == records


def test_metadata_of_an_entry_stands_beside_the_option() -> None:
    records, _ = records_of(pack("t", [[[1, {"k": "v"}], {"a": "b"}], [[2, {}], {"a": "c"}]], {"size": 2}))
    assert [r.option for r in records] == [{"size": 2, "metadata": {"k": "v"}}, {"size": 2}]


@pytest.mark.parametrize("signal", [1, 2])
def test_metrics_and_traces_are_skipped_and_counted(signal: int) -> None:
    option = {"fluent_signal": signal}
    raw = (
        pack("t", 1, {"a": "b"}, option)
        + pack("t", ENTRIES, option)
        + pack("t", PACKED, option)
        + pack("t", 1, {})
    )
    records, skipped = records_of(raw)
    assert [r.record for r in records] == [{}]
    assert skipped == {"signal": 3}


MALFORMED_SHAPES = {
    "record is a number": (pack("t", 1, 42, {}), 1, "42"),
    "record is nil": (pack("t", 1, None, {}), 1, "null"),
    "record is a list": (pack("t", 1, [1, "a", None]), 1, '[1,"a",null]'),
    "record is text": (pack("t", 1, "just text"), 1, "just text"),
    "record is no UTF-8": (pack("t", 1, BAD_TEXT), 1, "\ufffd raw \ufffd"),
    "no record": (pack("t", 5), 5, "5"),
    "second is a map": (pack("t", {"log": "x"}), None, '{"log":"x"}'),
    "entry without record": (pack("t", [[7]]), 7, "[7]"),
    "entry whose record is a number": (pack("t", [[7, 42]]), 7, "42"),
    "empty entry": (pack("t", [[]]), None, "[]"),
    "packed entry of three": (pack("t", pack(1, "x", 3)), 1, '[1,"x",3]'),
    "a Timestamp of nine bytes": (
        b"\x93\xa1t\x01\x81\xa3log\xc7\x09\xff" + b"a" * 9,
        1,
        "\ufffd\ufffdlog\ufffd\t\ufffdaaaaaaaaa",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED_SHAPES)
def test_what_is_no_record_is_kept_and_marked(name: str) -> None:
    raw, time, message = MALFORMED_SHAPES[name]
    ((record,), skipped) = records_of(raw)
    assert (record.tag, record.time, record.record) == ("t", time, {"message": message})
    assert record.option is not None and record.option[MALFORMED] is True
    assert not skipped


def test_an_entry_with_more_than_two_elements_is_read_and_marked() -> None:
    ((record,), _) = records_of(pack("t", [[1, {"a": "b"}, "more"]]))
    assert (record.record, record.option) == ({"a": "b"}, {MALFORMED: True})


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
some_entries = st.lists(
    st.tuples(st.integers(0, 2**32), st.dictionaries(st.text(), values, max_size=4)), min_size=1, max_size=6
)  # fmt: skip


@given(st.text(), some_entries, st.sampled_from(["message", "forward", "packed", "gzip", "zstd", "json"]))
def test_whatever_goes_in_comes_out(tag: str, wanted: list[tuple[int, dict[str, Any]]], mode: str) -> None:
    packed = b"".join(pack(*e) for e in wanted)
    raw = {
        "message": lambda: b"".join(pack(tag, *e, {}) for e in wanted),
        "forward": lambda: pack(tag, wanted, {}),
        "packed": lambda: pack(tag, packed),
        "gzip": lambda: pack(tag, gzip.compress(packed, 1), {"compressed": "gzip"}),
        "zstd": lambda: pack(tag, zstandard.compress(packed, 1), {"compressed": "zstd"}),
        "json": lambda: json.dumps([tag, wanted]).encode(),
    }[mode]()
    records = [r for f in ForwardSplitter().feed(raw) for r in decode(f.raw, f.count)]
    assert [(r.tag, r.time, r.record) for r in records] == [(tag, *e) for e in wanted]
