"""Whatever is asked over HTTP: no 500, and answers as the OpenAPI document says, by schemathesis.

LOGDOCK_FUZZ_SECONDS is for all operations together. A failure prints the request as a curl command.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.real.conftest import Launcher, elasticsearch, launcher, logdock
from tests.real.forwarding import Sender, container_id, message, new_chunk
from tests.real.server import Logdock

__all__ = ["elasticsearch", "logdock"]  # fixtures

SECONDS = float(os.environ.get("LOGDOCK_FUZZ_SECONDS", "60"))
EXAMPLES = 25  # of one operation before the next has its turn
LEAST = 20  # requests to each operation, however slow the machine
PAST = "2020-01-01T00:00:00Z"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
KNOWN = {  # values that reach further into the server than noise does
    "container": ["web", "/web", container_id("fuzz"), container_id("fuzz")[:8], "ab", "ü b/c"],
    "service": ["shop", "a/b"],
    "label": ["com.docker.compose.service=shop", "com.docker.compose.service", "k=", "=", "k=v=w"],
    "tag": ["docker.*", "*", "docker.web"],
    "q": ['line -two OR "a b"', "(one OR two) three", "/li+ne/", "/(/", "status:>=500", "-", "(", '"', "a*"],
    "since": ["15m", "1h30m", "7d", "0", "1795482000.123456789", "2026-11-24T01:00:00Z", "-5m", "9" * 30],
    "until": ["0s", "1000000h", "2262-04-11T23:47:16.854775807Z", "1677-09-21T00:12:43Z", "1e5"],
    "limit": ["1", "10000", "0", "10001", "-1", "1.0", "\u0661"],
    "order": ["asc", "desc", "arrival", "DESC"],
    "level": ["error", "ERROR", "warning"],
    "stream": ["stdout", "stderr"],
    "cursor": ["", "x", "e30", "AAAA"],
    "last_event_id": ["-1", "0", "5", "99999999999", "x"],
    "scope": ["container", "service", "host", "all", "x"],
    "before": ["0", "3", "1000", "1001"],
    "after": ["0", "3", "1000", "1001"],
    "ref": ["web", container_id("fuzz"), "%2Fweb", "..", "%2e%2e", "a%2Fb", "%ff", "%00"],
    "name": ["shop", "a%2Fb", "%ff"],
    "key": ["com.docker.compose.service", "k", "a%2Fb"],
    "value": ["shop", "v", "%2F"],
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logdock]:
    servers: list[Logdock] = []
    yield launcher(tmp_path_factory.mktemp("openapi"), servers)(environ={"LOGDOCK_SEAL_ROWS": "2000"})
    assert [one.stop() for one in servers] == [0]


def fill(server: Logdock) -> None:
    """Some lines, again and again: what is asked may have been to remove them."""
    sender = Sender(0, server.forward, "unused")
    for number in range(40):
        chunk = new_chunk()
        body = {
            "container_id": container_id("fuzz", number % 3) if number % 2 else container_id("fuzz"),
            "container_name": ["/web", "/ü b/c"][number % 2],
            "source": ["stdout", "stderr"][number % 2],
            "log": f'{{"status": {number * 50}, "msg": "line {number} ä"}}'
            if number % 3
            else f"ERROR line {number}",
            "com.docker.compose.service": "shop",
            "k": "v",
        }
        sender.exchange(message("docker.web", body, {"chunk": chunk}), chunk)
    sender.close()


def test_no_500_and_no_break_of_the_contract(server: Logdock, capsys: pytest.CaptureFixture[str]) -> None:
    """On the embedded store."""
    with capsys.disabled():
        print("\n" + fuzz(server))


@pytest.mark.soak
@pytest.mark.elasticsearch
@pytest.mark.timeout(3600)
def test_no_500_and_no_break_of_the_contract_with_elasticsearch(
    logdock: Launcher, elasticsearch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + fuzz(logdock("--store", elasticsearch)))


def fuzz(server: Logdock) -> str:
    """Every operation in turn until the time is up; how many requests were answered how."""
    schema = schemathesis.openapi.from_url(f"http://{server.http}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    answered: dict[str, Counter[int]] = {operation.label: Counter() for operation in operations}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or min(map(Counter.total, answered.values())) < LEAST:
        fill(server)
        ids = event_ids(server.find_after("/logs", 1)[-1]["id"])
        for operation in operations:
            counts = answered[operation.label]
            if time.monotonic() < end or counts.total() < LEAST:
                ask(operation, ids, counts)
    well = {label for label, counts in answered.items() if any(status < 300 for status in counts)}
    assert well == answered.keys(), "some operations answered nothing but problems"
    least = min(answered.values(), key=Counter.total)
    return f"{sum(answered.values(), Counter())}, {least.total()} or more by each of {len(answered)}"


def event_ids(known: str) -> list[str]:
    """One that is there, and what is none or too much of one."""
    journal = known.partition(".")[0]
    odd = [
        "0.0",
        "-1.0",
        "1.-1",
        f"{'f' * 20}.0",
        f"0.{'f' * 20}",
        " 1.0",
        "1_0.0",
        "7fffffffffffffff.0",
        ".",
    ]
    return [known] * 8 + [f"{journal}.{place}" for place in odd]


def ask(operation: Any, ids: list[str], answered: Counter[int]) -> None:
    """Some requests to one operation; counts what was answered by status."""

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), data=st.data())
    def one(case: Any, data: st.DataObject) -> None:
        improve(operation, case, ids, data)
        answered[case.call_and_validate(checks=CHECKS, timeout=30).status_code] += 1

    one()


def improve(operation: Any, case: Any, ids: list[str], data: st.DataObject) -> None:
    """Put known values among the noise, and let no live tail go on for ever."""
    known = {**KNOWN, "event_id": ids}
    for values in (case.path_parameters, case.query):
        for name in list(values or ()):
            if name in known and data.draw(st.booleans(), f"known {name}"):
                values[name] = data.draw(st.sampled_from(known[name]), name)
    if operation.label.endswith("/tail"):
        case.query = {**(case.query or {}), "until": PAST}
