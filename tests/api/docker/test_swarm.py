"""Services, tasks and nodes out of what containers tell."""

import re

import pytest

from api.docker.errors import DockerError
from api.docker.swarm import all_services, all_tasks, find_node, find_service, find_task, made_id
from parsers.event import Container, Origin, make_origin
from storage.query import Query
from tests.api.conftest import DB, OTHER_WEB, WEB, House

SWARM = "com.docker.swarm"


def task(number: int, service_id: str = "s" * 25, slot: str = "") -> Origin:
    """A container of a swarm service as its labels tell it."""
    identity = f"{number:025d}"
    name = f"ping.{slot or number}.{identity}"
    labels = {
        f"{SWARM}.service.id": service_id, f"{SWARM}.service.name": "ping", f"{SWARM}.task.id": identity,
        f"{SWARM}.task.name": name, f"{SWARM}.node.id": "n" * 25, f"{SWARM}.task": "",
    }  # fmt: skip
    return make_origin(Container(f"{number:064x}", name, "bb:1"), "node-a", service="ping", labels=labels)


def test_made_ids_look_like_swarms_and_are_always_the_same() -> None:
    assert re.fullmatch("[0-9a-z]{25}", made_id("service", "web"))
    assert made_id("service", "web") == "sjvjm63pdqno3l6zf37qqtp9s"
    assert len({made_id("service", "web"), made_id("task", "web"), made_id("service", "db")}) == 3


async def test_a_swarm_service(house: House) -> None:
    for number in (1, 2, 3):
        await house.add(task(number), "x")
    (service,) = await all_services(house.store)
    assert (service.id, service.name, service.replicas, len(service.tasks)) == ("s" * 25, "ping", 3, 3)
    assert service.query == Query(labels=((f"{SWARM}.service.id", "s" * 25),))
    assert service.latest.id == f"{3:025d}"
    assert {one.node_id for one in service.tasks} == {"n" * 25}


async def test_a_global_service_has_no_slots(house: House) -> None:
    await house.add(task(1, slot="n" * 25), "x")
    (service,) = await all_services(house.store)
    assert (service.replicas, service.tasks[0].slot) == (0, 0)


async def test_a_service_made_anew(house: House) -> None:
    await house.add(task(1), "x")
    await house.add(task(2, "t" * 25), "y")
    assert [service.id for service in await all_services(house.store)] == ["s" * 25, "t" * 25]
    both = await find_service(house.store, "ping")
    assert (both.id, len(both.tasks), both.query) == ("t" * 25, 2, Query(services=("ping",)))
    assert len((await find_service(house.store, "s" * 25)).tasks) == 1
    assert (await find_service(house.store, "ttt")).id == "t" * 25


async def test_a_compose_service_has_a_made_id(house: House) -> None:
    await house.add(WEB, "a")
    await house.add(OTHER_WEB, "b")
    service = await find_service(house.store, "web")
    assert (service.id, service.query) == (made_id("service", "web"), Query(services=("web",)))
    assert [one.slot for one in service.tasks] == [2, 1]
    assert (await find_service(house.store, service.id[:9])).id == service.id


async def test_references_of_tasks_and_nodes(house: House) -> None:
    await house.add(task(1), "x")
    await house.add(DB, "y")
    assert (await find_task(house.store, f"{1:025d}")).of.name.startswith("ping.1.")
    assert (await find_task(house.store, "shop-db-1")).service == "db"
    assert (await find_node(house.store, "n" * 5)).host == "node-a"
    assert {one.service for one in await all_tasks(house.store)} == {"ping", "db"}
    with pytest.raises(DockerError, match=r"node node-a is ambiguous \(2 matches found\)") as caught:
        await find_node(house.store, "node-a")  # the swarm's id, and a made one for whom no label names it
    assert caught.value.status == 400


@pytest.mark.parametrize("find", [find_service, find_task, find_node])
async def test_never_seen(house: House, find: object) -> None:
    await house.add(task(1), "x")
    for ref in ("nothing", "", "S" * 25):
        with pytest.raises(DockerError, match=f" {ref} not found") as caught:
            await find(house.store, ref)  # type: ignore[operator]
        assert caught.value.status == 404
