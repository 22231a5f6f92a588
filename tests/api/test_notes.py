from typing import Any

import pytest
from msgspec.structs import replace

from api import notes
from api.notes import NOTHING_YET, explain, origins_only
from storage.expression import Text
from storage.grammar import parse
from storage.query import ContainerRef, Query
from tests.api.conftest import START


async def test_a_new_server_says_how_to_begin(house: Any) -> None:
    assert await explain(house.store, ["web"], Query(services=("x",))) == [NOTHING_YET]


async def test_what_was_meant(house: Any, origins: Any) -> None:
    await house.add(origins.web, "x")
    await house.add(origins.db, "x")
    query = Query(services=("dbb", "web"))
    assert await explain(house.store, ["shop-db-2", "shop-web-1"], query) == [
        "did you mean shop-db-1 or shop-web-1?",
        "no service 'dbb' was ever seen",
        "did you mean db?",
    ]


async def test_nothing_is_said_twice(house: Any, origins: Any) -> None:
    await house.add(origins.web, "x")
    query = Query(containers=(ContainerRef(name="zzzz"),))
    assert await explain(house.store, ["zzzz"], query, ["no container 'zzzz' was ever seen"]) == []


async def test_only_so_many_names_are_looked_into(
    house: Any, origins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.add(origins.web, "x")
    monkeypatch.setattr(notes, "MAX_EXPLAINED", 2)
    assert len(await explain(house.store, [], Query(services=("q1", "q2", "q3", "q4")))) == 2


async def test_a_parameter_written_as_a_field(house: Any, origins: Any) -> None:
    await house.add(origins.web, "a", level="error")
    told = await explain(house.store, [], Query(text=parse("level:error OR -status:1 a -a")))
    assert told[1:] == ["level: in q means a parsed field of that name; level= is a parameter"]


async def test_what_each_filter_left(house: Any, origins: Any) -> None:
    await house.add(origins.web, "a", "b", level="info")
    await house.add(origins.web, "c", level="error", stream="stderr")
    await house.add(origins.db, "d", level="error", stream="stdout")
    begin, end = "there are 3 lines up to 2026-11-24T01:00:02.000000000Z", START + 1_000_000_000
    web = Query(services=("web",))
    for query, told in [
        (Query(text=Text("z")), "; of them q leaves none"),
        (Query(levels=("error",), text=Text("z")), "; of them level leaves 1, q leaves none"),
        (Query(levels=("warn",), text=Text("z")), "; of them level leaves none"),
        (
            Query(since=START, until=end, levels=("info",), streams=("stdout",), text=Text("z")),
            "; of them the time asked for leaves 2, level leaves 2, stream leaves none",
        ),
    ]:
        asked = replace(query, services=web.services)
        assert await explain(house.store, [], asked) == [begin + told]


def test_origins_only() -> None:
    query = Query(
        services=("a",), hosts=("h",), labels=(("k", None),), tag="t", containers=(ContainerRef("i"),)
    )
    narrowed = Query(
        services=("a",), hosts=("h",), labels=(("k", None),), tag="t", containers=(ContainerRef("i"),),
        since=1, until=2, levels=("info",), streams=("stdout",), text=Text("x"), limit=3,
    )  # fmt: skip
    assert origins_only(narrowed) == query
