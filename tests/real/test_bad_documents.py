"""Lines made to be refused, among good ones, from senders to a real logdock and a real Elasticsearch.

Each is stored, whole or degraded, or in quarantine; none vanishes, and the order stays.
"""

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgpack
import pytest

from storage.elastic.template import STREAM, template
from tests.real.conftest import Launcher, missing
from tests.real.elastic import Node, NodeError
from tests.real.forwarding import container_id, message, new_chunk, record
from tests.real.server import COMMAND, REPOSITORY, Logdock, host_port, until

pytestmark = pytest.mark.elasticsearch

# What one record has beside its number: in forward fields beside the line, in GELF additional fields.
TEXTS = {
    "good": "a good line",
    "5 MB": "x" * 5_000_000,
    "5 MB of words": "word " * 1_000_000,
    "NUL": "a\0b\0\0",
    "JSON, leaf and prefix": '{"a":1,"a.b":2,"a.b.c":{"d":3}}',
    "JSON, empty keys": '{"":1," ":{"":2},".":3,"..":4}',
    "JSON, key of 33 KB": '{"%s":1}' % ("k" * 33_000),
    "JSON, value of 40 KB": '{"a":"%s"}' % ("v" * 40_000),
    "JSON, one key twice": '{"a":1,"a":{"b":2},"a":[3]}',
    "JSON, deep": '{"a":' * 100 + "1" + "}" * 100,
    "JSON, deep arrays": '{"a":' + "[" * 300 + "]" * 300 + "}",
    "JSON, numbers": '{"a":1e400,"b":-1e400,"c":123456789012345678901234567890,"d":1e-400}',
    "JSON, NaN": '{"a":NaN}',
    "JSON, NUL": '{"a\\u0000b":"c\\u0000d"}',
    "JSON, lone surrogates": '{"a":"\\ud800","\\udfff":1}',
    "JSON, our names": '{"@timestamp":"9999-12-31","_id":"x","_source":{},"logdock":{"origin":[]}}',
    "JSON, 20,000 keys": json.dumps({f"k{n}": n for n in range(20_000)}),
}
EXTRAS: dict[str, dict[str, str]] = {
    "10,000 labels": {f"label.{n}": "v" for n in range(10_000)},
    "label of 40 KB": {"big": "v" * 40_000},
    "label key of 33 KB": {"k" * 33_000: "v"},
    "label, leaf and prefix": {"a": "1", "a.b": "2", "a.b.c": "3"},
    "label, odd keys": {" ": "1", ".": "2", "a..b": "3", "a\0b": "4\0", "*": "5", "_id": "6"},
}
GELF_CHARACTERS = 1_900_000  # a GELF message of more than 2 MB ends its connection
ODD = len(TEXTS) + len(EXTRAS)


def bodies() -> Iterator[tuple[str, dict[str, str]]]:
    """(line, what is beside it): each odd one between two good ones."""
    for text in TEXTS.values():
        yield from ((TEXTS["good"], {}), (text, {}), (TEXTS["good"], {}))
    for extra in EXTRAS.values():
        yield from ((TEXTS["good"], {}), ("with labels", extra), (TEXTS["good"], {}))


def over_forward(server: Logdock, name: str) -> int:
    """All of them on one connection, each acknowledged; returns how many."""
    container, count = container_id(name), 0
    with socket.create_connection(host_port(server.forward), timeout=60) as connection:
        unpacker = msgpack.Unpacker()
        for count, (text, extra) in enumerate(bodies(), 1):
            chunk = new_chunk()
            body = {**record(container, text, name), **extra}
            connection.sendall(message("bad", body, {"chunk": chunk}, 1_795_500_000 + count))
            assert answered(connection, unpacker) == {"ack": chunk}
    return count


def answered(connection: socket.socket, unpacker: "msgpack.Unpacker") -> Any:
    while True:
        for answer in unpacker:
            return answer
        data = connection.recv(4096)
        assert data, "closed before the ack"
        unpacker.feed(data)


def over_gelf(server: Logdock, name: str) -> int:
    """All of them on one connection; returns how many."""
    container, count = container_id(name), 0
    with socket.create_connection(host_port(server.gelf_tcp), timeout=60) as connection:
        for count, (text, extra) in enumerate(bodies(), 1):
            body = {
                "version": "1.1", "host": "node-a", "short_message": text[:GELF_CHARACTERS], "level": 6,
                "timestamp": 1_795_500_000 + count, "_container_id": container, "_container_name": name,
                **{f"_{key}": value for key, value in extra.items()},
            }  # fmt: skip
            connection.sendall(json.dumps(body).encode() + b"\0")
    return count


def stored(server: Logdock, name: str) -> list[dict[str, Any]]:
    return list(server.export(container=container_id(name), order="asc"))


def quarantined(server: Logdock, name: str) -> list[dict[str, Any]]:
    answer = server.get("/api/v1/quarantine", container=container_id(name), limit=10_000)
    assert answer.status_code == 200, answer.text
    return [item["event"] for item in answer.json()["items"]]


def settled(server: Logdock) -> None:
    """Until the store has everything that the journal has."""

    def done() -> bool:
        lines = server.get("/metrics").text.splitlines()
        return "logdock_store_unsafe_bytes 0.0" in lines and "logdock_pipeline_lag_bytes 0.0" in lines

    until(done, 90, lambda: f"not settled:\n{server.tail()}")


@pytest.mark.parametrize("send", [over_forward, over_gelf])
def test_each_odd_line_is_stored_or_in_quarantine(logdock: Launcher, elasticsearch: str, send: Any) -> None:
    server = logdock("--store", elasticsearch)
    name = f"odd-{send.__name__}-{time.time_ns():x}"
    count = send(server, name)
    assert count == 3 * ODD
    settled(server)
    here, there = stored(server, name), quarantined(server, name)
    assert len({event["id"] for event in (*here, *there)}) == len(here) + len(there) == count
    assert [event["timestamp"] for event in here] == sorted(event["timestamp"] for event in here)
    seconds = sorted(event["timestamp"][:19] for event in (*here, *there))
    assert len(set(seconds)) == count
    good = [event for event in here if event["message"] == TEXTS["good"]]
    assert len(good) == 2 * ODD + 1
    assert there == [], "stored degraded, all of them"


# A mapping that an operator has changed

LINES = 600
WRONG = {"host": {"properties": {"name": {"type": "object"}}}}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = Node(tmp_path_factory.mktemp("node"))
    try:
        made.start()
    except (NodeError, OSError, subprocess.TimeoutExpired) as problem:
        missing(f"Elasticsearch: {problem}")
    yield made
    made.remove()


def break_mapping(node: Node) -> None:
    body = template() | {"index_patterns": [STREAM], "priority": 1000, "_meta": {}}
    mappings = body["template"]["mappings"]
    body["template"]["mappings"] = mappings | {"properties": mappings["properties"] | WRONG}
    node.ask("PUT", "/_index_template/wrong", body)
    with contextlib.suppress(httpx.HTTPStatusError):  # there is no stream yet
        node.ask("POST", f"/{STREAM}/_rollover")


def mend_mapping(node: Node) -> None:
    node.ask("DELETE", "/_index_template/wrong")
    node.ask("POST", f"/{STREAM}/_rollover")


def send_lines(server: Logdock, name: str) -> None:
    container = container_id(name)
    with socket.create_connection(host_port(server.forward), timeout=60) as connection:
        unpacker = msgpack.Unpacker()
        for number in range(LINES):
            body = record(container, f"line {number}", name)
            connection.sendall(message("bad", body, {"chunk": new_chunk()}, 1_795_500_000 + number))
            answered(connection, unpacker)


def command(server: Logdock, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "quarantine", *arguments, "--server", server.http],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def refused_everything(logdock: Launcher, node: Node, name: str) -> Logdock:
    """A server with LINES lines in quarantine."""
    break_mapping(node)
    server = logdock("--store", node.url)
    send_lines(server, name)
    until(lambda: len(quarantined(server, name)) == LINES, 90, lambda: f"not refused:\n{server.tail()}")
    assert stored(server, name) == []
    return server


def test_a_kill_lists_nothing_twice_and_a_retry_brings_all_back(logdock: Launcher, node: Node) -> None:
    name = f"mapping-{time.time_ns():x}"
    server = refused_everything(logdock, node, name)
    (server.data / "elastic-commit.json").unlink(missing_ok=True)  # everything is replayed
    server.kill()
    server.start()
    settled(server)
    assert len(quarantined(server, name)) == LINES
    listed = command(server, "list", "--container", name, "--limit", "3")
    assert "object mapping for [host.name]" in listed.stdout
    assert server.get("/readyz").status_code == 200
    notes = server.get("/api/v1/logs", container=name).json()["notes"]
    assert any(f"{LINES} lines of these containers and times are in quarantine" in note for note in notes)
    refused = command(server, "retry", "--all")
    assert (refused.returncode, f"{LINES} refused again" in refused.stdout) == (1, True)
    mend_mapping(node)
    taken = command(server, "retry", "--all")
    assert (taken.returncode, taken.stdout) == (
        0, f"{LINES} taken by the store, 0 refused again, 0 left\n",
    )  # fmt: skip
    assert [event["message"] for event in stored(server, name)] == [f"line {n}" for n in range(LINES)]


def test_kills_in_the_middle_of_a_retry_lose_and_double_nothing(logdock: Launcher, node: Node) -> None:
    name = f"killed-{time.time_ns():x}"
    server = refused_everything(logdock, node, name)
    mend_mapping(node)
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
        posting = threading.Thread(target=post_quietly, args=(server,))
        posting.start()
        time.sleep(delay)
        server.kill()
        posting.join()
        server.start()
        settled(server)
        here, there = stored(server, name), quarantined(server, name)
        ids = [event["id"] for event in here]
        assert len(ids) == len(set(ids))
        assert len({*ids, *(event["id"] for event in there)}) == LINES
    done = command(server, "retry", "--all")
    assert done.returncode == 0, done.stderr
    assert [event["message"] for event in stored(server, name)] == [f"line {n}" for n in range(LINES)]
    assert quarantined(server, name) == []


def post_quietly(server: Logdock) -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.post(f"http://{server.http}/api/v1/quarantine/retry", json={"all": True}, trust_env=False)


def test_what_is_dropped_is_written_down(logdock: Launcher, node: Node) -> None:
    name = f"dropped-{time.time_ns():x}"
    server = refused_everything(logdock, node, name)
    first = quarantined(server, name)[0]["id"]
    assert command(server, "drop", "--all").returncode == 2
    assert command(server, "drop", first, "--force").stdout == f"1 dropped, {LINES - 1} left\n"
    assert (
        command(server, "drop", "--reason", "refused", "--force").stdout == f"{LINES - 1} dropped, 0 left\n"
    )
    lines = Path(server.data / "quarantine" / "dropped.ndjson").read_text().splitlines()
    assert sum(json.loads(line)["events"] for line in lines) == LINES
    assert f'logdock_dropped_total{{reason="quarantine_dropped"}} {LINES}.0' in server.get("/metrics").text
    assert not list((server.data / "quarantine").glob("rejected*"))
