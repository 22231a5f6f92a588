"""Which bulk replies are believed, and what they mean."""

import json
from typing import Any

import pytest

from storage.elastic.reply import Outcome, Unbelievable, outcome
from tests.storage.elastic_events import event

EVENTS = [event(n) for n in range(3)]
IDS = [each.id for each in EVENTS]


def item(
    name: str, status: int, kind: str = "document_parsing_exception", reason: str = "because"
) -> dict[str, Any]:
    verdict: dict[str, Any] = {"_id": name, "status": status}
    if status >= 300:
        verdict["error"] = {"type": kind, "reason": reason}
    return {"create": verdict}


def reply(*statuses: int, ids: list[str] = IDS, errors: bool | None = None) -> bytes:
    failed = any(status != 201 for status in statuses) if errors is None else errors
    items = [item(name, status) for name, status in zip(ids, statuses, strict=True)]
    return json.dumps({"errors": failed, "items": items}, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("statuses", "again", "doubtful", "refused"),
    [
        ((201, 201, 201), [], [], []),
        ((201, 409, 200), [], [], []),
        ((201, 429, 503), [1, 2], [], []),
        ((400, 201, 400), [], [], [0, 2]),
        ((403, 404, 401), [0, 1, 2], [], []),  # blocked, gone, not let in: the server's state
        ((500, 201, 599), [], [0, 2], []),
    ],
)
def test_verdicts(
    statuses: tuple[int, ...], again: list[int], doubtful: list[int], refused: list[int]
) -> None:
    result = outcome(reply(*statuses), EVENTS)
    assert (list(result.again), list(result.doubtful), list(result.refused)) == (again, doubtful, refused)
    assert result.busy == (429 in statuses)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("index_closed_exception", "closed"),
        ("resource_already_exists_exception", "index [x] already exists"),
        ("validation_exception", "Validation Failed: 1: this action would add [2] shards"),
        ("illegal_argument_exception", "pipeline with id [p] does not exist"),
        ("cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)];"),
    ],
)
def test_a_state_of_the_server_with_status_400_is_no_fault_of_the_document(kind: str, reason: str) -> None:
    said = {"errors": True, "items": [item(IDS[0], 400, kind, reason)]}
    result = outcome(json.dumps(said).encode(), EVENTS[:1])
    assert (list(result.again), result.refused) == ([0], {})
    assert reason[:20] in result.why


@pytest.mark.parametrize(
    ("kind", "reason", "refused"),
    [
        ("illegal_argument_exception", "unknown index sort field:[container.id]", False),
        ("some_exception", "because", False),
        ("illegal_argument_exception", 'Document contains at least one immense term in field="a"', True),
        ("strict_dynamic_mapping_exception", "not allowed", True),
    ],
)
def test_a_400_that_may_hold_for_every_document_is_doubtful(kind: str, reason: str, refused: bool) -> None:
    said = {"errors": True, "items": [item(IDS[0], 400, kind, reason)]}
    result = outcome(json.dumps(said).encode(), EVENTS[:1])
    assert (list(result.refused), list(result.doubtful)) == (([0], []) if refused else ([], [0]))


def test_nothing_but_created_is_read_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.elastic.reply._reply", None)
    assert outcome(reply(201, 201, 201), EVENTS) == Outcome()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"<html><body>all good</body></html>",
        b"[]",
        b"{}",
        b'{"errors":true}',
        b'{"errors":false}',
        b'{"errors":false,"items":[]}',
        reply(201, 201, 201)[:-3],
        reply(201, 201, 201)[:-40],
        reply(201, 429, 201)[:-2],
        reply(201, 429, ids=IDS[:2]),
        reply(201, 201, ids=IDS[:2]),
        reply(201, 201, 201, 201, ids=[*IDS, "x"]),
        reply(201, 201, 201, ids=IDS[::-1]),
        reply(201, 429, 201, ids=IDS[::-1]),
        reply(201, 201, 201, ids=["a", "b", "c"]),
        reply(201, 400, 201, ids=[IDS[0], "other", IDS[2]]),
        json.dumps({"errors": False, "items": [{"create": {"status": 201}}] * 3}).encode(),
        json.dumps({"errors": False, "items": [{"index": {"status": 201}}] * 3}).encode(),
    ],
)
def test_what_is_no_reply_for_these_events_tells_nothing(said: bytes) -> None:
    with pytest.raises(Unbelievable):
        outcome(said, EVENTS)


def test_errors_false_beside_an_error_is_read_to_its_end() -> None:
    result = outcome(reply(201, 429, 201, errors=False), EVENTS)
    assert list(result.again) == [1]


def test_a_reason_has_its_cause_in_one_line() -> None:
    refused = item(IDS[0], 400, reason="line\nbreak")
    refused["create"]["error"]["caused_by"] = {"type": "x", "reason": "the\ncause"}
    said = json.dumps({"errors": True, "items": [refused]}).encode()
    assert outcome(said, EVENTS[:1]).refused == {0: "400 document_parsing_exception: line break (the cause)"}
