from parsers.event import Container, make_origin
from storage.prune import Part, PruneResult
from storage.prune_counts import MAX_PARTS, Tally
from tests.storage.factories import FULL_ID, origin


def test_one_container_under_two_names_is_told_as_it_was_last() -> None:
    tally = Tally()
    tally.add(origin("old"), 3, 10, 20)
    tally.add(origin("new"), 1, 30, 30)
    tally.add(origin("old"), 1, 5, 5)
    assert tally.result(7) == PruneResult(5, 7, 5, 30, (Part(5, 5, 30, "new", FULL_ID, "web"),))


def test_a_name_on_two_hosts_is_two_containers_and_who_is_none_is_one() -> None:
    tally = Tally()
    for host in ("a", "b"):
        tally.add(origin("web", None, host=host), 1, 1, 1)
        tally.add(make_origin(Container(), host), 1, 1, 1)
    parts = tally.result().parts
    assert sorted((part.name or "", part.lines) for part in parts) == [("", 2), ("web", 1), ("web", 1)]


def test_only_the_largest_are_named() -> None:
    tally = Tally()
    for n in range(1, MAX_PARTS + 4):
        tally.add(origin(f"c{n}", f"{n:064x}"), n, n, n)
    result = tally.result()
    assert (len(result.parts), result.more, result.lines) == (MAX_PARTS, 3, sum(range(1, MAX_PARTS + 4)))
    assert [part.lines for part in result.parts[:2]] == [MAX_PARTS + 3, MAX_PARTS + 2]


def test_a_copy_goes_its_own_way() -> None:
    tally = Tally()
    tally.add(origin(), 1, 1, 1)
    other = tally.copy()
    other.add(origin(), 0, 9, 9)
    other.add(origin(), 2, 2, 2)
    assert (tally.lines, other.lines) == (1, 3)
    assert tally.result().last == 1


def test_nothing() -> None:
    assert Tally().result() == PruneResult()
