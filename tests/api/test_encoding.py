"""Addresses that are not UTF-8."""

from typing import Any

import httpx
import pytest

from api.encoding import unreadable


@pytest.mark.parametrize(
    ("path", "query", "wrong"),
    [
        (b"/api/v1/logs", b"", None),
        (b"/api/v1/labels/%E2%82%AC/a%2Fb", b"q=%E2%82%AC+%00&level=error&&=", None),
        (b"/api/v1/logs", b"q=100%&since=%zz", None),  # no %XX: a % is a %, as browsers leave it
        (b"/api/v1/containers/%ff/logs", b"", "path"),
        (b"/api/v1/logs", b"level=error&q=%ff", "q"),
        (b"/api/v1/logs", b"q=%E2%82", "q"),  # cut
        (b"/api/v1/logs", b"q=%ED%A0%80", "q"),  # half of a surrogate pair
        (b"/api/v1/logs", b"%ff=1", "\ufffd"),
    ],
)
def test_what_is_not_utf8_is_named(path: bytes, query: bytes, wrong: str | None) -> None:
    assert unreadable({"raw_path": path, "query_string": query}) == wrong
    assert unreadable({"query_string": query}) == (wrong if wrong != "path" else None)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/logs?q=%ff", "q"),
        ("/containers/%ff/logs", "path"),
        ("/logs/tail?service=%ff", "service"),
        ("/histogram?by=%c3", "by"),
        ("/labels/%ff", "path"),
    ],
)
async def test_it_is_a_400(ask: httpx.AsyncClient, path: str, parameter: str) -> None:
    answer = await ask.get("/api/v1" + path)
    text = "is not UTF-8: write each byte of the text as %XX"
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": "not_utf8", "parameter": parameter, "message": text}}


async def test_nul_and_percent_signs_are_text(ask: httpx.AsyncClient, house: Any, origins: Any) -> None:
    await house.add(origins.web, "a\0b", "100%", "plain")
    for query, text in (("%00", "a\0b"), ("0%", "100%"), ("%25", "100%")):
        found = (await ask.get(f"/api/v1/logs?q={query}")).json()["events"]
        assert [event["message"] for event in found] == [text]
