from typing import Any

import pytest

from api.paths import EncodedPaths, decoded, label_splits


async def _seen(path: str, raw: bytes | None, kind: str = "http") -> str:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["path"])

    scope = {"type": kind, "path": path} | ({"raw_path": raw} if raw is not None else {})
    await EncodedPaths(app)(scope, None, None)  # type: ignore[arg-type]
    assert scope["path"] == path  # the server's own scope is left alone
    return seen[0]


async def test_below_the_base_routes_see_what_was_sent() -> None:
    assert await _seen("/api/v1/labels/a/b", b"/api/v1/labels/a%2Fb") == "/api/v1/labels/a%2Fb"
    assert await _seen("/api/v1/logs", b"/api/v1/logs?q=%2F") == "/api/v1/logs"


async def test_everything_else_is_left_alone() -> None:
    assert await _seen("/fluentd/a/b", b"/fluentd/a%2Fb") == "/fluentd/a/b"
    assert await _seen("/api/v1/a/b", None) == "/api/v1/a/b"
    assert await _seen("/api/v1/a/b", b"/api/v1/a%2Fb", "websocket") == "/api/v1/a/b"


@pytest.mark.parametrize(
    ("part", "text"),
    [("a%2Fb", "a/b"), ("a%20b+c", "a b+c"), ("%E2%82%AC", "\u20ac"), ("%", "%")],
)
def test_decoded(part: str, text: str) -> None:
    assert decoded(part) == text


def test_label_splits() -> None:
    assert label_splits("a/b/c") == [("a/b", "c"), ("a", "b/c")]
    assert label_splits("a%2Fb/c") == [("a/b", "c")]
    assert label_splits("a/") == []
    assert label_splits("a") == []
