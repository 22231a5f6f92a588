from typing import Any

import msgpack
import pytest

from parsers.forward import ForwardSplitter
from tests.parsers.wire import WAYS, Fed, feed_way, pack

JSON_CASES: dict[str, tuple[bytes, list[Any], list[bytes]]] = {
    "message": (b'["t",1700000000,{"log":"h\\u00e9"}]', [["t", 1700000000, {"log": "hé"}]], []),
    "back to back": (b'["a",1,{}]["b",2,{}]', [["a", 1, {}], ["b", 2, {}]], []),
    "with blanks": (b'["a",1,{}]\r\n  ["b",2,{}]\n', [["a", 1, {}], ["b", 2, {}]], []),
    "forward mode": (b'["t",[[1,{"a":"b"}],[2,{"a":"c"}]]]', [["t", [[1, {"a": "b"}], [2, {"a": "c"}]]]], []),
    "chunk": (b'["t",1,{"a":"b"},{"chunk":"q=="}]', [["t", 1, {"a": "b"}, {"chunk": "q=="}]], [b"q=="]),
    "brackets and quotes in text": (b'["t",1,{"a":"]}[{\\"\\\\"}]', [["t", 1, {"a": ']}[{"\\'}]], []),
    "half a surrogate pair": (b'["t",1,{"a":"\\ud800x\\\\ud800\\ud83d\\ude00"}]',
                              [["t", 1, {"a": "\ufffdx\\ud800\U0001f600"}]], []),
    "numbers that fit nowhere": (b'["t",1,{"a":1e400,"b":18446744073709551616}]',
                               [["t", 1, {"a": "1e400", "b": "18446744073709551616"}]], []),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", JSON_CASES)
def test_json_becomes_msgpack(name: str, way: str) -> None:
    data, messages, chunks = JSON_CASES[name]
    splitter = ForwardSplitter()
    fed = feed_way(lambda: splitter, way, data, b'["t",{"x')
    assert fed == Fed(b"".join(map(msgpack.packb, messages)), len(messages), fed.acks, None, 0)
    assert [chunk for _, chunk in fed.acks] == chunks
    assert splitter.json
    assert splitter.asked_for_acks is bool(chunks)


@pytest.mark.parametrize("way", ["whole", "byte by byte"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1}', "not_forward"),
        (b'["t"]', "not_forward"),
        (b'[1,2,{"a":"b"}]', "not_forward"),
        (b'["t",1,{"a":}]', "malformed"),
        (b"[" * 300, "malformed"),
        (b'["t",1,{}] null', "malformed"),
        (b'["t",1,{}]]', "malformed"),
        (b'["t",1,{}] "text"', "malformed"),
        (b'["t",1,{}}', "malformed"),
    ],
)
def test_json_that_is_no_message_is_refused(data: bytes, reason: str, way: str) -> None:
    fed = feed_way(ForwardSplitter, way, b'["good",1,{}]' + data, b"")
    assert fed.raw.startswith(pack("good", 1, {}))
    assert fed.error == reason
