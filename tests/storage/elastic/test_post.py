"""One request: compressed where it pays, at the pace that the answers ask for."""

import gzip
import json
from typing import Any

import pytest

from storage.elastic.client import Busy, TimedOut
from storage.elastic.pace import START_BYTES, Pace
from storage.elastic.post import MIN_PACKED_BYTES, PROBE_EVERY, SAMPLES, Compression, Post, compression
from storage.metrics import Metrics
from tests.storage.elastic_events import event

LARGE = MIN_PACKED_BYTES


def learnt(made: Compression, plain: float, packed: float) -> None:
    """So many seconds each."""
    for _ in range(SAMPLES):
        made.took(False, LARGE, plain)
        made.took(True, LARGE, packed)


def choices(made: Compression, count: int) -> list[bool]:
    return [made.wanted(LARGE) for _ in range(count)]


def test_both_are_tried_before_one_is_chosen() -> None:
    made = Compression("auto")
    tried = []
    for _ in range(2 * SAMPLES):
        tried.append(made.wanted(LARGE))
        made.took(tried[-1], LARGE, 1.0)
    assert tried == [False] * SAMPLES + [True] * SAMPLES


@pytest.mark.parametrize(
    ("plain", "packed", "chosen"), [(1.0, 0.2, True), (1.0, 0.9, False), (1.0, 3.0, False)]
)
def test_what_gets_through_quicker_is_chosen_and_the_other_probed(
    plain: float, packed: float, chosen: bool
) -> None:
    made = Compression("auto")
    learnt(made, plain, packed)
    assert choices(made, PROBE_EVERY) == [chosen] * (PROBE_EVERY - 1) + [not chosen]


def test_a_link_that_changes_changes_the_choice() -> None:
    made = Compression("auto")
    learnt(made, 1.0, 2.0)
    assert not made.wanted(LARGE)
    learnt(made, 9.0, 2.0)
    assert made.wanted(LARGE)


def test_small_bodies_are_neither_compressed_nor_counted() -> None:
    made = Compression("auto")
    learnt(made, 1.0, 0.1)
    assert not made.wanted(MIN_PACKED_BYTES - 1)
    for _ in range(SAMPLES):
        made.took(True, 10, 100.0)
    assert made.wanted(LARGE)
    assert not Compression("on").wanted(10)


@pytest.mark.parametrize(
    ("mode", "urls", "wanted"),
    [
        ("auto", "http://127.0.0.1:9200", False),
        ("auto", "http://localhost:9200, http://[::1]:9200", False),
        ("auto", "http://127.0.0.1:9200, https://es.example:9200", True),
        ("on", "http://127.0.0.1:9200", True),
        ("off", "https://es.example:9200", False),
    ],
)
def test_loopback_is_not_tried(mode: str, urls: str, wanted: bool) -> None:
    made = compression(mode, urls)
    for _ in range(SAMPLES):
        made.took(False, LARGE, 1.0)
    assert made.wanted(LARGE) == wanted


EVENTS = [event(n) for n in range(2)]
CREATED = [{"create": {"_id": each.id, "status": 201}} for each in EVENTS]
GOOD = json.dumps({"errors": False, "items": CREATED}, separators=(",", ":")).encode()


def post(answer: Any, pace: Pace, mode: str = "off", sent: list[Any] | None = None) -> Post:
    async def send(body: bytes, packed: bool) -> bytes:
        if sent is not None:
            sent.append((body, packed))
        if isinstance(answer, Exception):
            raise answer
        return bytes(answer)

    return Post(send, pace, Metrics(), Compression(mode))


async def test_a_compressed_body_is_the_same_body() -> None:
    sent: list[Any] = []
    body = b"x" * MIN_PACKED_BYTES
    await post(GOOD, Pace(1), "on", sent)(body, EVENTS)
    await post(GOOD, Pace(1), "off", sent)(body, EVENTS)
    assert gzip.decompress(sent[0][0]) == body
    assert [packed for _, packed in sent] == [True, False]


@pytest.mark.parametrize("error", [Busy("429"), TimedOut("120 s")])
async def test_failures_slow_it_down(error: Exception) -> None:
    pace = Pace(3)
    with pytest.raises(type(error)):
        await post(error, pace)(b"x" * START_BYTES, EVENTS)
    assert pace.body_bytes == START_BYTES // 2
    assert pace.allowed == (1 if isinstance(error, Busy) else 3)


async def test_an_item_with_429_slows_it_down_like_a_whole_body() -> None:
    pace, busy = Pace(3), GOOD.replace(b"201", b"429", 1).replace(b"false", b"true")
    await post(busy, pace)(b"x" * START_BYTES, EVENTS)
    assert (pace.body_bytes, pace.allowed) == (START_BYTES // 2, 1)


async def test_it_is_measured() -> None:
    pace, metrics = Pace(3), Metrics()

    async def send(_body: bytes, _packed: bool) -> bytes:
        assert metrics.registry.get_sample_value("logdock_elasticsearch_in_flight") == 1
        return GOOD

    await Post(send, pace, metrics, Compression())(b"x", EVENTS)
    value = metrics.registry.get_sample_value
    assert value("logdock_elasticsearch_in_flight") == 0
    assert value("logdock_elasticsearch_bulk_seconds_count") == 1
    assert value("logdock_elasticsearch_body_bytes") == START_BYTES
