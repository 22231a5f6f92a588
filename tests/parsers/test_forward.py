from typing import Any

import msgpack
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.forward import ForwardSplitter, ack, decode
from tests.parsers.wire import WAYS, Fed, cuts, feed, feed_way

TRAILING = b"\x94\xa3tag\xd2"
NESTED = {"a": {"b": [1, None, True, 2.5]}}


def pack(*parts: Any, **options: Any) -> bytes:
    return bytes(msgpack.packb(list(parts), **options))


MESSAGE = pack("docker.web", 1_700_000_000, {"log": "hello"}, {})
WITH_CHUNK = pack("docker.web", 1_700_000_000, {"log": "hello"}, {"chunk": "p8n9gmxTQVC8/nh2wlKKeQ=="})

# name: (bytes, messages, chunks)
GOOD: dict[str, tuple[bytes, int, list[bytes]]] = {
    "message": (MESSAGE, 1, []),
    "message of three": (pack("t", 1, {"log": "x"}), 1, []),
    "message with nil option": (pack("t", 1, {"log": "x"}, None), 1, []),
    "several": (MESSAGE * 5, 5, []),
    "chunk": (WITH_CHUNK, 1, [b"p8n9gmxTQVC8/nh2wlKKeQ=="]),
    "some with chunks": (MESSAGE + WITH_CHUNK + MESSAGE + WITH_CHUNK, 4, [b"p8n9gmxTQVC8/nh2wlKKeQ=="] * 2),
    "chunk ends in a newline": (pack("t", 1, {}, {"chunk": "a\n"}), 1, [b"a\n"]),
    "empty chunk": (pack("t", 1, {}, {"chunk": ""}), 1, [b""]),
    "chunk of 300 bytes": (pack("t", 1, {}, {"chunk": "c" * 300}), 1, [b"c" * 300]),
    "chunk as bin": (pack("t", 1, {}, {"chunk": b"\xff\x80"}), 1, [b"\xff\x80"]),
    "chunk is a number": (pack("t", 1, {}, {"chunk": 5}), 1, []),
    "chunk behind other options": (pack("t", 1, {}, {"size": 1, "x": NESTED, "chunk": "q"}), 1, [b"q"]),
    "chunk key in str 8": (pack("t", 1, {})[:0] + b"\x94\xa1t\x01\x80\x81\xd9\x05chunk\xa1q", 1, [b"q"]),
    "the word chunk in a line": (pack("chunk", 1, {"chunk": "chunk"}, {}), 1, []),
    "a record that looks like an option": (pack("t", 1, {"chunk": "no"}), 1, []),
    "a nested chunk": (pack("t", 1, {}, {"x": {"chunk": "no"}}), 1, []),
    "option is no map": (pack("t", 1, {}, "chunk"), 1, []),
    "forward mode": (pack("t", [[1, {"a": "b"}], [2, {"a": "c"}]], {"chunk": "f"}), 1, [b"f"]),
    "packed forward": (pack("t", pack(1, {"a": "chunk"}) * 3, {"chunk": "p"}), 1, [b"p"]),
    "packed forward as str": (b"\x93\xa1t\xa5\x92\x01\x81\xa0\xa0\x81\xa5chunk\xa1s", 1, [b"s"]),
    "packed forward without option": (pack("t", pack(1, {"chunk": "b"})), 1, []),
    "tag as bin": (pack(b"t", 1, {}, {}), 1, []),
    "array 16 and array 32": (b"\xdc\x00\x03\xa1t\x01\x80" + b"\xdd\x00\x00\x00\x03\xa1t\x01\x80", 2, []),
    "text that is not UTF-8": (b"\x94\xa2\xff\xfe\x01\x81\xa3log\xa1\xff\x81\xa5chunk\xa1z", 1, [b"z"]),
    "event time": (pack("t", msgpack.ExtType(0, b"\0" * 8), {"log": "x"}, {}), 1, []),
    "deep, and a chunk": (b"\x94\xa1t\x01" + b"\x81\xa1a" * 1000 + b"\xc0\x81\xa5chunk\xa1d", 1, [b"d"]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", GOOD)
def test_frames(name: str, way: str) -> None:
    data, count, chunks = GOOD[name]
    splitter = ForwardSplitter()
    fed = feed_way(lambda: splitter, way, data, TRAILING)
    assert (fed.raw, fed.count, fed.error, fed.buffered) == (data, count, None, 0)
    assert [chunk for _, chunk in fed.acks] == chunks
    assert all(chunk in frame for frame, chunk in fed.acks)
    assert splitter.asked_for_acks is bool(chunks)
    assert len(list(decode(data, count))) >= count


def test_one_feed_gives_one_frames() -> None:
    (frames,) = ForwardSplitter().feed(MESSAGE * 100 + MESSAGE[:-1])
    assert (frames.count, frames.raw) == (100, MESSAGE * 100)


@pytest.mark.parametrize("way", WAYS)
def test_heartbeats_are_skipped(way: str) -> None:
    splitter = ForwardSplitter()
    fed = feed_way(lambda: splitter, way, b"\xc0" + MESSAGE + b"\xc0\xc0" + WITH_CHUNK + b"\xc0", TRAILING)
    assert (fed.raw, fed.count, fed.error) == (MESSAGE + WITH_CHUNK, 2, None)
    assert fed.acks == [(WITH_CHUNK, b"p8n9gmxTQVC8/nh2wlKKeQ==")]
    assert splitter.heartbeats == 4


BAD = {
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "not_forward"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "not_forward"),
    "a number": (b"\x05", "not_forward"),
    "a map": (b"\x81\xa1a\x01", "not_forward"),
    "a long string that never ends": (b"\xdb\xff\xff\xff\xff", "not_forward"),
    "an empty array": (b"\x90", "not_forward"),
    "an array of one": (b"\x91\xa1t", "not_forward"),
    "an array of five": (b"\x95\xa1t\x01\x80\x80\x80", "not_forward"),
    "a PING of the handshake": (pack("PING", "host", "salt", "digest", "", ""), "not_forward"),
    "four billion elements": (b"\xdd\xff\xff\xff\xff\xa1t", "not_forward"),
    "a tag that is a number": (b"\x93\x01\x01\x80", "not_forward"),
    "a tag that is nil": (b"\x93\xc0\x01\x80", "not_forward"),
    "a tag that is an array, unfinished": (b"\x93\x9f", "not_forward"),
    "the byte that msgpack never uses": (b"\x93\xa1t\x01\xc1", "malformed"),
    "ten thousand levels": (b"\x93\xa1t\x01" + b"\x91" * 10_000, "malformed"),
}


@pytest.mark.parametrize("way", ["whole", "byte by byte"])
@pytest.mark.parametrize("before", [b"", MESSAGE, WITH_CHUNK * 2])
@pytest.mark.parametrize("name", BAD)
def test_garbage_is_refused_after_the_good_frames(name: str, before: bytes, way: str) -> None:
    data, reason = BAD[name]
    fed = feed_way(ForwardSplitter, way, before + data + MESSAGE, b"")
    assert (fed.raw, fed.error) == (before, reason)


def test_an_entry_of_four_billion_is_refused_when_it_grows_too_big() -> None:
    splitter = ForwardSplitter(max_frame=10_000)
    fed = feed(splitter, [b"\x92\xa1t\xdd\xff\xff\xff\xff", *[b"\x01" * 1000] * 20])
    assert (fed.count, fed.error) == (0, "oversize")
    assert fed.buffered <= 11_000


@pytest.mark.parametrize("mode", ["packed", "json"])
def test_the_size_limit_is_for_one_message(mode: str) -> None:
    big = pack("t", 1, {"log": "x" * 900}) if mode == "packed" else b'["t",1,{"log":"' + b"x" * 900 + b'"}]'
    fed = feed(ForwardSplitter(max_frame=1000), cuts(big * 50, 700))
    assert (fed.count, fed.error) == (50, None)
    fed = feed(ForwardSplitter(max_frame=800), cuts(big, 100))
    assert (fed.count, fed.error) == (0, "oversize")


def test_a_big_frame_in_small_reads_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fed_bytes = 0
    unpacker_class = msgpack.Unpacker

    class Counting(unpacker_class):  # type: ignore[misc]
        def feed(self, data: bytes) -> None:
            nonlocal fed_bytes
            fed_bytes += len(data)
            super().feed(data)

    monkeypatch.setattr("msgpack.Unpacker", Counting)
    frame = pack("t", pack(1, {"log": "x" * 100}) * 40_000)
    splitter = ForwardSplitter()
    fed = feed(splitter, cuts(frame + MESSAGE, 65_536))
    assert (fed.raw, fed.count) == (frame + MESSAGE, 2)
    assert fed_bytes < 1.1 * len(frame)


def test_close_tells_how_much_was_cut_off() -> None:
    splitter = ForwardSplitter()
    assert splitter.close() == 0
    list(splitter.feed(MESSAGE + MESSAGE[:7]))
    assert (splitter.buffered, splitter.close()) == (7, 7)


@pytest.mark.parametrize(
    ("chunk", "answer"),
    [
        (b"p8n9", b"\x81\xa3ack\xa4p8n9"),
        (b"", b"\x81\xa3ack\xa0"),
        (b"c" * 31, b"\x81\xa3ack\xbf" + b"c" * 31),
        (b"c" * 32, b"\x81\xa3ack\xd9\x20" + b"c" * 32),
        (b"c" * 256, b"\x81\xa3ack\xda\x01\x00" + b"c" * 256),
        (b"c" * 65536, b"\x81\xa3ack\xdb\x00\x01\x00\x00" + b"c" * 65536),
        (b"\xff\x80", b"\x81\xa3ack\xa2\xff\x80"),
    ],
)
def test_ack_is_a_map_with_a_str(chunk: bytes, answer: bytes) -> None:
    assert ack(chunk) == answer
    assert msgpack.unpackb(answer, raw=True) == {b"ack": chunk}


def test_ack_in_json() -> None:
    assert orjson.loads(ack(b'a"\n', json=True)) == {"ack": 'a"\n'}


def test_a_connection_that_began_with_msgpack_stays_so() -> None:
    fed = feed(ForwardSplitter(), [MESSAGE, b'["t",1,{}]'])
    assert (fed.raw, fed.error) == (MESSAGE, "not_forward")


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary()
chunk_options = st.fixed_dictionaries(
    {}, optional={"chunk": st.text() | st.binary(), "size": st.integers(0, 9)}
)
records = st.dictionaries(st.text(), scalars, max_size=4)
times = st.integers(0, 2**32)
a_message = st.tuples(st.text(), times, records, chunk_options)
a_forward = st.tuples(st.text(), st.lists(st.tuples(times, records), max_size=3), chunk_options)


@given(st.lists(a_message | a_forward, max_size=8), st.integers(1, 60))
def test_any_messages_in_any_cuts(messages: list[Any], step: int) -> None:
    packed = [pack(*message) for message in messages]
    fed = feed(ForwardSplitter(), cuts(b"".join(packed), step))
    wanted = [(p, m[-1]["chunk"]) for p, m in zip(packed, messages, strict=True) if "chunk" in m[-1]]
    as_bytes = [(p, chunk.encode() if isinstance(chunk, str) else chunk) for p, chunk in wanted]
    assert fed == Fed(b"".join(packed), len(packed), as_bytes, None, 0)
