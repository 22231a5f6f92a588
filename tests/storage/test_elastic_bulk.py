import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from parsers.event import Event
from storage import elastic_bulk
from storage.elastic_bulk import Delivery, outcome
from storage.elastic_client import Refused
from storage.elastic_queue import BODY_BYTES
from storage.metrics import Metrics
from storage.store import Rejection, StoreUnavailable
from tests.storage.elastic_events import deep, event

EVENTS = [event(n) for n in range(4)]
Answer = Callable[[list[str]], Any]


def item(status: int, reason: str = "because") -> dict[str, Any]:
    verdict: dict[str, Any] = {"status": status}
    if status >= 300:
        verdict["error"] = {"type": "some_exception", "reason": reason}
    return {"create": verdict}


def reply(*statuses: int) -> bytes:
    failed = any(status != 201 for status in statuses)
    return json.dumps({"errors": failed, "items": [item(status) for status in statuses]}).encode()


@pytest.mark.parametrize(
    ("statuses", "again", "refused"),
    [
        ((201, 201, 201), [], []),
        ((201, 409, 200), [], []),
        ((201, 429, 503), [1, 2], []),
        ((400, 201, 400), [], [0, 2]),
        ((403, 404, 500), [0, 1, 2], []),  # blocked, gone, broken: the server's state, not the document's
    ],
)
def test_verdicts(statuses: tuple[int, ...], again: list[int], refused: list[int]) -> None:
    result = outcome(reply(*statuses), 3)
    assert (result.again, sorted(result.refused)) == (again, refused)


def test_a_reply_without_errors_is_not_read() -> None:
    assert outcome(b'{"errors":false,"items":[what', 3) == elastic_bulk.Outcome()


@pytest.mark.parametrize("said", [b"", b"<html>", b"[]", b'{"errors":true}', reply(201, 429)])
def test_what_is_no_reply_for_these_events_means_later(said: bytes) -> None:
    with pytest.raises(StoreUnavailable):
        outcome(said, 3)


def test_a_reason_has_its_cause_in_one_line() -> None:
    refused = item(400, "line\nbreak")
    refused["create"]["error"]["caused_by"] = {"type": "x", "reason": "the\ncause"}
    said = {"errors": True, "items": [refused]}
    assert outcome(json.dumps(said).encode(), 1).refused == {0: "some_exception: line break (the cause)"}


class Script:
    """Answers bulk bodies in turn; the last answer stays. Keeps the ids of every body."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[list[str]] = []
        self.documents: list[dict[str, Any]] = []

    async def __call__(self, body: bytes) -> bytes:
        lines = [json.loads(line) for line in body.splitlines()]
        ids = [line["create"]["_id"] for line in lines[::2]]
        self.sent.append(ids)
        self.documents += lines[1::2]
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answered = answer(ids)
        if isinstance(answered, Exception):
            raise answered
        return bytes(answered)


def all_good(ids: list[str]) -> bytes:
    return reply(*[201] * len(ids))


def away(_: list[str]) -> Exception:
    return StoreUnavailable("gone")


async def nothing_known(events: Sequence[Event], _: str | None) -> Sequence[Event]:
    return events


def delivery(
    script: Script,
    rejected: list[Rejection],
    absent: Callable[[Sequence[Event], str | None], Awaitable[Sequence[Event]]] = nothing_known,
) -> Delivery:
    return Delivery(script, absent, rejected.extend, Metrics())


async def deliver(made: Delivery, events: Sequence[Event] = EVENTS, index: str | None = "one") -> None:
    await made.deliver(events, b"".join(map(made.writer.line, events)), index)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes at once; what was waited for is kept."""
    waited: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", pause)
    return waited


def no_rejections() -> list[Rejection]:
    return []


IDS = [each.id for each in EVENTS]


async def test_only_items_that_were_too_many_go_again() -> None:
    script = Script(lambda _: reply(201, 429, 201, 503), all_good)
    await deliver(delivery(script, rejected := no_rejections()))
    assert script.sent == [IDS, [IDS[1], IDS[3]]]
    assert rejected == []


async def test_a_refused_document_goes_again_without_its_fields_then_to_quarantine() -> None:
    script = Script(lambda _: reply(201, 400, 201, 201), lambda _: reply(400))
    events = [EVENTS[0], event(1, fields=deep(30)), *EVENTS[2:]]
    await deliver(made := delivery(script, rejected := no_rejections()), events)
    assert script.sent == [IDS, [IDS[1]]]
    assert "fields" in script.documents[1]["docker"]
    assert "fields" not in script.documents[4]["docker"]
    assert [(each.event, each.reason) for each in rejected] == [(events[1], "refused")]
    assert "because" in rejected[0].message
    assert made.health.available


async def test_a_degraded_document_is_no_rejection() -> None:
    script = Script(lambda _: reply(400, 429, 201, 201), all_good)
    await deliver(delivery(script, rejected := no_rejections()))
    assert script.sent == [IDS, IDS[:2]]
    assert script.documents[4]["logdock"]["marks"] == ["origin"]
    assert "marks" not in script.documents[5]["logdock"]
    assert rejected == []


async def test_a_document_is_rejected_on_its_second_refusal_only_whatever_else_goes_again() -> None:
    script = Script(lambda _: reply(400, 429, 201, 201), lambda _: reply(429, 429), lambda _: reply(400, 201))
    await deliver(delivery(script, rejected := no_rejections()))
    assert script.sent == [IDS, IDS[:2], IDS[:2]]
    assert [each.event for each in rejected] == EVENTS[:1]


async def test_no_answer_means_the_same_again_for_as_long_as_it_takes(no_pause: list[float]) -> None:
    script = Script(*[away] * 12, all_good)
    await deliver(made := delivery(script, []))
    assert script.sent == [IDS] * 13
    assert made.health.available
    assert no_pause[:3] == [0.1, 0.2, 0.4]
    assert max(no_pause) == elastic_bulk.LAST_PAUSE


async def test_health_says_why_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seen: list[tuple[bool, str | None]] = []
    made = delivery(script := Script(away), [])

    def then_good(ids: list[str]) -> bytes:
        seen.append((made.health.available, made.health.last_error))
        return all_good(ids)

    script.answers = [away, away, away, then_good]
    await deliver(made)
    assert seen == [(False, "gone")]
    assert [record.message for record in caplog.records] == [
        "Elasticsearch takes no events, will try again: gone",
        "Elasticsearch takes events again",
    ]


async def test_after_no_answer_only_what_is_missing_goes_again() -> None:
    asked: list[tuple[int, str | None]] = []

    async def two_are_there(events: Sequence[Event], index: str | None) -> Sequence[Event]:
        asked.append((len(events), index))
        return events[2:]

    script = Script(away, all_good)
    await deliver(delivery(script, [], two_are_there))
    assert script.sent == [IDS, IDS[2:]]
    assert asked == [(4, "one")]


async def test_nothing_goes_again_before_it_could_be_looked_up() -> None:
    looks = iter([StoreUnavailable("still gone"), Refused(400, "odd"), None])

    async def absent(_events: Sequence[Event], _: str | None) -> Sequence[Event]:
        if look := next(looks):
            raise look
        return []

    script = Script(away)
    await deliver(delivery(script, [], absent))
    assert script.sent == [IDS]


async def test_a_body_that_is_too_large_is_halved_and_later_ones_are_smaller() -> None:
    def at_most_one(ids: list[str]) -> Any:
        return Refused(413, "too large") if len(ids) > 1 else all_good(ids)

    script = Script(at_most_one)
    await deliver(made := delivery(script, rejected := no_rejections()))
    assert [ids for ids in script.sent if len(ids) == 1] == [[name] for name in IDS]
    assert made.body_bytes == BODY_BYTES // 8
    assert rejected == []


async def test_a_single_event_that_is_too_large_is_rejected() -> None:
    script = Script(lambda ids: Refused(413, "too large") if IDS[2] in ids else all_good(ids))
    await deliver(made := delivery(script, rejected := no_rejections()))
    assert [(each.event, each.reason) for each in rejected] == [(EVENTS[2], "too_large")]
    assert sum(sample.value for sample in made_samples(made)) == 1


def made_samples(made: Delivery) -> list[Any]:
    family = next(iter(made._metrics.rejected.collect()))
    return [sample for sample in family.samples if sample.name.endswith("_total")]


async def test_a_refused_request_is_tried_again(no_pause: list[float]) -> None:
    script = Script(lambda _: Refused(404, "no such index"), all_good)
    await deliver(delivery(script, rejected := no_rejections()))
    assert (script.sent, rejected, len(no_pause)) == ([IDS, IDS], [], 1)


async def test_an_event_that_cannot_be_rendered_is_rejected_alone() -> None:
    broken = event(1, level=object())
    made = delivery(Script(all_good), rejected := no_rejections())
    bodies, place = [], 0
    while place < 3:
        body, place = made.render([EVENTS[0], broken, EVENTS[2]], place, 1 << 20)
        bodies.append(body)
    assert bodies == [made.writer.line(EVENTS[0]), b"", made.writer.line(EVENTS[2])]
    assert [(each.event, each.reason) for each in rejected] == [(broken, "unencodable")]
