"""Parameters as Docker reads them."""

from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.requests import Request

from api.docker import params
from api.docker.errors import DockerError
from storage.times import MAX_TIME, MIN_TIME

SECOND = 1_000_000_000


def request(**query: Any) -> Request:
    text = urlencode(query, doseq=True)
    return Request({"type": "http", "query_string": text.encode(), "headers": [], "path": "/"})


@pytest.mark.parametrize("text", ["", "0", "no", "false", "none", " No ", "FALSE", "NONE"])
def test_words_for_no(text: str) -> None:
    assert not params.boolean(request(follow=text), "follow")


@pytest.mark.parametrize("text", ["1", "true", "True", "yes", "2", "off", "nope"])
def test_anything_else_is_yes(text: str) -> None:
    assert params.boolean(request(follow=text), "follow")


def test_the_first_of_several_values_counts() -> None:
    assert params.value(request(tail=["1", "2"]), "tail") == "1"
    assert params.value(request(), "tail") == ""


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("1700000000", 1_700_000_000 * SECOND),
        ("1700000000.5", 1_700_000_000 * SECOND + 500_000_000),
        ("1700000000.123456789", 1_700_000_000 * SECOND + 123_456_789),
        ("1700000000.12345678999", 1_700_000_000 * SECOND + 123_456_789),
        ("-5", -5 * SECOND),
        ("9999999999999999999", MAX_TIME),
        ("-9999999999999999999", MIN_TIME),
    ],
)
def test_times(text: str, nanoseconds: int) -> None:
    assert params.time("since", text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["10m", "2026-11-24T01:00:00Z", "1.", ".5", "1e9", "1.2.3", " 1", "٣", "x" * 5000]
)
def test_clients_turn_every_other_form_into_seconds(text: str) -> None:
    with pytest.raises(DockerError, match='"since"') as caught:
        params.time("since", text)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "tail"),
    [("", None), ("all", None), ("-1", None), ("x", None), ("1.5", None), ("0", 0), ("+7", 7), ("007", 7)],
)
def test_what_is_no_count_is_all_of_a_container(text: str, tail: int | None) -> None:
    assert params.log_options(request(stdout=1, tail=text)).tail == tail


def test_a_number_that_go_cannot_hold_is_none() -> None:
    assert params.integer("9" * 30) is None
    assert params.integer("9" * 5000) is None
    assert params.integer("-9223372036854775808") == -(2**63)


def test_services_are_stricter() -> None:
    assert params.service_log_options(request(stdout=1, tail="all")).tail is None
    assert params.service_log_options(request(stdout=1, tail="3")).tail == 3
    with pytest.raises(DockerError, match='positive integer or "all"'):
        params.service_log_options(request(stdout=1, tail="x"))
    with pytest.raises(DockerError, match="negative tail values not supported"):
        params.service_log_options(request(stdout=1, tail="-1"))


def test_until_is_not_of_services_and_0_is_no_end() -> None:
    assert params.log_options(request(stdout=1, until="0")).until is None
    assert params.log_options(request(stdout=1, until="5")).until == 5 * SECOND
    assert params.service_log_options(request(stdout=1, until="5")).until is None


def test_a_stream_must_be_chosen() -> None:
    with pytest.raises(DockerError, match="you must choose at least one stream"):
        params.log_options(request(stdout=0))
    options = params.log_options(request(stderr=1, follow=1, timestamps=1, details=1, since=3))
    assert options == params.LogOptions(False, True, True, True, True, None, 3 * SECOND, None)
