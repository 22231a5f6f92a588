from typing import Any

import httpx
import pytest

from storage.counts import Facets, Histogram, ValueCount
from tests.api.test_routes_logs import problem

SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
async def _lines(house: Any, origins: Any) -> None:
    await house.add(origins.web, "web 1", "web 2", stream="stdout", level="info")
    await house.add(origins.db, "db 1 failed", stream="stderr", level="error", fields={"status": 500})
    await house.add(origins.other_web, "web 3", stream="stdout")


async def test_a_histogram_is_the_contracts(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/api/v1/histogram", params={"by": "level", "buckets": "2"})
    assert answer.status_code == 200
    assert answer.json() == {
        "interval": "2s",
        "buckets": [
            {"start": "2026-11-24T01:00:00.000000000Z", "count": 2, "by": {"info": 2}},
            {"start": "2026-11-24T01:00:02.000000000Z", "count": 2, "by": {"": 1, "error": 1}},
        ],
        "exact": True,
        "notes": [],
    }


async def test_facets_are_the_contracts(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/api/v1/facets", params={"field": "service", "limit": "1"})
    assert answer.json() == {
        "values": [{"value": "web", "count": 3}],
        "exact": True,
        "notes": ["1 more value with fewer lines, 1 in all, not listed here"],
    }


@pytest.mark.parametrize(
    ("query", "counts"),
    [
        ("", [1, 1, 1, 1]),
        ("?service=web", [1, 1, 0, 1]),
        ("?container=abab", [1, 1]),
        ("?container=/shop-db-1&level=error&stream=stderr", [1]),
        ("?label=com.example/team=shop", [1, 1]),
        ("?q=web -1", [1, 0, 1]),
        ("?since=2026-11-24T01:00:01Z&until=2026-11-24T01:00:04.5Z", [1, 1, 1, 0]),
        ("?since=1h", [1, 1, 1, 1]),
        ("?limit=1&order=asc", [1, 1, 1, 1]),
    ],
)
async def test_the_same_questions_as_for_lines(ask: httpx.AsyncClient, query: str, counts: list[int]) -> None:
    answer = await ask.get(f"/api/v1/histogram{query}")
    found = [bucket["count"] for bucket in answer.json()["buckets"]]
    assert found[: len(counts)] == counts and not any(found[len(counts) :])
    assert all(bucket["by"] == {} for bucket in answer.json()["buckets"])
    facets = (await ask.get(f"/api/v1/facets{query or '?'}&field=host".replace("?&", "?"))).json()
    assert sum(value["count"] for value in facets["values"]) == sum(counts)


async def test_a_cursor_is_taken_for_its_time(ask: httpx.AsyncClient) -> None:
    page = (await ask.get("/api/v1/logs", params={"since": "1h", "limit": "1"})).json()
    query = {"since": "1h", "cursor": page["next"]}
    answer = (await ask.get("/api/v1/histogram", params=query)).json()
    assert sum(bucket["count"] for bucket in answer["buckets"]) == 4


@pytest.mark.parametrize(
    ("path", "parameter", "text"),
    [
        ("/histogram?by=", "by", "name what to count by"),
        ("/histogram?by=label.", "by", "label. needs a name"),
        ("/histogram?by=" + "x" * 300, "by", "1 to 256 characters"),
        ("/histogram?by=level&by=host", "by", "more than once"),
        ("/histogram?buckets=0", "buckets", "from 1 to 1000"),
        ("/histogram?buckets=1001", "buckets", "from 1 to 1000"),
        ("/histogram?buckets=many", "buckets", "from 1 to 1000"),
        ("/histogram?buckets=1&buckets=2", "buckets", "more than once"),
        ("/histogram?bucket=3", "bucket", "no such parameter"),
        ("/histogram?field=level", "field", "no such parameter"),
        ("/histogram?level=loud", "level", "none of"),
        ("/histogram?container=ab", "container", "ambiguous"),
        ("/histogram?cursor=x", "cursor", "not a cursor"),
        ("/histogram?limit=0", "limit", "whole number"),
        ("/facets", "field", "is missing"),
        ("/facets?field=%20", "field", "name what to count by"),
        ("/facets?field=level&field=host", "field", "more than once"),
        ("/facets?field=level&limit=0", "limit", "from 1 to 1000"),
        ("/facets?field=level&limit=1001", "limit", "from 1 to 1000"),
        ("/facets?field=level&by=level", "by", "no such parameter"),
        ("/facets?field=level&since=2026-11-24&until=2025-11-24", "since", "after until"),
    ],
)
async def test_wrong_questions(ask: httpx.AsyncClient, path: str, parameter: str, text: str) -> None:
    error = problem(await ask.get(f"/api/v1{path}"), 400)
    assert error["parameter"] == parameter and text in error["message"]


async def test_what_an_empty_answer_says(ask: httpx.AsyncClient, house: Any) -> None:
    house.notes.append("a standing warning")
    answer = (await ask.get("/api/v1/histogram?service=wbe&since=1h&until=1m&buckets=3")).json()
    assert [bucket["count"] for bucket in answer["buckets"]] == [0] * len(answer["buckets"]) != []
    assert answer["notes"] == [
        "a standing warning", "no service 'wbe' was ever seen", "did you mean web?"
    ]  # fmt: skip
    answer = (await ask.get("/api/v1/facets?field=level&container=nobody")).json()
    assert answer["values"] == [] and answer["exact"]
    assert "no container 'nobody' was ever seen here" in answer["notes"][0]


@pytest.mark.parametrize(
    ("path", "note"),
    [
        ("/histogram?by=levle", ["no line of these has a parsed field 'levle': did you mean level?"]),
        ("/facets?field=nothing", ["no line of these has a parsed field 'nothing'"]),
        ("/facets?field=status", []),
        ("/facets?field=stage", ["no line of these has a parsed field 'stage': did you mean label.stage?"]),
        ("/histogram?by=label.stage", []),
        ("/histogram?by=label.stag", ["no label 'stag' was ever seen", "did you mean stage?"]),
    ],
)
async def test_a_name_that_nothing_has(ask: httpx.AsyncClient, path: str, note: list[str]) -> None:
    assert (await ask.get(f"/api/v1{path}")).json()["notes"] == note


async def test_an_estimate_of_nothing_is_not_explained_as_nothing(
    ask: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> Any:
        return Facets((), exact=False, notes=("estimates",))

    monkeypatch.setattr(house.store, "facets", nothing)
    answer = (await ask.get("/api/v1/facets?field=level&q=zzz")).json()
    assert (answer["exact"], answer["notes"]) == (False, ["estimates"])


async def test_what_is_not_exact_says_so(
    ask: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def some(*_: object) -> Any:
        return Histogram(SECOND, exact=False, notes=("estimates",))

    async def values(*_: object) -> Any:
        return Facets((ValueCount("a", 2),), exact=False, notes=("estimates",))

    monkeypatch.setattr(house.store, "histogram", some)
    monkeypatch.setattr(house.store, "facets", values)
    answer = (await ask.get("/api/v1/histogram")).json()
    assert answer["exact"] is False and answer["notes"][0] == "estimates"
    answer = (await ask.get("/api/v1/facets?field=level")).json()
    assert (answer["exact"], answer["notes"]) == (False, ["estimates"])
