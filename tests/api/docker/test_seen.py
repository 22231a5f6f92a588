"""References, beside what test_containers.py asks over HTTP."""

import pytest

from api.docker.errors import DockerError
from api.docker.seen import everything, find, name_id
from parsers.event import Container, make_origin
from tests.api.conftest import START, WEB, WEB_ID, House, origin


async def test_a_name_goes_before_the_beginning_of_an_id(house: House) -> None:
    await house.add(origin("abab", "cd" * 32), "named like an id")
    await house.add(WEB, "a")
    assert (await find(house.store, "abab")).id == "cd" * 32
    assert (await find(house.store, "aba")).id == WEB_ID


async def test_several_lives_as_one(house: House) -> None:
    await house.add(WEB, "a", "b")
    await house.add(make_origin(Container("cd" * 32, "shop-web-1", "nginx:2"), "node-b", service="new"), "c")
    one = await find(house.store, "shop-web-1")
    assert (one.id, one.image, one.service, one.host) == (name_id("shop-web-1"), "nginx:2", "new", "node-b")
    assert (one.lines, one.first_seen, one.last_seen) == (3, START, START + 2 * 10**9)
    assert sorted(one.lives) == sorted([WEB_ID, "cd" * 32])
    assert (await find(house.store, one.id)).lines == 3


async def test_a_renamed_container_is_found_by_both_names(house: House) -> None:
    await house.add(WEB, "a")
    await house.add(origin("renamed", WEB_ID), "b")
    assert [one.name for one in await everything(house.store)] == ["renamed"]
    assert (await find(house.store, WEB_ID)).lines == 2
    assert (await find(house.store, "shop-web-1")).lines == 1
    assert (await find(house.store, "renamed")).lines == 1


@pytest.mark.parametrize("ref", ["", "/", "//", "g" * 10, "ab" * 40])
async def test_what_is_no_reference(house: House, ref: str) -> None:
    await house.add(WEB, "a")
    with pytest.raises(DockerError) as caught:
        await find(house.store, ref)
    assert (caught.value.status, str(caught.value)) == (404, f"No such container: {ref}")
