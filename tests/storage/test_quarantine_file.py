"""The lines of the quarantine: readable, exact, and whole after any end of the process."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parsers.event import Container, Printed, make_origin
from storage import quarantine_file
from storage.quarantine_file import Entry, Segment, append, append_line, decode, encode, load, read, rewrite
from tests.storage.factories import TIME, event

ODD: list[dict[str, Any]] = [
    {},
    {"fields": {"big": 2**70, "list": [1.5, None, {"a": "b"}], "": ""}},
    {"message": "{}", "fields": {}, "json_line": True},
    {"printed": (Printed(b"\xff\x00", "stdout", 3), Printed(b"", None, -1))},
    {"message": "lone \udc80 surrogate", "fields": {"\ud800": "\udfff"}},
    {"message": "\\ud800 is no surrogate", "level": "error", "flags": ("joined",)},
    {"message": "NUL \0, line\nfeed, \u2028, \x1b[1m"},
    {"timestamp": -(2**63)},
    {"timestamp": 2**80},
    {"origin": make_origin(Container(), "h")},
    {"origin": make_origin(Container("a", "b"), "h", labels={str(n): "x" for n in range(50)}, tag="t")},
]


@pytest.mark.parametrize("changes", ODD)
def test_an_entry_is_one_line_and_comes_back_exactly(changes: dict[str, Any]) -> None:
    entry = Entry(TIME, "refused", "said\nso", event(1, **changes), 3, TIME + 5)
    line = encode(entry)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == entry
    json.loads(line)


def test_a_line_reads_like_something() -> None:
    said = json.loads(encode(Entry(TIME, "refused", "no such type", event(1), 1, TIME)))
    assert said["quarantined"] == said["tried"] == "2026-11-24T06:00:00.123456789Z"
    assert said["timestamp"] == "2026-11-24T06:00:01.123456789Z"
    assert (said["container"], said["service"], said["host"]) == ("shop-web-1", "web", "node-a")
    assert (said["id"], said["reason"], said["said"]) == (event(1).id, "refused", "no such type")
    assert said["event"]["message"] == "line 1"


@pytest.mark.parametrize(
    "changes",
    [
        {"level": object()}, {"level": {"a": 1}}, {"message": 17}, {"flags": (1,)}, {"fields": [1]},
        {"stream": b"x"},
    ],
)  # fmt: skip
def test_what_no_sender_can_have_sent_is_kept_as_text(changes: dict[str, Any]) -> None:
    kept = decode(encode(Entry(TIME, "unencodable", "no", event(1, **changes))))
    assert kept.event.id == event(1).id
    (name,) = changes
    assert getattr(kept.event, name) != getattr(event(1), name)


def test_lines_of_the_first_version_are_read() -> None:
    old = {"quarantined": 5, "reason": "refused", "message": "no", "id": event(1).id, "event": event(1)}
    assert decode(msgspec.json.encode(old)) == Entry(5, "refused", "no", event(1), 1, 5)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"null", b"\xff", b'{"a":"\\ud800"}', b"[" * 5000 + b"\\ud800", b'{"quarantined":1}']
)
def test_what_is_no_entry_is_said_to_be_none(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode(line)


def entries(first: int, count: int) -> list[Entry]:
    return [Entry(1000 + n, "refused", "no", event(n), 1, 1000 + n) for n in range(first, first + count)]


def filled(path: Path, count: int) -> Segment:
    segment = Segment(path, 1)
    append(segment, entries(0, count))
    return segment


def kept(path: Path) -> list[Entry]:
    with path.open("rb") as file:
        return list(read(file))


def test_what_is_known_of_a_file_is_what_is_in_it(tmp_path: Path) -> None:
    segment, path = filled(tmp_path / "a", 3), tmp_path / "a"
    append(segment, entries(3, 1))
    again = load(path, 1)
    assert again.bytes == segment.bytes == path.stat().st_size
    assert (again.ids, again.reasons, again.newest) == (segment.ids, segment.reasons, 1003)
    assert again.times == segment.times
    assert kept(path) == entries(0, 4)


@pytest.mark.parametrize("lost", [1, 10, 200])
def test_a_torn_end_is_cut_off_and_the_file_goes_on(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "a"
    filled(path, 3)
    os.truncate(path, path.stat().st_size - lost)
    segment = load(path, 1)
    assert kept(path) == entries(0, 2)
    append(segment, entries(7, 1))
    assert kept(path) == [*entries(0, 2), *entries(7, 1)]


def test_a_long_torn_end_is_cut_off_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_file, "BLOCK_BYTES", 16)
    path = tmp_path / "a"
    whole = filled(path, 1).bytes
    with path.open("ab") as file:
        file.write(b"x" * 1000)
    assert load(path, 1).bytes == whole == path.stat().st_size
    path.write_bytes(b"y" * 1000)
    assert load(path, 1).bytes == 0


def test_a_failed_append_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    segment = filled(path, 1)
    real, calls = os.write, []

    def half(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:20])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        append(segment, entries(1, 1))
    monkeypatch.setattr(os, "write", real)
    assert path.stat().st_size == segment.bytes + 20
    append(segment, entries(2, 1))
    assert kept(path) == [*entries(0, 1), *entries(2, 1)]
    assert path.stat().st_size == segment.bytes


def test_it_is_synced_before_an_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    segment = filled(tmp_path / "a", 1)
    assert synced[0] == segment.bytes  # the file, and then the folder that names it
    assert len(synced) == 2
    append(segment, entries(1, 1))
    assert synced[2:] == [segment.bytes]


def test_rewriting_changes_some_and_keeps_what_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    segment = filled(path, 4)
    append_line(path, b"an operator's note\n")
    later = msgspec.structs.replace(entries(2, 1)[0], reason="other", tries=2)
    changes = {event(1).id: None, event(2).id: later}
    fresh = rewrite(segment, lambda entry: changes.get(entry.event.id, entry))
    assert kept(path) == [entries(0, 1)[0], later, entries(3, 1)[0]]
    assert path.read_bytes().endswith(b"an operator's note\n")
    assert (fresh.reasons, fresh.damaged) == ({"refused": 2, "other": 1}, 1)
    assert not list(tmp_path.glob("*.new"))


def test_an_empty_file_goes(tmp_path: Path) -> None:
    fresh = rewrite(filled(tmp_path / "a", 2), lambda _: None)
    assert fresh.bytes == 0
    assert list(tmp_path.iterdir()) == []


def test_a_rewriting_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    segment = filled(path, 2)
    before = path.read_bytes()
    (tmp_path / "a.new").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        rewrite(segment, lambda _: None)
    assert path.read_bytes() == before
