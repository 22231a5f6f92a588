"""Parameters to queries and back, cursors, and what each filter means."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.event import Container, make_origin
from storage.cursor import Cursor
from storage.expression import Text
from storage.query import (
    ContainerRef,
    Query,
    QueryError,
    decode_cursor,
    encode_cursor,
    matches,
    matches_origin,
    matching,
    to_params,
)
from tests.storage.factories import FULL_ID, ORIGIN, SECOND, TIME, event, origin

NOW = 1_795_500_000_123_456_789
PLACE = Cursor(TIME, 7, "j.1.0", 9, 12, "desc")


def asked(*params: tuple[str, str]) -> Query:
    return Query.from_params(params, NOW)


def refusal(*params: tuple[str, str]) -> QueryError:
    with pytest.raises(QueryError) as problem:
        asked(*params)
    return problem.value


# Parameters


def test_nothing_asked_is_the_newest_hundred() -> None:
    query = asked()
    assert (query.limit, query.order, query.since, query.cursor) == (100, "desc", None, None)


def test_every_parameter() -> None:
    query = asked(
        ("container", "web"), ("container", "/api"), ("service", "shop"), ("host", "node-a"),
        ("stream", "stderr"), ("level", "error"), ("level", "FATAL"), ("label", "a=b=c"), ("label", "d"),
        ("label", "e="), ("tag", "docker.*"), ("q", "Timeout"), ("since", "1h"),
        ("until", "1795500000.123456789"), ("limit", "7"), ("order", "asc"),
    )  # fmt: skip
    assert query == Query(
        services=("shop",),
        hosts=("node-a",),
        streams=("stderr",),
        levels=("error", "fatal"),
        labels=(("a", "b=c"), ("d", None), ("e", None)),
        tag="docker.*",
        text=Text("timeout"),
        since=NOW - 3600 * SECOND,
        until=NOW,
        limit=7,
        order="asc",
        container_refs=("web", "/api"),
        fingerprint=query.fingerprint,
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("sinc", "1h", "did you mean since?"),
        ("containers", "x", "did you mean container?"),
        ("zzz", "x", "known are"),
        ("container", "", "empty"),
        ("q", " ", "empty"),
        ("label", "=x", "key=value"),
        ("level", "warning", "did you mean warn?"),
        ("level", "err", "trace, debug, info, warn, error, fatal"),
        ("stream", "stdin", "stdout, stderr"),
        ("order", "arrival", "desc, asc"),
        ("limit", "0", "from 1 to 10000"),
        ("limit", "10001", "from 1 to 10000"),
        ("limit", "-1", "from 1 to 10000"),
        ("limit", "1.5", "from 1 to 10000"),
        ("limit", "²", "from 1 to 10000"),
        ("limit", "9" * 5000, "from 1 to 10000"),
        ("since", "yesterday", "not a time"),
        ("until", "2026-13-01", "no such time"),
        ("q", "(a", "without its )"),
        ("cursor", "abc", "next"),
        ("service", "x" * 9000, "too much"),
    ],
)
def test_refusals(name: str, value: str, told: str) -> None:
    problem = refusal((name, value))
    assert problem.parameter == name
    assert told in str(problem)


@pytest.mark.parametrize("name", ["q", "since", "until", "limit", "order", "cursor", "tag"])
def test_single_parameters_given_twice(name: str) -> None:
    assert "more than once" in str(refusal((name, "1"), (name, "1")))


def test_unknown_parameters_have_their_own_code() -> None:
    assert refusal(("by", "level")).code == "unknown_parameter"


def test_since_after_until() -> None:
    assert refusal(("since", "1h"), ("until", "2h")).parameter == "since"
    assert asked(("since", "1h"), ("until", "1h")).since == NOW - 3600 * SECOND


def test_too_many_values() -> None:
    assert "too much" in str(refusal(*[("service", str(n)) for n in range(1001)]))


def test_repetitions_count_once() -> None:
    assert asked(("level", "info"), ("level", "INFO"), ("service", "a"), ("service", "a")).levels == ("info",)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "container": st.text(min_size=1),
            "service": st.text(min_size=1),
            "label": st.from_regex(r"[a-z.]+(=[^\0]*)?", fullmatch=True),
            "tag": st.text(min_size=1),
            "q": st.sampled_from(['a "b c" OR -/x/', "status:>=500 -x:*", '"\\"\\\\"']),
            "since": st.integers(-(2**62), 0).map(lambda ns: f"{ns // SECOND}.5"),
            "until": st.sampled_from(["90m", "2026-11-24T01:02:03.000000001Z", "9999-12-31"]),
            "limit": st.integers(1, 10_000).map(str),
            "order": st.sampled_from(["asc", "desc"]),
        },
    )
)
def test_to_params_means_the_same(params: dict[str, str]) -> None:
    params = {name: value for name, value in params.items() if value.strip()}
    query = asked(*params.items())
    again = Query.from_params(to_params(query), NOW + SECOND)
    assert msgspec.structs.replace(again, fingerprint=query.fingerprint) == query


def test_to_params_of_resolved_containers() -> None:
    query = Query(containers=(ContainerRef(id=FULL_ID), ContainerRef(name="web")))
    assert to_params(query)[:2] == [("container", FULL_ID), ("container", "web")]


def test_to_params_cannot_say_arrival() -> None:
    with pytest.raises(ValueError, match="arrival"):
        to_params(Query(order="arrival"))


def test_to_params_cannot_say_an_empty_label() -> None:
    with pytest.raises(ValueError, match="any value"):
        to_params(Query(labels=(("a", ""),)))


# Cursors


def test_a_cursor_goes_on_with_the_same_question() -> None:
    first = asked(("service", "web"), ("since", "15m"), ("limit", "5"))
    token = encode_cursor(PLACE, first)
    later = Query.from_params(
        [("limit", "9"), ("since", "15m"), ("service", "web"), ("cursor", token)], NOW + SECOND
    )
    assert later.cursor == PLACE
    assert later.since == first.since  # "15m" ago, as the first page understood it
    assert later.limit == 9


@pytest.mark.parametrize(
    "params",
    [[], [("service", "api")], [("service", "web"), ("level", "info")],
     [("service", "web"), ("order", "asc")], [("service", "web"), ("since", "2h")],
     [("service", "web"), ("service", "api")]],
)  # fmt: skip
def test_a_cursor_of_another_question_is_refused(params: list[tuple[str, str]]) -> None:
    token = encode_cursor(PLACE, asked(("service", "web")))
    problem = refusal(*params, ("cursor", token))
    assert (problem.parameter, "another question" in str(problem)) == ("cursor", True)


def test_order_desc_need_not_be_said_again() -> None:
    token = encode_cursor(PLACE, asked(("order", "desc")))
    assert asked(("cursor", token)).cursor == PLACE


def test_a_cursor_is_safe_in_an_address() -> None:
    token = encode_cursor(msgspec.structs.replace(PLACE, id="ÿþ\U0010ffff" * 9), asked())
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@given(st.data())
def test_no_changed_cursor_is_taken(data: st.DataObject) -> None:
    token = encode_cursor(PLACE, asked())
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AZaz09-_=+/ \n").filter(lambda c: c != token[place]))
    for changed in (
        token[:place] + other + token[place + 1 :],
        token[:place] + token[place + 1 :],
        token + other,
    ):
        with pytest.raises(QueryError) as problem:
            decode_cursor(changed, asked())
        assert problem.value.parameter == "cursor"


@given(st.text(max_size=40) | st.text(max_size=2000))
def test_any_text_is_a_cursor_or_a_refusal(text: str) -> None:
    with pytest.raises(QueryError):
        decode_cursor(text, asked())


# What filters mean

OTHER = make_origin(Container(None, "other"), "node-b")


@pytest.mark.parametrize(
    ("query", "ours", "others"),
    [
        (Query(), True, True),
        (Query(containers=(ContainerRef(id=FULL_ID),)), True, False),
        (Query(containers=(ContainerRef(name="shop-web-1"),)), True, False),
        (Query(containers=(ContainerRef(name="x"), ContainerRef(name="other"))), False, True),
        (Query(containers=(ContainerRef(id=FULL_ID[:12]),)), False, False),
        (Query(containers=(ContainerRef(),)), False, False),
        (Query(services=("x", "web")), True, False),
        (Query(hosts=("node-b",)), False, True),
        (Query(labels=(("com.docker.compose.service", "web"),)), True, False),
        (Query(labels=(("com.docker.compose.service", None),)), True, False),
        (Query(labels=(("com.docker.compose.service", ""),)), False, False),
        (Query(labels=(("com.docker.compose.service", "web"), ("x", None))), False, False),
        (Query(tag="docker.web.0123456789ab"), True, False),
        (Query(tag="docker.web"), False, False),
        (Query(tag="docker.*"), True, False),
        (Query(tag="*"), True, False),
        (Query(hosts=("node-a",), services=("x",)), False, False),
    ],
)
def test_origin_filters(query: Query, ours: bool, others: bool) -> None:
    assert (matches_origin(query, ORIGIN), matches_origin(query, OTHER)) == (ours, others)
    assert matches(query, event()) is ours


def test_an_empty_label_is_a_label() -> None:
    labelled = origin(labels={"": "", "b": ""})
    assert matches_origin(Query(labels=(("b", ""), ("", None))), labelled)


def place(order: Any, **changes: Any) -> Cursor:
    line = event(5)
    cursor = Cursor(line.timestamp, line.sequence, line.id, line.offset, 10**9, order)
    return msgspec.structs.replace(cursor, **changes)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(since=TIME + 5 * SECOND), True),
        (Query(since=TIME + 5 * SECOND + 1), False),
        (Query(until=TIME + 5 * SECOND), True),
        (Query(until=TIME + 5 * SECOND - 1), False),
        (Query(levels=("warn", "error")), True),
        (Query(levels=("info",)), False),
        (Query(streams=("stdout",)), True),
        (Query(streams=("stderr",)), False),
        (Query(after_offset=4), True),
        (Query(after_offset=5), False),
        (Query(text=Text("line 5")), True),
        (Query(text=Text("line 6")), False),
        (Query(cursor=place("desc")), False),
        (Query(cursor=place("asc")), False),
        (Query(cursor=place("arrival")), False),
        (Query(cursor=place("desc", sequence=6)), True),
        (Query(cursor=place("asc", sequence=6)), False),
        (Query(cursor=place("asc", sequence=4)), True),
        (Query(cursor=place("desc", timestamp=TIME)), False),
        (Query(cursor=place("asc", timestamp=TIME)), True),
        (Query(cursor=place("desc", id="\U0010ffff")), True),
        (Query(cursor=place("asc", id="")), True),
        (Query(cursor=place("arrival", offset=4)), True),
        (Query(cursor=place("arrival", id="")), True),
    ],
)
def test_line_filters(query: Query, expected: bool) -> None:
    assert matches(query, event(5, level="error")) is expected


def test_lines_without_level_or_stream_are_none_of_them() -> None:
    assert not matches(Query(levels=("info",)), event(level=None))
    assert not matches(Query(streams=("stdout",)), event(stream=None))


def test_matching_keeps_the_order_given() -> None:
    lines = [event(3), event(1, origin=OTHER), event(2), event(0, "no")]
    assert matching(Query(services=("web",), text=Text("line")), lines) == [lines[0], lines[2]]
