"""What every test may use. Real Elasticsearch and real dockerd come from tests/real/.

`make test` runs two processes of tests side by side (pytest-xdist). Everything with real parts is one group:
it waits a lot, starts first, and never has two daemons at once; beside it goes the rest, file by file.
"""

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.real.elastic_script import elasticsearch_script

REAL = "tests/real/"
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
    items.sort(key=lambda item: not item.nodeid.startswith(REAL))  # stable: the long ones first


class SideBySide(LoadScopeScheduling):
    """Everything real in one process, other files wherever there is room."""

    def _split_scope(self, nodeid: str) -> str:
        return REAL if nodeid.startswith(REAL) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return SideBySide(config, log)


def pytest_make_parametrize_id(val: object) -> str | None:
    """gzip has the time in its bytes, and processes side by side must give a test the same name."""
    return f"gzip of {len(val)} bytes" if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") else None
