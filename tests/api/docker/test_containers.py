"""docker ps, inspect and logs as requests."""

from typing import Any

import httpx
import pytest

from api.docker.seen import name_id
from parsers.event import Container, make_origin
from tests.api.conftest import DB, DB_ID, NOW, OTHER_WEB, OTHER_WEB_ID, START, WEB, WEB_ID, House, origin
from tests.api.docker.test_framing import demultiplexed

MINUTE = 60_000_000_000


async def printed(ask: httpx.AsyncClient, ref: str, **params: Any) -> list[str]:
    answer = await ask.get(f"/containers/{ref}/logs", params={"stdout": 1, "stderr": 1, **params})
    assert answer.status_code == 200, answer.text
    return [payload.decode() for _, payload in demultiplexed(answer.content)]


async def test_a_row_of_ps(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(WEB, "a", timestamp=NOW - 3 * MINUTE)
    await house.add(DB, "b")
    rows = (await ask.get("/containers/json?all=1")).json()
    assert [row["Names"] for row in rows] == [["/shop-web-1"], ["/shop-db-1"]]
    assert rows[0] == {
        "Id": WEB_ID, "Names": ["/shop-web-1"], "Image": "nginx:1.27", "ImageID": "", "Command": "",
        "Created": (NOW - 3 * MINUTE) // 10**9, "Ports": [], "Labels": dict(WEB.labels), "State": "running",
        "Status": "Up 3 minutes (last line 3 minutes ago)", "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"Networks": {}}, "Mounts": [],
    }  # fmt: skip
    assert (rows[1]["State"], rows[1]["Status"]) == ("exited", "Last line 59 minutes ago")


async def test_inspect(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(WEB, "a", "b")
    found = (await ask.get("/containers/shop-web-1/json")).json()
    assert (found["Id"], found["Name"], found["Image"]) == (WEB_ID, "/shop-web-1", "nginx:1.27")
    assert found["State"]["Status"] == "exited"
    assert found["State"]["FinishedAt"] == "2026-11-24T01:00:01.000000000Z"
    assert found["Config"]["Tty"] is False
    assert found["Config"]["Labels"] == dict(WEB.labels)
    assert found["Logdock"]["Lines"] == 2


@pytest.mark.parametrize("ref", ["shop-web-1", "/shop-web-1", WEB_ID, WEB_ID[:12], "aba"])
async def test_references(ask: httpx.AsyncClient, house: House, ref: str) -> None:
    await house.add(WEB, "a")
    await house.add(OTHER_WEB, "b")
    assert await printed(ask, ref) == ["a\n"]
    assert (await ask.get(f"/containers/{ref}/json")).json()["Id"] == WEB_ID


@pytest.mark.parametrize("ref", ["nope", "shop-web", "ff", "SHOP-WEB-1", WEB_ID + "0"])
@pytest.mark.parametrize("what", ["json", "logs?stdout=1"])
async def test_never_seen(ask: httpx.AsyncClient, house: House, ref: str, what: str) -> None:
    await house.add(WEB, "a")
    answer = await ask.get(f"/containers/{ref}/{what}")
    assert (answer.status_code, answer.json()) == (404, {"message": f"No such container: {ref}"})


async def test_an_ambiguous_beginning(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(WEB, "a")
    await house.add(OTHER_WEB, "b")
    answer = await ask.get("/containers/ab/json")
    assert answer.status_code == 400
    assert answer.json() == {"message": "multiple IDs found with provided prefix: ab"}


async def test_two_lives_of_a_name_are_one_stream_unless_an_id_is_given(
    ask: httpx.AsyncClient, house: House
) -> None:
    second = origin("shop-web-1", "cd" * 32, "web")
    await house.add(WEB, "first life")
    await house.add(second, "second life")
    assert await printed(ask, "shop-web-1") == ["first life\n", "second life\n"]
    found = (await ask.get("/containers/shop-web-1/json")).json()
    assert found["Id"] == name_id("shop-web-1")  # clients ask for the logs of this id
    assert found["Logdock"]["Lines"] == 2
    assert await printed(ask, found["Id"]) == ["first life\n", "second life\n"]
    assert await printed(ask, WEB_ID) == ["first life\n"]
    assert await printed(ask, "cd") == ["second life\n"]
    rows = (await ask.get("/containers/json?all=1")).json()
    assert [row["Id"] for row in rows] == ["cd" * 32, WEB_ID]


async def test_a_container_whose_sender_gave_only_a_name(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(make_origin(Container(None, "cron"), "node-a"), "tick")
    await house.add(make_origin(Container(None, "cron"), "node-b"), "tock")
    rows = (await ask.get("/containers/json?all=1")).json()
    assert [(row["Id"], row["Names"]) for row in rows] == [(name_id("cron"), ["/cron"])]
    for ref in ("cron", rows[0]["Id"], rows[0]["Id"][:12]):
        assert await printed(ask, ref) == ["tick\n", "tock\n"]


async def test_a_container_without_a_name(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(make_origin(Container(DB_ID), "node-a"), "x")
    rows = (await ask.get("/containers/json?all=1")).json()
    assert rows[0]["Names"] == [f"/{DB_ID[:12]}"]
    assert await printed(ask, DB_ID[:12]) == ["x\n"]


@pytest.mark.parametrize(
    ("params", "lines"),
    [
        ({}, "abcde"),
        ({"tail": "2"}, "de"),
        ({"tail": "0"}, ""),
        ({"tail": "all"}, "abcde"),
        ({"tail": "99"}, "abcde"),
        ({"tail": "-3"}, "abcde"),
        ({"since": START // 10**9 + 2}, "cde"),
        ({"since": f"{START // 10**9 + 1}.000000001"}, "cde"),
        ({"until": START // 10**9 + 2}, "abc"),
        ({"until": "0"}, "abcde"),
        ({"since": START // 10**9 + 1, "until": START // 10**9 + 3}, "bcd"),
        ({"tail": "2", "until": START // 10**9 + 2}, ""),  # tail comes first, as with Docker
        ({"tail": "3", "until": START // 10**9 + 2}, "c"),
        ({"tail": "3", "since": START // 10**9 + 3}, "de"),
        ({"tail": "2", "stdout": "0"}, "d"),  # and it counts both streams
        ({"stderr": "none"}, "ace"),
    ],
)
async def test_which_lines(ask: httpx.AsyncClient, house: House, params: dict[str, Any], lines: str) -> None:
    for number, line in enumerate("abcde"):
        await house.add(WEB, line, stream="stderr" if number % 2 else "stdout")
    await house.add(DB, "of another")
    assert await printed(ask, "shop-web-1", **params) == [f"{line}\n" for line in lines]


async def test_times_and_details(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(WEB, "a")
    assert await printed(ask, "shop-web-1", timestamps="true", details="true") == [
        "2026-11-24T01:00:00.000000000Z com.example%2Fteam=shop,stage=prod a\n"
    ]


async def test_tail_counts_the_pieces_of_long_lines(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(WEB, "first")
    await house.add(WEB, "x" * 40_000, flags=("joined",))
    await house.add(WEB, "last")
    assert [len(text) for text in await printed(ask, "shop-web-1", tail=3)] == [
        16_384,
        40_000 - 32_768 + 1,
        5,
    ]
    assert [len(text) for text in await printed(ask, "shop-web-1", tail=5)] == [6, 16_384, 16_384, 7_233, 5]


async def test_a_stream_must_be_chosen_before_the_container_is_looked_for(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/containers/nope/logs")
    assert answer.status_code == 400
    assert answer.json() == {"message": "Bad parameters: you must choose at least one stream"}


@pytest.mark.parametrize(
    ("version", "kind"), [("/v1.41", "raw"), ("/v1.42", "multiplexed"), ("", "multiplexed")]
)
async def test_the_media_type(ask: httpx.AsyncClient, house: House, version: str, kind: str) -> None:
    await house.add(WEB, "a")
    answer = await ask.get(f"{version}/containers/shop-web-1/logs?stdout=1")
    assert answer.headers["content-type"] == f"application/vnd.docker.{kind}-stream"
    assert demultiplexed(answer.content) == [(1, b"a\n")]


async def test_prefixes_of_other_ids_are_no_hint(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(OTHER_WEB, "b")
    assert await printed(ask, OTHER_WEB_ID[:4]) == ["b\n"]
