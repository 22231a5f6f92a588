"""What Elasticsearch can judge by itself. That it judges right is shown by the contract, on a real one."""

from typing import Any

import pytest

from storage.elastic.certain import Terms, certain, origin_filters, possible, unknown_fields, whole_fields
from storage.elastic.dsl import MAX_LITERAL, neither
from storage.elastic.template import IGNORE_ABOVE
from storage.grammar import parse
from storage.query import ContainerRef, Query

TOKENS = {"term": {"logdock.marks": {"value": "tokens"}}}
FIELDS = {"term": {"logdock.marks": {"value": "fields"}}}


def part(word: str) -> dict[str, Any]:
    found = {"wildcard": {"message": {"value": f"*{word}*"}}}
    return {"bool": {"filter": [found, neither([TOKENS])]}}


def indexed(kind: str, name: str, *forms: str) -> dict[str, Any]:
    found = [{kind: {f"docker.fields.{name}": {"value": form}}} for form in forms]
    return found[0] if len(found) == 1 else {"bool": {"should": found, "minimum_should_match": 1}}


@pytest.mark.parametrize(
    ("q", "condition"),
    [
        ("timeout", part("timeout")),
        ("502", part("502")),
        ('"timed out"', None),
        ("time-out", None),
        ("straße", None),
        ("x" * MAX_LITERAL, part("x" * MAX_LITERAL)),
        ("x" * (MAX_LITERAL + 1), None),
        ("/timeout/", None),
        ("path:/healthz", indexed("term", "path", "/HEALTHZ", "/healthz")),
        ("path:/api*", indexed("prefix", "path", "/API", "/api")),
        ("verb:get", indexed("term", "verb", "GET", "Get", "get")),
        ("path:/_", indexed("term", "path", "/_")),
        ("path:*", {"exists": {"field": "docker.fields.path"}}),
        ("status:502", None),
        ("status:5*", None),
        ("status:>=500", None),
        ("name:straße", None),
        ('empty:""', None),
        ("a..b:x", None),
        ("timeout get", {"bool": {"filter": [part("timeout"), part("get")]}}),
        ("timeout /x/", None),
        ("timeout OR /x/", part("timeout")),
        ("/x/ OR /y/", None),
        ("-/x/", None),
        ("-status:502", neither([{"bool": {"should": [{"exists": {"field": "docker.fields.status"}}, FIELDS],
                                           "minimum_should_match": 1}}])),
    ],
)  # fmt: skip
def test_what_is_certain(q: str, condition: Any) -> None:
    assert certain(parse(q)) == condition


@pytest.mark.parametrize(
    ("q", "condition"),
    [
        ("-timeout", neither([part("timeout")])),
        ("-/x/", None),
        ("/x/ -timeout", neither([part("timeout")])),
        ("/x/ OR -timeout", None),
        ("-(timeout OR get)", neither([{"bool": {"should": [part("timeout"), part("get")],
                                                 "minimum_should_match": 1}}])),
    ],
)  # fmt: skip
def test_what_is_possible_without_something(q: str, condition: Any) -> None:
    assert possible(parse(q)) == condition


def test_fields_whose_terms_were_looked_up() -> None:
    """Numbers are compared as values, letters in any case, and written in any way: their terms tell."""
    asked = parse("status:>=500 path:/_ -took:<1.5")
    fields = unknown_fields(asked)
    assert {field.path for field in fields} == {"status", "took"}
    known = {field: Terms(["a"], ["b"]) for field in fields}
    hit, wide = ({"terms": {"docker.fields.status": terms}} for terms in (["a"], ["a", "b"]))
    took, all_took = ({"terms": {"docker.fields.took": terms}} for terms in (["a"], ["a", "b"]))
    either = [{"bool": {"should": [one, FIELDS], "minimum_should_match": 1}} for one in (wide, all_took)]
    path = indexed("term", "path", "/_")
    assert certain(asked, known) == {"bool": {"filter": [hit, path, neither([either[1]])]}}
    assert possible(asked, known) == {
        "bool": {"filter": [either[0], possible(parse("path:/_")), neither([took])]}
    }
    assert unknown_fields(parse("path:/_ path:* a..b:>1 a..b:x timeout /x/")) == set()
    assert {field.value for field in unknown_fields(parse("path:/x path:y*"))} == {"/x", "y"}


LONG = "x" * (IGNORE_ABOVE + 1)


@pytest.mark.parametrize(
    ("query", "conditions"),
    [
        (Query(), []),
        (Query(services=("web",), hosts=("a", "b")), [{"terms": {"service.name": ["web"]}},
                                                      {"terms": {"host.name": ["a", "b"]}}]),
        (Query(containers=(ContainerRef(name="web"),)), [{"terms": {"container.name": ["web"]}}]),
        (Query(labels=(("team", None),)), [{"exists": {"field": "container.labels.team"}}]),
        (Query(labels=(("team", "a"),)), [{"term": {"container.labels.team": {"value": "a"}}}]),
        (Query(tag="*"), [{"exists": {"field": "docker.tag"}}]),
        (Query(tag="d.*"), [{"prefix": {"docker.tag": {"value": "d."}}}]),
        (Query(tag="d"), [{"term": {"docker.tag": {"value": "d"}}}]),
        (Query(services=(LONG,)), None),
        (Query(containers=(ContainerRef(name=LONG),)), None),
        (Query(labels=(("team", LONG),)), None),
        (Query(labels=(("a..b", "c"),), hosts=("a",)), None),
        (Query(tag=LONG), None),
        (Query(services=("\U0001f680" * 600,)), None),
    ],
)  # fmt: skip
def test_who_printed_a_line(query: Query, conditions: Any) -> None:
    assert origin_filters(query) == conditions


def test_fields_that_have_no_name_are_only_known_to_be_missing() -> None:
    assert whole_fields("status") == neither([FIELDS])
    assert whole_fields("a..b") == neither([FIELDS, {"exists": {"field": "docker.fields"}}])
