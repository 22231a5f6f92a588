"""What every store does alike, part 4: the lists of containers, services and labels that were seen."""

import msgspec
import pytest

from parsers.event import Container, make_origin
from storage.query import ContainerRef, Query
from storage.store import ContainerSummary
from tests.storage.contract import Subject
from tests.storage.factories import FULL_ID, ORIGIN, SECOND, TIME, event, origin

A1, A2, B = "aa11" + "0" * 60, "aa22" + "0" * 60, "bb" + "0" * 62
SEEN = [
    event(0, origin=origin("web", A1, service="shop", labels={"x": "1", "y": ""})),
    event(1, origin=origin("web", A2, service="shop", labels={"x": "2"})),
    event(2, origin=origin("web", A2, service="shop", labels={"x": "2"})),
    event(3, origin=origin("api", B, service="api", host="node-b", labels={"x": "1"})),
    event(4, origin=origin("loose", None, service=None, image=None)),
    event(5, origin=make_origin(Container(), "node-c", tag="app.log")),
]


async def test_lists_of_what_was_seen(subject: Subject) -> None:
    await subject.add(SEEN[:3])
    await subject.add(SEEN[3:])
    names = [(c.container.id, c.container.name, c.lines) for c in await subject.store.containers(Query())]
    assert names == [(None, "loose", 1), (B, "api", 1), (A2, "web", 2), (A1, "web", 1)]
    services = [tuple(msgspec.structs.astuple(s)) for s in await subject.store.services(Query())]
    at = [TIME + n * SECOND for n in range(6)]
    assert services == [("api", 1, at[3], at[3], 1), ("shop", 3, at[0], at[2], 2)]
    labels = [tuple(msgspec.structs.astuple(s)) for s in await subject.store.labels(Query())]
    assert labels == [("x", 4, at[0], at[3], 3), ("y", 1, at[0], at[0], 1)]
    values = [tuple(msgspec.structs.astuple(s)) for s in await subject.store.label_values("x", Query())]
    assert values == [("1", 2, at[0], at[3], 2), ("2", 2, at[1], at[2], 1)]
    assert await subject.store.label_values("z", Query()) == []


async def test_one_container_in_full(subject: Subject) -> None:
    await subject.add([event(1, timestamp=TIME + 7), event(2, timestamp=TIME), event(3, timestamp=TIME + 3)])
    source = "label:com.docker.compose.service"
    expected = ContainerSummary(
        ORIGIN.container, "web", "node-a", 3, TIME, TIME + 7, source, ORIGIN.labels, ORIGIN.tag_fields
    )
    assert await subject.store.containers(Query()) == [expected]


async def test_origin_filters_apply_to_lists(subject: Subject) -> None:
    await subject.add(SEEN)
    store = subject.store
    assert [c.container.id for c in await store.containers(Query(services=("api",)))] == [B]
    assert [c.container.id for c in await store.containers(Query(labels=(("x", "1"),)))] == [B, A1]
    assert [s.name for s in await store.services(Query(hosts=("node-b",)))] == ["api"]
    assert [s.name for s in await store.labels(Query(containers=(ContainerRef(id=A2),)))] == ["x"]
    assert [
        s.lines for s in await store.label_values("x", Query(containers=(ContainerRef(name="web"),)))
    ] == [1, 2]
    only_origins = Query(since=TIME + 10**15, levels=("fatal",), limit=1)
    assert len(await store.containers(only_origins)) == 4


async def test_a_container_is_told_as_it_was_last(subject: Subject) -> None:
    fields = {"Name": "new"}
    latest = origin("new", A1, service="b", image="i:2", labels={"v": "2"}, tag_fields=fields)
    await subject.add([event(1, origin=latest)])
    await subject.add([event(0, origin=origin("old", A1, service="a", image="i:1"))])
    (summary,) = await subject.store.containers(Query())
    assert (summary.container, summary.service, summary.lines) == (Container(A1, "new", "i:2"), "b", 2)
    assert (dict(summary.labels), dict(summary.tag_fields)) == ({"v": "2"}, {"Name": "new"})
    assert [c.id for c in await subject.store.find_containers("old")] == [A1]


async def test_what_only_some_lines_tell_of_a_container_is_told(subject: Subject) -> None:
    some = origin("a", A1, service="web", image="i:1", labels={"v": "1", "w": "1"}, tag_fields={"ID": "aa"})
    later = origin("a", A1, service="shop", image=None, labels={"v": "2"})
    last = make_origin(Container(A1, "b"), "node-a")
    await subject.add([event(0, origin=some), event(2, origin=last)])
    await subject.add([event(1, origin=later), event(3, origin=last)])
    (summary,) = await subject.store.containers(Query())
    assert summary == ContainerSummary(
        Container(A1, "b", "i:1"), "shop", "node-a", 4, TIME, TIME + 3 * SECOND,
        "label:com.docker.compose.service", {"v": "2", "w": "1"}, {"ID": "aa"},
    )  # fmt: skip


async def test_a_name_on_two_hosts_is_two_containers(subject: Subject) -> None:
    loose = [event(n, origin=origin("web", None, host=f"node-{n}")) for n in range(2)]
    await subject.add(loose)
    assert [c.host for c in await subject.store.containers(Query())] == ["node-1", "node-0"]


async def test_lists_survive_opening_again(durable: Subject) -> None:
    await durable.add(SEEN)
    await durable.store.flush()
    before = await durable.store.containers(Query()), await durable.store.labels(Query())
    await durable.reopen()
    assert (await durable.store.containers(Query()), await durable.store.labels(Query())) == before
    await durable.add([event(9, origin=SEEN[0].origin)])
    assert (await durable.store.containers(Query()))[0].lines == 2


@pytest.mark.parametrize(
    ("ref", "found"),
    [
        ("web", {(A1, "web"), (A2, "web")}),
        ("api", {(B, "api")}),
        ("loose", {(None, "loose")}),
        (A1, {(A1, "web")}),
        ("aa", {(A1, "web"), (A2, "web")}),
        ("aa11", {(A1, "web")}),
        ("bb", {(B, "api")}),
        ("we", set()),
        ("WEB", set()),
        ("b", {(B, "api")}),
        ("zz", set()),
        ("", set()),
        (FULL_ID, set()),
    ],
)
async def test_finding_containers(
    subject: Subject, ref: str, found: set[tuple[str | None, str | None]]
) -> None:
    await subject.add(SEEN)
    assert {(c.id, c.name) for c in await subject.store.find_containers(ref)} == found


async def test_a_name_is_found_among_very_many_ids(subject: Subject) -> None:
    many = [event(n, origin=origin(f"c{n}", f"ab{n:062x}")) for n in range(1, 131)]
    await subject.add([event(0, origin=origin("ab", B)), *many])
    found = await subject.store.find_containers("ab")
    assert len(found) == 100
    assert Container(B, "ab", "nginx:1.27") in found
