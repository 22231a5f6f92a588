"""What every test may use. Real Elasticsearch and real dockerd come from tests/real/.

`make test` runs two processes of tests side by side (pytest-xdist). What needs dockerd is one group, because
one pair of daemons is enough; what has other real parts is a second one. Both wait a lot and go first.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.real.elastic_script import elasticsearch_script

ROOT = Path(__file__).parent.parent
REAL, DOCKER = "tests/real/", "dockerd"
OURS = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Remember whether Elasticsearch ran before: processes side by side share one."""
    is_first = not hasattr(config, "workerinput")
    if is_first and not os.environ.get("LOGDOCK_TEST_ELASTICSEARCH"):
        config.stash[OURS] = elasticsearch_script("status").returncode != 0


def pytest_unconfigure(config: pytest.Config) -> None:
    """End it behind the last test, when it is ours."""
    if config.stash.get(OURS, False):
        elasticsearch_script("down")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    first = [DOCKER, REAL]
    items.sort(key=lambda item: first.index(found) if (found := group(item.nodeid)) in first else len(first))


def group(nodeid: str) -> str:
    """What the tests have in common that are run in one process, one after the other."""
    file = nodeid.partition("::")[0]
    if not file.startswith(REAL):
        return file
    return DOCKER if "dockerd" in _source(file) else REAL


@cache
def _source(file: str) -> str:
    return (ROOT / file).read_text()


class SideBySide(LoadScopeScheduling):
    """Groups go to whichever process has room."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return SideBySide(config, log)


def pytest_make_parametrize_id(val: object) -> str | None:
    """gzip has the time in its bytes, and processes side by side must give a test the same name."""
    return f"gzip of {len(val)} bytes" if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") else None
