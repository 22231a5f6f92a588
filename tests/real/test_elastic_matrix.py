"""Every kind of Elasticsearch that logdock works on passes the contract suite, and a cluster may lose a node.

The short form asks one of them, the one least like that of the other tests, a part of the suite; `make soak`
asks all of them all of it, and kills nodes.
"""

import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
import yaml

from tests.real.conftest import Launcher, missing
from tests.real.elastic import Node, NodeError, ask, write_users
from tests.real.forwarding import Sender, ended, started
from tests.real.server import REPOSITORY, until
from tests.real.test_kill import check

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(900)]  # two nodes at once on a busy machine

NEW, OLD = "9.5.3", "8.19.21"
WHOLE = [
    *sorted(REPOSITORY.glob("tests/storage/test_contract*.py")),
    REPOSITORY / "tests/storage/elastic/test_real.py",
]
PART = (
    "flushed or known_ids or replay or roll_over or order_with or messages or fields or arrival or filters"
    " or prune or common_names or word_and"
)
PART_LEAST, WHOLE_LEAST = 30, 150  # tests that must have run; fewer mean that the selection finds nothing
ROLES = REPOSITORY / "docs" / "elasticsearch.md"
USERS = {"logdock": "logdock", "reader": "logdock_reader"}
SENDERS, PAUSE = 3, 0.02  # some 500 lines/s: a copy of the shard must be able to catch up on a busy machine
QUICK_COPIES = {"cluster.routing.allocation.node_concurrent_recoveries": "20"}  # by default two at a time


@contextmanager
def running(*nodes: Node) -> Iterator[Node]:
    """Nodes that are one cluster; the first founds it."""
    try:
        try:
            for node in nodes:
                node.start()
        except (NodeError, OSError) as problem:
            missing(f"Elasticsearch: {problem}")
        nodes[0].wait_green(len(nodes))
        yield nodes[0]
    finally:
        for node in nodes:
            node.remove()


def documented_roles() -> str:
    """roles.yml as docs/elasticsearch.md has it."""
    found = re.search(r"As `roles.yml`:\n\n((?:    .*\n)+)", ROLES.read_text())
    assert found is not None
    return textwrap.dedent(found[1])


def pair(folder: Path, version: str) -> tuple[Node, Node]:
    founder = Node(folder, version=version, settings=QUICK_COPIES)
    return founder, Node(folder, version=version, settings=QUICK_COPIES, cluster=[founder])


def addresses(nodes: tuple[Node, ...]) -> str:
    return "http://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)


def contract(folder: Path, url: str, node: Node, whole: bool) -> None:
    """Run the suite in a process of its own against this server, by this URL: nothing fails or is skipped."""
    report = folder / "report.xml"
    environ = {
        "LOGDOCK_TEST_ELASTICSEARCH": url, "LOGDOCK_TEST_ELASTICSEARCH_SUPERUSER": node.url,
        "LOGDOCK_TEST_ELASTICSEARCH_CA": str(node.ca or ""), "LOGDOCK_REQUIRE_REAL": "1",
    }  # fmt: skip
    part = [] if whole else ["-k", PART]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "elasticsearch", "-p", "no:cacheprovider",
         f"--basetemp={folder / 'tmp'}", f"--junitxml={report}", *part, *map(str, WHOLE)],
        cwd=REPOSITORY, env={**os.environ, **environ},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    suite = ElementTree.parse(report).find("testsuite")
    assert suite is not None
    assert done.returncode == 0, done.stdout[-4000:]
    assert suite.get("skipped") == "0", done.stdout[-4000:]
    assert int(suite.get("tests", "0")) >= (WHOLE_LEAST if whole else PART_LEAST)


def test_the_roles_are_written_alike_twice() -> None:
    roles = yaml.safe_load(documented_roles())
    assert set(roles) == set(USERS.values())
    bodies = re.findall(r"^    \{\n(?:    .*\n)+?    \}$", ROLES.read_text(), re.MULTILINE)
    assert [yaml.safe_load(textwrap.dedent(body)) for body in bodies] == list(roles.values())


# The contract


@pytest.mark.soak
@pytest.mark.parametrize("version", [NEW, OLD])
def test_plain(tmp_path: Path, version: str) -> None:
    with running(Node(tmp_path, version=version)) as node:
        contract(tmp_path, node.url, node, whole=True)


def test_version_8_with_tls_and_the_documented_roles(tmp_path: Path, logdock: Launcher) -> None:
    """The plain newest server is the one that the suite itself asks."""
    secured(tmp_path, OLD, logdock, whole=False)


@pytest.mark.soak
@pytest.mark.parametrize("version", [NEW, OLD])
def test_all_with_tls_and_the_documented_roles(tmp_path: Path, version: str, logdock: Launcher) -> None:
    secured(tmp_path, version, logdock, whole=True)


def secured(folder: Path, version: str, logdock: Launcher, whole: bool) -> None:
    files = write_users(folder / "files", documented_roles(), USERS)
    with running(Node(folder, version=version, security=True, files=files)) as node:
        contract(folder, node.url_of("logdock"), node, whole)
        serve_secured(logdock, node)
        only_what_the_roles_say(node)


def serve_secured(logdock: Launcher, node: Node) -> None:
    """A whole server with user, password and authority: flags and variables arrive where they are used."""
    server = logdock("--elasticsearch-ca", str(node.ca), environ={"LOGDOCK_STORE": node.url_of("logdock")})
    senders = started(1, server.forward, "secured", pause=0.01)
    time.sleep(0.5)
    ended(senders)
    check(server, senders[0])
    assert "logdock-test" not in server.log.read_text().replace(str(node.run), "")


def only_what_the_roles_say(node: Node) -> None:
    search = "/logs-docker-default/_search"
    assert ask(node.url_of("reader"), "GET", search, ca=node.ca)["hits"]["total"]["value"] > 0
    node.ask("PUT", "/payroll/_doc/1?refresh=true", {"salary": 1})
    document, nothing = {"@timestamp": "2026-11-24T06:00:00Z"}, {"persistent": {"logger.x": "info"}}
    for user, method, path, body in [
        ("reader", "POST", "/logs-docker-default/_doc", document),
        ("reader", "GET", "/payroll/_search", None),
        ("logdock", "GET", "/payroll/_search", None),
        ("logdock", "PUT", "/_cluster/settings", nothing),
    ]:
        with pytest.raises(httpx.HTTPStatusError, match="security_exception"):
            ask(node.url_of(user), method, path, body, node.ca)


@pytest.mark.soak
@pytest.mark.parametrize("version", [NEW, OLD])
def test_all_with_a_replica(tmp_path: Path, version: str) -> None:
    nodes = pair(tmp_path, version)
    with running(*nodes) as node:
        contract(tmp_path, addresses(nodes), node, whole=True)
        node.wait_green(2)
        assert_replicated(node)


def assert_replicated(node: Node) -> None:
    health = node.ask("GET", "/_cluster/health/logs-docker-*?level=indices")
    assert health["indices"]
    copies = {(index["status"], index["number_of_replicas"]) for index in health["indices"].values()}
    assert copies == {("green", 1)}, health


# One node of two is killed


@pytest.mark.soak
def test_the_node_with_the_primary_is_killed(tmp_path: Path, logdock: Launcher) -> None:
    """The replica takes over: what comes meanwhile is stored meanwhile. Then the suite on both nodes."""
    founder, joined = nodes = pair(tmp_path, NEW)
    with running(*nodes):
        lose(nodes, joined, logdock, goes_on=True)
        contract(tmp_path, addresses(nodes), founder, whole=False)


@pytest.mark.soak
@pytest.mark.parametrize("version", [NEW, OLD])
@pytest.mark.parametrize("primary", ["master", "other"])
@pytest.mark.parametrize("killed", ["master", "other"])
def test_one_node_is_killed(
    tmp_path: Path, logdock: Launcher, version: str, primary: str, killed: str
) -> None:
    """Without a master nothing is stored until it is back."""
    founder, joined = nodes = pair(tmp_path, version)
    roles = {"master": founder, "other": joined}
    with running(*nodes):
        lose(nodes, roles[killed], logdock, goes_on=killed == "other", primary=roles[primary])


def lose(
    nodes: tuple[Node, Node], victim: Node, logdock: Launcher, goes_on: bool, primary: Node | None = None
) -> None:
    """Kill a node under acknowledged load, and have it back. Nobody notices, and each line is stored once."""
    survivor = nodes[1 - nodes.index(victim)]
    keep_off(survivor, nodes[1 - nodes.index(primary or victim)])
    server = logdock("--store", addresses(nodes))
    senders = started(SENDERS, server.forward, f"lose-{victim.port}", pause=PAUSE)
    until(lambda: stored(survivor) > 0, 30, lambda: f"nothing is stored:\n{server.tail()}")
    keep_off(survivor, None)
    survivor.wait_green(2)
    assert name_with_primary(survivor) == (primary or victim).name
    assert_replicated(survivor)
    victim.kill()
    lost_at = acked(senders)
    if goes_on:
        until(
            lambda: stored(survivor) > lost_at, 30, lambda: f"only {stored(survivor)} of {lost_at} are stored"
        )
    else:
        time.sleep(5)
    assert acked(senders) > lost_at, "no line was taken while a node was away"
    victim.start()
    time.sleep(1)
    ended(senders)
    survivor.wait_green(2)
    assert [sender.resent for sender in senders] == [0] * SENDERS
    for sender in senders:
        check(server, sender)
    assert [stored(node, "_only_local") for node in nodes] == [acked(senders)] * 2


def acked(senders: list[Sender]) -> int:
    return sum(sender.acked for sender in senders)


def stored(node: Node, preference: str = "") -> int:
    with suppress(httpx.HTTPError):
        node.ask("POST", "/logs-docker-default/_refresh")
        return int(node.ask("GET", f"/logs-docker-default/_count?preference={preference}")["count"])
    return 0


def keep_off(node: Node, other: Node | None) -> None:
    """No shard may be on this node from now on."""
    setting = {"cluster.routing.allocation.exclude._name": other and other.name}
    node.ask("PUT", "/_cluster/settings", {"persistent": setting})


def name_with_primary(node: Node) -> str:
    state = node.ask("GET", "/_cluster/state/routing_table,nodes/.ds-logs-docker-default-*")
    (index,) = state["routing_table"]["indices"].values()
    (primary,) = [copy for copy in index["shards"]["0"] if copy["primary"]]
    return str(state["nodes"][primary["node"]]["name"])
