import gzip
import json
import zlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import gelf
from parsers.gelf import GelfMessage, NulSplitter, decode, inflate, looks_like_gelf, split
from parsers.record import DecodeError, Frames
from tests.parsers.wire import WAYS, cuts, feed, feed_way

ONE = b'{"version":"1.1","host":"h","short_message":"one"}\0'
TWO = b'{"version":"1.1","host":"h","short_message":"two {\\u0000}"}\0'
TRAILING = b'{"version"'

GOOD = {
    "one": (ONE, ONE, 1),
    "several": (ONE + TWO + ONE, ONE + TWO + ONE, 3),
    "blanks in front": (b"\n " + ONE, ONE, 1),
    "blanks between": (ONE + b" \r\n" + TWO, ONE + TWO, 2),
    "empty frames": (b"\0\0" + ONE + b"\0" + TWO + b"\0\0", ONE + TWO, 2),
    "blank frames": (b" \0" + ONE + b"\n\0" + TWO, ONE + TWO, 2),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", GOOD)
def test_frames(name: str, way: str) -> None:
    data, raw, count = GOOD[name]
    fed = feed_way(NulSplitter, way, data, TRAILING)
    assert (fed.raw, fed.count, fed.error, fed.buffered) == (raw, count, None, 0)
    assert [decode(frame).host for frame in split(fed.raw)] == ["h"] * count


def test_one_feed_gives_one_frames() -> None:
    (frames,) = NulSplitter().feed(ONE * 50 + TRAILING)
    assert frames == Frames(ONE * 50, 50)


@pytest.mark.parametrize("way", ["whole", "byte by byte"])
@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x94\xa1t", b"[1]\0", b"  x", b"\xff\0", b"1\0" + ONE]
)
def test_garbage_is_refused_at_once_but_after_the_good(garbage: bytes, way: str) -> None:
    fed = feed_way(NulSplitter, way, ONE + b"\0" + TWO + garbage, b"")
    assert (fed.raw, fed.count, fed.error) == (ONE + TWO, 2, "not_gelf")


def test_the_size_limit_is_for_one_message() -> None:
    assert feed(NulSplitter(max_frame=60), cuts(ONE * 50, 40)).count == 50
    fed = feed(NulSplitter(max_frame=40), cuts(ONE, 10))
    assert (fed.count, fed.error) == (0, "oversize")


def test_blanks_for_ever_fill_nothing() -> None:
    fed = feed(NulSplitter(max_frame=40), [b" \n"] * 1000)
    assert (fed.error, fed.buffered) == (None, 0)


def test_a_whole_message_without_its_nul_is_the_last_one() -> None:
    splitter = NulSplitter()
    list(splitter.feed(ONE + TWO[:-1]))
    assert splitter.rest() == Frames(TWO, 1)
    assert (splitter.rest(), splitter.close()) == (None, 0)


def test_a_cut_off_message_is_only_counted() -> None:
    splitter = NulSplitter()
    list(splitter.feed(ONE + TRAILING))
    assert splitter.rest() is None
    assert splitter.buffered == splitter.close() == len(TRAILING)


PLAIN = b'{"short_message":"x"}'


@pytest.mark.parametrize("level", [-1, 0, 1, 6, 9])
def test_inflate_tells_by_the_first_bytes(level: int) -> None:
    assert inflate(zlib.compress(PLAIN, level)) == PLAIN
    assert inflate(gzip.compress(PLAIN, level)) == PLAIN
    assert inflate(gzip.compress(PLAIN[:9], level) + gzip.compress(PLAIN[9:], level)) == PLAIN
    assert inflate(PLAIN) == PLAIN


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_inflate_refuses_what_is_broken_or_too_big(compress: Any) -> None:
    whole = compress(PLAIN * 1000)
    for payload, limit, reason in [
        (whole[:-9], 1 << 20, "malformed"),
        (whole[:12] + b"\xff" * 40, 1 << 20, "malformed"),
        (whole, len(PLAIN) * 1000 - 1, "inflated_too_big"),
    ]:
        with pytest.raises(DecodeError) as caught:
            inflate(payload, limit)
        assert caught.value.reason == reason
    assert inflate(whole, limit=len(PLAIN) * 1000) == PLAIN * 1000


@pytest.mark.parametrize("payload", [PLAIN, b" \n{", zlib.compress(PLAIN), gzip.compress(PLAIN), b"\x78\x01"])
def test_looks_like_gelf(payload: bytes) -> None:
    assert looks_like_gelf(payload)


@pytest.mark.parametrize(
    "payload", [b"", b"\0", b"<34>Oct 11 su: failed", b"[1]", b"\x78\x02", b"\x78", b"xyz"]
)
def test_does_not_look_like_gelf(payload: bytes) -> None:
    assert not looks_like_gelf(payload)


DOCKER = {
    "version": "1.1", "host": "vm", "short_message": "GET /_health \u2028",
    "timestamp": 1795491749.629, "level": 6,
    "_command": "sh -c 'cat'", "_container_id": "07" * 32, "_tag": "07908bd165f8", "__odd": "x",
    "_id": "label", "_level": "9", "_": "empty",
}  # fmt: skip
OF_DOCKER = GelfMessage(
    "vm",
    "GET /_health \u2028",
    None,
    1795491749629000000,
    6,
    {
        "command": "sh -c 'cat'", "container_id": "07" * 32, "tag": "07908bd165f8", "_odd": "x",
        "id": "label", "level": "9", "": "empty",
    },
)  # fmt: skip


@pytest.mark.parametrize("order", ["Docker's", "another"])
@pytest.mark.parametrize("ending", [b"", b"\0"])
def test_dockers_message(order: str, ending: bytes) -> None:
    message = DOCKER if order == "Docker's" else dict(sorted(DOCKER.items()))
    assert decode(orjson.dumps(message) + ending) == OF_DOCKER
    assert decode(json.dumps(message, indent=2).encode() + ending) == OF_DOCKER


def test_a_containers_facts_are_decoded_once() -> None:
    first, second = (decode(orjson.dumps({**DOCKER, "short_message": line})) for line in ("a", "b"))
    assert first.extra is second.extra
    assert (first.short_message, second.short_message) == ("a", "b")


TIMES = {
    "1700000000": 1_700_000_000_000_000_000,
    "1700000000.1": 1_700_000_000_100_000_000,
    "1700000000.123": 1_700_000_000_123_000_000,
    "1700000000.123456789": 1_700_000_000_123_456_789,
    "1700000000.1234567899": 1_700_000_000_123_456_789,
    "1700000000.000000001": 1_700_000_000_000_000_001,
    "1.7e9": 1_700_000_000_000_000_000,
    "17000000001234E-4": 1_700_000_000_123_400_000,
    "-5.25": -5_250_000_000,
    '"1700000000.5"': 1_700_000_000_500_000_000,
    '" 1700000000 "': 1_700_000_000_000_000_000,
    "0.000000001": 1,
}
NO_TIMES = ["0", "0.0", "true", '"soon"', '""', "[1]", "1e400", "1e300", "1700000000123", "1e-999"]
NO_TIMES += ['"1e999999999"', '"NaN"']


@pytest.mark.parametrize("behind", ["", ',"_a":"b"', ',"_a":"b","x":1', ',"_a":[{"timestamp":1.5}]'])
@pytest.mark.parametrize("text", [*TIMES, *NO_TIMES, "null"])
def test_timestamps_are_what_their_digits_say(text: str, behind: str) -> None:
    message = decode(f'{{"host":"h","timestamp":{text},"level":6{behind}}}'.encode())
    assert message.timestamp == TIMES.get(text)
    assert ("timestamp" in message.extra) is (text in NO_TIMES)  # what says nothing is still shown


@pytest.mark.parametrize(
    ("text", "level"),
    [("6", 6), ("0", 0), ('"3"', 3), ('" 4 "', 4), ("6.0", 6), ("-1", -1), ("300", 300),
     ("null", None), ("true", None), ('"warn"', None), ("6.5", None), ('""', None), ('"²"', None),
     ("1e400", None), ("[6]", None)],
)  # fmt: skip
def test_levels(text: str, level: int | None) -> None:
    for form in ('{"level":%s}', '{"timestamp":1,"level":%s,"_a":1}'):
        message = decode((form % text).encode())
        assert message.level == level
        assert ("level" in message.extra) is (level is None and text != "null")


ODD = {
    "nothing": (b"{}", GelfMessage()),
    "no short_message": (b'{"host":"h"}', GelfMessage("h")),
    "blank short_message": (b'{"short_message":"","full_message":" "}', GelfMessage(None, "", " ")),
    "null": (b'{"host":null,"short_message":null}', GelfMessage()),
    "a number as text": (b'{"host":5,"short_message":1.5}', GelfMessage("5", "1.5")),
    "an object as text": (b'{"short_message":{"a":[1]}}', GelfMessage(None, '{"a":[1]}')),
    "old fields": (
        b'{"facility":"f","line":3,"file":"a.c"}',
        GelfMessage(extra={"facility": "f", "line": 3, "file": "a.c"}),
    ),
    "doubled keys": (b'{"host":"a","host":"b","_x":1,"_x":2}', GelfMessage("b", extra={"x": 2})),
    "NUL and line separators": (
        '{"short_message":"a\\u0000b\u2028\u2029"}'.encode(),
        GelfMessage(None, "a\0b\u2028\u2029"),
    ),
    "half a surrogate pair": (
        b'{"short_message":"\\ud800\\udc00 \\udc00 \\ud800","_a":1}',
        GelfMessage(None, "\U00010000 \ufffd \ufffd", extra={"a": 1}),
    ),
    "not UTF-8": (b'{"short_message":"\xff\xfe"}', GelfMessage(None, "\ufffd\ufffd")),
    "raw control characters": (b'{"short_message":"a\nb\tc"}', GelfMessage(None, "a\nb\tc")),
    "huge numbers": (
        b'{"_a":1e400,"_b":NaN,"_c":' + b"9" * 6000 + b"}",
        GelfMessage(extra={"a": "1e400", "b": "NaN", "c": "9" * 6000}),
    ),
    "values of all kinds": (
        b'{"_a":[1,{"b":null}],"_c":true}',
        GelfMessage(extra={"a": [1, {"b": None}], "c": True}),
    ),
    "underscore strings inside": (
        b'{"short_message":"a","x":["b","_c"],"_d":1}',
        GelfMessage(None, "a", extra={"x": ["b", "_c"], "d": 1}),
    ),
    "blanks around": (b' \n{"host":"h"}\r\n', GelfMessage("h")),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_messages(name: str) -> None:
    payload, wanted = ODD[name]
    assert decode(payload) == wanted
    assert decode(payload + b"\0") == wanted
    orjson.dumps(decode(payload).extra)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0", b"{", b"null", b"[1]", b'"text"', b"5", b'{"a":1} x', b'{"a":1}{"a":2}', b"{'a':1}",
     b'{"host":"h",}', b'{"a":' + b"[" * 100_000, b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
     b'{"a":"b","_c":1'],
)  # fmt: skip
def test_what_is_no_json_object_is_malformed(payload: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(payload)
    assert caught.value.reason == "malformed"


def test_deep_nesting_ends_in_a_note() -> None:
    message = decode(b'{"_a":' + b"[" * 300 + b"]" * 300 + b"}")
    assert b"nested too deeply" in orjson.dumps(message.extra)


keys = st.sampled_from(
    ["version", "host", "short_message", "full_message", "timestamp", "level", "_a", "_b", "c", "_"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@given(st.lists(st.tuples(keys, scalars), max_size=12), st.booleans())
def test_the_quick_way_and_the_slow_way_agree(pairs: list[tuple[str, Any]], spaced: bool) -> None:
    separators = (", ", ": ") if spaced else (",", ":")
    text = json.dumps(dict(pairs), ensure_ascii=False, separators=separators).encode()
    message = gelf._decode_any(text)
    assert decode(text) == message
    told = {
        key: value
        for key, value in dict(pairs).items()
        if key in ("host", "short_message") and isinstance(value, str)
    }
    assert told.items() <= {"host": message.host, "short_message": message.short_message}.items()
