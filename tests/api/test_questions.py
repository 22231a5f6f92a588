from typing import Any

import pytest
from starlette.requests import Request

from api.questions import ask, asked_count, next_token
from storage.query import ContainerRef, Page, QueryError


@pytest.fixture
def request_of(app: Any) -> Any:
    def make(query: str) -> Request:
        return Request({"type": "http", "app": app, "query_string": query.encode(), "headers": []})

    return make


async def test_paths_and_parameters_make_one_query(request_of: Any, house: Any, origins: Any) -> None:
    await house.add(origins.web, "x")
    question = await ask(request_of("level=error&limit=7"), [("container", "abab")])
    assert question.query.containers == (ContainerRef(id="ab" * 32),)
    assert (question.query.levels, question.query.limit, question.query.order) == (("error",), 7, "desc")
    assert (question.refs, question.notes) == (("abab",), ())


async def test_relative_times_count_from_the_clock(request_of: Any) -> None:
    query = (await ask(request_of("since=1h"))).query
    assert query.since == 1_795_482_000 * 10**9


async def test_a_routes_own_parameters(request_of: Any) -> None:
    assert (await ask(request_of("scope=all&q=x"), without={"scope"})).query.text is not None
    with pytest.raises(QueryError) as caught:
        await ask(request_of("scope=all"))
    assert caught.value.parameter == "scope"


async def test_a_routes_own_order(request_of: Any) -> None:
    assert (await ask(request_of(""), default_order="asc")).query.order == "asc"
    assert (await ask(request_of("order=desc"), default_order="asc")).query.order == "desc"


async def test_labels_of_path_and_parameter_must_both_hold(request_of: Any) -> None:
    question = await ask(request_of("label=a=1"), [("label", "b=2")])
    assert question.query.labels == (("b", "2"), ("a", "1"))


async def test_a_last_page_has_no_token(request_of: Any) -> None:
    assert next_token(await ask(request_of("")), Page([])) is None


@pytest.mark.parametrize(("query", "count"), [("", 20), ("n=0", 0), ("n=100", 100)])
def test_asked_count(request_of: Any, query: str, count: int) -> None:
    assert asked_count(request_of(query), "n", 20, 100) == count


@pytest.mark.parametrize("text", ["", "-1", "101", "1.0", "x", "\u0661", "1" * 99])
def test_what_is_no_count(request_of: Any, text: str) -> None:
    with pytest.raises(QueryError, match="is not a whole number from 0 up to 100"):
        asked_count(request_of(f"n={text}"), "n", 20, 100)
