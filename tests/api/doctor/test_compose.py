"""A compose file, read as compose reads it (the values are those of `docker compose config`, v2.26)."""

import pytest

from api.doctor.compose import MAX_MERGES, ComposeError, Service, load

TEXT = """
x-logging: &logging
  driver: fluentd
  options: &options
    fluentd-address: 127.0.0.1:24224
services:
  plain:
    image: busybox:1
  anchored:
    logging: *logging
  merged:
    logging:
      <<: *logging
      options:
        <<: *options
        tag: ${TAG:-web}$$
  based:
    extends: anchored
  base-elsewhere:
    extends: {file: other.yaml, service: x}
  receiver:
    image: registry:5000/team/logdock:1@sha256:00
    container_name: logs
    hostname: collector
    network_mode: host
    networks: {default: {aliases: [sink]}}
    ports:
      - "127.0.0.1:24224:24224"
      - "12201-12202:12201-12202/udp"
      - "[::1]:8080:80"
      - 9000
      - {target: 80, published: "8081", protocol: tcp}
include:
  - more.yaml
"""


@pytest.fixture
def services() -> dict[str, Service]:
    return {service.name: service for service in load(TEXT).services}


def test_logging(services: dict[str, Service]) -> None:
    assert services["plain"].logging is None
    for name in ("anchored", "based"):
        logging = services[name].logging
        assert logging is not None and logging.driver is not None
        assert (logging.driver.text, logging.line) == ("fluentd", 2)
        assert logging.options["fluentd-address"].text == "127.0.0.1:24224"
    merged = services["merged"].logging
    assert merged is not None and merged.driver is not None and merged.driver.text == "fluentd"
    assert {key: value.text for key, value in merged.options.items()} == {
        "fluentd-address": "127.0.0.1:24224",
        "tag": "web$",
    }
    assert merged.options["tag"].line == 16


def test_names_ports_and_what_stands_elsewhere(services: dict[str, Service]) -> None:
    receiver = services["receiver"]
    assert receiver.names == {"receiver", "logs", "collector", "sink"}
    assert receiver.ports == {("tcp", 24224), ("udp", 12201), ("udp", 12202), ("tcp", 8080), ("tcp", 8081)}
    assert receiver.host_network and receiver.runs.startswith("registry:5000/team/logdock")
    assert services["base-elsewhere"].elsewhere == "extends: x of other.yaml"
    loaded = load(TEXT)
    assert loaded.elsewhere == ("include: more.yaml",)
    assert {"plain", "sink", "logs"} <= loaded.names


@pytest.mark.parametrize(
    ("written", "kind", "text"),
    [
        ("true", "bool", "true"),
        ("yes", "string", "yes"),
        ("'true'", "string", "true"),
        ("3", "number", "3"),
        ("010", "number", "8"),
        ("0x10", "number", "16"),
        ("1e3", "number", "1000"),
        ("1.50", "number", "1.5"),
        ("", "null", ""),
        ("~", "null", ""),
        ("[a]", "other", None),
        ("${X}", "string", None),
        ("$X", "string", None),
        ("${X-d}", "string", "d"),
        ("${X:?no}", "string", None),
        ("a$$b", "string", "a$b"),
        ("|-\n          text", "string", "text"),
    ],
)
def test_values(written: str, kind: str, text: str | None) -> None:
    loaded = load(f"services:\n  a:\n    logging:\n      options:\n        tag: {written}\n")
    logging = loaded.services[0].logging
    assert logging is not None
    scalar = logging.options["tag"]
    assert (scalar.kind, scalar.text, scalar.line) == (kind, text, 5)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("services: [", "not YAML", 1),
        ("a: b: c", "not YAML", 1),
        ("", "no services", 1),
        ("- a", "no services", 1),
        ("services:\n  - a\n", "no services", 2),
        ("a: *nothing", "not YAML", 1),
        ("\x00", "not YAML", 1),
        ("[" * 3000, "not YAML", 1),
    ],
)
def test_not_a_compose_file(text: str, message: str, line: int) -> None:
    with pytest.raises(ComposeError, match=message) as raised:
        load(text)
    assert raised.value.line == line


def test_files_made_to_explode_are_refused_at_once() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9)]
    lines += ["services:", "  web:", "    logging:", "      <<: *a8"]
    with pytest.raises(ComposeError, match=f"{MAX_MERGES} merge keys"):
        load("\n".join(lines))
    with pytest.raises(ComposeError):
        load("services: &s\n  web: &w\n    <<: *w\n")


def test_a_port_range_is_bounded() -> None:
    loaded = load('services: {a: {ports: ["1-99999999:1-99999999"]}}')
    assert len(loaded.services[0].ports) <= 65535


def test_extends_in_a_circle() -> None:
    loaded = load("services: {a: {extends: b}, b: {extends: a}}")
    assert [service.logging for service in loaded.services] == [None, None]
