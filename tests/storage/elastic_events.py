"""Events for the tests of the Elasticsearch store."""

from typing import Any

from parsers.event import Container, Event, Origin, make_origin

JOURNAL = "00aa00aa00aa00aa"
TIME = 1_795_500_000_123_456_789

ORIGIN = make_origin(
    Container("ab" * 32, "shop-web-1", "nginx:1.27"),
    "node-a",
    service="web",
    service_source="label:com.docker.compose.service",
    labels={"com.docker.compose.service": "web", "app": "shop", "app.kubernetes.io/name": "shop"},
    tag="docker.web.abababababab",
    tag_fields={"Name": "shop-web-1"},
    tag_template="docker.{{.Name}}.{{.ID}}",
)
BARE = make_origin(Container(), "node-b")


def event(number: int = 0, *, origin: Origin = ORIGIN, **changes: Any) -> Event:
    """Event number `number`, with whatever else is given."""
    values: dict[str, Any] = {
        "journal": JOURNAL,
        "position": 4096 + number * 300,
        "index": number % 3,
        "timestamp": TIME + number,
        "observed": TIME + 5_000_000,
        "sequence": number,
        "offset": number,
        "message": f"line {number}",
        "origin": origin,
    }
    return Event(**(values | changes))


def deep(levels: int) -> dict[str, Any]:
    """An object with so many levels: Elasticsearch takes 20."""
    value: dict[str, Any] = {"end": 1}
    for _ in range(levels - 1):
        value = {"inner": value}
    return value
