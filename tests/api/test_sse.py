"""The live tail over a real socket: what a reader sees, and what is left when it has gone."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from api import sse
from api.client import Message, messages
from storage import tail as tail_module
from storage.store import StoreUnavailable
from tests.api.conftest import NOW, WEB_ID

NS = 1_000_000_000


class Reader:
    """One connection to the tail, read message by message."""

    def __init__(self, url: str, query: str = "", last: str | None = None) -> None:
        headers = {} if last is None else {"Last-Event-ID": last}
        self._client = httpx.Client(timeout=10)
        request = self._client.build_request("GET", f"{url}/api/v1/logs/tail{query}", headers=headers)
        self.response = self._client.send(request, stream=True)
        self._messages = messages(self.response.iter_bytes())

    def next(self) -> Message:
        return next(self._messages)

    def take(self, count: int) -> list[Message]:
        return [self.next() for _ in range(count)]

    def rest(self) -> list[Message]:
        return list(self._messages)

    def close(self) -> None:
        self.response.close()
        self._client.close()


@pytest.fixture
def read(running: Any) -> Iterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def open_reader(query: str = "", last: str | None = None) -> Reader:
        readers.append(Reader(running.url, query, last))
        return readers[-1]

    yield open_reader
    for reader in readers:
        reader.close()


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def texts(found: list[Message]) -> list[str]:
    return [message.data["message"] for message in found]


def followers(running: Any) -> int:
    count = running.house.metrics.registry.get_sample_value("logdock_tail_followers")
    return int(count)


def test_new_lines_and_where_to_resume(running: Any, read: Callable[..., Reader], origins: Any) -> None:
    running.add(origins.web, "old")
    reader = read()
    assert reader.response.headers["content-type"].startswith("text/event-stream")
    assert reader.response.headers["x-accel-buffering"] == "no"
    assert reader.response.headers["cache-control"] == "no-store"
    assert reader.next() == Message("message", None, "0")
    running.add(origins.web, "new 1", "new 2")
    found = reader.take(2)
    assert [(m.kind, m.id) for m in found] == [("log", "1"), ("log", "2")]
    assert texts(found) == ["new 1", "new 2"]
    assert found[0].data["container"]["name"] == "shop-web-1"


def test_filters(running: Any, read: Callable[..., Reader], origins: Any) -> None:
    reader = read("?service=web&q=yes")
    reader.next()
    running.add(origins.db, "yes but elsewhere")
    running.add(origins.web, "no", "YES here")
    assert texts([reader.next()]) == ["YES here"]


def test_a_container_not_seen_yet_is_waited_for(
    running: Any, read: Callable[..., Reader], origins: Any
) -> None:
    reader = read("?container=shop-web-1")
    reader.next()
    running.add(origins.db, "other")
    running.add(origins.web, "first")
    assert texts([reader.next()]) == ["first"]


def test_resume_has_no_gap_and_no_double(running: Any, read: Callable[..., Reader], origins: Any) -> None:
    running.add(origins.web, *[f"line {n}" for n in range(1500)])
    reader = read(last="9")
    running.add(origins.web, *[f"line {n}" for n in range(1500, 1600)])
    found = reader.take(1590)
    assert [int(m.id or -1) for m in found] == list(range(10, 1600))
    assert texts(found) == [f"line {n}" for n in range(10, 1600)]


def test_resume_by_parameter(running: Any, read: Callable[..., Reader], origins: Any) -> None:
    running.add(origins.web, "a", "b", "c")
    assert texts(read("?last_event_id=0").take(2)) == ["b", "c"]
    assert texts(read("?last_event_id=-1").take(3)) == ["a", "b", "c"]


def test_an_id_from_elsewhere_is_a_gap(running: Any, read: Callable[..., Reader], origins: Any) -> None:
    running.add(origins.web, "a")
    reader = read(last="500")
    assert reader.next() == Message("gap", {"missing": None})
    running.add(origins.web, "b")
    assert texts([reader.next()]) == ["b"]


def test_resume_waits_for_the_replay(running: Any, read: Callable[..., Reader], origins: Any) -> None:
    running.house.readiness = replace(running.house.readiness, ready=False)
    running.add(origins.web, "a", "b")
    reader = read(last="0")
    got: list[Message] = []
    thread = threading.Thread(target=lambda: got.append(reader.next()))
    thread.start()
    thread.join(0.5)
    assert not got
    running.house.readiness = replace(running.house.readiness, ready=True)
    thread.join(5)
    assert texts(got) == ["b"]


@pytest.mark.parametrize("last", ["x", "1.5", "9" * 30])
def test_what_is_no_id(running: Any, last: str) -> None:
    answer = httpx.get(f"{running.url}/api/v1/logs/tail", headers={"Last-Event-ID": last})
    assert answer.status_code == 400
    assert answer.json()["error"]["parameter"] == "last_event_id"


def test_a_line_is_rendered_once_for_all_readers(
    running: Any, read: Callable[..., Reader], origins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[int] = []
    render = sse.event_json
    monkeypatch.setattr(sse, "event_json", lambda event: (rendered.append(event.offset), render(event))[1])
    monkeypatch.setattr(sse, "RENDERED_BYTES", 10)  # forgotten after each line
    readers = [read(query) for query in ("", "", "?service=web", "?q=line")]
    for reader in readers:
        reader.next()
    running.add(origins.web, "line 0")
    assert [texts([reader.next()]) for reader in readers] == [["line 0"]] * 4
    assert rendered == [0]
    running.add(origins.web, "line 1", "line 2")
    assert [texts(reader.take(2)) for reader in readers] == [["line 1", "line 2"]] * 4


def test_another_line_with_the_same_offset_is_another_line(house: Any, origins: Any) -> None:
    (one,), (other,) = (house.events(origins.web, [text]) for text in ("one", "other"))
    other = msgspec.structs.replace(other, offset=one.offset)
    assert b'"one"' in sse._message([one])
    assert b'"other"' in sse._message([other])


def test_heartbeats(read: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT", 0.05)
    reader = read()
    raw = reader.response.iter_bytes()
    text = b""
    while text.count(b": beat\n\n") < 2:
        text += next(raw)
    assert text.startswith(b"id: -1\n\n")


def test_until_ends_the_stream(read: Callable[..., Reader]) -> None:
    reader = read("?until=2026-11-24T00:00:00Z")  # the clock of these tests stands at 02:00
    assert [m.kind for m in reader.rest()] == ["message", "end"]


def test_until_ends_a_resumed_stream_after_what_was_stored(
    running: Any, read: Callable[..., Reader], origins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower that lost its connection before `until` and is back after it still gets its lines."""
    search = running.house.store.search

    async def slow(query: Any) -> Any:
        await asyncio.sleep(2 * sse.LAST_LOOK)
        return await search(query)

    running.add(origins.web, *[f"line {n}" for n in range(1500)])
    running.add(origins.web, "late", timestamp=NOW)
    monkeypatch.setattr(running.house.store, "search", slow)
    monkeypatch.setattr(tail_module, "PAGE", 200)
    found = read(f"?until={(NOW - NS) // NS}", last="9").rest()
    assert [message.kind for message in found] == [*["log"] * 1490, "end"]
    assert texts(found[:-1]) == [f"line {n}" for n in range(10, 1500)]


def test_a_line_just_before_until_may_come_after_it(
    running: Any, app: Any, read: Callable[..., Reader], origins: Any
) -> None:
    now = time.time_ns() - NOW
    app.state.services = replace(app.state.services, clock=lambda: time.time_ns() - now)
    reader = read(f"?until={NOW / NS:.3f}")
    reader.next()
    running.add(origins.web, "just before", timestamp=NOW - 1)
    running.add(origins.web, "after", timestamp=NOW + NS)
    assert [message.kind for message in reader.rest()] == ["log", "end"]


def test_the_first_digits_of_an_id_not_seen_yet_are_waited_for(
    running: Any, read: Callable[..., Reader], origins: Any
) -> None:
    reader = read(f"?container={WEB_ID[:12]}")
    reader.next()
    running.add(origins.db, "other")
    running.add(origins.web, "first")
    assert texts([reader.next()]) == ["first"]


def test_the_start_of_an_id_is_looked_up_when_the_replay_is_done(
    running: Any, read: Callable[..., Reader], origins: Any
) -> None:
    running.house.readiness = replace(running.house.readiness, ready=False)
    reader = read("?container=ab&until=2026-11-24T01:30:00Z", last="-1")
    running.add(origins.web, "replayed")
    running.add(origins.other_web, "of another")
    running.house.readiness = replace(running.house.readiness, ready=True)
    with pytest.raises(httpx.RemoteProtocolError):  # ambiguous by now
        reader.rest()
    running.house.readiness = replace(running.house.readiness, ready=False)
    reader = read("?container=ab1&until=2026-11-24T01:30:00Z", last="-1")
    running.house.readiness = replace(running.house.readiness, ready=True)
    assert texts(reader.take(1)) == ["of another"]


@pytest.mark.parametrize("last", ["-1", "-5"])
def test_before_the_first_line_nothing_is_missing(
    running: Any, read: Callable[..., Reader], origins: Any, last: str
) -> None:
    running.add(origins.web, "a")
    assert texts(read(last=last).take(1)) == ["a"]


def test_a_reader_that_goes_is_forgotten(running: Any, read: Callable[..., Reader]) -> None:
    for last in (None, "-1"):
        reader = read(last=last)
        until(lambda: followers(running) == 1)
        reader.close()
        until(lambda: followers(running) == 0)


def test_a_slow_reader_is_told_what_it_missed(
    running: Any, read: Callable[..., Reader], origins: Any
) -> None:
    reader = read()
    reader.next()
    line = "x" * 20_000
    for _ in range(40):  # 800 kB each time: the socket's buffers fill, then the queue's 10,000 events
        running.add(origins.web, *[line] * 400)
    running.call(lambda: asyncio.sleep(0.1))
    running.add(origins.web, "last")
    kinds: list[str] = []
    seen = dropped = 0
    while seen + dropped < 16_001:
        message = reader.next()
        kinds.append(message.kind)
        seen += message.kind == "log"
        dropped += message.data["dropped"] if message.kind == "dropped" else 0
    assert dropped > 0 and seen > 0
    assert seen + dropped == 16_001


def test_a_store_that_fails_breaks_the_stream_off(
    running: Any, read: Callable[..., Reader], origins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise StoreUnavailable("gone")

    running.add(origins.web, "a")
    monkeypatch.setattr(running.house.store, "search", fail)
    with pytest.raises(httpx.RemoteProtocolError):
        read(last="-1").rest()


def test_stopping_ends_all_streams(running: Any, read: Callable[..., Reader], origins: Any) -> None:
    running.add(origins.web, "a")
    live, resumed = read(), read(last="-1")
    live.next()
    assert texts([resumed.next()]) == ["a"]
    running.stop(patience=3)
    assert [live.rest(), resumed.rest()] == [[], []]
    assert followers(running) == 0


def test_stopping_does_not_wait_for_a_reader_that_sleeps(
    running: Any, read: Callable[..., Reader], origins: Any
) -> None:
    read().next()
    for _ in range(20):
        running.add(origins.web, *["x" * 20_000] * 400)
    running.call(lambda: asyncio.sleep(0.2))
    running.stop(patience=4)
    assert followers(running) == 0
