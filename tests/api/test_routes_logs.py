from typing import Any

import httpx
import pytest

from storage.query import Cursor, Page

SECOND = 1_000_000_000


def messages(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [event["message"] for event in answer.json()["events"]]


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found.keys() == {"error"} and found["error"].keys() == {"code", "parameter", "message"}
    error: dict[str, Any] = found["error"]
    return error


@pytest.fixture(autouse=True)
async def _lines(house: Any, origins: Any) -> None:
    await house.add(origins.web, "web 1", "web 2", stream="stdout", level="info")
    await house.add(origins.db, "db 1 failed", stream="stderr", level="error")
    await house.add(origins.other_web, "web 3", stream="stdout")


async def test_newest_first(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/api/v1/logs")
    assert messages(answer) == ["web 3", "db 1 failed", "web 2", "web 1"]
    assert {k: v for k, v in answer.json().items() if k != "events"} == {
        "next": None,
        "truncated_by": None,
        "notes": [],
        "resume": 3,
    }


async def test_an_event_is_the_contracts(ask: httpx.AsyncClient) -> None:
    event = (await ask.get("/api/v1/logs", params={"order": "asc", "limit": 1})).json()["events"][0]
    assert event["timestamp"] == "2026-11-24T01:00:00.000000000Z"
    assert event["container"] == {"id": "ab" * 32, "name": "shop-web-1", "image": "nginx:1.27"}
    assert (event["service"], event["host"], event["level"]) == ("web", "node-a", "info")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/containers/shop-web-1/logs", ["web 2", "web 1"]),
        (f"/containers/{'ab' * 32}/logs", ["web 2", "web 1"]),
        ("/containers/abab/logs", ["web 2", "web 1"]),
        ("/containers/%2Fshop-web-1/logs", ["web 2", "web 1"]),
        ("/services/web/logs", ["web 3", "web 2", "web 1"]),
        ("/services/web/logs?limit=1&order=asc", ["web 1"]),
        ("/services/web/logs?label=com.example/team=shop", ["web 2", "web 1"]),
        ("/labels/stage/prod/logs", ["web 3", "web 2", "web 1"]),
        ("/labels/stage/prod/logs?label=com.example%2Fteam", ["web 2", "web 1"]),
        ("/labels/com.example%2Fteam/shop/logs", ["web 2", "web 1"]),
        ("/labels/com.example/team/shop/logs", ["web 2", "web 1"]),
        ("/labels/path/a%2Fb/logs", ["db 1 failed"]),
        ("/labels/path/a/b/logs", ["db 1 failed"]),
        ("/labels/path/logs/logs", []),
        ("/logs?service=db&service=web&level=error", ["db 1 failed"]),
        ("/logs?q=failed", ["db 1 failed"]),
        ("/logs?stream=stderr", ["db 1 failed"]),
        ("/logs?since=2026-11-24T01:00:02Z", ["web 3", "db 1 failed"]),
        ("/logs?since=1h&until=1795482001", ["web 2", "web 1"]),
    ],
)
async def test_keyed_queries(ask: httpx.AsyncClient, path: str, found: list[str]) -> None:
    assert messages(await ask.get("/api/v1" + path)) == found


async def test_cursors_page_without_gap_or_double(ask: httpx.AsyncClient, house: Any, origins: Any) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await ask.get("/api/v1/services/web/logs", params={"limit": "1", **cursor})
        seen += messages(answer)
        await house.add(origins.web, "late", timestamp=0)
        if answer.json()["next"] is None:
            break
        cursor = {"cursor": answer.json()["next"]}
    assert seen == ["web 3", "web 2", "web 1"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("since=yesterday", "since"),
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("order=up", "order"),
        ("level=loud", "level"),
        ("cursor=abc", "cursor"),
        ("container=ab", "container"),
        ("servic=web", "servic"),
        ("q=%22open", "q"),
    ],
)
async def test_what_is_wrong_is_named(ask: httpx.AsyncClient, query: str, parameter: str) -> None:
    assert problem(await ask.get(f"/api/v1/logs?{query}"), 400)["parameter"] == parameter


async def test_an_ambiguous_reference_lists_the_candidates(ask: httpx.AsyncClient) -> None:
    error = problem(await ask.get("/api/v1/containers/ab/logs"), 400)
    assert "shop-web-1" in error["message"] and "shop-web-2" in error["message"]


async def test_a_path_and_a_parameter_do_not_add_up(ask: httpx.AsyncClient) -> None:
    error = problem(await ask.get("/api/v1/services/web/logs?service=db"), 400)
    assert error["parameter"] == "service"


async def test_never_seen_is_empty_with_a_hint(ask: httpx.AsyncClient) -> None:
    notes = (await ask.get("/api/v1/containers/shop-wbe-1/logs")).json()["notes"]
    assert "'shop-wbe-1'" in notes[0]
    assert "did you mean" in notes[1] and "shop-web-1" in notes[1]
    notes = (await ask.get("/api/v1/services/wob/logs")).json()["notes"]
    assert notes == ["no service 'wob' was ever seen", "did you mean web?"]
    notes = (await ask.get("/api/v1/services/zzzz/logs")).json()["notes"]
    assert notes == ["no service 'zzzz' was ever seen"]


async def test_an_empty_answer_says_what_is_there(ask: httpx.AsyncClient) -> None:
    notes = (await ask.get("/api/v1/services/web/logs?since=2026-11-24T01:30:00Z")).json()["notes"]
    assert len(notes) == 1 and "the last line was at 2026-11-24T01:00:03.000000000Z" in notes[0]
    notes = (await ask.get("/api/v1/services/web/logs?until=2026-11-24T00:30:00Z")).json()["notes"]
    assert len(notes) == 1 and "the first line was at 2026-11-24T01:00:00.000000000Z" in notes[0]
    notes = (await ask.get("/api/v1/services/web/logs?q=nothing")).json()["notes"]
    assert len(notes) == 1 and notes[0].startswith("there are 3 lines up to")
    notes = (await ask.get("/api/v1/logs?service=web&label=path")).json()["notes"]
    assert notes == ["nothing was ever seen that has all of these: container, service, host, label and tag"]


async def test_standing_warnings_are_in_every_answer(ask: httpx.AsyncClient, house: Any) -> None:
    house.notes.append("5 bytes of journal were damaged")
    for path in ("/logs", "/containers", "/services", "/labels", "/labels/stage"):
        assert (await ask.get("/api/v1" + path)).json()["notes"] == ["5 bytes of journal were damaged"]


async def test_one_event(ask: httpx.AsyncClient) -> None:
    event = (await ask.get("/api/v1/logs?limit=1")).json()["events"][0]
    assert (await ask.get(f"/api/v1/logs/{event['id']}")).json() == event


@pytest.mark.parametrize("path", ["/logs/j1.99.0", "/logs/nonsense", "/logs/j1.99.0/context"])
async def test_an_unknown_event(ask: httpx.AsyncClient, path: str) -> None:
    error = problem(await ask.get("/api/v1" + path), 404)
    assert (error["code"], error["parameter"]) == ("not_found", "id")


async def _context(ask: httpx.AsyncClient, message: str, query: str = "") -> list[str]:
    events = (await ask.get("/api/v1/logs")).json()["events"]
    identity = next(event["id"] for event in events if event["message"] == message)
    return messages(await ask.get(f"/api/v1/logs/{identity}/context{query}"))


@pytest.mark.parametrize(
    ("message", "query", "found"),
    [
        ("web 2", "", ["web 1", "web 2"]),
        ("web 2", "?scope=container", ["web 1", "web 2"]),
        ("web 2", "?scope=service", ["web 1", "web 2", "web 3"]),
        ("web 2", "?scope=host", ["web 1", "web 2", "db 1 failed", "web 3"]),
        ("web 2", "?scope=all&before=0&after=1", ["web 2", "db 1 failed"]),
        ("web 2", "?scope=all&before=1&after=0", ["web 1", "web 2"]),
        ("web 3", "?scope=all&level=error", ["db 1 failed", "web 3"]),
        ("web 2", "?scope=all&since=2026-11-24T01:00:02Z", ["web 2", "db 1 failed", "web 3"]),
        ("web 3", "?scope=all&until=2026-11-24T01:00:01Z", ["web 1", "web 2", "web 3"]),
        ("web 2", "?scope=host&host=node-b", ["web 2"]),
        ("web 2", "?scope=container&container=shop-db-1", ["web 2"]),
        ("web 2", "?scope=service&service=web&service=db", ["web 1", "web 2", "web 3"]),
    ],
)
async def test_context(ask: httpx.AsyncClient, message: str, query: str, found: list[str]) -> None:
    assert await _context(ask, message, query) == found


async def test_context_within_one_timestamp(ask: httpx.AsyncClient, house: Any, origins: Any) -> None:
    await house.add(origins.web, *[f"same {n}" for n in range(9)], timestamp=2_000_000_000 * SECOND)
    assert await _context(ask, "same 4", "?before=2&after=3") == [f"same {n}" for n in range(2, 8)]


async def test_context_without_a_container(ask: httpx.AsyncClient, house: Any, origins: Any) -> None:
    await house.add(origins.nobody, "alone 1", "alone 2")
    assert await _context(ask, "alone 2") == ["alone 1", "alone 2"]
    assert await _context(ask, "alone 2", "?scope=service") == ["alone 1", "alone 2"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("before=-1", "before"),
        ("after=1001", "after"),
        ("after=x", "after"),
        ("scope=world", "scope"),
        ("x=1", "x"),
        ("before=1&before=2", "before"),
        ("scope=all&scope=host", "scope"),
    ],
)
async def test_context_errors(ask: httpx.AsyncClient, query: str, parameter: str) -> None:
    event = (await ask.get("/api/v1/logs?limit=1")).json()["events"][0]
    answer = await ask.get(f"/api/v1/logs/{event['id']}/context?{query}")
    assert problem(answer, 400)["parameter"] == parameter


async def test_labels_without_a_value_are_no_log_query(ask: httpx.AsyncClient) -> None:
    error = problem(await ask.get("/api/v1/labels/stage/logs"), 404)
    assert error["message"].endswith("write /labels/KEY/VALUE/logs")


async def test_a_cut_answer_is_not_explained_as_a_whole_one(
    ask: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(_: object) -> Page:
        return Page([], Cursor(1, 1, "x.1.0", 1, 1, "desc"), "scan_limit", ("looked at 9 lines",))

    monkeypatch.setattr(house.store, "search", cut)
    answer = (await ask.get("/api/v1/logs?q=zzz")).json()
    assert (answer["truncated_by"], answer["notes"]) == ("scan_limit", ["looked at 9 lines"])
    assert answer["next"] is not None


async def test_large_pages_are_whole(ask: httpx.AsyncClient, house: Any, origins: Any) -> None:
    await house.add(origins.web, *[f"n {n}" for n in range(1234)])
    assert len(messages(await ask.get("/api/v1/logs?limit=2000"))) == 1238


async def test_questions_are_measured(ask: httpx.AsyncClient) -> None:
    await ask.get("/api/v1/logs")
    text = (await ask.get("/metrics")).text
    assert 'logdock_query_seconds_count{kind="search"} 1.0' in text
