"""What is logged when Elasticsearch takes nothing, and how often."""

import logging

import pytest

from storage.elastic.health import REPEAT_SECONDS, Health, Reporter, kind


@pytest.fixture(autouse=True)
def level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "logdock.storage")


def test_every_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    health = Health()
    assert (health.available, health.bad_for) == (True, 0.0)
    for why in ("gone", "gone", "busy", "busy 2", "busy 3"):
        health.bad(why)
    assert (health.available, health.last_error, health.bad_for > 0) == (False, "busy 3", True)
    health.good()
    health.good()
    assert [record.getMessage() for record in caplog.records] == [
        "Elasticsearch takes no events, will try again: gone",
        "Elasticsearch takes no events, will try again: busy",
        "Elasticsearch takes no events, will try again: busy 2",
        "Elasticsearch takes events again",
    ]


def test_a_reason_is_logged_again_after_a_while_with_a_count(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter, now = Reporter(), 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    for number in range(5):
        reporter.report("refused", f"[1:{number}] failed to parse in document with id '{number}'")
    reporter.report("refused", "another reason")
    now += REPEAT_SECONDS
    reporter.report("refused", "[1:9] failed to parse in document with id '9'")
    assert [record.getMessage() for record in caplog.records] == [
        "refused: [1:0] failed to parse in document with id '0'",
        "refused: another reason",
        "refused: [1:9] failed to parse in document with id '9' (and 4 times more since it was last told)",
    ]


def test_kinds_are_the_same_whatever_the_document_holds() -> None:
    first = "document_parsing_exception: [1:512] failed to parse field [a] of type [long]: 'x' 17"
    second = "document_parsing_exception: [1:9] failed to parse field [a] of type [long]: 'other' 4"
    assert kind(first) == kind(second)
    assert kind(first) != kind(first.replace("[a]", "[b]"))
    assert len(kind("y" * 1000)) < 200
