import re
from dataclasses import replace
from typing import Any

import httpx


async def test_alive(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


async def test_not_ready_says_why(ask: httpx.AsyncClient, house: Any) -> None:
    house.readiness = replace(
        house.readiness, ready=False, reasons=["the journal is replayed"], details={"lag_bytes": 5}
    )
    answer = await ask.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["the journal is replayed"], "lag_bytes": 5}


async def test_probes_that_want_no_body(ask: httpx.AsyncClient, house: Any) -> None:
    for path in ("/healthz", "/readyz", "/"):
        assert (await ask.head(path)).status_code == 200
    house.readiness = replace(house.readiness, ready=False)
    assert (await ask.head("/readyz")).status_code == 503


async def test_metrics(ask: httpx.AsyncClient, house: Any) -> None:
    house.metrics.acks.inc(7)
    answer = await ask.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "logdock_acks_total 7.0" in answer.text


async def test_pages_bring_all_they_need(ask: httpx.AsyncClient) -> None:
    for path in ("/", "/docs"):
        answer = await ask.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", answer.text)
        assert "logdock" in answer.text
    assert 'href="/docs"' in (await ask.get("/")).text
    assert "/openapi.json" in (await ask.get("/docs")).text


async def test_openapi_names_every_route(ask: httpx.AsyncClient) -> None:
    paths = (await ask.get("/openapi.json")).json()["paths"]
    assert {
        "/api/v1/logs",
        "/api/v1/containers/{ref}/logs",
        "/api/v1/services/{name}/logs",
        "/api/v1/labels/{key}/{value}/logs",
        "/api/v1/containers",
        "/api/v1/services",
        "/api/v1/labels",
        "/api/v1/labels/{key}",
        "/api/v1/logs/{event_id}",
        "/api/v1/logs/{event_id}/context",
        "/api/v1/logs/tail",
        "/api/v1/logs/export",
        "/api/v1/histogram",
        "/api/v1/facets",
        "/api/v1/prune",
        "/api/v1/quarantine",
        "/api/v1/quarantine/retry",
        "/api/v1/quarantine/drop",
        "/healthz",
        "/readyz",
        "/metrics",
    } == set(paths)
    parameters = {p["name"] for p in paths["/api/v1/containers/{ref}/logs"]["get"]["parameters"]}
    assert {"ref", "service", "since", "q", "cursor"} <= parameters
    assert "container" not in parameters  # the path says it
    routes = [route for one in paths.values() for route in one.values()]
    assert all(route.get("summary") and route.get("description") for route in routes)
