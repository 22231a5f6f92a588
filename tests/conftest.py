"""What every test may use. Real Elasticsearch and real dockerd come from tests/real/.

`make test` runs two processes of tests side by side (pytest-xdist). Everything with real parts is one group:
it waits a lot, starts first, and never has two daemons at once; beside it goes the rest, file by file.
"""

import os
from pathlib import Path

import pytest

from tests.real.elastic_script import elasticsearch_script

REAL = Path(__file__).parent / "real"
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.is_relative_to(REAL))  # stable: the long ones first
    for item in items:
        group = "real" if item.path.is_relative_to(REAL) else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_make_parametrize_id(val: object) -> str | None:
    """gzip has the time in its bytes, and processes side by side must give a test the same name."""
    return f"gzip of {len(val)} bytes" if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") else None
