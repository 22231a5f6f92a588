from typing import Any

import msgspec
import pytest

from storage.elastic.docs import LAST_TIME
from storage.elastic.dsl import MAX_LITERAL, after_cursor, body, candidates, origin_filters, reference, sort
from storage.elastic.template import IGNORE_ABOVE
from storage.expression import Field, Not, Regex, Text
from storage.grammar import parse
from storage.query import ContainerRef, Cursor, Query

MINE = "00aa00aa00aa00aa"
TOKENS = {"term": {"logdock.marks": {"value": "tokens"}}}
FIELDS = {"term": {"logdock.marks": {"value": "fields"}}}
ORIGIN = {"term": {"logdock.marks": {"value": "origin"}}}


def either(*conditions: Any) -> dict[str, Any]:
    return {"bool": {"should": list(conditions), "minimum_should_match": 1}}


def both(*conditions: Any) -> dict[str, Any]:
    return {"bool": {"filter": list(conditions)}}


def part(pattern: str) -> dict[str, Any]:
    return {"wildcard": {"message": {"value": pattern}}}


def whole(token: str) -> dict[str, Any]:
    return {"term": {"message": {"value": token}}}


def start(token: str) -> dict[str, Any]:
    return {"prefix": {"message": {"value": token}}}


def indexed(kind: str, name: str, value: str) -> dict[str, Any]:
    return {kind: {f"docker.fields.{name}": {"value": value, "case_insensitive": True}}}


def present(name: str) -> dict[str, Any]:
    return {"exists": {"field": f"docker.fields.{name}"}}


def query_of(query: Query) -> Any:
    return body(query, MINE, 10, None)["query"]


def test_no_condition_asks_for_everything() -> None:
    asked = body(Query(), MINE, 101, None)
    assert (asked["size"], asked["query"]) == (101, {"match_all": {}})
    assert "search_after" not in asked


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        (Query(services=("web", "api")), {"terms": {"service.name": ["web", "api"]}}),
        (Query(hosts=("h",)), {"terms": {"host.name": ["h"]}}),
        (Query(streams=("stderr",)), {"terms": {"log.iostream": ["stderr"]}}),
        (Query(levels=("error", "fatal")), {"terms": {"log.level": ["error", "fatal"]}}),
        (Query(containers=(ContainerRef(id="ab"),)), {"terms": {"container.id": ["ab"]}}),
        (
            Query(containers=(ContainerRef(id="ab"), ContainerRef(name="web"))),
            either({"terms": {"container.id": ["ab"]}}, {"terms": {"container.name": ["web"]}}),
        ),
        (Query(tag="docker.web"), {"term": {"docker.tag": {"value": "docker.web"}}}),
        (Query(tag="docker.*"), either({"prefix": {"docker.tag": {"value": "docker."}}}, ORIGIN)),
        (Query(labels=(("a.b", "c"),)), either({"term": {"container.labels.a.b": {"value": "c"}}}, ORIGIN)),
        (Query(labels=(("a", None),)), either({"exists": {"field": "container.labels.a"}}, ORIGIN)),
        (
            Query(after_offset=7),
            both({"term": {"logdock.journal": {"value": MINE}}}, {"range": {"logdock.offset": {"gt": 7}}}),
        ),
        (Query(since=1), {"range": {"@timestamp": {"gte": "1970-01-01T00:00:00.000000001Z"}}}),
        (Query(until=-5), {"range": {"@timestamp": {"lte": "1970-01-01T00:00:00.000000000Z"}}}),
    ],
)
def test_filters(query: Query, condition: Any) -> None:
    assert query_of(query) == condition


LONG = "x" * (IGNORE_ABOVE + 1)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        (Query(services=("web", LONG)), {"match_all": {}}),
        (Query(containers=(ContainerRef(name=LONG), ContainerRef(id="ab"))), {"match_all": {}}),
        (Query(tag=LONG), ORIGIN),
        (Query(tag="*"), {"match_all": {}}),
        (Query(labels=(("a", LONG),)), ORIGIN),
        (Query(labels=(("", "x"),)), {"match_all": {}}),
        (Query(labels=(("a..b", "x"),)), {"match_all": {}}),
        (Query(labels=(("a*", None),)), {"match_all": {}}),
        (Query(since=0), {"match_all": {}}),
        (Query(since=-9), {"match_all": {}}),
        (Query(until=LAST_TIME), {"match_all": {}}),
        (Query(text=Regex("x[0-9]")), {"match_all": {}}),
    ],
)
def test_what_the_index_cannot_tell_is_not_asked(query: Query, condition: Any) -> None:
    assert query_of(query) == condition


@pytest.mark.parametrize(
    ("q", "condition"),
    [
        ("Error", part("*error*")),
        ("conn_refused", both(part("*refused*"), part("*conn*"))),
        ('"a timeout b"', both(whole("timeout"), part("*a"), start("b"))),
        ('" x"', start("x")),
        ('"x\t"', part("*x")),
        ('"x\u202fy"', both(part("*x*"), part("*y*"))),  # white space that joins
        ("한글로그", part("*한글로그*")),
        ("äerr", part("*err*")),
    ],
)  # fmt: skip
def test_text_is_parts_of_tokens(q: str, condition: Any) -> None:
    assert candidates(parse(q)) == either(condition, TOKENS)


@pytest.mark.parametrize("q", ["--", "日本", "-error", "/a.*b/", "error OR 日本", "-(a b)", "ok OR -bad"])
def test_what_has_no_literal_must_be_read(q: str) -> None:
    assert candidates(parse(q)) is None


def test_a_word_narrows_what_else_must_be_read() -> None:
    assert candidates(parse("error -timeout /x+/")) == either(part("*error*"), TOKENS)


def test_all_and_any() -> None:
    error, slow = either(part("*error*"), TOKENS), either(part("*slow*"), TOKENS)
    assert candidates(parse("error slow")) == both(error, slow)
    assert candidates(parse("error OR slow")) == either(error, slow)


def test_never_the_opposite_of_a_wide_condition() -> None:
    assert candidates(Not(Text("error"))) is None
    assert candidates(Not(Field("a", "=", "b"))) is None


def test_only_the_longest_runs_of_a_long_text() -> None:
    asked = candidates(Text("-".join("a" * n for n in range(1, 40))))
    assert asked is not None
    assert len(asked["bool"]["should"][0]["bool"]["filter"]) == 8


@pytest.mark.parametrize(
    ("field", "condition"),
    [
        (Field("a.b", "=", "web"), indexed("term", "a.b", "web")),
        (Field("a", "prefix", "we"), indexed("prefix", "a", "we")),
        (Field("a", "=", "12ms"), indexed("term", "a", "12ms")),
        (Field("a", "=", "502"), present("a")),  # 502.0 and 5.02e2 are written otherwise
        (Field("a", "prefix", "1.5e"), present("a")),
        (Field("a", "prefix", "-"), present("a")),
        (Field("a", "prefix", ""), present("a")),
        (Field("a", ">", "5"), present("a")),
        (Field("a", "=", "ä"), present("a")),
        (Field("a", "=", LONG), present("a")),
    ],
)  # fmt: skip
def test_fields(field: Field, condition: Any) -> None:
    assert candidates(field) == either(condition, FIELDS)


def test_a_path_that_no_field_name_can_be_is_read() -> None:
    assert candidates(Field("a..b", "=", "x")) is None


CURSOR = Cursor(1_795_500_000_000_000_001, 7, f"{MINE}.1f.0", 9, 400, "desc")


def test_later_pages_stay_under_the_ceiling_of_the_own_journal_only() -> None:
    ours = {"range": {"logdock.offset": {"lte": 400}}}
    others = {"bool": {"must_not": [{"term": {"logdock.journal": {"value": MINE}}}]}}
    assert query_of(Query(cursor=CURSOR)) == either(ours, others)


def test_a_cursor_is_a_place_in_the_order() -> None:
    assert after_cursor(CURSOR) == [1_795_500_000_000_000_001, 0, 7, MINE]
    assert after_cursor(msgspec.structs.replace(CURSOR, timestamp=-5)) == [0, -5, 7, MINE]
    assert after_cursor(msgspec.structs.replace(CURSOR, timestamp=LAST_TIME)) == [
        LAST_TIME,
        LAST_TIME,
        7,
        MINE,
    ]
    assert after_cursor(msgspec.structs.replace(CURSOR, order="arrival")) == [9, MINE]
    assert body(Query(cursor=CURSOR), MINE, 5, [1, 0, 2, "j"])["search_after"] == [1, 0, 2, "j"]
    for order in ("desc", "arrival"):
        asked = Query(order=order, cursor=msgspec.structs.replace(CURSOR, order=order))
        assert len(sort(asked)) == len(body(asked, MINE, 5, None)["search_after"])


def test_a_reference_is_a_name_or_the_beginning_of_an_id() -> None:
    name, begins = (
        {"term": {"container.name": {"value": "ab"}}},
        {"prefix": {"container.id": {"value": "ab"}}},
    )
    assert reference("ab") == [either(name, begins)]
    assert reference(LONG) == []


def test_lists_are_filtered_by_origin_only() -> None:
    asked = Query(services=("web",), levels=("error",), text=Text("x"), since=5, after_offset=3)
    assert origin_filters(asked) == [{"terms": {"service.name": ["web"]}}]


LONG, CUT = "x" * 2000, "x" * MAX_LITERAL


@pytest.mark.parametrize(
    ("q", "condition"),
    [
        (LONG, part(f"*{CUT}*")),
        (f'" {LONG}"', start(CUT)),
        (f'" {LONG} "', start(CUT)),
        (f'"y{LONG} "', part(f"*{CUT}")),
    ],
)
def test_no_literal_is_longer_than_elasticsearch_takes(q: str, condition: Any) -> None:
    assert candidates(parse(q)) == either(condition, TOKENS)


def test_no_prefix_or_name_is_longer_than_elasticsearch_takes() -> None:
    cut = {"prefix": {"docker.tag": {"value": CUT}}}
    assert query_of(Query(tag=f"{LONG[:1000]}*")) == either(cut, ORIGIN)
    assert query_of(Query(labels=((LONG, None),))) == {"match_all": {}}
    assert candidates(Field("s", "=", LONG[:1000])) == either(indexed("prefix", "s", CUT), FIELDS)
    assert reference(LONG[:1000])[0]["bool"]["should"][1] == {"prefix": {"container.id": {"value": CUT}}}


def test_a_regex_is_looked_for_by_the_texts_it_must_have() -> None:
    assert candidates(Regex("Lost [0-9]+|gone")) == candidates(parse('"lost " OR gone'))
    assert candidates(Regex("Lost [0-9]+|x*")) is None
