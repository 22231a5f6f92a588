"""What is said of the services of a compose file, alone and together with daemon.json."""

import pytest

from api.doctor import compose
from api.doctor.examine import examine_compose
from api.doctor.findings import Finding
from tests.api.doctor.cases import FLUENTD, context, file, look

DAEMON = file("fluentd", FLUENTD)


def findings(text: str, daemon: str = "{}") -> list[Finding]:
    loaded = compose.load(text)
    examined = look(daemon, compose=loaded)
    return list(examine_compose(examined, context(compose=loaded), "compose.yaml"))


def one(text: str, code: str, daemon: str = "{}") -> Finding:
    found = [finding for finding in findings(text, daemon) if finding.code == code]
    assert len(found) == 1, found
    return found[0]


def service(logging: str, more: str = "image: busybox:1") -> str:
    return f"services:\n  web:\n    {more}\n    logging:\n{logging}"


OPTIONS = "      driver: fluentd\n      options:\n"


@pytest.mark.parametrize(
    ("logging", "code", "severity", "line"),
    [
        (OPTIONS + "        fluentd-async: true\n", "compose-value", "error", 7),
        (OPTIONS + "        fluentd-async: {a: b}\n", "compose-value", "error", 7),
        ("      driver: 5\n", "compose-value", "error", 5),
        ("      driver: fluentd\n      option: {}\n", "compose-value", "error", 5),
        ("      [a]\n", "compose-value", "error", 5),
        ("      driver: fluentd\n      options: [a=b]\n", "compose-value", "error", 6),
        (OPTIONS + "        fluentd-async: ${ASYNC}\n", "compose-unresolved", "advice", 7),
        (OPTIONS + "        fluentd-max-retries: 0\n", "retries-zero", "warning", 7),
        (OPTIONS + "        fluentd-async: yes\n", "opt-boolean", "error", 7),
        (OPTIONS + "        max-size: 10m\n", "opt-unknown", "error", 7),
        (OPTIONS + "        fluentd-address: web:24224\n", "address-docker-dns", "warning", 7),
        ("      driver: fluent\n      options: {}\n", "driver-unknown", "error", 5),
        ("      driver: json-file\n      options:\n        max-lines: 5\n", "opt-unknown", "error", 7),
        ("      options:\n        fluentd-address: 127.0.0.1\n", "driver-missing", "error", 5),
    ],
)
def test_a_services_own_logging(logging: str, code: str, severity: str, line: int) -> None:
    finding = one(service(logging), code)
    assert (finding.severity, finding.line, finding.file) == (severity, line, "compose.yaml")
    assert finding.path[:3] == ("services", "web", "logging")
    assert "dockerd does not start" not in finding.effect


def test_a_driver_of_ones_own_is_not_held_against_a_service() -> None:
    assert findings(service("      driver: local\n")) == []
    assert findings("services:\n  web:\n    image: busybox:1\n", DAEMON) == []


def test_options_of_daemon_json_are_added_only_for_the_same_driver() -> None:
    ack = file("fluentd", {**FLUENTD, "mode": "non-blocking", "max-buffer-size": "64m"})
    own = service(OPTIONS + '        fluentd-request-ack: "true"\n')
    assert "ack-sync" in [finding.code for finding in findings(own)]
    assert "ack-sync" not in [finding.code for finding in findings(own, ack)]
    gelf = service("      driver: gelf\n      options:\n        tag: x\n")
    assert "address-missing" in [finding.code for finding in findings(gelf, ack)]
    without_driver = service('      options:\n        fluentd-max-retries: "0"\n')
    assert "retries-zero" in [finding.code for finding in findings(without_driver, DAEMON)]


def test_what_daemon_json_has_wrong_is_said_once() -> None:
    bad = file("fluentd", {**FLUENTD, "fluentd-max-retries": "0"})
    assert findings(service(OPTIONS + "        tag: web\n"), bad) == [
        finding
        for finding in findings(service(OPTIONS + "        tag: web\n"), bad)
        if finding.path[-1] == "tag"
    ]


def test_services_that_share_an_anchor_are_one_finding() -> None:
    text = (
        "x-l: &l {driver: fluentd, options: {fluentd-max-retries: '0'}}\n"
        "services: {a: {logging: *l}, b: {logging: *l}}\n"
    )
    assert len([finding for finding in findings(text) if finding.code == "retries-zero"]) == 1


@pytest.mark.parametrize(
    ("more", "is_one"),
    [
        ('ports: ["127.0.0.1:24224:24224"]', True),
        ("ports: [{target: 24224, published: 24224}]", True),
        ('ports: ["24224:24224/udp"]', False),
        ('ports: ["24225:24224"]', False),
        ("image: example.com/logdock:latest", True),
        ("image: logdock-tools", False),
        ('command: ["/opt/logdock/bin/logdock", "serve"]\n    image: x', True),
        ("image: busybox:1", False),
    ],
)
def test_the_receiver_that_logs_to_itself(more: str, is_one: bool) -> None:
    for text, daemon in [
        (f"services:\n  web:\n    {more}\n", DAEMON),
        (service("      driver: fluentd\n", more), "{}"),
    ]:
        found = [finding for finding in findings(text, daemon) if finding.code == "receiver-logs-to-itself"]
        assert bool(found) is is_one
        assert not found or found[0].severity == "error"
    assert findings(service("      driver: local\n", more), DAEMON) == []


def test_the_receiver_on_the_hosts_network_does_not_start() -> None:
    text = service("      driver: fluentd\n", "image: logdock\n    network_mode: host")
    assert "connection refused" in one(text, "receiver-logs-to-itself").effect
    published = service("      driver: fluentd\n", "image: logdock")
    assert "comes back for ever" in one(published, "receiver-logs-to-itself").effect


def test_the_receiver_over_udp() -> None:
    logging = "      driver: gelf\n      options:\n        gelf-address: udp://127.0.0.1:12201\n"
    codes = [f.code for f in findings(service(logging, 'ports: ["12201:12201/udp"]'))]
    assert "receiver-logs-to-itself" in codes
    assert "receiver-logs-to-itself" not in [f.code for f in findings(service(logging, 'ports: ["12201:1"]'))]


def test_a_service_name_as_address_in_daemon_json() -> None:
    loaded = compose.load("services: {collector: {image: x}}")
    daemon = file("fluentd", {**FLUENTD, "fluentd-address": "collector:24224"})
    assert "address-docker-dns" in [finding.code for finding in look(daemon, compose=loaded).findings]
    assert "address-docker-dns" not in [finding.code for finding in look(daemon).findings]


def test_a_daemon_json_that_leaves_the_logging_to_the_services() -> None:
    loaded = compose.load(service("      driver: fluentd\n"))
    [finding] = look("{}", compose=loaded).findings
    assert (finding.code, finding.severity, finding.edits) == ("driver-elsewhere", "advice", ())


def test_our_own_compose_file_is_fine() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[3] / "compose/compose.yaml").read_text()
    assert findings(text, DAEMON) == []
