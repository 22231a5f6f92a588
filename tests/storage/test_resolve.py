"""Which container a reference means."""

import pytest

from parsers.event import Container
from storage.memory import MemoryStore
from storage.query import ContainerRef, Query, QueryError
from storage.resolve import CANDIDATES_TOLD, choose, resolve
from tests.storage.factories import after, event, origin

A1, A2, B = "aa11" + "0" * 60, "aa22" + "0" * 60, "bb" + "0" * 62
LIVES = [Container(A1, "web"), Container(A2, "web"), Container(B, "aa")]


@pytest.mark.parametrize(
    ("ref", "candidates", "expected"),
    [
        ("web", LIVES[:2], ContainerRef(name="web")),  # two lives of one name are one stream
        (A1, LIVES[:1], ContainerRef(id=A1)),
        ("aa1", LIVES[:1], ContainerRef(id=A1)),
        ("aa", LIVES, ContainerRef(name="aa")),  # a name wins over an id prefix
        ("x", [Container(None, "x")], ContainerRef(name="x")),
        ("bb", [Container(B, "old"), Container(B, "new")], ContainerRef(id=B)),  # renamed: still one
        ("nothing", [], ContainerRef(name="nothing")),
        (B, [], ContainerRef(id=B)),
        (B[:12], [], ContainerRef(name=B[:12], start=B[:12])),  # as Docker shows it: may still come
        ("cafe", [], ContainerRef(name="cafe")),  # hexadecimal, and yet a name
        (B.upper(), [], ContainerRef(name=B.upper())),
    ],
)
def test_choice(ref: str, candidates: list[Container], expected: ContainerRef) -> None:
    assert choose(ref, candidates) == expected


def test_ambiguity_lists_the_candidates() -> None:
    with pytest.raises(QueryError) as problem:
        choose("aa1", LIVES)
    assert (problem.value.parameter, problem.value.code) == ("container", "ambiguous")
    assert A1 in str(problem.value)
    assert f"{A2} (web)" in str(problem.value)


def test_ambiguity_lists_only_so_many() -> None:
    many = [Container(f"aa{n:062x}", None) for n in range(50)]
    with pytest.raises(QueryError, match=r"no name") as problem:
        choose("aa", many)
    assert str(problem.value).count("no name") == CANDIDATES_TOLD
    assert str(problem.value).endswith("...")


async def test_references_are_asked_of_the_store() -> None:
    store = MemoryStore()
    lines = [event(0, origin=origin("web", A1)), event(1, origin=origin("db", B))]
    await store.append(lines, after(lines))
    query, notes = await resolve(Query(container_refs=("/web", "bb", "ghost", "/")), store)
    assert query.containers == (
        ContainerRef(name="web"),
        ContainerRef(id=B),
        ContainerRef(name="ghost"),
        ContainerRef(name=""),
    )
    assert query.container_refs == ()
    assert [note.split("'")[1] for note in notes] == ["ghost", ""]


async def test_without_references_the_store_is_not_asked() -> None:
    query = Query(services=("web",))
    assert await resolve(query, MemoryStore()) == (query, ())
