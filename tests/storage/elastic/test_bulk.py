"""Bulk bodies and a server that answers as a test says: nothing is lost, and nobody waits for a bad one."""

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from parsers.event import Event
from storage.elastic import bulk as elastic_bulk
from storage.elastic import parcel as elastic_parcel
from storage.elastic.bulk import MAX_ASIDE, Delivery
from storage.elastic.client import Busy, Refused
from storage.elastic.pace import FLOOR_BYTES, START_BYTES
from storage.metrics import Metrics
from storage.store import Rejection, StoreUnavailable
from tests.storage.elastic_events import deep, event

EVENTS = [event(n) for n in range(4)]
Answer = Callable[[list[str]], Any]


def item(name: str, status: int) -> dict[str, Any]:
    verdict: dict[str, Any] = {"_id": name, "status": status}
    if status >= 300:
        verdict["error"] = {"type": "document_parsing_exception", "reason": "because"}
    return {"create": verdict}


def says(*statuses: int) -> Answer:
    """These verdicts on the documents of a body."""

    def answer(ids: list[str]) -> bytes:
        items = [item(name, status) for name, status in zip(ids, statuses, strict=True)]
        return json.dumps({"errors": any(status != 201 for status in statuses), "items": items}).encode()

    return answer


class Script:
    """Answers bulk bodies in turn; the last answer stays. Keeps the ids of every body."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[list[str]] = []
        self.documents: list[dict[str, Any]] = []

    async def __call__(self, body: bytes, _packed: bool) -> bytes:
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
    return bytes(says(*[201] * len(ids))(ids))


def away(_: list[str]) -> Exception:
    return StoreUnavailable("gone")


def one_bad(name: str, problem: Answer) -> Answer:
    """A body with this document gets the problem, every other one is stored."""
    return lambda ids: problem(ids) if name in ids else all_good(ids)


async def nothing_known(events: Sequence[Event], _: str | None) -> Sequence[Event]:
    return events


def delivery(
    script: Script,
    rejected: list[Rejection],
    absent: Callable[[Sequence[Event], str | None], Awaitable[Sequence[Event]]] = nothing_known,
) -> Delivery:
    return Delivery(script, absent, rejected.extend, Metrics())


async def begin(made: Delivery, events: Sequence[Event] = EVENTS, index: str | None = "one") -> asyncio.Event:
    """Hand a body over as a sender does; what is returned is set when all of it has its verdict."""
    done = asyncio.Event()
    await made.deliver(events, b"".join(map(made.writer.line, events)), index, done=done.set)
    return done


async def deliver(made: Delivery, events: Sequence[Event] = EVENTS, index: str | None = "one") -> None:
    async with asyncio.timeout(20):
        await (await begin(made, events, index)).wait()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes at once; what was waited for is kept."""
    waited: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    async def rest(_woken: asyncio.Event, _least: float, seconds: float) -> None:
        await pause(seconds)

    monkeypatch.setattr(asyncio, "sleep", pause)
    monkeypatch.setattr(elastic_bulk, "rest", rest)
    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    return waited


def no_rejections() -> list[Rejection]:
    return []


def value(made: Delivery, name: str, **labels: str) -> float | None:
    return made._metrics.registry.get_sample_value(f"logdock_{name}", labels)


IDS = [each.id for each in EVENTS]


async def test_only_items_that_were_too_many_go_again() -> None:
    script = Script(says(201, 429, 201, 503), all_good)
    await deliver(made := delivery(script, rejected := no_rejections()))
    assert script.sent == [IDS, [IDS[1], IDS[3]]]
    assert rejected == []
    assert value(made, "elasticsearch_retries_total", reason="busy") == 2


async def test_a_refused_document_goes_again_without_its_fields_then_to_quarantine() -> None:
    script = Script(says(201, 400, 201, 201), says(400))
    events = [EVENTS[0], event(1, fields=deep(30)), *EVENTS[2:]]
    await deliver(made := delivery(script, rejected := no_rejections()), events)
    assert script.sent == [IDS, [IDS[1]]]
    assert "fields" in script.documents[1]["docker"]
    assert "fields" not in script.documents[4]["docker"]
    assert [(each.event, each.reason) for each in rejected] == [(events[1], "refused")]
    assert "because" in rejected[0].message
    assert made.health.available
    assert value(made, "rejected_total", reason="refused") == 1
    assert value(made, "elasticsearch_degraded_total") == 0


async def test_a_degraded_document_is_no_rejection() -> None:
    script = Script(says(400, 429, 201, 201), all_good)
    await deliver(made := delivery(script, rejected := no_rejections()))
    assert script.sent == [IDS, IDS[:2]]
    assert script.documents[4]["logdock"]["marks"] == ["origin"]
    assert "marks" not in script.documents[5]["logdock"]
    assert rejected == []
    assert value(made, "elasticsearch_degraded_total") == 1


async def test_a_document_is_rejected_on_its_second_refusal_only_whatever_else_goes_again() -> None:
    script = Script(says(400, 429, 201, 201), says(429, 429), says(400, 201))
    await deliver(delivery(script, rejected := no_rejections()))
    assert script.sent == [IDS, IDS[:2], IDS[:2]]
    assert [each.event for each in rejected] == EVENTS[:1]


# Whose fault it is, and who waits for it


def waits(gate: threading.Event) -> None:
    """A quarantine that takes nothing before the gate is open."""
    assert gate.wait(20)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - it looks from outside
            await asyncio.sleep(0)


async def test_a_sender_does_not_wait_for_a_bad_document() -> None:
    """Not for its second attempt, and not for a quarantine that does not take it."""
    script, taken = Script(says(201, 400, 201, 201), says(400), all_good), threading.Event()
    made = Delivery(script, nothing_known, lambda _: waits(taken), Metrics())
    first = await begin(made)
    second = await begin(made, [event(n) for n in range(4, 8)])
    await until(second.is_set)
    assert not first.is_set()
    taken.set()
    await until(first.is_set)


async def test_senders_wait_when_too_much_is_seen_to_aside() -> None:
    open_gate = threading.Event()
    script = Script(lambda ids: says(*[400] * len(ids))(ids))
    made = Delivery(script, nothing_known, lambda _: waits(open_gate), Metrics())
    for number in range(MAX_ASIDE):
        await begin(made, [event(number)])
    waiting = asyncio.create_task(begin(made, [event(99)]))
    for _ in range(200):
        await asyncio.sleep(0)
    assert not waiting.done()
    open_gate.set()
    await until((await waiting).is_set)
    await until(lambda: made._aside == 0)


async def test_while_the_server_is_at_fault_the_sender_waits() -> None:
    for problem in (away, says(429, 201, 201, 201), says(201, 201, 403, 404)):
        script = Script(*[problem] * 3, lambda ids: all_good(ids))
        if problem is not away:
            script.answers = [problem, away, away, all_good]
        done = await begin(delivery(script, []))
        assert done.is_set()
        assert len(script.sent) == 4


async def test_a_body_that_only_fails_itself_is_cut_down_to_the_event_and_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as one that something between here and there answers with 403 because of what it says."""
    monkeypatch.setattr(elastic_parcel, "STUCK_SECONDS", 0.0)
    script = Script(one_bad(IDS[2], away))
    made = delivery(script, rejected := no_rejections())
    bad = asyncio.create_task(begin(made))
    done = [await begin(made, [event(number)]) for number in range(10, 200)]
    async with asyncio.timeout(20):
        while not rejected:
            done.append(await begin(made, [event(10 + len(done))]))
        await (await bad).wait()
    assert all(each.is_set() for each in done)
    assert [(each.event, each.reason) for each in rejected] == [(EVENTS[2], "undeliverable")]
    stored = {name for ids in script.sent if IDS[2] not in ids for name in ids}
    assert set(IDS) - stored == {IDS[2]}


async def test_a_document_at_which_the_server_fails_is_refused_after_some_tries() -> None:
    def fails(ids: list[str]) -> bytes:
        return bytes(says(*[500 if name == IDS[1] else 201 for name in ids])(ids))

    script = Script(fails)
    made = delivery(script, rejected := no_rejections())
    done = await begin(made)
    async with asyncio.timeout(10):
        while not done.is_set():
            await begin(made, [event(10 + len(script.sent))])
            await asyncio.sleep(0)
    assert [(each.event, each.reason) for each in rejected] == [(EVENTS[1], "refused")]


async def test_a_server_that_fails_at_everything_refuses_nothing() -> None:
    broken: Answer = lambda ids: says(*[500] * len(ids))(ids)  # noqa: E731
    script = Script(*[broken] * 40, all_good)
    done = await begin(delivery(script, rejected := no_rejections()))
    assert done.is_set()
    assert (rejected, len(script.sent)) == ([], 41)


async def test_random_failures_reject_nothing() -> None:
    """Half of all requests, of every kind, for hundreds of bodies."""
    import random

    chance = random.Random(5)
    problems: list[Answer] = [
        away, lambda _: Busy("429"), lambda _: Refused(413, "no"), lambda _: Refused(400, "odd"),
        lambda _: Refused(404, "none"), lambda _: b"<html>", lambda ids: says(*[500] * len(ids))(ids),
        lambda ids: says(*[429] * len(ids))(ids),
    ]  # fmt: skip
    stored: set[str] = set()

    def answer(ids: list[str]) -> Any:
        if chance.random() < 0.5:
            return chance.choice(problems)(ids)
        stored.update(ids)
        return all_good(ids)

    made = delivery(Script(answer), rejected := no_rejections())
    events = [event(n) for n in range(600)]
    async with asyncio.timeout(60):
        done = await asyncio.gather(*(begin(made, events[n : n + 6]) for n in range(0, 600, 6)))
        await asyncio.gather(*(each.wait() for each in done))
    assert rejected == []
    assert stored == {each.id for each in events}


async def test_an_unexpected_error_ends_no_delivery(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(lambda _: RuntimeError("a defect"), all_good)
    await deliver(made := delivery(script, no_rejections()))
    assert script.sent == [IDS, IDS]
    assert "could not deliver 4 events" in caplog.text
    assert made.health.available


async def test_no_answer_means_the_same_again_for_as_long_as_it_takes(no_pause: list[float]) -> None:
    script = Script(*[away] * 12, all_good)
    await deliver(made := delivery(script, []))
    assert script.sent == [IDS] * 13
    assert made.health.available
    assert [wait for wait in no_pause if wait][:3] == [0.1, 0.2, 0.4]
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


@pytest.mark.parametrize(
    ("status", "stored"), [(500, True), (503, True), (504, True), (408, True), (429, False)]
)
async def test_an_item_that_may_be_stored_all_the_same_is_looked_up(status: int, stored: bool) -> None:
    """After 429 it is certainly not. After the others `create` again would double it across a roll-over."""
    asked: list[list[str]] = []

    async def known(events: Sequence[Event], _: str | None) -> Sequence[Event]:
        asked.append([event.id for event in events])
        return []

    script = Script(says(201, status, 201, 201), all_good)
    await deliver(delivery(script, [], known))
    second = [EVENTS[1].id]
    assert (asked, script.sent[1:]) == (([second], []) if stored else ([], [second]))


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
    assert sorted(ids for ids in script.sent if len(ids) == 1) == sorted([name] for name in IDS)
    assert made.body_bytes == FLOOR_BYTES
    assert rejected == []


async def test_a_single_event_that_is_too_large_is_rejected_after_a_few_answers() -> None:
    large = event(2, message="x" * 2 * FLOOR_BYTES)
    script = Script(one_bad(IDS[2], lambda _: Refused(413, "too large")))
    made = delivery(script, rejected := no_rejections())
    await deliver(made, [*EVENTS[:2], large, EVENTS[3]])
    assert [(each.event, each.reason) for each in rejected] == [(large, "too_large")]
    assert script.sent.count([IDS[2]]) == elastic_parcel.LARGE_TRIES
    assert value(made, "rejected_total", reason="too_large") == 1


async def test_a_body_far_above_the_pace_is_cut_before_it_is_sent() -> None:
    made = delivery(script := Script(all_good), no_rejections())
    made.pace.body_bytes = FLOOR_BYTES
    await deliver(made, [event(n, message="x" * FLOOR_BYTES) for n in range(8)])
    assert max(map(len, script.sent)) == 1
    assert made.pace.body_bytes < START_BYTES


async def test_a_refused_request_is_tried_again(no_pause: list[float]) -> None:
    script = Script(lambda _: Refused(404, "no such index"), all_good)
    await deliver(delivery(script, rejected := no_rejections()))
    assert (script.sent, rejected) == ([IDS, IDS], [])
    assert any(no_pause)


async def test_an_answer_that_says_nothing_means_look_up_and_again() -> None:
    asked: list[int] = []

    async def absent(events: Sequence[Event], _: str | None) -> Sequence[Event]:
        asked.append(len(events))
        return events[1:]

    script = Script(lambda ids: all_good(ids[::-1]), all_good)
    await deliver(delivery(script, [], absent))
    assert script.sent == [IDS, IDS[1:]]
    assert asked == [4]


async def test_what_was_all_there_already_means_that_the_server_is_back() -> None:
    async def absent(_events: Sequence[Event], _: str | None) -> Sequence[Event]:
        return []

    await deliver(made := delivery(Script(away), [], absent))
    assert made.health.available


# The quarantine


async def test_a_rejection_waits_for_the_quarantine_and_is_counted_once() -> None:
    tries: list[int] = []

    def full_at_first(rejections: Sequence[Rejection]) -> None:
        tries.append(len(rejections))
        if len(tries) < 4:
            raise OSError("disk full")

    script = Script(says(201, 400, 201, 201), says(400))
    made = Delivery(script, nothing_known, full_at_first, Metrics())
    await deliver(made)
    assert tries == [1, 1, 1, 1]
    assert value(made, "rejected_total", reason="refused") == 1


async def test_an_event_that_cannot_be_rendered_is_rejected_alone() -> None:
    broken = event(1, level=object())
    made = delivery(Script(all_good), rejected := no_rejections())
    bodies, place = [], 0
    while place < 3:
        body, place = await made.render([EVENTS[0], broken, EVENTS[2]], place, 1 << 20)
        bodies.append(body)
    assert bodies == [made.writer.line(EVENTS[0]), b"", made.writer.line(EVENTS[2])]
    assert [(each.event, each.reason) for each in rejected] == [(broken, "unencodable")]


async def test_what_is_put_back_is_looked_up_and_refusals_are_returned() -> None:
    looked: list[str | None] = []

    async def absent(events: Sequence[Event], index: str | None) -> Sequence[Event]:
        looked.append(index)
        return [each for each in events if each.id != IDS[0]]

    broken = event(9, level=object())
    script = Script(says(201, 400, 201), says(400))
    made = delivery(script, rejected := no_rejections(), absent)
    refused = await made.put_back([*EVENTS, broken])
    assert {(each.event.id, each.reason) for each in refused} == {
        (IDS[2], "refused"), (broken.id, "unencodable"),
    }  # fmt: skip
    assert script.sent == [IDS[1:], [IDS[2]]]
    assert (looked, rejected) == ([None], [])
    assert made._aside == 0


async def test_putting_back_gives_up_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic_bulk, "PUT_BACK_SECONDS", -1.0)
    made = delivery(Script(away), [])
    with pytest.raises(StoreUnavailable, match="gone"):
        await made.put_back(EVENTS)
    assert made.health.available  # it is the senders that say whether it is


async def test_closing_ends_what_is_on_its_way() -> None:
    async def never(_body: bytes, _packed: bool) -> bytes:
        await asyncio.Event().wait()
        return b""

    made = Delivery(never, nothing_known, no_rejections().extend, Metrics())
    sending = asyncio.create_task(begin(made))
    await until(lambda: bool(made._tasks))
    await made.close()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert not made._tasks
