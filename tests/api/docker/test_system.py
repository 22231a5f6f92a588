"""/version and /info."""

import httpx

from tests.api.conftest import NOW, OTHER_WEB, WEB, House


async def test_version(ask: httpx.AsyncClient) -> None:
    found = (await ask.get("/version")).json()
    assert (found["ApiVersion"], found["MinAPIVersion"], found["Os"]) == ("1.45", "1.24", "linux")
    assert found["Components"][0]["Version"] == found["Version"]


async def test_ping_has_no_body_for_head(ask: httpx.AsyncClient) -> None:
    answer = await ask.head("/_ping")
    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["swarm"] == "active/manager"
    assert "no-cache" in answer.headers["cache-control"]


async def test_info_counts_containers_and_says_what_is_wrong(ask: httpx.AsyncClient, house: House) -> None:
    await house.add(WEB, "a")
    await house.add(OTHER_WEB, "b", timestamp=NOW)
    house.notes = ["part of the journal was damaged"]
    found = (await ask.get("/info")).json()
    assert [found[f"Containers{kind}"] for kind in ("", "Running", "Paused", "Stopped")] == [2, 1, 0, 1]
    assert found["Warnings"] == ["part of the journal was damaged"]


async def test_old_clients_find_nothing_to_warn_of(ask: httpx.AsyncClient) -> None:
    """cli/command/system/info.go of 20.10, printServerWarningsLegacy."""
    found = (await ask.get("/info")).json()
    assert all(found[name] for name in ("MemoryLimit", "SwapLimit", "CPUSet", "BridgeNfIptables"))
