"""What becomes of a body: its records as msgpack, and how little memory one that bears malice gets."""

import tracemalloc
from collections import Counter
from typing import Any
from urllib.parse import quote_from_bytes

import msgpack
import pytest

from ingest import bodies
from ingest.bodies import (
    MAX_VALUES,
    Refusal,
    event_time,
    forward_frame,
    from_form,
    from_json,
    from_lines,
    from_msgpack,
)
from parsers.forward import decode

MIB = 1 << 20
BODY = 32 * MIB  # what HTTP takes at most


def refused(make: Any, body: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        make(body)
    return caught.value


@pytest.mark.parametrize(
    ("make", "body", "wanted"),
    [
        (from_json, b'{"a":1}', [{"a": 1}]),
        (from_json, b' [{"a":1}, {}]', [{"a": 1}, {}]),
        (from_json, b"[]", []),
        (from_lines, b'{"a":1}\n\r\n{"b":2}\r\n{}', [{"a": 1}, {"b": 2}, {}]),
        (from_lines, b"", []),
        (from_msgpack, msgpack.packb([{"a": 1}, {"b": [1, {}]}]), [{"a": 1}, {"b": [1, {}]}]),
        (from_msgpack, b"\xdc\0\x01\xde\0\0", [{}]),
        (from_form, b"json={}&x=1", [{}]),
        (from_form, b"msgpack=" + quote_from_bytes(b"\x81\xa1a\xcc\xff").encode(), [{"a": 255}]),
    ],
)
def test_records(make: Any, body: bytes, wanted: list[Any]) -> None:
    assert [msgpack.unpackb(record) for record in make(body)] == wanted


def test_msgpack_stays_as_it_was_packed() -> None:
    odd = b"\x82\xd9\x01a\xcd\0\x01\xa1b\xa2\xff\xfe"  # wide heads, bytes that are no text
    assert from_msgpack(b"\x92" + odd + b"\x80") == [odd, b"\x80"]


def test_a_record_that_python_cannot_hold_becomes_one_that_it_can() -> None:
    """A key of it is an array. Over TCP the same gets the same."""
    frame = forward_frame("app", event_time(None), from_msgpack(b"\x81\xc0\x81\x91\xc0\xc0"))
    (record,) = decode(frame, 1, Counter())
    assert (record.tag, record.record) == ("app", {"null": {"[None]": None}})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "cut off"),
        (b"\x91", "cut off"),
        (b"\x92\x80", "cut off"),
        (b"\xdd\0", "cut off"),
        (b"\xc1", "not msgpack"),
        (b"\x80\x80", "follows"),
        (b"\x91\x01", "object"),
        (b"\x01", "object"),
        (b"\x91" * 100_000, "not msgpack"),
    ],
)
def test_msgpack_that_is_wrong(body: bytes, says: str) -> None:
    problem = refused(from_msgpack, body)
    assert (problem.status_code, problem.reason) == (400, "malformed")
    assert says in problem.detail


BOMBS = [
    (from_json, b"[" + b",".join([b"{}"] * (BODY // 3)) + b"]"),
    (from_json, b'{"a":[' + b",".join([b"[]"] * (BODY // 3)) + b"]}"),
    (from_json, b"[" + b"1," * (BODY // 2) + b"1]"),
    (from_lines, b"{}\n" * (BODY // 3)),
    (from_lines, b"\n" * BODY),
    (from_form, b"json=[" + b",".join([b"{}"] * (BODY // 3)) + b"]"),
    (from_msgpack, b"\xdd" + (BODY - 5).to_bytes(4, "big") + b"\x80" * (BODY - 5)),
]


@pytest.mark.parametrize(("make", "body"), BOMBS, ids=range(len(BOMBS)))
def test_a_body_of_tiny_values_is_refused_before_it_fills_the_memory(make: Any, body: bytes) -> None:
    tracemalloc.start()
    problem = refused(make, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (problem.status_code, problem.reason) == (413, "too_many_values")
    assert "in parts" in problem.detail
    assert peak < 5 * len(body)  # a form is a text for a while, and percent-decoded


def test_a_form_of_many_fields() -> None:
    tracemalloc.start()
    problem = refused(from_form, b"a&" * (BODY // 2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (problem.status_code, problem.reason) == (400, "malformed")
    assert peak < 5 * BODY


def test_the_worst_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the limit stands for it: what is traced takes ten times as long."""
    monkeypatch.setattr(bodies, "MAX_VALUES", MAX_VALUES // 10)
    body = b"[" + b",".join([b'{"a":1000}'] * (MAX_VALUES // 20)) + b"]"
    tracemalloc.start()
    assert len(from_json(body)) == MAX_VALUES // 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak * 10 < 250 * MIB


@pytest.mark.parametrize(
    ("text", "wanted"),
    [(None, b"\0"), ("", b"\0"), ("1700000000.5", b"\xd7\0\x65\x53\xf1\0\x1d\xcd\x65\0")],
)
def test_times(text: str | None, wanted: bytes) -> None:
    assert event_time(text) == wanted


def test_the_frame_is_what_a_forward_sender_writes() -> None:
    frame = forward_frame("app", event_time("1.5"), [b"\x80", b"\x81\xa1a\x01"])
    time = msgpack.ExtType(0, b"\0\0\0\x01\x1d\xcd\x65\0")
    assert msgpack.unpackb(frame) == ["app", [[time, {}], [time, {"a": 1}]]]
