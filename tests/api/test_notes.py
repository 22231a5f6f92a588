from typing import Any

import pytest

from api import notes
from api.notes import NOTHING_YET, explain, origins_only
from storage.expression import Text
from storage.query import ContainerRef, Query


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


def test_origins_only() -> None:
    query = Query(
        services=("a",), hosts=("h",), labels=(("k", None),), tag="t", containers=(ContainerRef("i"),)
    )
    narrowed = Query(
        services=("a",), hosts=("h",), labels=(("k", None),), tag="t", containers=(ContainerRef("i"),),
        since=1, until=2, levels=("info",), streams=("stdout",), text=Text("x"), limit=3,
    )  # fmt: skip
    assert origins_only(narrowed) == query
