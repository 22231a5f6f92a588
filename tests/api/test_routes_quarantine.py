from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from parsers.event import Event
from storage.memory import MemoryStore
from storage.quarantine import Quarantine
from storage.quarantine_work import Worker
from storage.store import Rejection, StoreUnavailable

BASE = "/api/v1/quarantine"


class Refusing(MemoryStore):
    """Refuses lines that say so."""

    away = False

    async def put_back(self, events: Sequence[Event]) -> Sequence[Rejection]:
        if self.away:
            raise StoreUnavailable("gone")
        await super().put_back([e for e in events if "never" not in e.message])
        return [Rejection(e, "refused", "still no") for e in events if "never" in e.message]


@pytest.fixture
def quarantine(house: Any, tmp_path: Path, origins: Any) -> Quarantine:
    """Two lines of web, the second of which is never taken, and one of db."""
    house.store = Refusing()
    made = Quarantine(tmp_path / "quarantine", house.metrics)
    web = house.events(origins.web, ["one", "two never"], level="error")
    (db,) = house.events(origins.db, ["three"])
    made.take([*[Rejection(e, "refused", "no such type") for e in web], Rejection(db, "too_large", "413")])
    return made


@pytest.fixture
async def asked(house: Any, quarantine: Quarantine) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(replace(house.services(), quarantine=Worker(quarantine)))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=True), base_url="http://localhost"
    ) as client:
        yield client


def messages(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["event"]["message"] for item in answer.json()["items"]]


async def test_an_entry_says_what_and_why(asked: httpx.AsyncClient, quarantine: Quarantine) -> None:
    answer = (await asked.get(BASE)).json()
    first = answer["items"][0]
    assert first["id"] == first["event"]["id"] == "j1.0.0"
    assert (first["reason"], first["said"], first["tries"]) == ("refused", "no such type", 1)
    assert first["quarantined"] == first["tried"]
    assert first["event"]["container"]["name"] == "shop-web-1"
    assert (answer["total"], answer["bytes"]) == (3, quarantine.bytes)
    assert (answer["reasons"], answer["next"]) == ({"refused": 2, "too_large": 1}, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["one", "two never", "three"]),
        ("?reason=too_large", ["three"]),
        ("?reason=never", []),
        ("?container=shop-web-1", ["one", "two never"]),
        ("?container=abab", ["one", "two never"]),
        ("?container=/shop-db-1&container=abab", ["one", "two never", "three"]),
        ("?container=nobody", []),
        ("?service=db", ["three"]),
        ("?level=error&q=never", ["two never"]),
        ("?label=stage=test", ["three"]),
        ("?since=2026-11-24T01:00:01Z", ["two never", "three"]),
        ("?until=2026-11-24T01:00:00Z", ["one"]),
    ],
)
async def test_filters(asked: httpx.AsyncClient, query: str, found: list[str]) -> None:
    assert messages(await asked.get(BASE + query)) == found


async def test_pages(asked: httpx.AsyncClient) -> None:
    first = await asked.get(BASE + "?limit=2")
    assert messages(first) == ["one", "two never"]
    rest = await asked.get(BASE, params={"limit": "2", "cursor": first.json()["next"]})
    assert (messages(rest), rest.json()["next"]) == (["three"], None)


@pytest.mark.parametrize(
    ("query", "parameter"), [("?cursor=x", "cursor"), ("?cursor=-1", "cursor"), ("?color=red", "color")]
)
async def test_wrong_questions(asked: httpx.AsyncClient, query: str, parameter: str) -> None:
    answer = await asked.get(BASE + query)
    assert answer.status_code == 400
    assert answer.json()["error"]["parameter"] == parameter


async def test_retry(asked: httpx.AsyncClient) -> None:
    answer = (await asked.post(BASE + "/retry", json={"all": True})).json()
    assert (answer["taken"], answer["refused"], answer["left"]) == (2, 1, 1)
    assert (answer["more"], answer["missing"]) == (False, [])
    assert messages(await asked.get(BASE)) == ["two never"]
    (item,) = (await asked.get(BASE)).json()["items"]
    assert (item["tries"], item["said"]) == (2, "still no")
    stored = (await asked.get("/api/v1/logs?order=asc")).json()["events"]
    assert [event["message"] for event in stored] == ["one", "three"]
    again = await asked.post(BASE + "/retry", json={"all": True, "before": answer["before"]})
    assert (again.json()["taken"], again.json()["refused"]) == (0, 0)


async def test_retry_by_id_and_by_reason(asked: httpx.AsyncClient) -> None:
    answer = (await asked.post(BASE + "/retry", json={"ids": ["j1.0.0", "j1.99.0"]})).json()
    assert (answer["taken"], answer["missing"]) == (1, ["j1.99.0"])
    answer = (await asked.post(BASE + "/retry", json={"reason": "too_large"})).json()
    assert (answer["taken"], answer["left"]) == (1, 1)


async def test_drop(asked: httpx.AsyncClient, house: Any) -> None:
    answer = (await asked.post(BASE + "/drop", json={"reason": "refused"})).json()
    assert (answer["dropped"], answer["left"]) == (2, 1)
    value = house.metrics.registry.get_sample_value
    assert value("logdock_dropped_total", {"reason": "quarantine_dropped"}) == 2
    assert messages(await asked.get(BASE)) == ["three"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no", b"[]", b"{}", b'{"all":false}', b'{"all":true,"reason":"x"}', b'{"ids":"x"}',
        b'{"id":["x"]}', b'{"ids":[],"all":true}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["retry", "drop"])
async def test_nothing_happens_unless_it_is_said_what(
    asked: httpx.AsyncClient, quarantine: Quarantine, verb: str, body: bytes
) -> None:
    headers = {"content-type": "application/json"}
    answer = await asked.post(f"{BASE}/{verb}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["parameter"]) == (400, "body")
    assert len(quarantine) == 3


async def test_a_wrong_time_is_named(asked: httpx.AsyncClient) -> None:
    answer = await asked.post(BASE + "/retry", json={"all": True, "before": "soon"})
    assert (answer.status_code, answer.json()["error"]["parameter"]) == (400, "before")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("verb", ["retry", "drop"])
async def test_a_page_elsewhere_cannot_post_it(
    asked: httpx.AsyncClient, quarantine: Quarantine, verb: str, kind: str
) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = await asked.post(f"{BASE}/{verb}", content=b'{"all":true}', headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert len(quarantine) == 3


async def test_a_body_has_a_limit(asked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes_quarantine.BODY_BYTES", 5)
    assert (await asked.post(BASE + "/drop", json={"all": True})).status_code == 413


async def test_a_store_that_is_away_is_503_and_nothing_leaves(
    asked: httpx.AsyncClient, house: Any, quarantine: Quarantine
) -> None:
    house.store.away = True
    answer = await asked.post(BASE + "/retry", json={"all": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")
    assert len(quarantine) == 3


async def test_a_disk_that_takes_nothing_is_503(asked: httpx.AsyncClient, quarantine: Quarantine) -> None:
    (quarantine.folder / "dropped.ndjson").mkdir()
    answer = await asked.post(BASE + "/drop", json={"all": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert len(quarantine) == 3


async def test_answers_say_what_they_lack(asked: httpx.AsyncClient) -> None:
    note = "2 lines of these containers and times are in quarantine: see `logdock quarantine list`"
    answer = (await asked.get("/api/v1/services/web/logs")).json()
    assert note in answer["notes"]
    assert "quarantine" not in str((await asked.get("/api/v1/logs?until=2000-01-01")).json()["notes"])


async def test_a_server_without_one_has_an_empty_one(ask: httpx.AsyncClient) -> None:
    assert (await ask.get(BASE)).json()["items"] == []
    answer = (await ask.post(BASE + "/retry", json={"ids": ["a"]})).json()
    assert (answer["taken"], answer["missing"]) == (0, ["a"])
    assert (await ask.post(BASE + "/drop", json={"all": True})).json()["dropped"] == 0
