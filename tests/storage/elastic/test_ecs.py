import json
from typing import Any

import pytest

from parsers.event import Container, Origin, make_origin
from storage.elastic.ecs import MARK_ORIGIN, data_stream, digest, image_parts, image_text, share
from storage.elastic.template import STREAM
from tests.storage.elastic_events import BARE, JOURNAL, ORIGIN

DIGEST = "sha256:" + "0123456789abcdef" * 4


def told(origin: Origin, degraded: bool = False) -> dict[str, Any]:
    shared = share(JOURNAL, origin, STREAM, degraded)
    document: dict[str, Any] = json.loads(b"{" + shared.head + shared.plain)
    with_fields = b"{" + shared.head + shared.fields + b'{"a":1}' + shared.rest
    assert json.loads(with_fields)["docker"]["fields"] == {"a": 1}
    return document


def of(name: str | None = None, image: str | None = None, host: str = "h", **rest: Any) -> Origin:
    return make_origin(Container(rest.pop("id", None), name, image), host, **rest)


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("nginx", {"name": "nginx"}),
        ("nginx:1.27", {"name": "nginx", "tag": ["1.27"]}),
        ("r.example:5000/shop/web", {"name": "r.example:5000/shop/web"}),
        ("r.example:5000/shop/web:v1.2-rc_3", {"name": "r.example:5000/shop/web", "tag": ["v1.2-rc_3"]}),
        (f"nginx@{DIGEST}", {"name": "nginx", "hash": {"all": [DIGEST]}}),
        (f"a/b:2@{DIGEST}", {"name": "a/b", "tag": ["2"], "hash": {"all": [DIGEST]}}),
        (DIGEST, {"name": DIGEST}),
        ("0123456789ab", {"name": "0123456789ab"}),
        ("sha256:0123456789ab", {"name": "sha256:0123456789ab"}),
        ("", {"name": ""}),
        ("a b:c d", {"name": "a b:c d"}),
        ("a:", {"name": "a:"}),
        (":tag", {"name": ":tag"}),
        ("a@b@c", {"name": "a@b@c"}),
        ("a\n:1\n", {"name": "a\n:1\n"}),
        ("\u00fc:\u00fc", {"name": "\u00fc:\u00fc"}),
    ],
)
def test_an_image_and_its_parts(image: str, parts: dict[str, Any]) -> None:
    assert image_parts(image) == parts
    tags, hashes = parts.get("tag", []), parts.get("hash", {}).get("all", [])
    assert image_text(parts["name"], tags, hashes) == image


def test_without_an_image() -> None:
    assert image_text(None, [], []) is None
    assert "image" not in told(of("web"))["container"]


def test_only_a_container_with_an_id_is_dockers() -> None:
    assert told(of(id="ab" * 32))["container"] == {"id": "ab" * 32, "runtime": "docker"}
    assert told(of("web"))["container"] == {"name": "web"}
    assert "container" not in told(BARE)


def test_a_host_that_is_known_by_its_address_has_no_hostname() -> None:
    assert told(of(host="node-a"))["host"] == {"name": "node-a", "hostname": "node-a"}
    assert told(of(host="10.1.2.3"))["host"] == {"name": "10.1.2.3"}
    assert told(of(host="fe80::1"))["host"] == {"name": "fe80::1"}
    assert told(of(host=""))["host"] == {"name": ""}


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"service.version": "2", "DD_VERSION": "3"}, {"version": "2"}),
        ({"org.opencontainers.image.version": "24.04"}, {}),
        ({"DD_ENV": "prod", "deployment.environment.name": "staging"}, {"environment": "staging"}),
        ({"DD_ENV": " ", "DD_VERSION": ""}, {}),
    ],
)
def test_version_and_environment_are_what_labels_declare(
    labels: dict[str, str], service: dict[str, str]
) -> None:
    assert told(of(labels=labels)).get("service", {}) == service


def test_the_node_of_a_service_is_its_replica() -> None:
    swarm = "web.3." + "a" * 25
    assert told(of(swarm, service="web", service_source="name:swarm"))["service"]["node"] == {"name": "3"}
    number = {"com.docker.compose.service": "web", "com.docker.compose.container-number": "2"}
    made = of("x", service="web", service_source="label:com.docker.compose.service", labels=number)
    assert told(made)["service"]["node"] == {"name": "2"}
    assert "node" not in told(of("web", service="web"))["service"]


def test_what_is_told_of_every_line() -> None:
    document = told(ORIGIN)
    assert document["ecs"] == {"version": "8.11.0"}
    assert document["data_stream"] == {"type": "logs", "dataset": "docker", "namespace": "default"}
    assert document["logdock"]["origin"] == digest(ORIGIN)
    assert share(JOURNAL, ORIGIN, STREAM).marks == ()


@pytest.mark.parametrize("labels", [{"a\0": "1"}, {"k" * 33_000: "1"}])
def test_labels_that_cannot_be_indexed_are_kept(labels: dict[str, str]) -> None:
    made = of("web", labels=labels)
    document = told(made)
    assert "labels" not in document["container"]
    assert json.loads(document["logdock"]["labels"]) == labels
    assert share(JOURNAL, made, STREAM).marks == (MARK_ORIGIN,)


def test_a_degraded_origin_keeps_all_out_of_the_index() -> None:
    document = told(ORIGIN, degraded=True)
    assert json.loads(document["logdock"]["labels"]) == dict(ORIGIN.labels)
    assert json.loads(document["logdock"]["tag_fields"]) == dict(ORIGIN.tag_fields)
    assert document["docker"] == {"tag": ORIGIN.tag}


def test_the_parts_of_a_data_streams_name() -> None:
    parts = {"type": "logs", "dataset": "docker.shop", "namespace": "a-b"}
    assert data_stream("logs-docker.shop-a-b") == parts
